"""What all edges over HTTP share: who comes in, how much and how often, and storing what they say.

Nothing here tells an unknown peer which part of what it said was wrong, and no token is logged or
kept: it may stand in the address.
"""

from __future__ import annotations

import base64
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from fastapi import Request
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from fleet.kit.errors import Busy, Malformed, TooLarge, TooMany, Unauthenticated
from fleet.kit.i18n import speaking, t
from fleet.kit.settings import ClockMode
from fleet.kit.web import Kit
from tracking.devices.models import Device, Protocol
from tracking.devices.service import CARRIED, authenticate
from tracking.devices.socket import Allowance
from tracking.gateway.unknown import Keeper, Likeness, shape_of
from tracking.ingest import Ingest
from tracking.protocols.lenient import Unreadable
from tracking.protocols.reading import Reading, Refusal, check

log = structlog.get_logger(__name__)

MOST_PACED: Final = 20_000
"""Units whose pace is remembered."""


@dataclass(frozen=True, slots=True)
class Known:
    """The device that speaks."""

    id: str
    kind: str


@dataclass(frozen=True, slots=True)
class Message:
    """What came, as far as it is kept when nobody understands it: without any token."""

    peer: str
    protocol: Protocol
    body: bytes


@dataclass(slots=True)
class Stored:
    """What became of a message's readings."""

    stored: int = 0
    refused: list[Refusal] = field(default_factory=list)


class Door:
    """The way in for messages over HTTP; one for the process."""

    def __init__(self, kit: Kit, ingest: Ingest) -> None:
        self._kit = kit
        self._ingest = ingest
        self._keeper = Keeper(kit)
        self._paces: OrderedDict[str, Allowance] = OrderedDict()

    async def body(self, request: Request) -> bytes:
        """The request's body.

        Raises:
            TooLarge: it is longer than a device's frame may be; the rest is not read.
        """
        most = self._kit.settings.device_frame_max_bytes
        gathered = bytearray()
        try:
            async for part in request.stream():
                gathered += part
                if len(gathered) > most:
                    break
        except HTTPException as error:
            raise Malformed(str(error.detail), field="body") from error
        if len(gathered) > most:
            lang = speaking.get()
            raise TooLarge(
                t(lang, "doors.body", bytes=most),
                field="body",
                remedy=t(lang, "doors.body_remedy"),
                headers={"Connection": "close"},
            )
        return bytes(gathered)

    async def admit(
        self, name: str | None, token: str, protocol: Protocol, *, feed: bool = False
    ) -> Known:
        """The device whose token this is.

        Args:
            name: the device's id or what it calls itself; None: by the token alone.
            feed: whether a feed may come in here, and nobody else.

        Raises:
            Unauthenticated: there is no such device, or it may not speak here.
        """
        known = await run_in_threadpool(self._authenticate, name, token, protocol)
        if known is None or (known.kind != "feed" if feed else known.kind not in CARRIED):
            lang = speaking.get()
            raise Unauthenticated(
                t(lang, "doors.unknown"),
                title="Unknown device",
                remedy=t(lang, "doors.unknown_remedy"),
                headers={"WWW-Authenticate": 'Basic realm="safai", Bearer'},
            )
        return known

    def pace(self, key: str) -> None:
        """Counts a message of a unit.

        Raises:
            TooMany: they come faster than a device may send; city time does not matter here.
        """
        settings = self._kit.settings
        if settings.clock is ClockMode.STEPPED:
            return
        allowance = self._paces.pop(key, None)
        if allowance is None:
            allowance = Allowance.full(self._kit.monotonic, settings.device_frames_per_s)
        self._paces[key] = allowance
        if len(self._paces) > MOST_PACED:
            self._paces.popitem(last=False)
        if not allowance.take():
            lang = speaking.get()
            raise TooMany(
                t(lang, "doors.too_fast", per_s=f"{settings.device_frames_per_s:g}"),
                remedy=t(lang, "doors.too_fast_remedy"),
                headers={"Retry-After": "5"},
            )

    async def store(
        self, device_id: str, name: str, readings: Sequence[Reading], message: Message
    ) -> Stored:
        """Returns once the readings are stored; those that cannot be are told and kept to look at.

        Raises:
            TooLarge: more readings than a frame may have.
            Busy: the commit failed.
        """
        lang = speaking.get()
        most = self._ingest.limits.most_fixes
        if len(readings) > most:
            raise TooLarge(t(lang, "doors.fixes", most=most, n=len(readings)), field="body")
        checked = [check(i, reading) for i, reading in enumerate(readings)]
        outcome = Stored(refused=[c for c in checked if isinstance(c, Refusal)])
        good = [c for c in checked if not isinstance(c, Refusal)]
        try:
            await self._ingest.submit(device_id, good)
        except Exception as error:
            # Ingest has logged it; without a 2xx the unit sends the message again.
            raise Busy(
                t(lang, "doors.not_stored"),
                remedy=t(lang, "doors.not_stored_remedy"),
                headers={"Retry-After": "5"},
            ) from error
        outcome.stored = len(good)
        for refusal in outcome.refused:
            await self.keep(message, "refused", refusal.reason, name, device_id)
        return outcome

    async def unreadable(self, fault: Unreadable, message: Message, known: Known) -> Malformed:
        """The problem to answer with; what came is kept for the administrator."""
        await self.keep(message, "form", str(fault), "", known.id)
        return Malformed(
            fault.reason,
            field=fault.field,
            remedy=t(speaking.get(), "doors.unreadable_remedy"),
        )

    async def keep(
        self, message: Message, reason: str, detail: str, name: str, device_id: str | None
    ) -> None:
        """Keeps a message that a known device sent and that was of no use."""
        like = Likeness(
            peer=message.peer,
            protocol=message.protocol,
            external_id=name,
            device_id=device_id,
            reason=reason,
            shape=shape_of(message.body),
        )
        self._keeper.keep(like, message.body, detail)
        await self._keeper.write()

    async def forwarded(self, unique_ids: Sequence[str]) -> dict[str, str]:
        """Device id by what a feed calls its unit, for those that are registered for this."""
        return await run_in_threadpool(self._forwarded, unique_ids)

    def _authenticate(self, name: str | None, token: str, protocol: Protocol) -> Known | None:
        with self._kit.db.reading() as session:
            device = authenticate(session, name, token, protocol)
            return None if device is None else Known(device.id, device.kind)

    def _forwarded(self, unique_ids: Sequence[str]) -> dict[str, str]:
        with self._kit.db.reading() as session:
            rows = session.execute(
                select(Device.external_id, Device.id).where(
                    Device.external_id.in_(set(unique_ids)),
                    Device.protocol == "traccar",
                    Device.kind.in_(CARRIED),
                    Device.disabled.is_(False),
                )
            )
            return {external_id: device_id for external_id, device_id in rows if external_id}


def bearer(request: Request) -> str:
    """The token of `Authorization: Bearer …`; empty without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def basic(request: Request) -> tuple[str, str]:
    """User and password of `Authorization: Basic …`; empty without them."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(given.strip(), validate=True).decode().partition(":")
    except ValueError:  # not ASCII, not Base64 or not UTF-8
        return "", ""
    return user, password


def peer_of(request: Request) -> str:
    return request.client.host if request.client else ""
