"""What a unit measured, whatever protocol it spoke, and whether it can be stored.

A protocol module decodes its own bytes to `Reading`s; `check` is the same for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from fleet.kit.times import parse_iso
from tracking.fixes.fix import from_ms

type _Degrees = Annotated[float, msgspec.Meta(ge=0, le=360)]
type _AtLeast0 = Annotated[float, msgspec.Meta(ge=0)]

EventKind = Literal[
    "sos",
    "sos_end",
    "mains_cut",
    "mains_back",
    "low_battery",
    "battery_ok",
    "tamper",
    "tilt",
    "crash",
    "harsh_start",
    "harsh_brake",
    "harsh_turn",
    "overspeed",
    "ignition_on",
    "ignition_off",
    "lift",
    "load",
]
"""What a unit may tell beside its position; `lift` and `load` prove that a bin was emptied."""

_NULL_ISLAND_DEG = 0.01


class Reading(msgspec.Struct, frozen=True):
    """A fix as the device sent it; times as epoch seconds or RFC 3339."""

    t: float | str
    lon: float
    lat: float
    speed_mps: _AtLeast0 | None = None
    course_deg: _Degrees | None = None
    hdop: _AtLeast0 | None = None
    sats: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    ignition: bool | None = None
    battery_v: _AtLeast0 | None = None
    """Of the vehicle."""
    load_kg: float | None = None
    alt_m: float | None = None
    mains: bool | None = None
    """Whether the unit is fed by the vehicle."""
    backup_v: _AtLeast0 | None = None
    """Of the unit's own battery."""
    inputs: Annotated[int, msgspec.Meta(ge=0, lt=2**31)] | None = None
    """Digital inputs as bits, the first input lowest."""
    event: EventKind | None = None
    valid: bool = True
    """False: the unit had no fix; what else it tells counts all the same."""


class Refusal(msgspec.Struct, frozen=True):
    """Why fix number `i` of a frame was not stored, and what to do."""

    i: int
    field: str
    reason: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What times are storable, and how many fixes a frame may hold."""

    most_fixes: int
    future_s: float
    retention_days: int


def check(
    i: int, reading: Reading, now: datetime, limits: Limits
) -> tuple[datetime, Reading] | Refusal:
    """The reading with its instant, or why number `i` of a frame cannot be stored."""
    for field_name, value, most in (("lon", reading.lon, 180.0), ("lat", reading.lat, 90.0)):
        if not -most <= value <= most:
            return Refusal(
                i,
                field_name,
                f"Expected degrees from {-most:g} to {most:g}, got {value:g}.",
                "Send degrees of WGS 84, longitude as lon and latitude as lat.",
            )
    if (
        reading.valid
        and abs(reading.lon) < _NULL_ISLAND_DEG
        and abs(reading.lat) < _NULL_ISLAND_DEG
    ):
        return Refusal(
            i,
            "lon",
            "The position 0, 0 means that the unit had no fix.",
            "Send nothing until the unit has a position.",
        )
    t = _time(reading.t)
    if t is None:
        return Refusal(
            i,
            "t",
            f"{reading.t!r:.40} is no time.",
            "Send seconds since 1970, or RFC 3339 with an offset.",
        )
    if t > now + timedelta(seconds=limits.future_s):
        return Refusal(
            i,
            "t",
            f"The time is {(t - now).total_seconds():.0f} s ahead of the server's.",
            "Set the unit's clock, and send the fix again when its time has come.",
        )
    if t < now - timedelta(days=limits.retention_days):
        return Refusal(
            i,
            "t",
            f"Fixes are kept for {limits.retention_days} days; this one is older.",
            "Drop it, and check the unit's clock.",
        )
    return t, reading


def _time(t: float | str) -> datetime | None:
    """The instant, cut to whole milliseconds as the log stores it; None: not a time."""
    try:
        if isinstance(t, str):
            instant = parse_iso(t)
            return instant.replace(microsecond=instant.microsecond // 1000 * 1000)
        return from_ms(round(t * 1000)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
