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
| alt_m | number, optional | metres above the ellipsoid |
| mains | true or false, optional | whether the vehicle feeds the unit |
| backup_v | number ≥ 0, optional | volts of the unit's own battery |
| inputs | whole number ≥ 0, optional | digital inputs as bits |
| event | one of `EventKind`, optional | |
| valid | true or false, optional | false: the unit had no fix |

Fields that are not named here are ignored, so that a newer unit still gets through.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import msgspec

from tracking.protocols.reading import Limits, Reading, Refusal, check_ms

MOST_SEQ = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""


class _Frame(msgspec.Struct, frozen=True):
    seq: Annotated[int, msgspec.Meta(ge=0, le=MOST_SEQ)]
    fixes: list[Reading]


class _Envelope(msgspec.Struct, frozen=True):
    """A frame with a fix that cannot be read, so that the others are."""

    seq: Annotated[int, msgspec.Meta(ge=0, le=MOST_SEQ)]
    fixes: list[msgspec.Raw]


class MalformedFrame(ValueError):  # noqa: N818 - the close code's name
    """The frame as a whole cannot be read."""


class TooManyFixes(ValueError):  # noqa: N818 - the close code's name
    """The frame holds more fixes than the limit."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame: readings with their times, and the refusals of the others."""

    seq: int
    readings: list[tuple[int, Reading]]
    """(milliseconds since 1970, reading)."""
    refused: Sequence[Refusal] = ()
    kept: Sequence[int] | None = None
    """The number in the frame of each reading; None: those of `readings`."""


_frame = msgspec.json.Decoder(_Frame).decode
_envelope = msgspec.json.Decoder(_Envelope).decode
_reading = msgspec.json.Decoder(Reading).decode
_at_field = re.compile(r"`\$\.(\w+)")
_missing = re.compile(r"required field `(\w+)`")


def decode(frame: str | bytes, limits: Limits) -> Frame:
    """Reads a frame.

    Raises:
        MalformedFrame: no JSON object with `seq` and `fixes`.
        TooManyFixes: more than `limits.most_fixes`.
    """
    try:
        whole = _frame(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return _one_by_one(frame, limits)
    _limit(whole.fixes, limits)
    readings: list[tuple[int, Reading]] = []
    for i, reading in enumerate(whole.fixes):
        ms = check_ms(i, reading)
        if isinstance(ms, Refusal):
            return _one_by_one(frame, limits)
        readings.append((ms, reading))
    return Frame(whole.seq, readings)


def _one_by_one(frame: str | bytes, limits: Limits) -> Frame:
    """A frame of which something cannot be stored."""
    try:
        envelope = _envelope(frame)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise MalformedFrame(str(error)) from error
    _limit(envelope.fixes, limits)
    readings: list[tuple[int, Reading]] = []
    refused: list[Refusal] = []
    kept: list[int] = []
    for i, raw in enumerate(envelope.fixes):
        try:
            reading = _reading(raw)
            checked = check_ms(i, reading)
        except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
            checked = _unreadable(i, error)
        if isinstance(checked, Refusal):
            refused.append(checked)
        else:
            readings.append((checked, reading))
            kept.append(i)
    return Frame(envelope.seq, readings, refused, kept)


def _limit(fixes: Sequence[object], limits: Limits) -> None:
    if len(fixes) > limits.most_fixes:
        raise TooManyFixes(
            f"Expected at most {limits.most_fixes} fixes in a frame, got {len(fixes)}."
        )


def _unreadable(i: int, error: Exception) -> Refusal:
    field = _at_field.search(str(error)) or _missing.search(str(error))
    return Refusal(
        i,
        field[1] if field else "fixes",
        str(error),
        "Send the fields and types that docs/devices.md lists.",
    )
