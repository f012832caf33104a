"""`/ws/devices/{device_id}`: the socket that devices speak; docs/devices.md describes it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import msgspec
import structlog
from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from fleet.kit.clock import Monotonic
from fleet.kit.settings import ClockMode
from fleet.kit.web import Kit, kit_of
from fleet.people.scope import origin_is_ours
from tracking.devices.service import is_authentic
from tracking.ingest import Ingest
from tracking.protocols.websocket import Frame, MalformedFrame, TooManyFixes, decode

log = structlog.get_logger(__name__)
router = APIRouter()

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


@router.websocket("/ws/devices/{device_id}")
async def device_socket(socket: WebSocket, device_id: str) -> None:
    """Reads frames and acknowledges each after its commit, until either side closes."""
    kit = kit_of(socket)
    ingest: Ingest = socket.app.state.ingest
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
    try:
        await _converse(socket, kit, ingest, device_id)
    except _Closing as closing:
        log.warning(
            "device_closed", device_id=device_id, code=int(closing.code), reason=closing.reason
        )
        await _close(socket, closing.code, closing.reason)
    finally:
        connections.leave(device_id, socket)


async def _converse(socket: WebSocket, kit: Kit, ingest: Ingest, device_id: str) -> None:
    settings = kit.settings
    allowance = Allowance.full(kit.monotonic, settings.device_frames_per_s)
    limited = settings.clock is not ClockMode.STEPPED
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return
        if limited and not allowance.take():
            raise _Closing(
                Close.TOO_FAST,
                f"Expected at most {settings.device_frames_per_s:g} frames a second.",
            )
        frame = _read(message.get("text"), kit, ingest)
        try:
            await ingest.submit(device_id, frame.readings)
        except Exception as error:
            # Ingest has logged it; without an acknowledgement the device sends the frame again.
            raise _Closing(Close.NOT_STORED, "Not stored; send the frame again.") from error
        for refusal in frame.refused:
            log.info("fix_refused", device_id=device_id, field=refusal.field, why=refusal.reason)
        answer: dict[str, object] = {"ack": frame.seq}
        if frame.refused:
            answer["refused"] = frame.refused
        if not await _send(socket, msgspec.json.encode(answer).decode()):
            return


def _read(text: str | None, kit: Kit, ingest: Ingest) -> Frame:
    if text is None:
        raise _Closing(Close.MALFORMED, "Expected text frames with JSON, got a binary one.")
    most = kit.settings.device_frame_max_bytes
    if len(text) > most or len(text.encode()) > most:
        raise _Closing(Close.TOO_LARGE, f"Expected at most {most} bytes in a frame.")
    try:
        return decode(text, kit.clock.now(), ingest.limits)
    except TooManyFixes as error:
        raise _Closing(Close.TOO_LARGE, str(error)) from error
    except MalformedFrame as error:
        raise _Closing(Close.MALFORMED, str(error)) from error


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


async def _send(socket: WebSocket, text: str) -> bool:
    """False: the socket has closed meanwhile."""
    try:
        await socket.send_text(text)
    except (RuntimeError, WebSocketDisconnect):
        return False
    return True


async def _close(socket: WebSocket, code: Close, reason: str) -> None:
    """Closes a socket that its peer, or another connection, may have closed already."""
    try:
        await socket.close(int(code), reason.encode()[:_REASON_BYTES].decode(errors="ignore"))
    except (RuntimeError, WebSocketDisconnect) as error:
        log.debug("device_socket_was_closed", error=str(error))
