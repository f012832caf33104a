"""A file of fixes: `vehicle,t,lon,lat[,speed_mps,course_deg]`, one row a fix, in any order.

`t` is seconds since 1970 or RFC 3339 with an offset; speed and course may be empty. Other columns
are passed over.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from fleet.kit.geo import Plane
from fleet.kit.times import aware
from fleet.roads.faults import Fault, FaultyInputError
from tracking.fixes.fix import Fix
from tracking.proof.graph import Floats
from tracking.proof.track import Track

NEEDED = ("vehicle", "t", "lon", "lat")
OPTIONAL = ("speed_mps", "course_deg")
FAULTS_MOST = 20
_LATEST_S = 1e11
"""Year 5138: a greater number is milliseconds."""


@dataclass(frozen=True)
class Trail:
    """A vehicle's fixes by time; NaN where the unit does not measure."""

    t_s: Floats
    lon: Floats
    lat: Floats
    speed_mps: Floats
    course_deg: Floats

    def on(self, plane: Plane) -> Track:
        x, y = plane.to_m(self.lon, self.lat)
        return Track(self.t_s, x, y, self.speed_mps, self.course_deg)


def trail_of(fixes: Sequence[Fix]) -> Trail:
    """Good fixes of the log by time."""
    rows = [(f.t.timestamp(), f.lon, f.lat, f.speed_mps, f.course_deg) for f in fixes]
    table = np.array(rows, np.float64).reshape(-1, 5)  # None becomes NaN
    return Trail(*(np.ascontiguousarray(table[:, i]) for i in range(5)))


def read_trails(path: Path) -> dict[str, Trail]:
    """By vehicle, in the order of their names.

    Raises:
        FaultyInputError: rows or columns that cannot be read, up to twenty of them.
    """
    faults: list[Fault] = []
    rows: dict[str, list[tuple[float, ...]]] = {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = csv.reader(file)
            columns = _columns(path.name, next(lines, []))
            for cells in lines:
                if not cells:
                    continue
                try:
                    vehicle, row = _row(cells, columns)
                except _BadCellError as bad:
                    faults.append(
                        Fault(path.name, lines.line_num, bad.column, bad.reason, bad.remedy)
                    )
                    if len(faults) == FAULTS_MOST:
                        break
                else:
                    rows.setdefault(vehicle, []).append(row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        fault = Fault(
            path.name, None, None, f"This cannot be read: {error}.", "Save it as CSV in UTF-8."
        )
        raise FaultyInputError([fault]) from error
    if not rows and not faults:
        faults.append(
            Fault(path.name, None, None, "There is no fix.", "Add rows below the header.")
        )
    if faults:
        raise FaultyInputError(faults)
    return {vehicle: _trail(rows[vehicle]) for vehicle in sorted(rows)}


class _BadCellError(Exception):
    def __init__(self, column: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.column, self.reason, self.remedy = column, reason, remedy


def _columns(file: str, header: Sequence[str]) -> dict[str, int]:
    names = [name.strip().lower() for name in header]
    found = {name: names.index(name) for name in (*NEEDED, *OPTIONAL) if name in names}
    missing = [name for name in NEEDED if name not in found]
    if missing:
        remedy = f"Name {', '.join(NEEDED)} in line 1."
        raise FaultyInputError(
            [Fault(file, 1, name, "This column is missing.", remedy) for name in missing]
        )
    return found


def _row(cells: Sequence[str], columns: Mapping[str, int]) -> tuple[str, tuple[float, ...]]:
    def cell(name: str) -> str:
        at = columns.get(name, len(cells))
        return cells[at].strip() if at < len(cells) else ""

    vehicle = cell("vehicle")
    if not vehicle:
        raise _BadCellError("vehicle", "This is empty.", "Write the vehicle's id.")
    t_s = _instant(cell("t"))
    lon = _number(cell("lon"), "lon", -180, 180, "degrees of longitude")
    lat = _number(cell("lat"), "lat", -90, 90, "degrees of latitude")
    speed, course = cell("speed_mps"), cell("course_deg")
    return vehicle, (
        t_s,
        lon,
        lat,
        _number(speed, "speed_mps", 0, 200, "metres a second") if speed else math.nan,
        _number(course, "course_deg", -360, 720, "degrees") if course else math.nan,
    )


def _number(text: str, column: str, low: float, high: float, unit: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low <= value <= high:
        remedy = f"Write {unit} between {low:g} and {high:g}."
        raise _BadCellError(column, f"{text!r} is no such number.", remedy)
    return value


def _instant(text: str) -> float:
    try:
        t_s = float(text)
    except ValueError:
        try:
            return aware(datetime.fromisoformat(text)).timestamp()
        except ValueError:
            raise _BadCellError(
                "t",
                f"{text!r} is no time.",
                "Write seconds since 1970, or RFC 3339, such as 2026-11-25T06:30:00+05:30.",
            ) from None
    if not 0 <= t_s < _LATEST_S:
        raise _BadCellError(
            "t", f"{text!r} is no time in seconds since 1970.", "Divide milliseconds by 1000."
        )
    return t_s


def _trail(rows: list[tuple[float, ...]]) -> Trail:
    table = np.array(rows, np.float64)
    table = table[np.argsort(table[:, 0], kind="stable")]
    return Trail(*(np.ascontiguousarray(table[:, i]) for i in range(5)))
