"""A city's lanes and names, derived from its files and its network. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shapely import LineString, MultiPoint, Point, union_all
from shapely.geometry.base import BaseGeometry

from fleet.org.cityfiles import checks, premises
from fleet.org.cityfiles.beats import BeatRow
from fleet.org.cityfiles.classes import ClassRow
from fleet.org.cityfiles.folder import CityFolder
from fleet.org.derive.access import MODES, ServiceMode, accesses
from fleet.org.derive.areas import ward_indices
from fleet.org.derive.demand import Premises, estimated, snapped
from fleet.org.derive.gazetteer import Gazetteer, Named, gazetteer
from fleet.org.derive.lane import DerivedLane
from fleet.org.derive.plane import Plane
from fleet.org.derive.routes import BeatShape, lanes_of_beats
from fleet.org.policy import Policy
from fleet.roads.faults import Fault
from fleet.roads.lanes import LaneSegment
from fleet.roads.network import Network
from fleet.roads.profile import VehicleProfile

MODE_TAG = "service_mode"
"""Tag of an OSM way by which somebody who knows the street says how it is served."""


CUT_OFF_SHARE = 0.02
"""More of the streets than this are not cut off by mapping errors alone."""


@dataclass(frozen=True, slots=True)
class DerivedCity:
    """Lanes inside wards, names to look for, each beat's lane ids; and what was found wrong."""

    lanes: tuple[DerivedLane, ...]
    names: tuple[Named, ...]
    beats: Mapping[str, list[str]]
    bin_wards: Mapping[str, int]
    faults: tuple[Fault, ...]


def profile_of(row: ClassRow, policy: Policy, *, left_hand: bool) -> VehicleProfile:
    """What the road engine needs to know of a class."""
    return VehicleProfile(
        id=row.id,
        width_m=row.width_m,
        speeds_kmh=row.speeds_kmh,
        factor=row.factor,
        left_hand=left_hand,
        clearance_m=policy.clearance_m,
    )


def derive(
    files: CityFolder,
    network: Network,
    segments: Sequence[LaneSegment],
    profiles: Sequence[VehicleProfile],
) -> DerivedCity:
    """Derive everything; `faults` tells whether the result may be used."""
    plane = Plane.around(network.bbox)
    lines: list[BaseGeometry] = [plane.line(segment.geometry) for segment in segments]
    areas = [plane.flat(ward.geometry) for ward in files.wards]
    wards = ward_indices(lines, areas)
    inside = [(i, ward) for i, ward in enumerate(wards) if ward is not None]
    faults = checks.without_streets(
        files, [Counter(ward for _, ward in inside)[w] for w in range(len(areas))]
    )
    access = accesses(
        segments,
        lines,
        profiles,
        files.policy,
        plane,
        preferred={segments[i].id for i, _ in inside},
        overrides=_overrides(network, segments, faults),
    )
    own = [segments[i] for i, _ in inside]
    own_lines = [lines[i] for i, _ in inside]
    own_wards = [ward for _, ward in inside]
    counts = _premises(files, own, own_lines, own_wards, plane, faults)
    lanes = tuple(
        DerivedLane(segments[i], ward, _middle(lines[i], plane), premise, access[i])
        for (i, ward), premise in zip(inside, counts, strict=True)
    )
    faults += checks.too_wide(files, _reached(lanes))
    share = _cut_off_share(lanes, profiles)
    if share > CUT_OFF_SHARE:
        faults.append(checks.cut_off(files.network.name, share))
    names = gazetteer(files, network, lanes, areas, plane)
    beats = _beats(files, lanes, own_lines, own_wards, areas, names, plane, faults)
    spots = [Point(*plane.xy([(row.lon, row.lat)])[0]) for row in files.bins]
    nearest = [min(range(len(areas)), key=lambda w: areas[w].distance(p)) for p in spots if areas]
    return DerivedCity(
        lanes,
        names.all,
        beats,
        {row.id: ward for row, ward in zip(files.bins, nearest, strict=False)},
        tuple(faults),
    )


def _middle(line: BaseGeometry, plane: Plane) -> tuple[float, float]:
    point = line.interpolate(0.5, normalized=True)
    return plane.lonlat(point.x, point.y)


def _premises(
    files: CityFolder,
    lanes: Sequence[LaneSegment],
    lines: Sequence[BaseGeometry],
    wards: Sequence[int],
    plane: Plane,
    faults: list[Fault],
) -> list[Premises]:
    if files.premises is None:
        populations = [ward.population for ward in files.wards]
        return estimated(lanes, wards, populations, files.policy)
    within_m = files.policy.premises_within_m
    counts, left = snapped(files.premises, lanes, lines, plane, within_m)
    if left:
        faults.append(
            Fault(
                premises.FILE,
                left[0].row,
                None,
                f"{len(left)} rows stand more than {within_m:g} m from every lane of the wards, "
                "this one first; they are left out.",
                "Correct their positions, map their streets, or raise premises_within_m.",
                fatal=False,
            )
        )
    return counts


