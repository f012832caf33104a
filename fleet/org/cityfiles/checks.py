"""Faults that show only when the files are held against each other and against the map."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import cos, radians

from fleet.org.cityfiles import beats, bins, classes, fleet, landmarks, places, premises, wards
from fleet.org.cityfiles.folder import CityFolder
from fleet.org.policy import STREAMS
from fleet.roads.faults import Fault

type Bbox = tuple[float, float, float, float]

AROUND_M = {
    premises.FILE: 500.0,
    bins.FILE: 500.0,
    landmarks.FILE: 5_000.0,
    places.FILE: 3_000.0,
}
"""How far outside the street network a position may lie."""
_METRES_PER_DEGREE = 111_195.0


def against_map(files: CityFolder, bbox: Bbox) -> list[Fault]:
    """Positions off the map, swapped ones among them, and wards that lie elsewhere."""
    found = []
    for file, rows in (
        (premises.FILE, files.premises or ()),
        (bins.FILE, files.bins),
        (landmarks.FILE, files.landmarks),
        (places.FILE, files.places),
    ):
        for row in rows:
            fault = _off_map(file, row.row, row.lon, row.lat, bbox)
            # Landmarks far away are no use, but do no harm either.
            if fault is not None and (file != landmarks.FILE or "swapped" in fault.reason):
                found.append(fault)
    for ward in files.wards:
        west, south, east, north = ward.geometry.bounds
        if west > bbox[2] or east < bbox[0] or south > bbox[3] or north < bbox[1]:
            middle = ward.geometry.centroid
            swapped = _within(middle.y, middle.x, bbox, 3_000)
            found.append(
                Fault(
                    wards.FILE,
                    ward.row,
                    "geometry",
                    f"Ward {ward.id} has lon and lat swapped."
                    if swapped
                    else f"Ward {ward.id} lies outside the street network.",
                    "GeoJSON writes lon first, then lat."
                    if swapped
                    else "Give a network that covers it, or leave the ward out.",
                )
            )
    return found


def against_each_other(files: CityFolder) -> list[Fault]:
    """Bins that no vehicle can carry, streams that no vehicle takes, classes that nobody uses."""
    return [*_bins_too_heavy(files), *_streams_left(files), *_unused_classes(files)]


def without_streets(files: CityFolder, streets_of_ward: Sequence[int]) -> list[Fault]:
    """Wards in which no street lies."""
    return [
        Fault(
            wards.FILE,
            ward.row,
            "geometry",
            f"Ward {ward.id} has no street.",
            "Check its outline, or give a network that has its streets.",
        )
        for ward, streets in zip(files.wards, streets_of_ward, strict=True)
        if streets == 0
    ]


def too_wide(files: CityFolder, reached_m: Mapping[str, float]) -> list[Fault]:
    """Classes, and vehicles of them, for which no street is wide enough.

    Args:
        reached_m: length of the city's lanes that each class reaches.
    """
    found = []
    for row in files.classes:
        if reached_m.get(row.id, 0.0) > 0:
            continue
        needs_m = row.width_m + files.policy.clearance_m
        found.append(
            Fault(
                classes.FILE,
                None,
                f"{row.id}.width_m",
                f"No street of the city is open to the class: it needs {needs_m:.1f} m.",
                "Check the width, and the width and access tags of the map.",
            )
        )
        found.extend(
            Fault(
                fleet.FILE,
                vehicle.row,
                "class",
                f"Vehicle {vehicle.id} ({row.id}) is too wide for every street of the city.",
                "Give it another class, or take it out.",
            )
            for vehicle in files.vehicles
            if vehicle.class_id == row.id
        )
    return found


def cut_off(network: str, share: float) -> Fault:
    """Streets that are wide enough, but that no vehicle gets to and back from."""
    return Fault(
        network,
        None,
        "oneway",
        f"{share:.0%} of the street length is wide enough, but cannot be reached and left again; "
        "it is served on foot from the nearest street that can.",
        "Cut the extract wider than the wards, and check one-way and access tags.",
        fatal=False,
    )


def beat_too_narrow(file: str, row: int, beat_id: str, vehicle_id: str) -> Fault:
    """A beat whose vehicle fits into none of its lanes."""
    return Fault(
        file,
        row,
        "vehicle",
        f"Vehicle {vehicle_id} is too wide for every street of beat {beat_id}.",
        "Give the beat to a narrower vehicle.",
    )


def unknown_lanes(row: beats.BeatRow, count: int) -> Fault:
    """A beat's lanes that the map lacks: it may have changed since the beat was learnt."""
    return Fault(
        row.file,
        row.row,
        "lanes",
        f"{count} lanes of beat {row.id} are not on this map; they are left out.",
        "Learn the beats again once the new map has been driven.",
        fatal=False,
    )


