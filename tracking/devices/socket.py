"""`/ws/devices/{device_id}`: the socket that devices speak; docs/devices.md describes it.

Frames are read ahead of their acknowledgements, up to `UNDER_WAY` of them. The endpoint is plain
ASGI: at thousands of frames a second what stands between a frame and its commit is what it costs.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from enum import IntEnum
from functools import partial

import msgspec
import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool
from starlette.routing import WebSocketRoute
from starlette.types import Receive, Scope, Send

from fleet.kit.clock import Monotonic
from fleet.kit.settings import ClockMode
from fleet.kit.web import Kit, kit_of
from fleet.people.scope import origin_is_ours
from tracking.devices.service import is_authentic
from tracking.ingest import Aside, Ingest
from tracking.protocols.websocket import Frame, MalformedFrame, TooManyFixes, decode

log = structlog.get_logger(__name__)

UNDER_WAY = 8
"""Frames of one socket that may wait for their commit."""

SUBPROTOCOL = "safai.device"
BURST_S = 5.0
"""Frames of this long at the allowed rate may come at once."""
_REASON_BYTES = 120
"""A close reason has room for 123 bytes."""


class Close(IntEnum):
    """Why the server closes a device's socket."""

    NOT_STORED = 1011
    MALFORMED = 4400
    UNAUTHORISED = 4401
    REPLACED = 4409
    TOO_LARGE = 4413
    TOO_FAST = 4429


class Connections:
    """The one socket of each device; a newer connection takes the place of the older."""

    def __init__(self) -> None:
        self._open: dict[str, WebSocket] = {}
        self.ends = 0
        """Grows with each `end`: who was found authentic before must be looked up again."""

    async def take(self, device_id: str, socket: WebSocket) -> None:
        older = self._open.get(device_id)
        self._open[device_id] = socket
        if older is not None:
            await _close(older, Close.REPLACED, "The device has connected again.")

    def leave(self, device_id: str, socket: WebSocket) -> None:
        if self._open.get(device_id) is socket:
            del self._open[device_id]

    async def end(self, device_id: str) -> None:
        """Closes the device's socket: it was disabled, changed, or has a new token."""
        self.ends += 1
        socket = self._open.pop(device_id, None)
        if socket is not None:
            await _close(socket, Close.UNAUTHORISED, "The device was changed; connect again.")


@dataclass
class Allowance:
    """A bucket of frames that fills with real time."""

    monotonic: Monotonic
    per_s: float
    left: float
    at_s: float

    @classmethod
    def full(cls, monotonic: Monotonic, per_s: float) -> Allowance:
        return cls(monotonic, per_s, max(per_s * BURST_S, 1.0), monotonic.now_s())

    def take(self) -> bool:
        """Whether one more frame is allowed now."""
        now_s = self.monotonic.now_s()
        most = max(self.per_s * BURST_S, 1.0)
        self.left = min(most, self.left + (now_s - self.at_s) * self.per_s)
        self.at_s = now_s
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True


