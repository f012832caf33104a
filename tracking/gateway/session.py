"""One unit's connection: who it is, its frames into ingest, and the answers it waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

import structlog
from msgspec import structs
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from fleet.kit.settings import ClockMode
from fleet.kit.web import Kit
from tracking.devices.models import Device
from tracking.gateway.metrics import FRAMES
from tracking.gateway.unknown import Keeper, Likeness, shape_of
from tracking.ingest import Ingest
from tracking.protocols.ais140 import AIS140
from tracking.protocols.gt06 import GT06
from tracking.protocols.layouts import Layouts
from tracking.protocols.reading import Reading, Refusal, check
from tracking.protocols.units import (
    NO_TIME,
    Decoded,
    Framer,
    FrameTooLong,
    UnitProtocol,
    UnknownFrame,
)

log = structlog.get_logger(__name__)

PROTOCOLS: Final[Sequence[UnitProtocol]] = (AIS140, GT06)

READ_BYTES: Final = 4096
PAUSE_S: Final = 0.5
"""Silence after which a frame that looks whole is taken for whole."""
IDENTIFY_S: Final = 60.0
"""How long a connection may stay without a known unit."""
MOST_STRIKES: Final = 3
"""Frames of nobody, or of another unit, before the connection is closed."""
LOOK_AGAIN_S: Final = 60.0
"""How soon a unit that was disabled, or given another layout, is treated so."""
SEND_S: Final = 10.0
BURST_S: Final = 5.0
"""Frames of this long at the allowed rate may come at once."""

type Reason = Literal[
    "form", "checksum", "length", "protocol", "unidentified", "unregistered", "disabled",
    "other_protocol", "other_unit", "refused", "clock", "unfinished",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Unit:
    """The device that speaks."""

    device_id: str
    external_id: str
    protocol: str | None
    layout: str | None
    disabled: bool


class Closing(Exception):  # noqa: N818 - a state of the conversation, not a fault of ours
    """Why the connection ends."""


class UnitSession:
    """Speaks with one connection until either side closes it.

    Args:
        take: told once the unit is known, with the connection's place among the unit's own; it
            closes the older connection in that place.
    """

    def __init__(
        self,
        kit: Kit,
        ingest: Ingest,
        layouts: Layouts,
        keeper: Keeper,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        take: Callable[[UnitSession, tuple[str, str]], None],
    ) -> None:
        self._kit = kit
        self._ingest = ingest
        self._layouts = layouts
        self._keeper = keeper
        self._reader = reader
        self._writer = writer
        self._take = take
        self._peer = str((writer.get_extra_info("peername") or ("",))[0])
        self._protocol: UnitProtocol | None = None
        self._framer: Framer | None = None
        self._unit: Unit | None = None
        self._strikes = 0
        self._loop = asyncio.get_running_loop()
        self._opened_s = self._heard_s = self._looked_s = self._loop.time()
        self._pace = _Pace(
            kit.settings.units_frames_per_s if kit.settings.clock is not ClockMode.STEPPED else None
        )

    def close(self) -> None:
        """Ends the connection; `run` returns soon after."""
        self._writer.close()

    async def run(self) -> None:
        """Returns when the connection is closed; logs why."""
        why = "gone"
        try:
            await self._converse()
        except Closing as closing:
            why = str(closing)
        except (ConnectionError, TimeoutError) as error:
            why = type(error).__name__
            # What a dead peer has not read need not be kept for it.
            self._writer.transport.abort()
        finally:
            unit = self._unit
            log.info(
                "unit_closed",
                device_id=unit.device_id if unit else None,
                imei=unit.external_id if unit else None,
                why=why,
            )
            self._writer.close()

    async def _converse(self) -> None:
        head = b""
        while self._framer is None:
            data = await self._read(self._silence_left_s())
            if not data:
                return
            head = (head + data).lstrip(b"\r\n\x00 ")
            if len(head) >= 2:
                self._framer = self._choose(head)
                await self._hear(self._framed(self._framer, head))
        while True:
            left_s = self._silence_left_s()
            try:
                data = await self._read(min(PAUSE_S, left_s) if self._framer.rest() else left_s)
            except TimeoutError:
                frames = self._framer.pause()
                if not frames and self._silence_left_s() <= 0:
                    raise
                await self._hear(frames)
                continue
            if not data:
                await self._hear(self._framer.pause())
                self._unknown(self._framer.rest(), "unfinished", "The connection ended within it.")
                return
            await self._hear(self._framed(self._framer, data))

    async def _read(self, most_s: float) -> bytes:
        async with asyncio.timeout(most_s):
            return await self._reader.read(READ_BYTES)

    def _silence_left_s(self) -> float:
        """Until the connection counts as dead: only whole frames of a known unit keep it."""
        if self._unit is None:
            return self._opened_s + IDENTIFY_S - self._loop.time()
        return self._heard_s + self._kit.settings.units_idle_s - self._loop.time()

    def _choose(self, head: bytes) -> Framer:
        for protocol in PROTOCOLS:
            if protocol.begins(head):
                self._protocol = protocol
                return protocol.framer(self._kit.settings.units_frame_max_bytes)
        self._unknown(head, "protocol", "It begins like no protocol that is spoken here.")
        raise Closing("no protocol")

    def _framed(self, framer: Framer, data: bytes) -> list[bytes]:
        try:
            return framer.feed(data)
        except FrameTooLong as error:
            self._unknown(framer.rest(), "length", str(error))
            raise Closing("frame too long") from error

    async def _hear(self, frames: Sequence[bytes]) -> None:
        """Stores what the frames say, in their order, and then answers them."""
        readings: list[tuple[datetime, Reading]] = []
        said_in: list[bytes] = []
        answers: list[Decoded] = []
        for frame in frames:
            await self._pace.turn()
            decoded = await self._known(frame)
            if decoded is None:
                if self._strikes >= MOST_STRIKES:
                    break
                continue
            self._heard_s = self._loop.time()
            good = self._checked(frame, decoded)
            readings += good
            said_in += [frame] * len(good)
            if decoded.checksum == "wrong":
                self._unknown(frame, "checksum", "Stored as invalid: its checksum is wrong.")
            else:
                answers.append(decoded)
                self._counted("stored" if good else "refused" if decoded.readings else "heard")
        if readings and self._unit is not None:
            try:
                aside = await self._ingest.submit(self._unit.device_id, readings)
            except Exception as error:
                # Ingest has logged it; a unit without its answer sends the frame again.
                raise Closing("not stored") from error
            for i, mark in aside:
                self._keep(
                    said_in[i], "clock", f"Stored as {mark}; it says {readings[i][0]:%c} UTC."
                )
        await self._answer(answers)
        if self._strikes >= MOST_STRIKES:
            raise Closing("unknown unit" if self._unit is None else "frames of another unit")

    async def _known(self, frame: bytes) -> Decoded | None:
        """The frame, when it is one of the unit that speaks here."""
        assert self._protocol is not None
        if self._unit is not None and self._loop.time() - self._looked_s > LOOK_AGAIN_S:
            self._looked_s = self._loop.time()
            self._admitted(frame, await self._find(self._unit.external_id), keep=False)
        try:
            layout = self._unit.layout if self._unit else None
            decoded = self._protocol.decode(frame, self._layouts, layout)
            if self._unit is None and decoded.imei is not None:
                decoded = await self._identify(frame, decoded, decoded.imei) or decoded
        except UnknownFrame as error:
            self._unknown(frame, error.reason, str(error))
            self._strikes += self._unit is None
            return None
        if self._unit is None:
            if decoded.imei is None:
                self._unknown(frame, "unidentified", "It came before a login.")
            self._strikes += 1
            return None
        if decoded.imei not in (None, self._unit.external_id):
            self._unknown(frame, "other_unit", "It is signed by another unit.", decoded.imei)
            self._strikes += 1
            return None
        return decoded

    async def _identify(self, frame: bytes, decoded: Decoded, imei: str) -> Decoded | None:
        """Finds the unit that a frame is signed by; None: it is not to be heard."""
        assert self._protocol is not None
        unit = await self._find(imei)
        if not self._admitted(frame, unit, keep=True, imei=imei):
            return None
        assert unit is not None
        decoded = self._protocol.decode(frame, self._layouts, unit.layout)
        if decoded.checksum == "wrong":
            # Nobody is known by a frame that may have been garbled.
            self._unknown(frame, "checksum", "The first frame's checksum is wrong.", imei)
            return None
        self._unit = unit
        self._looked_s = self._loop.time()
        place = "emergency" if decoded.kind == "emergency" else "main"
        self._take(self, (unit.device_id, place))
        log.info("unit_opened", device_id=unit.device_id, imei=imei, protocol=self._protocol.name)
        return decoded

    def _admitted(
        self, frame: bytes, unit: Unit | None, *, keep: bool, imei: str | None = None
    ) -> bool:
        """Whether the unit may speak; a connection whose unit no longer may is closed."""
        assert self._protocol is not None
        reason: Reason | None = None
        if unit is None:
            reason, detail = "unregistered", "No device has this IMEI."
        elif unit.disabled:
            reason, detail = "disabled", f"The device {unit.device_id} is disabled."
        elif unit.protocol not in (None, self._protocol.name):
            reason, detail = "other_protocol", f"The device should speak {unit.protocol}."
        if reason is None:
            if self._unit is not None:
                self._unit = unit
            return True
        if not keep:
            raise Closing(reason)
        self._unknown(frame, reason, detail, imei, unit.device_id if unit else None)
        return False

    async def _find(self, imei: str) -> Unit | None:
        return await run_in_threadpool(find_unit, self._kit, imei)

    def _checked(self, frame: bytes, decoded: Decoded) -> list[tuple[datetime, Reading]]:
        now = self._kit.clock.now()
        good = []
        for i, reading in enumerate(decoded.readings):
            if reading.t == NO_TIME:
                reading = _nowhere(reading, now)
            checked = check(i, reading)
            if isinstance(checked, Refusal):
                self._keep(frame, "refused", checked.reason, decoded.imei)
            else:
                good.append(checked)
        return good

    async def _answer(self, heard: Sequence[Decoded]) -> None:
        now = self._kit.clock.now()
        for decoded in heard:
            if decoded.reply is not None:
                self._writer.write(decoded.reply(now))
        async with asyncio.timeout(SEND_S):
            await self._writer.drain()

    def _unknown(
        self,
        frame: bytes,
        reason: Reason,
        detail: str,
        imei: str | None = None,
        device_id: str | None = None,
    ) -> None:
        if frame.strip(b"\r\n\x00 "):
            self._counted("unknown")
            self._keep(frame, reason, detail, imei, device_id)

    def _keep(
        self,
        frame: bytes,
        reason: Reason,
        detail: str,
        imei: str | None = None,
        device_id: str | None = None,
    ) -> None:
        unit = self._unit
        like = Likeness(
            peer=self._peer,
            protocol=self._protocol.name if self._protocol else "",
            external_id=imei or (unit.external_id if unit else ""),
            device_id=device_id or (unit.device_id if unit else None),
            reason=reason,
            shape=shape_of(frame),
        )
        self._keeper.keep(like, frame, detail)

    def _counted(self, outcome: str) -> None:
        FRAMES.labels(self._protocol.name if self._protocol else "none", outcome).inc()


def find_unit(kit: Kit, imei: str) -> Unit | None:
    """The device with that IMEI, in use or not."""
    with kit.db.reading() as session:
        device = session.scalar(select(Device).where(Device.external_id == imei))
    if device is None or device.external_id is None:
        return None
    return Unit(device.id, device.external_id, device.protocol, device.layout, device.disabled)


def _nowhere(reading: Reading, now: datetime) -> Reading:
    """What a unit says that does not know when: at the time it was heard, and proving no place."""
    return structs.replace(reading, t=now.timestamp(), valid=False)


class _Pace:
    """Holds a connection back to so many frames a real second; None: not at all."""

    def __init__(self, per_s: float | None) -> None:
        self.limited = per_s is not None
        self._per_s = per_s or 0.0
        self._most = max(self._per_s * BURST_S, 1.0)
        self._left = self._most
        self._at_s = asyncio.get_running_loop().time()

    async def turn(self) -> None:
        """Returns when one more frame may be read; meanwhile the unit's sending stalls."""
        if not self.limited:
            return
        now_s = asyncio.get_running_loop().time()
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._per_s) - 1
        self._at_s = now_s
        if self._left < 0:
            await asyncio.sleep(-self._left / self._per_s)
