"""The AIS-140 family: comma-separated text over TCP, as India's vehicle units speak it.

The standard names packets and fields; makers differ in headers, order, checksum and answers, which
`layouts.toml` says. A frame starts with `$` and ends with `*` and a checksum, with a line end, or
where the next one starts.

| frame | says |
|---|---|
| login | `LGN`, `LI`, `$,01` or registration, IMEI, firmware and place; answered |
| normal | a position with packet type, `L` live or `H` kept |
| health | `HBT`, `HLM`, `HLT`, `HMP`, `HEL`, `$,02`, `$,101`: no position; answered |
| emergency | `EMR` begins, `SEM` ends; `NM` live or `SP` kept; fix `A` or `V` |
| batch | `BTH`: positions kept while there was no connection |

Units: km/h, degrees with hemisphere letters (degrees and minutes where a value is too large to be
degrees), volts, metres, UTC. Sources: AIS-140 with its amendments, makers' protocol papers, and
the recorded frames in the tests.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Final

from tracking.protocols import checksums
from tracking.protocols.layouts import Layout, Layouts
from tracking.protocols.reading import EventKind, Reading
from tracking.protocols.units import (
    NO_TIME,
    Checksum,
    Decoded,
    FrameTooLong,
    Kind,
    UnitProtocol,
    UnknownFrame,
)

NAME: Final = "ais140"
MOST_ITEMS: Final = 200
"""Positions of one batch."""
MOST_MPS: Final = 150.0
"""What a unit measures above this is no speed."""

_EVENT_OF_TYPE: Final[Mapping[str, EventKind]] = {
    "EA": "sos",
    "TA": "tamper",
    "DT": "tamper",
    "WD": "tamper",  # the wire of the emergency button
    "BD": "mains_cut",
    "BR": "mains_back",
    "BL": "low_battery",
    "BC": "battery_ok",
    "BH": "battery_ok",
    "HB": "harsh_brake",
    "HA": "harsh_start",
    "RT": "harsh_turn",
    "OS": "overspeed",
    "IN": "ignition_on",
    "IF": "ignition_off",
    "TL": "tilt",
}
_QUIET: Final = frozenset({"NR", "HP", "OA", "OT", "OC"})
"""Types that announce nothing; some makers leave an old alert's number in them."""
_EVENT_OF_ALERT: Final[Mapping[int, EventKind]] = {
    3: "mains_cut",
    4: "low_battery",
    5: "battery_ok",
    6: "mains_back",
    7: "ignition_on",
    8: "ignition_off",
    9: "tamper",
    10: "sos",
    11: "sos_end",
    13: "harsh_brake",
    14: "harsh_start",
    15: "harsh_turn",
    16: "tamper",
    17: "overspeed",
    18: "tilt",
}

_MPS_OF: Final = {"speed_kmh": 1 / 3.6, "speed_kn": 1852 / 3600}
_DOLLAR_LOGIN: Final = re.compile(rb"\$[^,$*\r\n]{0,24}\$\d{15,17}\$")
_DOLLARS: Final = 9
"""So many `$` stand in a login that is parted by them."""
_BATCH: Final = re.compile(rb"\$,?BTH,")
_END: Final = re.compile(rb"[\r\n$]")
_BATCH_END: Final = re.compile(rb"[\r\n]|\*[^$\r\n]*(?=\$)")
_WHOLE: Final = re.compile(rb"\*(?:[0-9A-Fa-f]{2}|[0-9A-Fa-f]{4}|[0-9A-Fa-f]{8}|,[^$]*)?\Z")
_CRUMBS: Final = re.compile(rb"[\s\x00]*[0-9A-Fa-f]{0,8}[\s\x00]*")
"""What may stand between frames: line ends, and a checksum that came after its frame was read."""


def begins(head: bytes) -> bool:
    return head.startswith(b"$")


