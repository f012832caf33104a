"""`shifts.csv`: when each vehicle works. The same vehicle may have several shifts a day."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from fleet.org.cityfiles.reading import Row, csv_rows
from fleet.roads.faults import Fault

FILE: Final = "shifts.csv"
COLUMNS: Final = ("vehicle", "shift", "start", "end")
LONGEST_S: Final = 16 * 3600
DAY_S: Final = 24 * 3600
_TIME = re.compile(r"(\d{1,2}):([0-5]\d)(?::([0-5]\d))?")


@dataclass(frozen=True, slots=True)
class ShiftRow:
    """Seconds after the service date's local midnight; `end_s` may pass 86,400."""

    vehicle_id: str
    name: str
    start_s: int
    end_s: int
    row: int


def read(folder: Path, faults: list[Fault], *, vehicles: Collection[str]) -> list[ShiftRow]:
    """All shifts, by vehicle and start. Shifts of one vehicle must not overlap."""
    shifts: dict[tuple[str, str], ShiftRow] = {}
    for row in csv_rows(folder / FILE, COLUMNS, faults):
        vehicle_id, name = row.key("vehicle"), row.key("shift")
        start_s, end_s = _seconds(row, "start"), _seconds(row, "end")
        if vehicle_id and vehicle_id not in vehicles:
            row.fault("vehicle", f"{vehicle_id} is unknown", "Use a vehicle of fleet.csv.")
        if not (vehicle_id and name) or start_s is None or end_s is None:
            continue
        if end_s < start_s:  # 22:00 to 06:00 is written as people say it
            end_s += DAY_S
        if start_s >= DAY_S:
            row.fault("start", "is past midnight", "A shift belongs to the day on which it starts.")
        if not 0 < end_s - start_s <= LONGEST_S:
            row.fault("end", "the shift has no length or exceeds 16 hours", "Correct start or end.")
        if (vehicle_id, name) in shifts:
            other = shifts[vehicle_id, name].row
            row.fault(
                "shift", f"{vehicle_id} {name} is also row {other}", "Name each shift differently."
            )
        else:
            shifts[vehicle_id, name] = ShiftRow(vehicle_id, name, start_s, end_s, row.number or 0)
    ordered = sorted(shifts.values(), key=lambda s: (s.vehicle_id, s.start_s, s.name))
    for a, b in pairwise(ordered):
        if a.vehicle_id == b.vehicle_id and b.start_s < a.end_s:
            reason = f"Shift {b.name} begins before {a.name} (row {a.row}) has ended."
            faults.append(Fault(FILE, b.row, "start", reason, "Let shifts follow each other."))
    return ordered


def _seconds(row: Row, field: str) -> int | None:
    text = row.text(field)
    if text is None:
        return None
    seconds = seconds_of(text)
    if seconds is None:
        row.fault(field, f"{text!r} is no time", "Write HH:MM; 26:00 is 2 in the next morning.")
    return seconds


def seconds_of(text: str) -> int | None:
    """Seconds after midnight of HH:MM or HH:MM:SS, to 40:59:59; None: it is no such time."""
    match = _TIME.fullmatch(text)
    if match is None or int(match[1]) > 40:
        return None
    return int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3] or 0)