class _Closing(Exception):  # noqa: N818 - a state of the conversation, not a fault of ours
    def __init__(self, code: Close, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class DeviceSocket:
    """Reads frames and acknowledges each after its commit, until either side closes."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = WebSocket(scope, receive, send)
        device_id: str = scope["path_params"]["device_id"]
        kit = kit_of(socket)
        connections: Connections = socket.app.state.device_connections
        token, subprotocol = _credentials(socket)
        ends = connections.ends
        known = origin_is_ours(socket) and await run_in_threadpool(_knows, kit, device_id, token)
        # Accepted in any case: a peer is not told the code of a socket that never opened.
        await socket.accept(subprotocol)
        while known and ends != connections.ends:  # some device has changed meanwhile: look again
            ends = connections.ends
            known = await run_in_threadpool(_knows, kit, device_id, token)
        if not known:
            log.warning("device_refused", device_id=device_id)
            await _close(socket, Close.UNAUTHORISED, "Unknown device, or not its token.")
            return
        await connections.take(device_id, socket)
        conversation = _Conversation(socket, send, kit, socket.app.state.ingest, device_id)
        try:
            await conversation.run(receive)
        except _Closing as closing:
            await conversation.close(closing)
        finally:
            connections.leave(device_id, socket)


class _Conversation:
    """One device's frames, in order, and their acknowledgements, in the same order."""

    def __init__(
        self, socket: WebSocket, send: Send, kit: Kit, ingest: Ingest, device_id: str
    ) -> None:
        self._socket = socket
        self._send = send
        self._kit = kit
        self._ingest = ingest
        self._device_id = device_id
        self._loop = asyncio.get_running_loop()
        self._under_way = 0
        self._answered = asyncio.Event()
        self._sending: set[asyncio.Task[None]] = set()

    async def run(self, receive: Receive) -> None:
        """Until the device leaves; raises `_Closing` when we do."""
        settings = self._kit.settings
        allowance = Allowance.full(self._kit.monotonic, settings.device_frames_per_s)
        limited = settings.clock is not ClockMode.STEPPED
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            if limited and not allowance.take():
                raise _Closing(
                    Close.TOO_FAST,
                    f"Expected at most {settings.device_frames_per_s:g} frames a second.",
                )
            frame = self._read(message.get("text"))
            if self._under_way >= UNDER_WAY:
                await self._until(UNDER_WAY - 1)
            await self._ingest.room()
            self._under_way += 1
            self._ingest.offer(self._device_id, frame.readings, partial(self._committed, frame))

    def _read(self, text: str | None) -> Frame:
        if text is None:
            raise _Closing(Close.MALFORMED, "Expected text frames with JSON, got a binary one.")
        most = self._kit.settings.device_frame_max_bytes
        # A character has four bytes at most.
        if len(text) > most or (len(text) * 4 > most and len(text.encode()) > most):
            raise _Closing(Close.TOO_LARGE, f"Expected at most {most} bytes in a frame.")
        try:
            frame = decode(text, self._ingest.limits)
        except TooManyFixes as error:
            raise _Closing(Close.TOO_LARGE, str(error)) from error
        except MalformedFrame as error:
            raise _Closing(Close.MALFORMED, str(error)) from error
        for refusal in frame.refused:
            log.info(
                "fix_refused", device_id=self._device_id, field=refusal.field, why=refusal.reason
            )
        return frame

    def _committed(self, frame: Frame, failure: BaseException | None, aside: Aside) -> None:
        """In the event loop, after the commit or its failure."""
        if failure is None:
            sending = self._acknowledge(_answer(frame, aside))
        else:
            # Ingest has logged it; without an acknowledgement the device sends the frame again.
            sending = self._not_stored()
        # Started at once: a socket that takes what we write needs no turn of the event loop.
        task = asyncio.Task(sending, loop=self._loop, eager_start=True)
        if not task.done():
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _acknowledge(self, text: str) -> None:
        try:
            await self._send({"type": "websocket.send", "text": text})
        except (RuntimeError, OSError) as error:
            log.debug("device_left_unanswered", device_id=self._device_id, error=str(error))
        self._settle()

    async def _not_stored(self) -> None:
        await _close(self._socket, Close.NOT_STORED, "Not stored; send the frame again.")
        self._settle()

    def _settle(self) -> None:
        self._under_way -= 1
        self._answered.set()

    async def _until(self, under_way: int) -> None:
        """Returns when so few frames are under way."""
        while self._under_way > under_way:
            self._answered.clear()
            await self._answered.wait()

    async def close(self, closing: _Closing) -> None:
        """Acknowledges what is under way, then closes."""
        log.warning(
            "device_closed",
            device_id=self._device_id,
            code=int(closing.code),
            reason=closing.reason,
        )
        await self._until(0)
        await _close(self._socket, closing.code, closing.reason)


def _answer(frame: Frame, aside: Aside) -> str:
    if not frame.refused and not aside:
        return f'{{"ack":{frame.seq}}}'
    answer: dict[str, object] = {"ack": frame.seq}
    if frame.refused:
        answer["refused"] = frame.refused
    if aside:
        answer["aside"] = [
            {
                "i": i if frame.kept is None else frame.kept[i],
                "mark": mark,
                "reason": _WHY_ASIDE[mark],
                "remedy": "Set the unit's clock; do not send the fix again.",
            }
            for i, mark in aside
        ]
    return msgspec.json.encode(answer).decode()


_WHY_ASIDE = {
    "future": "Stored, but proves nothing: its time lies ahead of the server's.",
    "stale": "Stored, but proves nothing: its time is older than fixes are kept.",
}

router = APIRouter(routes=[WebSocketRoute("/ws/devices/{device_id}", DeviceSocket())])


def _credentials(socket: WebSocket) -> tuple[str, str | None]:
    """The token, and the subprotocol to answer when it came that way."""
    offered: list[str] = socket.scope.get("subprotocols", [])
    if len(offered) == 2 and offered[0] == SUBPROTOCOL:
        return offered[1], SUBPROTOCOL
    scheme, _, token = socket.headers.get("authorization", "").partition(" ")
    return (token.strip(), None) if scheme.lower() == "bearer" else ("", None)


def _knows(kit: Kit, device_id: str, token: str) -> bool:
    with kit.db.reading() as session:
        return is_authentic(session, device_id, token)


async def _close(socket: WebSocket, code: Close, reason: str) -> None:
    """Closes a socket that its peer, or another connection, may have closed already."""
    try:
        await socket.close(int(code), reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
    except (RuntimeError, WebSocketDisconnect, OSError) as error:
        log.debug("device_socket_was_closed", error=str(error))
