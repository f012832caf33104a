"""GT06 and its many relatives (Concox, Jimi, clones): binary over TCP.

| bytes | what |
|---|---|
| 2 | `78 78`, or `79 79` with a length of two bytes |
| 1 or 2 | length: from the type to the checksum |
| 1 | type |
| n | content |
| 2 | serial number of the frame; answers carry it |
| 2 | CRC-ITU (CRC-16/X.25) from the length to the serial number |
| 2 | `0D 0A` |

| type | content |
|---|---|
| 01 | login: IMEI as 8 bytes BCD; answered |
| 10 11 12 22 2D 31 37 A0 | position: time, satellites, place, km/h, course and status |
| 16 26 27 32 A4 | alarm: position, radio cell, terminal status, alarm; answered |
| 13 23 | heartbeat: terminal status; answered |
| 8A | asks for the time |
| 95 | alarm of a dashcam, with or without position |

Course and status: 10 bits of course, 0x400 north, 0x800 west, 0x1000 a fix, 0x4000 that 0x8000
tells the ignition. Latitude and longitude count 1/30,000 of a minute. Only the login says who
speaks. Sources: Concox' protocol papers of GT06 and JM-VL03, and the recorded frames in the tests.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from struct import Struct
from typing import Final

from msgspec import structs

from tracking.protocols.checksums import crc16_reflected
from tracking.protocols.layouts import Layout, Layouts
from tracking.protocols.reading import EventKind, Reading
from tracking.protocols.units import (
    NO_TIME,
    Decoded,
    FrameTooLong,
    Kind,
    UnitProtocol,
    UnknownFrame,
)

NAME: Final = "gt06"

_SHORT: Final = b"\x78\x78"
_LONG: Final = b"\x79\x79"
_END: Final = b"\r\n"

LOGIN: Final = 0x01
HEARTBEATS: Final = frozenset({0x13, 0x23})
POSITIONS: Final = frozenset({0x10, 0x11, 0x12, 0x22, 0x2D, 0x31, 0x37, 0xA0})
ALARMS: Final = frozenset({0x16, 0x26, 0x27, 0x32, 0xA4})
TIME_REQUEST: Final = 0x8A
DASHCAM: Final = 0x95

_PLACE: Final = Struct(">6BBIIBH")
"""Time, satellites, latitude, longitude, km/h, course and status."""
_DASHCAM_PLACE: Final = Struct(">IIH")
_MINUTES: Final = 60 * 30_000

_EVENT_OF_ALARM: Final[Mapping[int, EventKind]] = {
    0x01: "sos",
    0x02: "mains_cut",
    0x06: "overspeed",
    0x0E: "low_battery",
    0x0F: "low_battery",
    0x13: "tamper",
    0x15: "low_battery",
    0x18: "tamper",
    0x19: "low_battery",
    0x23: "tilt",
    0x29: "harsh_start",
    0x2A: "harsh_turn",
    0x2B: "harsh_turn",
    0x2C: "crash",
    0x30: "harsh_brake",
    0x32: "mains_cut",
    0xFE: "ignition_on",
    0xFF: "ignition_off",
}
_EVENT_OF_STATUS: Final[Mapping[int, EventKind]] = {
    2: "mains_cut",
    3: "low_battery",
    4: "sos",
    7: "tamper",
}
"""Bits 3 to 5 of the terminal status."""
_EVENT_OF_DASHCAM: Final[Mapping[int, EventKind]] = {
    0x01: "sos",
    0x90: "harsh_start",
    0x91: "harsh_brake",
    0x92: "harsh_turn",
    0x93: "crash",
}


def begins(head: bytes) -> bool:
    return head.startswith((_SHORT, _LONG))


class BinaryFramer:
    """Frames by their length; where that leads to no end of a frame, from the next start."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = bytearray()
        self._noise = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        self._held += data
        frames: list[bytes] = []
        while True:
            self._skip_to_start()
            size = self._size()
            if size is None or len(self._held) < size:
                break
            if self._held[size - 2 : size] != _END:
                self._skip(2)
                continue
            self._give_noise(frames)
            frames.append(bytes(self._held[:size]))
            del self._held[:size]
        if len(self._noise) > self._most and not frames:
            raise FrameTooLong(f"Expected a frame within {self._most} bytes.")
        return frames

    def pause(self) -> list[bytes]:
        frames: list[bytes] = []
        if not self._held:
            self._give_noise(frames)
        return frames

    def rest(self) -> bytes:
        return bytes(self._noise + self._held)

    def _size(self) -> int | None:
        """Bytes of the frame that begins here; None: too little has come to know."""
        if self._held.startswith(_SHORT):
            return self._held[2] + 5 if len(self._held) > 2 else None
        if self._held.startswith(_LONG) and len(self._held) > 3:
            return int.from_bytes(self._held[2:4]) + 6
        return None

    def _skip_to_start(self) -> None:
        while len(self._held) >= 2:
            starts = [at for at in map(self._held.find, (_SHORT, _LONG)) if at >= 0]
            if not starts:
                # The last byte may be the first half of a start.
                self._skip(len(self._held) - 1)
                return
            self._skip(min(starts))
            size = self._size()
            if size is None or 10 <= size <= self._most:
                return
            self._skip(2)

    def _skip(self, n: int) -> None:
        self._noise += self._held[:n]
        del self._held[:n]

    def _give_noise(self, frames: list[bytes]) -> None:
        if self._noise:
            frames.append(bytes(self._noise))
            self._noise.clear()


