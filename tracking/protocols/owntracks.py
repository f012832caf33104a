"""OwnTracks over HTTP: JSON messages, of which those with `_type` location are fixes.

| member | what |
|---|---|
| tst | seconds since 1970; needed |
| lat, lon | degrees; needed |
| vel | km/h |
| cog | degrees from north |
| alt | metres |
| acc | metres, taken as HDOP x 5 m |
| batt | per cent of the unit's own battery |
| bs | 1 unplugged, 2 charging, 3 full |
| uext, ubatt | volts of the vehicle and of the unit, from units that are no phone |
| ign | ignition |
| t, rty | why: `9` low battery, `e`/`E` mains cut and back, `s` overspeed, `h` harsh driving |

A phone queues what it could not send and may post several messages as one array. Messages of any
other type (transition, waypoint, lwt, card, encrypted, …) are no fixes. The answer is a JSON array
of messages to the phone, and we have none for it: `ANSWER`. A body without bytes is a friend taken
off the list, and no message. Format: the OwnTracks booklet, chapters JSON and HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tracking.protocols.lenient import (
    KMH_MPS,
    Json,
    Unreadable,
    an_object,
    at_least_0,
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
from tracking.protocols.reading import EventKind, Reading

ANSWER = b"[]"
_CHARGING = {1: False, 2: True, 3: True}
_TRIGGERS: Mapping[str, EventKind] = {
    "9": "low_battery",
    "e": "mains_cut",
    "E": "mains_back",
    "s": "overspeed",
}
_HARSH: Mapping[int, EventKind] = {
    0: "harsh_brake",
    1: "harsh_start",
    2: "harsh_turn",
    3: "harsh_brake",
    4: "harsh_start",
    5: "harsh_turn",
}


def decode(body: bytes) -> list[Reading]:
    """The fixes of a post, in its order; none when it holds other messages only.

    Raises:
        Unreadable: no JSON message, or a location without position or time.
    """
    if not body.strip():
        return []
    root = parsed(body)
    messages = root if isinstance(root, list) else [root]
    return [
        _reading(message, f"{i}." if isinstance(root, list) else "")
        for i, message in enumerate(messages)
        if _type(message) == "location"
    ]


def _type(message: Any) -> str:
    kind = an_object("body", message).get("_type")
    if not isinstance(kind, str):
        raise Unreadable("_type", f"Expected the message's type, got {kind!r:.40}.")
    return kind


def _reading(message: Json, at: str) -> Reading:
    charging = _CHARGING.get(message["bs"]) if isinstance(message.get("bs"), int) else None
    percent = at_least_0(message.get("batt"))
    return Reading(
        t=instant(f"{at}tst", message.get("tst")),
        lon=number(f"{at}lon", message.get("lon")),
        lat=number(f"{at}lat", message.get("lat")),
        speed_mps=at_least_0(message.get("vel"), KMH_MPS),
        course_deg=degrees(message.get("cog")),
        hdop=hdop(None, message.get("acc")),
        ignition=flag(message.get("ign")),
        battery_v=at_least_0(message.get("uext")),
        alt_m=maybe_number(first(message, "alt")),
        mains=charging,
        backup_v=at_least_0(message.get("ubatt")),
        event=_event(message) or low_battery(percent, charging),
    )


def _event(message: Json) -> EventKind | None:
    trigger = message.get("t")
    if trigger == "h":
        why = maybe_number(message.get("rty"))
        return None if why is None else _HARSH.get(int(why))
    return _TRIGGERS.get(trigger) if isinstance(trigger, str) else None
