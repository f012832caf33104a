"""What a unit measured, whatever protocol it spoke, and whether it can be stored.

A protocol module decodes its own bytes to `Reading`s; `check` is the same for all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import msgspec

from fleet.kit.times import parse_iso
from tracking.fixes.fix import from_ms, to_ms

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
_MOST_S = 62_135_596_800.0
"""Before 1970 and after: the years 1 to 3938; what lies beyond is no time."""


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
    """What times are taken as they are, and how many fixes a frame may hold."""

    most_fixes: int
    future_s: float
    retention_days: int


def check(i: int, reading: Reading) -> tuple[datetime, Reading] | Refusal:
    """The reading with its instant, or why number `i` of a frame cannot be stored.

    A time that is far from now is stored all the same; ingest marks it.
    """
    checked = check_ms(i, reading)
    return checked if isinstance(checked, Refusal) else (from_ms(checked), reading)


def check_ms(i: int, reading: Reading) -> int | Refusal:
    """`check` for a caller that wants the time as milliseconds since 1970."""
    lon, lat, t = reading.lon, reading.lat, reading.t
    if not (-180.0 <= lon <= 180.0 and -90.0 <= lat <= 90.0):
        return _off_the_earth(i, reading)
    if -_NULL_ISLAND_DEG < lat < _NULL_ISLAND_DEG > abs(lon) and reading.valid:
        return Refusal(
            i,
            "lon",
            "The position 0, 0 means that the unit had no fix.",
            "Send nothing until the unit has a position.",
        )
    ms = _text_ms(t) if isinstance(t, str) else round(t * 1000) if abs(t) <= _MOST_S else None
    if ms is None:
        return Refusal(
            i,
            "t",
            f"{t!r:.40} is no time.",
            "Send seconds since 1970, or RFC 3339 with an offset.",
        )
    return ms


def _off_the_earth(i: int, reading: Reading) -> Refusal:
    in_range = -180.0 <= reading.lon <= 180.0
    name, value, most = ("lat", reading.lat, 90) if in_range else ("lon", reading.lon, 180)
    return Refusal(
        i,
        name,
        f"Expected degrees from {-most} to {most}, got {value:g}.",
        "Send degrees of WGS 84, longitude as lon and latitude as lat.",
    )


def _text_ms(t: str) -> int | None:
    """Whole milliseconds, what is finer cut off; None: not a time."""
    try:
        return to_ms(parse_iso(t))
    except (ValueError, OverflowError):
        return None