def unknown_landmark(row: beats.BeatRow, name: str) -> Fault:
    """A beat's landmark that is neither a landmark, a street nor a ward."""
    return Fault(
        row.file,
        row.row,
        "landmarks",
        f"{name!r} is neither a landmark, a street nor a ward of the city.",
        f"Add it to {landmarks.FILE}, or correct the spelling.",
    )


def _off_map(file: str, row: int, lon: float, lat: float, bbox: Bbox) -> Fault | None:
    if row == 0 or _within(lon, lat, bbox, AROUND_M[file]):
        return None
    if _within(lat, lon, bbox, AROUND_M[file]):
        return Fault(
            file, row, "lon", f"lon {lon:g} and lat {lat:g} are swapped.", "Write lon first."
        )
    west, south, east, north = bbox
    return Fault(
        file,
        row,
        "lon",
        f"{lon:g}, {lat:g} lies outside the street network.",
        f"The network spans lon {west:.4f} to {east:.4f}, lat {south:.4f} to {north:.4f}.",
    )


def _within(lon: float, lat: float, bbox: Bbox, around_m: float) -> bool:
    west, south, east, north = bbox
    dlat = around_m / _METRES_PER_DEGREE
    dlon = dlat / max(cos(radians(south)), 0.01)
    return west - dlon <= lon <= east + dlon and south - dlat <= lat <= north + dlat


def _bins_too_heavy(files: CityFolder) -> Iterator[Fault]:
    most: dict[str, tuple[float, float]] = {}
    for vehicle in files.vehicles:
        for chamber in vehicle.chambers:
            for stream in chamber.streams:
                kg, m3 = most.get(stream, (0.0, 0.0))
                most[stream] = max(kg, chamber.kg), max(m3, chamber.m3)
    for row in files.bins:
        kg, m3 = most.get(row.stream, (0.0, 0.0))
        if files.vehicles and (row.kg > kg or row.m3 > m3):
            yield Fault(
                bins.FILE,
                row.row,
                "kg" if row.kg > kg else "m3",
                f"No vehicle can carry bin {row.id}: {row.kg:g} kg and {row.m3:.2f} m3 of "
                f"{row.stream}; the largest chamber takes {kg:g} kg and {m3:g} m3.",
                "Give a larger vehicle, or several smaller bins.",
            )


def _streams_left(files: CityFolder) -> Iterator[Fault]:
    taken = {s for v in files.vehicles for c in v.chambers for s in c.streams}
    for stream in STREAMS:
        if files.vehicles and stream not in taken:
            yield Fault(
                fleet.FILE,
                None,
                "compartments",
                f"No vehicle takes {stream} waste; it will not be collected.",
                "Add the stream to a chamber.",
                fatal=False,
            )


def _unused_classes(files: CityFolder) -> Iterator[Fault]:
    used = {vehicle.class_id for vehicle in files.vehicles}
    for row in files.classes:
        if files.vehicles and row.id not in used:
            yield Fault(
                classes.FILE,
                None,
                row.id,
                "No vehicle has this class.",
                "It may stay, and costs a dataset.",
                fatal=False,
            )
