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
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from tracking.protocols.reading import Limits, Reading, Refusal, check

MOST_SEQ = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""


class _Envelope(msgspec.Struct, frozen=True):
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
    return check(i, reading, now, limits)
