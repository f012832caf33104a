"""`beats.csv`, `beats.geojson` or `beats.json`: which vehicle serves where today. Optional.

A beat is an ordered list of landmarks, a drawn line or polygon, or the lanes themselves, as
`safai track learn-beats` writes them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from shapely import force_2d
from shapely.geometry.base import BaseGeometry

from fleet.org.cityfiles.reading import Row, csv_rows, features, json_rows
from fleet.org.cityfiles.shifts import seconds_of
from fleet.roads.faults import Fault

FILES: Final = ("beats.csv", "beats.geojson", "beats.json")
COLUMNS: Final = ("beat", "vehicle", "shift", "landmarks")


@dataclass(frozen=True, slots=True)
class NamedLane:
    """A lane by its id, and when it is customarily served; None: nobody knows."""

    id: str
    usual_s: float | None
    """Seconds after the service date's local midnight."""
    spread_s: float
    days: int


@dataclass(frozen=True, slots=True)
class BeatRow:
    """A beat: `landmarks` in order, `geometry` (a line in driving order, or an area) or `lanes`."""

    id: str
    vehicle_id: str
    shift: str
    landmarks: tuple[str, ...]
    geometry: BaseGeometry | None
    file: str
    row: int
    lanes: tuple[NamedLane, ...] = ()


def read(
    folder: Path,
    faults: list[Fault],
    *,
    vehicles: Collection[str],
    shifts: Collection[tuple[str, str]],
) -> list[BeatRow]:
    """All beats; each names a vehicle and one of that vehicle's shifts."""
    beats: dict[str, BeatRow] = {}
    exact: dict[tuple[str, str], str] = {}
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
        named = _named_lanes(row) if row.file == FILES[2] else ()
        for lane in named:
            other = exact.setdefault((shift or "", lane.id), beat_id or "")
            if other != beat_id:
                row.fault("lanes", f"{lane.id} is also in beat {other}", "Name it in one of them.")
        if geometry is None and not landmarks and row.file != FILES[2]:
            row.fault("landmarks", "is missing", "List landmarks in order, separated by ;.")
        if beat_id in beats:
            row.fault("beat", f"{beat_id} is also row {beats[beat_id].row}", "List it once.")
        elif beat_id and vehicle_id and shift:
            drawn = None if geometry is None else force_2d(geometry)
            beats[beat_id] = BeatRow(
                beat_id, vehicle_id, shift, landmarks, drawn, row.file, row.number or 0, named
            )
    return list(beats.values())


def _rows(folder: Path, faults: list[Fault]) -> list[tuple[Row, BaseGeometry | None]]:
    table, drawn, exact = (folder / name for name in FILES)
    rows: list[tuple[Row, BaseGeometry | None]] = []
    if table.exists():
        rows += [(row, None) for row in csv_rows(table, COLUMNS, faults)]
    if drawn.exists():
        rows += list(features(drawn, faults))
    if exact.exists():
        rows += [(row, None) for row in json_rows(exact, faults)]
    return rows


def _named_lanes(row: Row) -> tuple[NamedLane, ...]:
    """`lanes` with the lists beside it, all of one length; the times may be left out."""
    ids = row.raw("lanes")
    if not isinstance(ids, list) or not all(isinstance(id, str) and id for id in ids):
        row.fault("lanes", "is missing or no list of lanes", "List lane ids in order.")
        return ()
    beside = []
    for name in ("usual_t", "spread_s", "days"):
        values = row.raw(name)
        if values is None:
            values = [None] * len(ids)
        if not isinstance(values, list) or len(values) != len(ids):
            row.fault(name, "is not as long as lanes", "Give one entry a lane, or leave it out.")
            return ()
        beside.append(values)
    found = []
    for id, usual, spread, days in zip(ids, *beside, strict=True):
        usual_s = None if usual is None else seconds_of(str(usual))
        if usual is not None and usual_s is None:
            row.fault("usual_t", f"{usual!r} is no time", "Write HH:MM:SS; 26:00 is past midnight.")
        numbers = [0 if value is None else value for value in (spread, days)]
        if any(type(value) not in (int, float) or not 0 <= value < 1e6 for value in numbers):
            row.fault("days", "spread_s or days is no number", "Leave both lists out.")
            return ()
        found.append(NamedLane(id, usual_s, float(numbers[0]), int(numbers[1])))
    return tuple({lane.id: lane for lane in found}.values())
