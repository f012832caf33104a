"""Keeping frames that nobody understood: bounded, counted, and never in the way of good ones."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog
from sqlalchemy import delete, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from fleet.kit.errors import Problem
from fleet.kit.web import Kit
from tracking.gateway.models import UnknownFrame

log = structlog.get_logger(__name__)

MOST_ROWS: Final = 500
MOST_ROWS_OF_PEER: Final = 20
MOST_BYTES: Final = 1024
"""Of one frame; the beginning says what it is."""
MOST_WAITING: Final = 200
"""Kinds of frame that may wait to be written; of more, only the count is kept."""
WRITE_EVERY_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Likeness:
    """What makes two frames alike, so that a chatty unit fills one row and not all."""

    peer: str
    protocol: str
    external_id: str
    device_id: str | None
    reason: str
    shape: str


@dataclass(slots=True)
class _Seen:
    frame: bytes
    detail: str
    at: datetime
    n: int = 1


class Keeper:
    """Gathers frames on the event loop and writes them once a second."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._waiting: dict[Likeness, _Seen] = {}

    def keep(self, like: Likeness, frame: bytes, detail: str) -> None:
        seen = self._waiting.get(like)
        if seen is not None:
            seen.n += 1
        elif len(self._waiting) < MOST_WAITING:
            self._waiting[like] = _Seen(frame[:MOST_BYTES], detail, self._kit.clock.now())

    async def write_forever(self) -> None:
        while True:
            await asyncio.sleep(WRITE_EVERY_S)
            await self.write()

    async def write(self) -> None:
        """What waits, now. Losing some of it harms nobody: a busy database is only logged."""
        waiting, self._waiting = self._waiting, {}
        if waiting:
            try:
                await run_in_threadpool(self._store, waiting)
            except (Problem, SQLAlchemyError) as error:
                log.warning("unknown_frames_not_kept", n=len(waiting), why=type(error).__name__)

    def _store(self, waiting: dict[Likeness, _Seen]) -> None:
        with self._kit.db.unit_of_work() as session:
            for like, seen in waiting.items():
                _count(session, like, seen)
            session.flush()
            _prune(session, {like.peer for like in waiting})


def recent(session: Session) -> Sequence[UnknownFrame]:
    """All that are kept, newest first."""
    newest_first = (UnknownFrame.at.desc(), UnknownFrame.id.desc())
    return session.scalars(select(UnknownFrame).order_by(*newest_first)).all()


def shape_of(frame: bytes) -> str:
    """Header and number of fields of a text; type of a binary frame.

    >>> shape_of(b"$,EPB,EMR,1*"), shape_of(bytes.fromhex("78780d01"))
    ('EPB 3', '0x01')
    """
    if frame.startswith((b"\x78\x78", b"\x79\x79")):
        at = 3 if frame[0] == 0x78 else 4
        return f"0x{frame[at]:02x}" if len(frame) > at else "0x"
    if frame.startswith(b"$"):
        fields = frame[1:].removeprefix(b",").split(b",")
        return f"{readable(fields[0][:12])} {len(fields)}"
    return "-"


def readable(frame: bytes) -> str:
    """The bytes as text, with a dot for each that has no glyph."""
    return "".join(chr(byte) if 32 <= byte < 127 else "·" for byte in frame)


def _count(session: Session, like: Likeness, seen: _Seen) -> None:
    row = session.scalar(
        select(UnknownFrame).where(
            UnknownFrame.peer == like.peer,
            UnknownFrame.protocol == like.protocol,
            UnknownFrame.external_id == like.external_id,
            UnknownFrame.reason == like.reason,
            UnknownFrame.shape == like.shape,
        )
    )
    if row is None:
        session.add(
            UnknownFrame(
                at=seen.at,
                peer=like.peer,
                protocol=like.protocol,
                external_id=like.external_id,
                device_id=like.device_id,
                reason=like.reason,
                shape=like.shape,
                detail=seen.detail,
                n=seen.n,
                frame=seen.frame,
            )
        )
        return
    row.at, row.frame, row.detail, row.device_id = seen.at, seen.frame, seen.detail, like.device_id
    row.n += seen.n


def _prune(session: Session, peers: Iterable[str]) -> None:
    """Lets the oldest go."""
    newest_first = (UnknownFrame.at.desc(), UnknownFrame.id.desc())
    going: list[int] = []
    for peer in peers:
        going += session.scalars(
            select(UnknownFrame.id)
            .where(UnknownFrame.peer == peer)
            .order_by(*newest_first)
            .offset(MOST_ROWS_OF_PEER)
        )
    going += session.scalars(select(UnknownFrame.id).order_by(*newest_first).offset(MOST_ROWS))
    if going:
        session.execute(delete(UnknownFrame).where(UnknownFrame.id.in_(going)))
