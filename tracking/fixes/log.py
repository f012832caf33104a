"""The log of fixes: a port, and what both adapters share.

Fixes are filed by service day of their own time, in the order of their commit. A `Cursor` names
for each day the last number read; a late fix gets a new number in an old day, so that a reader
which follows numbers, not times, misses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from fleet.kit.geo import METRES_PER_DEGREE, distance_m
from tracking.fixes.batch import FixBatch
from tracking.fixes.columns import TrailColumns
from tracking.fixes.fix import Fix, Row, from_ms

type Cursor = Mapping[str, int]
"""ISO service day → last number read."""
type Span = tuple[str, datetime, datetime]
"""A vehicle's fixes with since ≤ t < until."""

CELL_DEG = 0.002
"""Side of the spatial index's cells, about 220 m of latitude."""
_CELL_ROW = 1 << 20
_QUARTER_MS = 900_000
_QUARTERS_KEPT = 5_000

COLUMNS = Row._fields[:-1]
"""Columns of a stored fix, in the order of `Row` and `from_row`; beside them, the payload."""


class FixLog(Protocol):
    """Append-only storage of fixes. Every method may be called from any thread."""

    def append(self, fixes: Sequence[Fix]) -> list[bool]:
        """Stores the fixes durably; True where the fix was new, False where it was there."""

    def append_rows(self, rows: Sequence[Row]) -> list[bool]:
        """`append` for a caller that has made rows already."""

    def window(
        self,
        vehicle_id: str,
        since: datetime,
        until: datetime,
        *,
        include_marked: bool = False,
    ) -> list[Fix]:
        """The vehicle's fixes with since ≤ t < until, by t."""

    def trail_columns(self, vehicle_id: str, since: datetime, until: datetime) -> TrailColumns:
        """The vehicle's fixes with since ≤ t < until as columns by t, marked ones included."""

    def count(self, vehicle_id: str, since: datetime, until: datetime) -> int:
        """How many fixes `trail_columns` would have."""

    def latest(self) -> list[Fix]:
        """The newest good fix of each device and vehicle in the last `LATEST_DAYS` stored days."""

    def near(
        self, lon: float, lat: float, since: datetime, until: datetime, within_m: float
    ) -> list[Fix]:
        """Good fixes of known vehicles with since ≤ t < until within a radius, by t."""

    def received(self, after: Cursor, limit: int) -> tuple[list[Fix], Cursor]:
        """Up to `limit` fixes in the order of their commit after a cursor, and the new cursor."""

    def stored_days(self) -> list[str]:
        """ISO days under which fixes are filed, oldest first."""

    def vehicles_on(self, day: str) -> list[str]:
        """The vehicles that have fixes filed under a stored day."""

    def forget(self, day: str, keep: Sequence[Span] = ()) -> int:
        """Deletes what is filed under a day, but for the spans; how many fixes stay.

        With nothing to keep the whole file or partition goes. Again is harmless, after a kill too.
        """

    def received_batch(self, after: Cursor, limit: int) -> tuple[FixBatch, Cursor]:
        """As `received`, as columns."""

    def close(self) -> None:
        """Releases connections; the log cannot be used afterwards."""


LATEST_DAYS = 7


def cell_of(lon: float, lat: float) -> int:
    """The number of the grid cell that holds a position in degrees."""
    return math.floor((lat + 90) / CELL_DEG) * _CELL_ROW + math.floor((lon + 180) / CELL_DEG)


def cells_around(lon: float, lat: float, within_m: float) -> list[int]:
    """The cells that a circle may touch."""
    d_lat = within_m / METRES_PER_DEGREE
    d_lon = d_lat / max(math.cos(math.radians(lat)), 0.01)
    low, high = cell_of(lon - d_lon, lat - d_lat), cell_of(lon + d_lon, lat + d_lat)
    rows = range(low // _CELL_ROW, high // _CELL_ROW + 1)
    columns = range(low % _CELL_ROW, high % _CELL_ROW + 1)
    return [row * _CELL_ROW + column for row in rows for column in columns]


class Calendar:
    """The ISO day under which an instant is filed.

    Offsets of time zones are whole quarters of an hour, so that a quarter is looked up once.
    """

    def __init__(self, tz: ZoneInfo) -> None:
        self._tz = tz
        self._days: dict[int, str] = {}

    def day_of(self, t_ms: int) -> str:
        quarter = t_ms // _QUARTER_MS
        day = self._days.get(quarter)
        if day is None:
            if len(self._days) >= _QUARTERS_KEPT:
                self._days.clear()
            day = self._days[quarter] = from_ms(t_ms).astimezone(self._tz).date().isoformat()
        return day

    def by_day(self, rows: Sequence[Row]) -> dict[str, list[int]]:
        """Indices of the rows by the day under which they are filed."""
        found: dict[str, list[int]] = {}
        for i, row in enumerate(rows):
            found.setdefault(self.day_of(row.t), []).append(i)
        return found


def days_between(since: datetime, until: datetime, stored: Iterable[str]) -> list[str]:
    """Stored days that may hold fixes of the interval, oldest first.

    A day of slack on each side keeps fixes findable that were filed under another time zone.
    """
    first, last = since.date() - timedelta(days=1), until.date() + timedelta(days=1)
    return sorted(d for d in stored if first <= date.fromisoformat(d) <= last)


def within(fixes: Iterable[Fix], lon: float, lat: float, radius_m: float) -> list[Fix]:
    """Those of the fixes that lie in the circle, by t."""
    inside = (f for f in fixes if distance_m(lon, lat, f.lon, f.lat) <= radius_m)
    return sorted(inside, key=lambda f: f.t)