def _overrides(
    network: Network, segments: Iterable[LaneSegment], faults: list[Fault]
) -> dict[str, ServiceMode]:
    tagged = {way.id: way.tags[MODE_TAG] for way in network.ways if MODE_TAG in way.tags}
    modes: dict[int, ServiceMode] = {}
    for way, value in sorted(tagged.items()):
        mode = next((mode for mode in MODES if mode == value), None)
        if mode is not None:
            modes[way] = mode
        else:
            faults.append(
                Fault(
                    "network.osm",
                    None,
                    f"way {way}: {MODE_TAG}",
                    f"{value!r} is no way to serve a lane.",
                    f"Use {', '.join(MODES)}.",
                )
            )
    return {lane.id: modes[lane.way] for lane in segments if lane.way in modes}


def _reached(lanes: Iterable[DerivedLane]) -> Mapping[str, float]:
    metres: dict[str, float] = defaultdict(float)
    for lane in lanes:
        for profile in lane.access.profiles:
            metres[profile] += lane.segment.length_m
    return metres


def _cut_off_share(lanes: Sequence[DerivedLane], profiles: Sequence[VehicleProfile]) -> float:
    fitting = [lane for lane in lanes if any(p.may_enter(lane.segment) for p in profiles)]
    whole_m = sum(lane.segment.length_m for lane in fitting)
    lost_m = sum(lane.segment.length_m for lane in fitting if not lane.access.profiles)
    return lost_m / whole_m if whole_m else 0.0


def _beats(
    files: CityFolder,
    lanes: Sequence[DerivedLane],
    lines: Sequence[BaseGeometry],
    wards: Sequence[int],
    areas: Sequence[BaseGeometry],
    names: Gazetteer,
    plane: Plane,
    faults: list[Fault],
) -> dict[str, list[str]]:
    shapes = []
    for row in files.beats:
        shape = None if row.lanes else _shape(row, names, plane, faults)
        if shape is not None:
            touched = frozenset(i for i, area in enumerate(areas) if area.intersects(shape))
            shapes.append(BeatShape(row.id, row.shift, shape, touched))
    members = lanes_of_beats(shapes, lines, wards)
    _put_named(files, lanes, members, faults)
    classes = {vehicle.id: vehicle.class_id for vehicle in files.vehicles}
    known = {row.id for row in files.classes}
    for row in files.beats:
        own = members.get(row.id, [])
        fitting = classes.get(row.vehicle_id)
        if (
            own
            and fitting in known
            and not any(fitting in lanes[i].access.stand_profiles for i in own)
        ):
            faults.append(checks.beat_too_narrow(row.file, row.row, row.id, row.vehicle_id))
    return {beat: [lanes[i].segment.id for i in order] for beat, order in members.items()}


def _put_named(
    files: CityFolder,
    lanes: Sequence[DerivedLane],
    members: dict[str, list[int]],
    faults: list[Fault],
) -> None:
    """Beats that name their lanes have those, and no other beat of the shift does."""
    index = {lane.segment.id: i for i, lane in enumerate(lanes)}
    taken: dict[str, set[int]] = defaultdict(set)
    for row in files.beats:
        if row.lanes:
            members[row.id] = [index[lane.id] for lane in row.lanes if lane.id in index]
            taken[row.shift] |= set(members[row.id])
            gone = len(row.lanes) - len(members[row.id])
            if gone:
                faults.append(checks.unknown_lanes(row, gone))
    for row in files.beats:
        if not row.lanes and row.id in members:
            members[row.id] = [i for i in members[row.id] if i not in taken[row.shift]]


def _shape(
    row: BeatRow, names: Gazetteer, plane: Plane, faults: list[Fault]
) -> BaseGeometry | None:
    if row.geometry is not None:
        drawn = plane.flat(row.geometry)
        return union_all(drawn) if drawn.area > 0 else drawn
    points: list[tuple[float, float]] = []
    for name in row.landmarks:
        near = points[-1] if points else None
        found = names.find(name, near)
        if found is None:
            faults.append(checks.unknown_landmark(row, name))
        else:
            points.append((found.lon, found.lat))
    unique = list(dict.fromkeys(points))
    if len(unique) > 1:
        return LineString(plane.xy(unique))
    return MultiPoint(plane.xy(unique)) if unique else None
