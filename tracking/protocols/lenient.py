"""What clients write loosely: numbers as text, flags in many spellings, times in three notations.

A position, its time and its sender are needed, and their faults are named (`Unreadable`). All else
that a client adds is worth less than the position itself: what cannot be read there is left out.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from tracking.protocols.reading import EventKind

KNOT_MPS = 1852 / 3600
KMH_MPS = 1 / 3.6
MPH_MPS = 1609.344 / 3600
METRES_PER_HDOP = 5.0
"""A single-frequency receiver's error per unit of HDOP (its user-equivalent range error)."""
LOW_BATTERY_PERCENT = 10.0
_MILLISECONDS_FROM = 1e11
"""As seconds this would be the year 5138."""
_YES = frozenset({"true", "1", "on", "yes", "t", "y"})
_NO = frozenset({"false", "0", "off", "no", "f", "n"})

type Json = dict[str, Any]


class Unreadable(ValueError):  # noqa: N818 - what the frame is, not a fault of ours
    """A frame cannot be read: `field` is at fault, for this reason."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


def parsed(body: bytes) -> Any:
    """The JSON value of a body.

    Raises:
        Unreadable: no JSON, or nested too deeply.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Unreadable("body", f"Expected JSON: {error}"[:200]) from error


def an_object(field: str, value: Any) -> Json:
    """The value as a JSON object."""
    if not isinstance(value, dict):
        raise Unreadable(field, f"Expected an object, got {value!r:.40}.")
    return value


def number(field: str, value: object) -> float:
    """A finite number, also one written as text.

    Raises:
        Unreadable: it is none.
    """
    found = maybe_number(value)
    if found is None:
        raise Unreadable(field, f"Expected a number, got {value!r:.40}.")
    return found


def maybe_number(value: object) -> float | None:
    """A finite number, also one written as text; None: it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def at_least_0(value: object, unit: float = 1.0) -> float | None:
    """A measure that cannot be below zero, times `unit`; phones write -1 for not known."""
    found = maybe_number(value)
    return None if found is None or found < 0 else found * unit


def degrees(value: object) -> float | None:
    """A course from north; None outside 0 to 360."""
    found = maybe_number(value)
    return found if found is not None and 0 <= found <= 360 else None


def count(value: object, most: int) -> int | None:
    """A whole number from 0 to `most`."""
    found = maybe_number(value)
    return int(found) if found is not None and 0 <= found <= most else None


def flag(value: object) -> bool | None:
    """Yes or no in the spellings that clients use; None: neither."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float | str):
        word = str(value).strip().lower()
        return True if word in _YES else False if word in _NO else None
    return None


def instant(field: str, value: object) -> float:
    """Seconds since 1970 of seconds, milliseconds, or a date-time (UTC where it has no offset).

    Raises:
        Unreadable: it is none of them.
    """
    found = maybe_number(value)
    if found is not None:
        return found / 1000 if abs(found) >= _MILLISECONDS_FROM else found
    if isinstance(value, str):
        try:
            read = datetime.fromisoformat(value.strip())
            return (read if read.tzinfo else read.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            pass
    raise Unreadable(
        field, f"Expected seconds or milliseconds since 1970 or RFC 3339, got {value!r:.40}."
    )


def hdop(given: object, accuracy_m: object) -> float | None:
    """HDOP as given, else what an accuracy in metres amounts to; 0 means that it is not known."""
    found = at_least_0(given)
    if found:
        return found
    metres = at_least_0(accuracy_m)
    return round(metres / METRES_PER_HDOP, 2) if metres else None


def first(values: Mapping[str, Any], *names: str) -> Any:
    """The first of the names that has a value."""
    return next((values[name] for name in names if values.get(name) not in (None, "")), None)


def low_battery(percent: float | None, charging: bool | None) -> EventKind | None:
    """Whether a unit's own battery is about to end."""
    if percent is None or charging:
        return None
    return "low_battery" if percent <= LOW_BATTERY_PERCENT else None


TRACCAR_ALARMS: Mapping[str, EventKind] = {
    "sos": "sos",
    "accident": "crash",
    "powerCut": "mains_cut",
    "tampering": "tamper",
    "removing": "tamper",
    "gpsAntennaCut": "tamper",
    "fallDown": "tilt",
    "lowBattery": "low_battery",
    "lowPower": "low_battery",
    "powerRestored": "mains_back",
    "overspeed": "overspeed",
    "hardBraking": "harsh_brake",
    "hardAcceleration": "harsh_start",
    "hardCornering": "harsh_turn",
}
"""Names of alarms as Traccar's clients and server write them, the most urgent first."""


def alarm(value: object) -> EventKind | None:
    """The most urgent that we know of one or several alarms (with commas between them)."""
    if not isinstance(value, str):
        return None
    named: Iterable[str] = {name.strip() for name in value.split(",")}
    return next((kind for name, kind in TRACCAR_ALARMS.items() if name in named), None)
