"""A vendor's REST service whose answer is described by data: which member is what, in which unit.

```toml
items = "/items"                 # JSON pointer to the list of units; "" is the answer itself
next = "/paging/next"            # optional: pointer to the address of the next page
[fields]                         # pointers within one unit
id = "/id"
t = { at = "/pos/t" }            # seconds, milliseconds, RFC 3339; or format = "%d-%m-%Y %H:%M:%S"
lon = "/pos/x"                   #   (as Python's strptime), tz = "Asia/Kolkata"
lat = "/pos/y"
speed = { at = "/pos/s", unit = "km/h" }        # m/s, km/h, knots, mph
load = { at = "/weight", unit = "t" }           # kg, t
event = { at = "/alarm", values = { "SOS" = "sos" } }
```

Fields: id, t, lon, lat (needed), speed, course, altitude, hdop, accuracy, sats, ignition, power
(volts of the vehicle), mains, battery (volts of the unit), load, valid, event. Pointers: RFC 6901.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, get_args
from zoneinfo import ZoneInfo

import msgspec

from tracking.protocols.lenient import (
    KMH_MPS,
    KNOT_MPS,
    MPH_MPS,
    Unreadable,
    at_least_0,
    count,
    degrees,
    flag,
    hdop,
    instant,
    maybe_number,
    number,
)
from tracking.protocols.reading import EventKind, Reading

NEEDED: Final = ("id", "t", "lon", "lat")
_UNITS: Final[Mapping[str, Mapping[str, float]]] = {
    "speed": {"m/s": 1.0, "km/h": KMH_MPS, "knots": KNOT_MPS, "mph": MPH_MPS},
    "load": {"kg": 1.0, "t": 1000.0},
}
_MEASURES: Final = (
    *("course", "altitude", "hdop", "accuracy", "sats", "ignition", "power", "mains", "battery"),
    *("valid", "event"),
)
FIELDS: Final = (*NEEDED, *_UNITS, *_MEASURES)
_MOST_SATS = 1000


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where one field stands in a unit's object, and how it is written."""

    at: str
    unit: str | None = None
    format: str | None = None
    tz: str | None = None
    values: dict[str, str] | None = None


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a vendor's answer looks like; `check` finds what is wrong with it."""

    fields: dict[str, str | Place]
    items: str = ""
    next: str | None = None

    def place(self, name: str) -> Place | None:
        given = self.fields.get(name)
        return Place(given) if isinstance(given, str) else given


@dataclass(frozen=True, slots=True)
class Page:
    """What one answer held: readings by the vendor's id, faults by number of the unit."""

    readings: list[tuple[str, Reading]] = field(default_factory=list)
    faults: list[tuple[int, Unreadable]] = field(default_factory=list)
    next: str | None = None


def check(mapping: Answer) -> None:
    """Raises `ValueError` with the field at fault when a mapping cannot be used."""
    for name in NEEDED:
        if name not in mapping.fields:
            raise ValueError(f"Expected fields.{name}.")
    pointers = [("items", mapping.items), ("next", mapping.next or "")]
    for name in mapping.fields:
        if name not in FIELDS:
            raise ValueError(f"fields.{name}: expected one of {', '.join(FIELDS)}.")
        place = mapping.place(name)
        assert place is not None
        pointers.append((f"fields.{name}", place.at))
        units = _UNITS.get(name)
        if units is not None and place.unit not in units:
            raise ValueError(f"fields.{name}.unit: expected one of {', '.join(units)}.")
        if place.tz is not None:
            try:
                ZoneInfo(place.tz)
            except (KeyError, ValueError) as error:
                raise ValueError(f"fields.{name}.tz: {place.tz!r} is no time zone.") from error
        events = get_args(EventKind)
        unknown = set((place.values or {}).values()) - set(events) if name == "event" else set()
        if unknown:
            raise ValueError(f"fields.event.values: {sorted(unknown)} are none of {events}.")
    for name, pointer in pointers:
        if pointer and not pointer.startswith("/"):
            raise ValueError(f"{name}: a JSON pointer is empty or starts with /, got {pointer!r}.")


def decode(answer: Any, mapping: Answer) -> Page:
    """The readings of an answer; a unit that cannot be read is a fault, and the others count.

    Args:
        answer: decoded JSON.

    Raises:
        Unreadable: there is no list where the mapping says.
    """
    units = resolve(answer, mapping.items)
    if not isinstance(units, list):
        raise Unreadable(mapping.items or "items", f"Expected a list, got {units!r:.60}.")
    after = resolve(answer, mapping.next) if mapping.next is not None else None
    page = Page(next=after if isinstance(after, str) and after else None)
    for i, unit in enumerate(units):
        try:
            page.readings.append(_reading(unit, mapping))
        except Unreadable as fault:
            page.faults.append((i, fault))
    return page


def resolve(value: Any, pointer: str) -> Any:
    """What a JSON pointer points at; None: nothing.

    >>> resolve({"a": [{"b/c": 7}]}, "/a/0/b~1c")
    7
    """
    for part in pointer.split("/")[1:]:
        key = part.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict):
            value = value.get(key)
        elif isinstance(value, list) and key.isascii() and key.isdigit() and len(key) < 10:
            value = value[int(key)] if int(key) < len(value) else None
        else:
            return None
    return value


def _reading(unit: Any, mapping: Answer) -> tuple[str, Reading]:
    def at(name: str) -> Any:
        place = mapping.place(name)
        return None if place is None else resolve(unit, place.at)

    def measure(name: str) -> float:
        place = mapping.place(name)
        return 1.0 if place is None or place.unit is None else _UNITS[name][place.unit]

    unit_id = at("id")
    if not isinstance(unit_id, str | int) or isinstance(unit_id, bool) or unit_id == "":
        raise Unreadable("id", f"Expected the unit's id, got {unit_id!r:.40}.")
    event = mapping.place("event")
    named = (event.values or {}).get(str(at("event"))) if event is not None else None
    return str(unit_id), Reading(
        t=_time(at("t"), mapping.place("t")),
        lon=number("lon", at("lon")),
        lat=number("lat", at("lat")),
        speed_mps=at_least_0(at("speed"), measure("speed")),
        course_deg=degrees(at("course")),
        hdop=hdop(at("hdop"), at("accuracy")),
        sats=count(at("sats"), _MOST_SATS),
        ignition=flag(at("ignition")),
        battery_v=at_least_0(at("power")),
        load_kg=at_least_0(at("load"), measure("load")),
        alt_m=maybe_number(at("altitude")),
        mains=flag(at("mains")),
        backup_v=at_least_0(at("battery")),
        event=msgspec.convert(named, EventKind | None),
        valid=flag(at("valid")) is not False,
    )


def _time(value: Any, place: Place | None) -> float:
    assert place is not None
    if place.format is None and place.tz is None:
        return instant("t", value)
    try:
        if place.format is not None:
            read = datetime.strptime(str(value), place.format)  # noqa: DTZ007 - zone follows
        else:
            read = datetime.fromisoformat(str(value))
        if read.tzinfo is None:
            read = read.replace(tzinfo=ZoneInfo(place.tz or "UTC"))
        return read.timestamp()
    except (ValueError, OverflowError) as error:
        raise Unreadable(
            "t", f"Expected {place.format or 'a date-time'}, got {value!r:.40}."
        ) from error
