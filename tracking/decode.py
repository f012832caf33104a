"""The device frame: strict decoding, and a refusal of each fix that cannot be stored.

| field | type | unit |
|---|---|---|
| t | number or RFC 3339 text with offset | seconds since 1970 |
| lon, lat | number | degrees, WGS 84 |
| speed_mps | number ≥ 0, optional | metres a second |
| course_deg | number 0 to 360, optional | degrees from north |
| hdop | number ≥ 0, optional | |
| sats | whole number ≥ 0, optional | |
| ignition | true or false, optional | |
| battery_v | number ≥ 0, optional | volts |
| load_kg | number, optional | kilograms on the vehicle's own scale |

Fields that are not named here are ignored, so that a newer unit still gets through.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from fleet.kit.times import parse_iso
from tracking.fixes.fix import from_ms

type _Degrees = Annotated[float, msgspec.Meta(ge=0, le=360)]
type _AtLeast0 = Annotated[float, msgspec.Meta(ge=0)]

MOST_SEQ = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""
_NULL_ISLAND_DEG = 0.01


class Reading(msgspec.Struct, frozen=True):
    """A fix as the device sent it."""

    t: float | str
    lon: float
    lat: float
    speed_mps: _AtLeast0 | None = None
    course_deg: _Degrees | None = None
    hdop: _AtLeast0 | None = None
    sats: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    ignition: bool | None = None
    battery_v: _AtLeast0 | None = None
    load_kg: float | None = None


class _Envelope(msgspec.Struct, frozen=True):
    seq: Annotated[int, msgspec.Meta(ge=0, le=MOST_SEQ)]
    fixes: list[msgspec.Raw]


class Refusal(msgspec.Struct, frozen=True):
    """Why fix number `i` of a frame was not stored, and what to do."""

    i: int
    field: str
    reason: str
    remedy: str


class MalformedFrame(ValueError):  # noqa: N818 - the close code's name
    """The frame as a whole cannot be read."""


class TooManyFixes(ValueError):  # noqa: N818 - the close code's name
    """The frame holds more fixes than the limit."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What times are storable, and how many fixes a frame may hold."""

    most_fixes: int
    future_s: float
    retention_days: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame: readings with their times, and the refusals of the others."""

    seq: int
    readings: list[tuple[datetime, Reading]]
    refused: list[Refusal]


_envelope = msgspec.json.Decoder(_Envelope)
_reading = msgspec.json.Decoder(Reading)
_at_field = re.compile(r"`\$\.(\w+)")
_missing = re.compile(r"required field `(\w+)`")


def decode(frame: str | bytes, now: datetime, limits: Limits) -> Frame:
    """Reads a frame.

    Raises:
        MalformedFrame: no JSON object with `seq` and `fixes`.
        TooManyFixes: more than `limits.most_fixes`.
    """
    try:
        envelope = _envelope.decode(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MalformedFrame(str(error)) from error
    if len(envelope.fixes) > limits.most_fixes:
        raise TooManyFixes(
            f"Expected at most {limits.most_fixes} fixes in a frame, got {len(envelope.fixes)}."
        )
    readings: list[tuple[datetime, Reading]] = []
    refused: list[Refusal] = []
    for i, raw in enumerate(envelope.fixes):
        checked = _checked(i, raw, now, limits)
        if isinstance(checked, Refusal):
            refused.append(checked)
        else:
            readings.append(checked)
    return Frame(envelope.seq, readings, refused)


def _checked(
    i: int, raw: msgspec.Raw, now: datetime, limits: Limits
) -> tuple[datetime, Reading] | Refusal:
    try:
        reading = _reading.decode(raw)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        field = _at_field.search(str(error)) or _missing.search(str(error))
        return Refusal(
            i,
            field[1] if field else "fixes",
            str(error),
            "Send the fields and types that docs/devices.md lists.",
        )
    for field_name, value, most in (("lon", reading.lon, 180.0), ("lat", reading.lat, 90.0)):
        if not -most <= value <= most:
            return Refusal(
                i,
                field_name,
                f"Expected degrees from {-most:g} to {most:g}, got {value:g}.",
                "Send degrees of WGS 84, longitude as lon and latitude as lat.",
            )
    if abs(reading.lon) < _NULL_ISLAND_DEG and abs(reading.lat) < _NULL_ISLAND_DEG:
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