def decode(frame: bytes, layouts: Layouts, layout: str | None = None) -> Decoded:
    """Reads one frame.

    Raises:
        UnknownFrame: it is none, its checksum is wrong, or its content does not fit its type.
    """
    head = 3 if frame.startswith(_SHORT) else 4
    if not begins(frame) or len(frame) < head + 7 or not frame.endswith(_END):
        raise UnknownFrame("form", "It is no frame of GT06.")
    if crc16_reflected(frame[2:-4], 0xFFFF) ^ 0xFFFF != int.from_bytes(frame[-4:-2]):
        raise UnknownFrame("checksum", "Its checksum is wrong.")
    kind, content, serial = frame[head], frame[head + 1 : -6], frame[-6:-4]
    chosen = layouts.find(layout, NAME) or layouts.of("", "", NAME)
    plain = partial(_answer, kind, b"", serial)
    if kind == LOGIN:
        if len(content) < 8:
            raise UnknownFrame("form", "A login has 8 bytes of IMEI.")
        digits = content[:8].hex()
        if not digits.isdecimal():
            raise UnknownFrame("form", "The IMEI of the login is not decimal.")
        return Decoded("login", digits[-15:], chosen.name, "present", reply=plain)
    if kind in POSITIONS and content:
        reading = _position(kind, content, chosen)
        reply = plain if "position" in chosen.answers else None
        stored = kind == 0x22 and len(content) > 28 and content[28] == 1
        return Decoded("position", None, chosen.name, "present", (reading,), stored, reply)
    if kind in ALARMS:
        reading = _alarm(kind, content, chosen)
        means: Kind = "emergency" if reading.event == "sos" else "position"
        return Decoded(means, None, chosen.name, "present", (reading,), reply=plain)
    if kind in HEARTBEATS and content:
        return Decoded("health", None, chosen.name, "present", _beat(content), reply=plain)
    if kind == TIME_REQUEST:
        return Decoded("other", None, chosen.name, "present", reply=partial(_clock, serial))
    if kind == DASHCAM:
        return Decoded("position", None, chosen.name, "present", _dashcam(content, chosen))
    return Decoded("other", None, chosen.name, "present")


