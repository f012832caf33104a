"""`beats.csv` or `beats.geojson`: which vehicle serves where today. Optional.

A beat is an ordered list of landmarks, or a drawn line or polygon.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shapely import force_2d
from shapely.geometry.base import BaseGeometry

from fleet.org.cityfiles.reading import Row, csv_rows, features
from fleet.roads.faults import Fault

FILES: Final = ("beats.csv", "beats.geojson")
COLUMNS: Final = ("beat", "vehicle", "shift", "landmarks")


@dataclass(frozen=True, slots=True)
class BeatRow:
    """A beat: `landmarks` in order, or `geometry` (a line in driving order, or an area)."""

    id: str
    vehicle_id: str
    shift: str
    landmarks: tuple[str, ...]
    geometry: BaseGeometry | None
    file: str
    row: int


def read(
    folder: Path,
    faults: list[Fault],
    *,
    vehicles: Collection[str],
    shifts: Collection[tuple[str, str]],
) -> list[BeatRow]:
    """All beats; each names a vehicle and one of that vehicle's shifts."""
    beats: dict[str, BeatRow] = {}
    for row, geometry in _rows(folder, faults):
        beat_id, vehicle_id, shift = row.key("beat", "id"), row.key("vehicle"), row.key("shift")
        if vehicle_id and vehicle_id not in vehicles:
            row.fault("vehicle", f"{vehicle_id} is unknown", "Use a vehicle of fleet.csv.")
        elif vehicle_id and shift and (vehicle_id, shift) not in shifts:
            row.fault(
                "shift", f"{vehicle_id} has no shift {shift}", "Add it to shifts.csv, or use one."
            )
        twin = next(
            (b for b in beats.values() if (b.vehicle_id, b.shift) == (vehicle_id, shift)), None
        )
        if twin is not None and twin.id != beat_id:
            row.fault(
                "vehicle",
                f"{vehicle_id} has beat {twin.id} (row {twin.row}) in that shift already",
                "Give it one beat in a shift, or join both.",
            )
        listed = row.text("landmarks", default="") or ""
        landmarks = tuple(filter(None, (name.strip() for name in listed.split(";"))))
        if geometry is None and not landmarks:
            row.fault("landmarks", "is missing", "List landmarks in order, separated by ;.")
        if beat_id in beats:
            row.fault("beat", f"{beat_id} is also row {beats[beat_id].row}", "List it once.")
        elif beat_id and vehicle_id and shift:
            drawn = None if geometry is None else force_2d(geometry)
            beats[beat_id] = BeatRow(
                beat_id, vehicle_id, shift, landmarks, drawn, row.file, row.number or 0
            )
    return list(beats.values())


def _rows(folder: Path, faults: list[Fault]) -> list[tuple[Row, BaseGeometry | None]]:
    table, drawn = (folder / name for name in FILES)
    rows: list[tuple[Row, BaseGeometry | None]] = []
    if table.exists():
        rows += [(row, None) for row in csv_rows(table, COLUMNS, faults)]
    if drawn.exists():
        rows += list(features(drawn, faults))
    return rows
