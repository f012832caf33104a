"""What a Traccar server forwards (`forward.type` json): its decoded positions with their devices.

`{"position": {…}, "device": {"uniqueId": …}}`, or an array of them.

| member of position | what |
|---|---|
| fixTime, deviceTime | date-times; an outdated position repeats an old place at deviceTime |
| latitude, longitude | degrees |
| speed | knots |
| course, altitude, accuracy | degrees, metres, metres (0: not known) |
| valid, outdated | flags |
| attributes.ignition, .charge | flags |
| attributes.power, .battery, .batteryLevel | volts, volts, per cent |
| attributes.sat, .hdop, .input | count, dilution, bits |
| attributes.alarm | names, with commas between them |

Forwarded events (`{"event": …}`) without a position are no fixes. Format: Traccar's documentation
of forwarding and of its API.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracking.protocols.lenient import (
    KNOT_MPS,
    Json,
    Unreadable,
    alarm,
    an_object,
    at_least_0,
    count,
    degrees,
    first,
    flag,
    hdop,
    instant,
    low_battery,
    maybe_number,
    number,
    parsed,
)
from tracking.protocols.reading import Reading

_MOST_SATS = 1000
_MOST_BITS = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Forwarded:
    """A fix and the identifier of its unit in the other server."""

    unique_id: str
    reading: Reading


def decode(body: bytes) -> list[Forwarded]:
    """The forwarded positions, in their order.

    Raises:
        Unreadable: no JSON of that shape; a position without unit, place or time.
    """
    root = parsed(body)
    if isinstance(root, list):
        given = [(f"{i}.", item) for i, item in enumerate(root)]
    else:
        given = [("", root)]
    forwarded = []
    for at, item in given:
        message = an_object(f"{at}position", item)
        if message.get("position") is None and "event" in message:
            continue
        forwarded.append(_forwarded(message, at))
    return forwarded


def _forwarded(message: Json, at: str) -> Forwarded:
    device = an_object(f"{at}device", message.get("device"))
    unique_id = device.get("uniqueId")
    if not isinstance(unique_id, str) or not unique_id.isprintable() or not unique_id:
        raise Unreadable(f"{at}device.uniqueId", f"Expected text, got {unique_id!r:.40}.")
    position = an_object(f"{at}position", message.get("position"))
    return Forwarded(unique_id, reading(position, f"{at}position."))


def reading(position: Json, at: str = "") -> Reading:
    """One position of Traccar's model; `at` stands before the names of faulty fields.

    Raises:
        Unreadable: no place or no time.
    """
    attributes: Any = position.get("attributes")
    if not isinstance(attributes, dict):
        attributes = {}
    outdated = flag(position.get("outdated")) is True
    when = ("deviceTime", "fixTime") if outdated else ("fixTime", "deviceTime")
    charging = flag(attributes.get("charge"))
    return Reading(
        t=instant(f"{at}fixTime", first(position, *when)),
        lon=number(f"{at}longitude", position.get("longitude")),
        lat=number(f"{at}latitude", position.get("latitude")),
        speed_mps=at_least_0(position.get("speed"), KNOT_MPS),
        course_deg=degrees(position.get("course")),
        hdop=hdop(attributes.get("hdop"), position.get("accuracy")),
        sats=count(attributes.get("sat"), _MOST_SATS),
        ignition=flag(attributes.get("ignition")),
        battery_v=at_least_0(attributes.get("power")),
        alt_m=maybe_number(position.get("altitude")),
        mains=charging,
        backup_v=at_least_0(attributes.get("battery")),
        inputs=count(attributes.get("input"), _MOST_BITS),
        event=alarm(attributes.get("alarm"))
        or low_battery(at_least_0(attributes.get("batteryLevel")), charging),
        valid=flag(position.get("valid")) is not False and not outdated,
    )