def _position(kind: int, content: bytes, layout: Layout) -> Reading:
    if len(content) < _PLACE.size:
        raise UnknownFrame("form", "A position has 18 bytes.")
    *when, sats, lat, lon, kmh, status = _PLACE.unpack_from(content)
    ignition = bool(status & 0x8000) if status & 0x4000 else None
    # A radio cell stands between; that of 4G is longer, and longer still with a long network code.
    long_code = content[_PLACE.size :] >= b"\x80"
    accessory_at = {0x22: 26, 0xA0: 33 if long_code else 32}.get(kind)
    if accessory_at is not None and len(content) > accessory_at:
        ignition = content[accessory_at] == 1
    t = _time(when, layout)
    lon_deg, lat_deg = _degrees(lon, lat, status)
    return Reading(
        t=NO_TIME if t is None else t,
        lon=lon_deg,
        lat=lat_deg,
        speed_mps=kmh / 3.6,
        course_deg=float(status & 0x3FF) if status & 0x3FF <= 360 else None,
        sats=sats & 0x0F,
        ignition=ignition,
        valid=t is not None and bool(status & 0x1000) and (lon, lat) != (0, 0),
    )


def _alarm(kind: int, content: bytes, layout: Layout) -> Reading:
    place = _position(kind, content, layout)
    at = _PLACE.size
    # The radio cell's length counts itself; without a cell it is 0 or left out.
    at += max(content[at], 1) if len(content) > at else 0
    status = content[at] if len(content) > at else 0
    alarm = content[at + 3] if len(content) > at + 3 else 0
    return _with_status(place, status, _EVENT_OF_ALARM.get(alarm))


def _beat(content: bytes) -> tuple[Reading, ...]:
    """A heartbeat has neither place nor time: there is only something to keep when it warns."""
    if content[0] >> 3 & 7 not in _EVENT_OF_STATUS:
        return ()
    nowhere = Reading(t=NO_TIME, lon=0.0, lat=0.0, valid=False)
    return (_with_status(nowhere, content[0], None),)


def _with_status(place: Reading, status: int, event: EventKind | None) -> Reading:
    return structs.replace(
        place,
        ignition=bool(status & 2),
        mains=bool(status & 4),
        event=event or _EVENT_OF_STATUS.get(status >> 3 & 7),
    )


def _dashcam(content: bytes, layout: Layout) -> tuple[Reading, ...]:
    if len(content) < 7:
        raise UnknownFrame("form", "A dashcam's alarm has 7 bytes or more.")
    t = _time(list(content[:6]), layout)
    lon = lat = 0.0
    fix, at = False, 6
    if len(content) > 6 + _DASHCAM_PLACE.size:
        lat_n, lon_n, status = _DASHCAM_PLACE.unpack_from(content, 6)
        lon, lat = _degrees(lon_n, lat_n, status)
        fix, at = bool(status & 0x1000) and (lon_n, lat_n) != (0, 0), 6 + _DASHCAM_PLACE.size
    event = _EVENT_OF_DASHCAM.get(content[at])
    if event is None and not fix:
        return ()
    valid = fix and t is not None
    return (Reading(NO_TIME if t is None else t, lon, lat, event=event, valid=valid),)


def _time(when: list[int], layout: Layout) -> float | None:
    """Seconds since 1970; None: the unit does not know the time."""
    year, month, day, hour, minute, second = when
    try:
        local = datetime(2000 + year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return (local - layout.utc_offset).timestamp()


def _degrees(lon: int, lat: int, status: int) -> tuple[float, float]:
    """lon, lat in degrees.

    Raises:
        UnknownFrame: they are none.
    """
    lon_deg, lat_deg = lon / _MINUTES, lat / _MINUTES
    if lon_deg > 180 or lat_deg > 90:
        raise UnknownFrame("form", "Its position is not on the earth.")
    west, south = status & 0x800, not status & 0x400
    return (-lon_deg if west and lon else lon_deg), (-lat_deg if south and lat else lat_deg)


def _answer(kind: int, content: bytes, serial: bytes, now: datetime) -> bytes:
    body = bytes([len(content) + 5, kind]) + content + serial
    crc = crc16_reflected(body, 0xFFFF) ^ 0xFFFF
    return _SHORT + body + crc.to_bytes(2) + _END


def _clock(serial: bytes, now: datetime) -> bytes:
    utc = now.astimezone(UTC)
    content = bytes([utc.year - 2000, utc.month, utc.day, utc.hour, utc.minute, utc.second])
    return _answer(TIME_REQUEST, content, serial, now)


GT06: Final = UnitProtocol(NAME, begins, BinaryFramer, decode)
