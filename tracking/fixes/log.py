"""The log of fixes: a port, and what both adapters share.

Fixes are filed by service day of their own time, in the order of their commit. A `Cursor` names
for each day the last number read; a late fix gets a new number in an old day, so that a reader
which follows numbers, not times, misses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from fleet.kit.geo import METRES_PER_DEGREE, distance_m
from tracking.fixes.columns import TrailColumns
from tracking.fixes.fix import Fix, from_ms, payload_hash, to_ms

type Cursor = Mapping[str, int]
"""ISO service day → last number read."""
type Span = tuple[str, datetime, datetime]
"""A vehicle's fixes with since ≤ t < until."""

CELL_DEG = 0.002
"""Side of the spatial index's cells, about 220 m of latitude."""
_CELL_ROW = 1 << 20

COLUMNS = (
    "device_id",
    "vehicle_id",
    "t",
    "received_t",
    "lon",
    "lat",
    "speed_mps",
    "course_deg",
    "hdop",
    "sats",
    "ignition",
    "battery_v",
    "load_kg",
    "alt_m",
    "mains",
    "backup_v",
    "inputs",
    "event",
    "mark",
)
"""Columns of a stored fix, in the order of `to_row` and `from_row`."""


class FixLog(Protocol):
    """Append-only storage of fixes. Every method may be called from any thread."""

    def append(self, fixes: Sequence[Fix]) -> list[bool]:
        """Stores the fixes durably; True where the fix was new, False where it was there."""

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

    def close(self) -> None:
        """Releases connections; the log cannot be used afterwards."""


LATEST_DAYS = 7


def to_row(fix: Fix) -> tuple[Any, ...]:
    """`COLUMNS`, then payload hash and spatial cell."""
    return (
        fix.device_id,
        fix.vehicle_id,
        to_ms(fix.t),
        to_ms(fix.received_t),
        fix.lon,
        fix.lat,
        fix.speed_mps,
        fix.course_deg,
        fix.hdop,
        fix.sats,
        fix.ignition,
        fix.battery_v,
        fix.load_kg,
        fix.alt_m,
        fix.mains,
        fix.backup_v,
        fix.inputs,
        fix.event,
        fix.mark,
        payload_hash(fix),
        cell_of(fix.lon, fix.lat),
    )


def from_row(row: Sequence[Any]) -> Fix:
    """A fix from its `COLUMNS`."""
    return Fix(
        device_id=row[0],
        vehicle_id=row[1],
        t=from_ms(row[2]),
        received_t=from_ms(row[3]),
        lon=row[4],
        lat=row[5],
        speed_mps=row[6],
        course_deg=row[7],
        hdop=row[8],
        sats=row[9],
        ignition=None if row[10] is None else bool(row[10]),
        battery_v=row[11],
        load_kg=row[12],
        alt_m=row[13],
        mains=None if row[14] is None else bool(row[14]),
        backup_v=row[15],
        inputs=row[16],
        event=row[17],
        mark=row[18],
    )


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


def day_of(t: datetime, tz: ZoneInfo) -> str:
    """The ISO day under which a fix is filed."""
    return t.astimezone(tz).date().isoformat()


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
