"""A city folder as a whole: every file read, every fault found, nothing written."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fleet.org.cityfiles import (
    beats,
    bins,
    city,
    classes,
    fleet,
    landmarks,
    places,
    premises,
    shifts,
    wards,
)
from fleet.org.cityfiles.reading import file_text
from fleet.org.policy import Policy, parse
from fleet.roads.faults import Fault

NETWORKS: Final = ("network.osm.pbf", "network.osm.gz", "network.osm")
POLICY: Final = "policy.toml"
SHIFT: Final = ("morning", 6 * 3600, 14 * 3600)
"""Where no shifts are given."""
_KNOWN: Final = (
    *NETWORKS,
    POLICY,
    *beats.FILES,
    *(m.FILE for m in (bins, city, classes, fleet, landmarks, places, premises, shifts, wards)),
)
_NEEDED: Final = {
    wards.FILE: "Give the wards, or import with --grid-wards N.",
    places.FILE: "Give depots and transfer stations, or import with --complete.",
    classes.FILE: "Give the classes of vehicles, or import with --complete.",
    fleet.FILE: "Give the vehicles, or import with --complete.",
}


@dataclass(frozen=True, slots=True)
class CityFolder:
    """Rows of all files. `missing` names needed files that are absent; their rows are empty."""

    network: Path
    city: city.CityRow
    policy: Policy
    wards: Sequence[wards.WardRow]
    places: Sequence[places.PlaceRow]
    classes: Sequence[classes.ClassRow]
    vehicles: Sequence[fleet.VehicleRow]
    shifts: Sequence[shifts.ShiftRow]
    premises: Sequence[premises.PremiseRow] | None
    bins: Sequence[bins.BinRow]
    beats: Sequence[beats.BeatRow]
    landmarks: Sequence[landmarks.LandmarkRow]
    missing: frozenset[str]
    estimated: frozenset[str]
    """Parts that were made up: shifts, premises, wards, places, classes, fleet, tz."""


def read(folder: Path, faults: list[Fault], *, may_lack: Collection[str] = ()) -> CityFolder:
    """All files of a folder. A needed file that is absent is a fault unless in `may_lack`."""
    found = {name for name in _KNOWN if (folder / name).is_file()}
    missing = frozenset(_NEEDED) - found
    for name in sorted(missing - set(may_lack)):
        faults.append(Fault(name, None, None, "The file is missing.", _NEEDED[name]))
    network = next((folder / name for name in NETWORKS if name in found), None)
    if network is None:
        faults.append(
            Fault(
                "network.osm",
                None,
                None,
                "The street network is missing.",
                f"Put an OpenStreetMap extract beside the other files: {', '.join(NETWORKS)}.",
            )
        )
    policy = _policy(folder, faults) if POLICY in found else Policy()
    place_rows = places.read(folder, faults) if places.FILE in found else []
    class_rows = classes.read(folder, faults) if classes.FILE in found else []
    vehicle_rows = (
        fleet.read(
            folder,
            faults,
            classes={row.id for row in class_rows},
            depots={row.id for row in place_rows if row.kind == "depot"},
        )
        if fleet.FILE in found
        else []
    )
    vehicle_ids = [row.id for row in vehicle_rows]
    listed = shifts.read(folder, faults, vehicles=vehicle_ids) if shifts.FILE in found else []
    shift_rows = with_usual_shift(listed, vehicle_ids)
    beat_rows = beats.read(
        folder, faults, vehicles=vehicle_ids, shifts={(s.vehicle_id, s.name) for s in shift_rows}
    )
    premise_rows = premises.read(folder, faults) if premises.FILE in found else None
    return CityFolder(
        network=network or folder / NETWORKS[-1],
        city=city.read(folder, faults),
        policy=policy,
        wards=wards.read(folder, faults) if wards.FILE in found else [],
        places=place_rows,
        classes=class_rows,
        vehicles=vehicle_rows,
        shifts=shift_rows,
        premises=premise_rows,
        bins=bins.read(folder, faults, policy) if bins.FILE in found else [],
        beats=beat_rows,
        landmarks=landmarks.read(folder, faults) if landmarks.FILE in found else [],
        missing=missing,
        estimated=frozenset(
            ({"shifts"} if not listed else set())
            | ({"premises"} if premise_rows is None else set())
        ),
    )


def with_usual_shift(
    listed: Sequence[shifts.ShiftRow], vehicle_ids: Sequence[str]
) -> list[shifts.ShiftRow]:
    """Shifts of all vehicles: one that has none, such as a spare, works the commonest one."""
    hours = [(row.name, row.start_s, row.end_s) for row in listed] or [SHIFT]
    usual = max(sorted(set(hours)), key=hours.count)
    idle = sorted(set(vehicle_ids) - {row.vehicle_id for row in listed})
    return [*listed, *(shifts.ShiftRow(vehicle_id, *usual, row=0) for vehicle_id in idle)]


def fingerprint(folder: Path, options: str) -> str:
    """Digest of every known file of the folder and of the import's options."""
    digest = hashlib.sha256(options.encode())
    for name in sorted(_KNOWN):
        if (folder / name).is_file():
            with (folder / name).open("rb") as file:
                digest.update(f"\n{name} ".encode())
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _policy(folder: Path, faults: list[Fault]) -> Policy:
    policy, found = parse(file_text(folder / POLICY, faults) or "", POLICY)
    faults.extend(found)
    return policy