class TextFramer:
    """Frames from `$` to a line end, the next `$`, or `*` and a pause."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        self._held += data
        frames = []
        while self._held:
            frame = self._next()
            if frame is None:
                break
            if not _CRUMBS.fullmatch(frame):
                frames.append(frame)
        if len(self._held) > self._most and not frames:
            raise FrameTooLong(f"Expected a frame to end within {self._most} bytes.")
        return frames

    def pause(self) -> list[bytes]:
        if not (self._held.startswith(b"$") and _WHOLE.search(self._held)):
            return []
        return [self._take(len(self._held))]

    def rest(self) -> bytes:
        return bytes(self._held)

    def _next(self) -> bytes | None:
        """The first frame, or what stands before the first `$`; None: it has not ended yet."""
        if not self._held.startswith(b"$"):
            start = self._held.find(b"$")
            end = _END.search(self._held)
            if end is not None:
                return self._take(end.start() if end.start() == start else end.end())
            return self._take(len(self._held)) if _CRUMBS.fullmatch(self._held) else None
        if _DOLLAR_LOGIN.match(self._held):
            return self._dollar_login()
        end = (_BATCH_END if _BATCH.match(self._held) else _END).search(self._held, 1)
        if end is None:
            return None
        starts_next = self._held[end.end() - 1 : end.end()] == b"$"
        return self._take(end.start() if starts_next else end.end())

    def _dollar_login(self) -> bytes | None:
        at = -1
        for _ in range(_DOLLARS):
            at = self._held.find(b"$", at + 1)
            if at < 0:
                line_end = re.search(rb"[\r\n]", self._held)
                return self._take(line_end.end()) if line_end else None
        return self._take(at + 1)

    def _take(self, n: int) -> bytes:
        taken = bytes(self._held[:n])
        del self._held[:n]
        return taken.strip(b"\r\n\x00 ")


def decode(frame: bytes, layouts: Layouts, layout: str | None = None) -> Decoded:
    """Reads one frame, by the device's layout or by the one that the frame is recognised as.

    Raises:
        UnknownFrame: no order of the layout fits it.
    """
    text = frame.decode("latin-1").strip()
    if not text.startswith("$"):
        raise UnknownFrame("form", "It does not start with $.")
    if _DOLLAR_LOGIN.match(frame):
        return Decoded("login", _imei(text.split("$")[2]), layout or NAME)
    body = text[1:].partition("*")[0].removeprefix(",")
    head = body.split(",", 2)
    chosen = layouts.find(layout, NAME) or layouts.of(head[0], (*head, "")[1], NAME)
    checksum = checksums.state(frame, chosen.checksums)
    if re.match(r"\$,?BTH,", text):
        return _batch(text, chosen, checksum)
    fields, kind = _fit(body, chosen)
    reply = _reply(chosen, kind, head[0])
    imei = _imei(fields["imei"])
    if kind in ("login", "health"):
        return Decoded(kind, imei, chosen.name, checksum, reply=reply)
    reading = _reading(fields, chosen, trusted=checksum != "wrong")
    stored = fields.get("status") in ("H", "S") or fields.get("kept") == "SP"
    return Decoded(kind, imei, chosen.name, checksum, (reading,), stored, reply)


def _fit(body: str, layout: Layout) -> tuple[dict[str, str], Kind]:
    """The fields by name. Frames with a position come first: they are what no other fits."""
    kinds: tuple[tuple[str, Kind], ...] = (
        ("emergency", "emergency"),
        ("normal", "position"),
        ("health", "health"),
        ("login", "login"),
    )
    line = body if body.endswith(",") else body + ","
    for kind, means in kinds:
        for order in layout.orders.get(kind, ()):
            found = order.fullmatch(line)
            if found:
                return {name: text or "" for name, text in found.groupdict().items()}, means
    raise UnknownFrame("form", f"No order of the layout {layout.name} fits it.")


def _batch(text: str, layout: Layout, checksum: Checksum) -> Decoded:
    head, *items = text.partition("*")[0].split("$,")[1 if text.startswith("$,") else 0 :]
    orders = layout.orders.get("batch", ())
    found = next(filter(None, (o.fullmatch(head.removeprefix("$")) for o in orders)), None)
    if found is None or len(items) > MOST_ITEMS:
        raise UnknownFrame("form", f"No order of the layout {layout.name} fits the batch.")
    readings = []
    for item in items:
        body = item.rstrip(",") + ","
        fields = next(filter(None, (o.fullmatch(body) for o in layout.orders["item"])), None)
        if fields is None:
            raise UnknownFrame("form", "A position of the batch does not fit.")
        readings.append(
            _reading(
                {name: text or "" for name, text in fields.groupdict().items()},
                layout,
                trusted=checksum != "wrong",
            )
        )
    reply = _reply(layout, "batch", "BTH")
    imei = _imei(found["imei"])
    return Decoded("position", imei, layout.name, checksum, tuple(readings), True, reply)


def _reading(fields: Mapping[str, str], layout: Layout, *, trusted: bool) -> Reading:
    t = _time(fields["when"], layout)
    lon, lat = _position(fields)
    speeds = (_within(fields[k], 0, MOST_MPS, mps) for k, mps in _MPS_OF.items() if k in fields)
    sats = _within(fields.get("sats", ""), 0, 100)
    return Reading(
        t=NO_TIME if t is None else t,
        lon=lon,
        lat=lat,
        speed_mps=next(speeds, None),
        course_deg=_within(fields.get("course", ""), 0, 360),
        hdop=_within(fields.get("hdop", ""), 0, 100) or None,
        sats=None if sats is None else int(sats),
        ignition=_flag(fields.get("ignition", "")),
        battery_v=_within(fields.get("main_v", ""), 0, 100),
        alt_m=_within(fields.get("alt", ""), -1000, 10_000),
        mains=_flag(fields.get("mains", "")),
        backup_v=_within(fields.get("backup_v", ""), 0, 100),
        inputs=_inputs(fields.get("inputs", "")),
        event=_event(fields),
        valid=(
            trusted
            and t is not None
            and fields.get("fix", "1") not in ("0", "V")
            and (lon, lat) != (0.0, 0.0)
        ),
    )


def _event(fields: Mapping[str, str]) -> EventKind | None:
    if "emergency" in fields:
        return "sos" if fields["emergency"] == "EMR" else "sos_end"
    kind = fields.get("type", "").upper()
    alert = int(fields.get("alert") or 0)
    if kind == "EA" and alert == 11:
        return "sos_end"
    if kind in _QUIET:
        return None
    return _EVENT_OF_TYPE.get(kind) or _EVENT_OF_ALERT.get(alert)


def _time(when: str, layout: Layout) -> float | None:
    """Seconds since 1970; None: the unit does not know the time."""
    digits = "".join(part.zfill(2) for part in when.split(".")[0].split(","))
    year, clock = digits[4:-6], digits[-6:]
    try:
        local = datetime(
            int(year) + (2000 if len(year) == 2 else 0),
            int(digits[2:4]),
            int(digits[:2]),
            int(clock[:2]),
            int(clock[2:4]),
            int(clock[4:]),
            tzinfo=UTC,
        )
    except ValueError:
        return None
    return (local - layout.utc_offset).timestamp() if local.year >= 2000 else None


def _position(fields: Mapping[str, str]) -> tuple[float, float]:
    """lon, lat in degrees.

    Raises:
        UnknownFrame: they are none.
    """
    try:
        lon, lat = float(fields["lon"]), float(fields["lat"])
    except ValueError:
        raise UnknownFrame("form", "Its position is no number.") from None
    if abs(lat) > 90 or abs(lon) > 180:
        lon, lat = _of_minutes(lon), _of_minutes(lat)
    if abs(lat) > 90 or abs(lon) > 180:
        raise UnknownFrame("form", "Its position is not on the earth.")
    if fields["ew"] in "Ww":
        lon = -abs(lon)
    if fields["ns"] in "Ss":
        lat = -abs(lat)
    return lon + 0.0, lat + 0.0  # no negative zero


def _of_minutes(value: float) -> float:
    """Degrees of `DDDMM.MMMM`."""
    degrees, minutes = divmod(abs(value), 100)
    return (degrees + minutes / 60) * (-1 if value < 0 else 1)


def _imei(text: str) -> str:
    digits = text.strip()
    return digits[-15:] if len(digits) > 15 and not digits[:-15].strip("0") else digits


def _within(text: str, least: float, most: float, factor: float = 1.0) -> float | None:
    """The number times `factor`; None: there is none, or none that a vehicle can measure."""
    try:
        value = float(text) * factor
    except ValueError:
        return None
    return value if least <= value <= most else None


def _flag(text: str) -> bool | None:
    return {"1": True, "0": False}.get(text)


def _inputs(text: str) -> int | None:
    """Bits, the first input lowest; a `2` says that there is nothing connected."""
    return int(text[::-1].replace("2", "0"), 2) if text else None


def _reply(layout: Layout, kind: str, header: str) -> Callable[[datetime], bytes] | None:
    form = layout.answers.get(kind)
    return partial(_answer, form, header) if form else None


def _answer(form: str, header: str, now: datetime) -> bytes:
    time = now.astimezone(UTC).strftime("%d%m%Y%H%M%S")
    return form.replace("{time}", time).replace("{header}", header).encode("latin-1") + b"\r\n"


AIS140: Final = UnitProtocol(NAME, begins, TextFramer, decode)
