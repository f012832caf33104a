"""OsmAnd's and Traccar Client's HTTP: one fix a request, as parameters or (from 9.0) as JSON.

Parameters, in the address or as a form:

| parameter | what |
|---|---|
| id, deviceid, device_id | who sends; needed |
| lat, lon, or location=lat,lon | degrees; needed |
| timestamp | seconds or milliseconds since 1970, or a date-time (UTC); needed |
| speed | knots |
| bearing, heading | degrees from north |
| altitude | metres |
| hdop; accuracy, hacc | dilution; metres, taken as HDOP x 5 m |
| valid | false: the unit had no fix |
| sat, sats | satellites |
| ignition, charge | flags; charge: the unit is fed |
| power | volts of the vehicle |
| alarm | a name of `lenient.TRACCAR_ALARMS` |

`batt` is a percentage in one client and volts in another, so that nothing is made of it.
`driverUniqueId`, cells and wireless networks are not kept: who drives is an assignment.

JSON (`{"location": {…}, "device_id": …}`): timestamp, coords.{latitude, longitude, accuracy,
speed, heading, altitude} with the speed in m/s, battery.{level 0 to 1, is_charging}, event;
-1 means not known. Format: the documentation of Traccar's osmand protocol.
"""

from __future__ import annotations

from collections.abc import Mapping
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

MOST_SATS = 1000
MOST_NAME = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """One fix and the name under which it came; None: the request names nobody."""

    sender: str | None
    reading: Reading


def sender_of(parameters: Mapping[str, str]) -> str | None:
    """Who a request's parameters say that it is from."""
    found = first(parameters, "id", "deviceid", "device_id")
    return None if found is None else str(found)[:MOST_NAME]


def sender_of_json(body: bytes) -> str | None:
    """Who a JSON body says that it is from; None: it does not say, or is none."""
    try:
        root = parsed(body)
    except Unreadable:
        return None
    sender = root.get("device_id") if isinstance(root, dict) else None
    return str(sender)[:MOST_NAME] if isinstance(sender, str | int) and sender != "" else None


def decode_parameters(parameters: Mapping[str, str]) -> Sent:
    """The fix of a query or form.

    Raises:
        Unreadable: no position or no time.
    """
    lat, lon = _position(parameters)
    return Sent(
        sender_of(parameters),
        Reading(
            t=instant("timestamp", parameters.get("timestamp")),
            lon=lon,
            lat=lat,
            speed_mps=at_least_0(parameters.get("speed"), KNOT_MPS),
            course_deg=degrees(first(parameters, "bearing", "heading")),
            hdop=hdop(parameters.get("hdop"), first(parameters, "accuracy", "hacc")),
            sats=count(first(parameters, "sat", "sats"), MOST_SATS),
            ignition=flag(parameters.get("ignition")),
            battery_v=at_least_0(parameters.get("power")),
            alt_m=maybe_number(parameters.get("altitude")),
            mains=flag(parameters.get("charge")),
            event=alarm(parameters.get("alarm")),
            valid=flag(parameters.get("valid")) is not False,
        ),
    )


def decode_json(body: bytes) -> Sent:
    """The fix of Traccar Client's JSON.

    Raises:
        Unreadable: no JSON of that shape, no position or no time.
    """
    root = an_object("body", parsed(body))
    location = an_object("location", root.get("location"))
    coords = an_object("location.coords", location.get("coords"))
    battery = _object_or_empty(location.get("battery"))
    extras = _object_or_empty(location.get("extras"))
    charging = flag(battery.get("is_charging"))
    level = at_least_0(battery.get("level"), 100.0)
    return Sent(
        sender_of_json(body),
        Reading(
            t=instant("location.timestamp", location.get("timestamp")),
            lon=number("location.coords.longitude", coords.get("longitude")),
            lat=number("location.coords.latitude", coords.get("latitude")),
            speed_mps=at_least_0(coords.get("speed")),
            course_deg=degrees(coords.get("heading")),
            hdop=hdop(None, coords.get("accuracy")),
            alt_m=maybe_number(coords.get("altitude")),
            mains=charging,
            event=alarm(extras.get("alarm")) or low_battery(level, charging),
        ),
    )


def _position(parameters: Mapping[str, str]) -> tuple[float, float]:
    joined = parameters.get("location")
    if joined is not None:
        lat, comma, lon = joined.partition(",")
        if not comma:
            raise Unreadable("location", f"Expected latitude,longitude, got {joined!r:.40}.")
        return number("location", lat), number("location", lon)
    return number("lat", parameters.get("lat")), number("lon", parameters.get("lon"))


def _object_or_empty(value: Any) -> Json:
    return value if isinstance(value, dict) else {}
