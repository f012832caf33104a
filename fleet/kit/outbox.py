"""Events as rows of the writer's own transaction, numbered and delivered after the commit.

`emit` adds an unnumbered row. One leased `Relay` numbers committed rows in the order of their ids
(so that a number, once seen, has no unseen one before it, also where ids commit out of order),
runs each handler together with its "handled" mark in one unit of work (so that its effect happens
exactly once, whatever is killed), then publishes to the hub.

A handler that fails is tried again with growing pauses; its error and attempts are in
`failures`. It holds back later events of the same key for the same handler, and nothing else.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import CursorResult, Index, delete, exists, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from fleet.kit.clock import Monotonic
from fleet.kit.db import Base, BigId, Database, now_of
from fleet.kit.errors import Problem
from fleet.kit.leases import Observer, holder_name
from fleet.kit.live import Event, Hub

__all__ = [
    "Event",
    "Failure",
    "Handler",
    "Relay",
    "emit",
    "events_after",
    "failures",
    "last_number",
    "prune",
]

log = structlog.get_logger(__name__)

BATCH = 500
LEASE_S = 3.0
POLL_S = 0.1
RETRY_FIRST_S = 0.5
RETRY_MOST_S = 30.0


class OutboxRow(Base):
    """One event; `n` is None until the relay has numbered it."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_unnumbered",
            "id",
            sqlite_where=text("n IS NULL"),
            postgresql_where=text("n IS NULL"),
        ),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    n: Mapped[int | None] = mapped_column(BigId, unique=True)
    topic: Mapped[str]
    key: Mapped[str]
    data: Mapped[dict[str, Any]]
    at: Mapped[datetime]


class Delivery(Base):
    """A handler that still owes an event its run; the row goes when the handler has run."""

    __tablename__ = "outbox_deliveries"

    n: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=False)
    handler: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]


class RelayLease(Base):
    """One row: who relays, the counter that proves it alive, and the last number given."""

    __tablename__ = "outbox_lease"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    holder: Mapped[str | None]
    beat: Mapped[int] = mapped_column(BigId, default=0)
    last_n: Mapped[int] = mapped_column(BigId, default=0)


@dataclass(frozen=True)
class Handler:
    """What a room does about events: `run` works in the unit of work that marks it handled."""

    name: str
    topics: frozenset[str]
    run: Callable[[Session, Event], None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A delivery that failed and will be tried again."""

    n: int
    topic: str
    key: str
    handler: str
    attempts: int
    error: str


def emit(session: Session, topic: str, key: str, data: dict[str, Any]) -> None:
    """Announce a fact once the caller's transaction is committed.

    Args:
        session: the caller's unit of work.
        topic: what happened, such as ``routing.visit_changed``.
        key: what it happened to; events of one key are handled in order.
        data: full state as JSON (and its version), not a difference.
    """
    session.add(OutboxRow(topic=topic, key=key, data=data, at=now_of(session)))


def last_number(session: Session) -> int:
    """Number of the last numbered event, 0 before the first: a snapshot's place in the stream."""
    return session.scalar(select(RelayLease.last_n)) or 0


def events_after(session: Session, n: int, limit: int) -> list[Event]:
    """Up to `limit` numbered events after number `n`, in order."""
    rows = session.scalars(
        select(OutboxRow).where(OutboxRow.n > n).order_by(OutboxRow.n).limit(limit)
    )
    return [_event(row) for row in rows]


def failures(session: Session) -> list[Failure]:
    """Deliveries that have failed and still wait for a successful attempt."""
    rows = session.execute(
        select(Delivery, OutboxRow.topic)
        .join(OutboxRow, OutboxRow.n == Delivery.n)
        .where(Delivery.attempts > 0)
        .order_by(Delivery.n)
    )
    return [Failure(d.n, topic, d.key, d.handler, d.attempts, d.error or "") for d, topic in rows]


def prune(session: Session, before: datetime) -> int:
    """Delete events from before a city time that are numbered and owed to nobody; how many."""
    owed = exists().where(Delivery.n == OutboxRow.n)
    result = session.execute(
        delete(OutboxRow).where(OutboxRow.n.is_not(None), OutboxRow.at < before, ~owed)
    )
    return _rows(result)


class Relay:
    """Numbers and delivers events. Any process may have one; the lease lets one work at a time.

    Args:
        db: where the events are.
        hub: where they are published.
        handlers: what is run for them, with unique names.
        monotonic: measures leases and pauses.
        lease_s: how long another relay's counter must stand still before we take over.
    """

    def __init__(
        self,
        db: Database,
        hub: Hub,
        handlers: Sequence[Handler],
        monotonic: Monotonic,
        lease_s: float = LEASE_S,
    ) -> None:
        self._db = db
        self._hub = hub
        self._handlers = {handler.name: handler for handler in handlers}
        if len(self._handlers) != len(handlers):
            raise ValueError("Expected handlers with unique names.")
        self._monotonic = monotonic
        self._observer = Observer(monotonic, lease_s)
        self._name = holder_name()
        self._pumping = threading.Lock()
        self._paused: dict[tuple[str, str], float] = {}
        """Until when (in seconds of `monotonic`) a failure holds (handler, key) back."""
        self._published: int | None = None
        self._wake = threading.Event()
        db.on_commit(self._wake.set)

    def pump(self) -> int:
        """Number and deliver what is there now; how many events and deliveries got done.

        0 also when another relay holds the lease, or when all that is owed pauses after a failure.
        """
        with self._pumping:
            done = 0
            while step := self._step():
                done += step
            return done

    def drained(self) -> bool:
        """Whether every event is numbered, handled by every handler, and published."""
        owed = exists().where(Delivery.handler.in_(self._handlers))
        with self._pumping, self._db.reading() as session:
            return not _unnumbered(session) and not session.scalar(select(owed))

    def run_forever(self, stop: threading.Event) -> None:
        """Pump until `stop`: at once after this process's commits, else each 100 ms."""
        while not stop.is_set():
            self._wake.clear()
            try:
                self.pump()
            except (Problem, DBAPIError) as error:
                # A busy or restarting database: nothing is lost, the rows wait for the next pump.
                log.error("relay_interrupted", exc_info=error)
                stop.wait(RETRY_FIRST_S)
            self._wake.wait(POLL_S)
        self.release()

    def release(self) -> None:
        """Give the lease back, so that the next relay need not wait for it to expire."""
        with self._pumping, self._db.unit_of_work() as session:
            session.execute(
                update(RelayLease).where(RelayLease.holder == self._name).values(holder=None)
            )

    def _step(self) -> int:
        """Number a batch, let the handlers have what is due, publish what is numbered."""
        with self._db.reading() as session:
            if self._published is None:
                self._published = last_number(session)
            idle = not _unnumbered(session) and not self._due(session)
        if idle:
            self._observer.forget()
            self._publish()  # another process's relay may have numbered some
            return 0
        done = self._number()
        if done is not None:
            with self._db.reading() as session:
                due = self._due(session)
            for n, handler, key in due:
                if (handler, key) not in self._paused and self._deliver(n, handler, key):
                    done += 1
        self._publish()
        return done or 0

    def _number(self) -> int | None:
        """Number a batch of committed events; None when another relay holds the lease."""
        with self._db.unit_of_work() as session:
            lease = _lease(session)
            if lease.holder not in (self._name, None) and not self._observer.expired(
                "relay", lease.holder, lease.beat
            ):
                return None
            lease.holder = self._name
            lease.beat += 1
            rows = session.scalars(
                select(OutboxRow).where(OutboxRow.n.is_(None)).order_by(OutboxRow.id).limit(BATCH)
            ).all()
            for row in rows:
                lease.last_n += 1
                row.n = lease.last_n
                session.add_all(
                    Delivery(n=row.n, handler=handler.name, key=row.key)
                    for handler in self._handlers.values()
                    if row.topic in handler.topics
                )
            return len(rows)

    def _due(self, session: Session) -> list[tuple[int, str, str]]:
        """(n, handler, key) of what is owed and not held back by a failure's pause, in order."""
        now_s = self._monotonic.now_s()
        self._paused = {pair: until for pair, until in self._paused.items() if until > now_s}
        owed = session.execute(
            select(Delivery.n, Delivery.handler, Delivery.key)
            .where(Delivery.handler.in_(self._handlers))
            .order_by(Delivery.n, Delivery.handler)
        )
        return [(n, name, key) for n, name, key in owed if (name, key) not in self._paused]

    def _deliver(self, n: int, name: str, key: str) -> bool:
        """Run one handler for one event; False when it failed, or somebody else is at work."""
        try:
            with self._db.unit_of_work() as session:
                if not self._mark_handled(session, n, name):
                    return False
                row = session.scalars(select(OutboxRow).where(OutboxRow.n == n)).one()
                self._handlers[name].run(session, _event(row))
        except Exception as error:  # a handler may fail in any way: it is stored and tried again
            self._note_failure(n, name, key, error)
            return False
        return True

    def _mark_handled(self, session: Session, n: int, name: str) -> bool:
        """Fence by the lease, then take the delivery; the effect follows in the same unit."""
        held = session.execute(
            update(RelayLease)
            .where(RelayLease.holder == self._name)
            .values(beat=RelayLease.beat + 1)
        )
        if _rows(held) == 0:
            return False
        taken = session.execute(delete(Delivery).where(Delivery.n == n, Delivery.handler == name))
        return _rows(taken) == 1

    def _note_failure(self, n: int, name: str, key: str, error: Exception) -> None:
        with self._db.unit_of_work() as session:
            delivery = session.get(Delivery, (n, name))
            if delivery is None:
                return
            delivery.attempts += 1
            delivery.error = "".join(traceback.format_exception_only(error)).strip()
            attempts = delivery.attempts
        pause_s = min(RETRY_MOST_S, RETRY_FIRST_S * 2 ** min(attempts - 1, 10))
        self._paused[name, key] = self._monotonic.now_s() + pause_s
        log.error(
            "handler_failed",
            handler=name,
            n=n,
            key=key,
            attempts=attempts,
            pause_s=pause_s,
            exc_info=error,
        )

    def _publish(self) -> None:
        assert self._published is not None
        while True:
            with self._db.reading() as session:
                events = events_after(session, self._published, BATCH)
            for event in events:
                self._hub.publish(event)
                self._published = event.n
            if len(events) < BATCH:
                return


def _lease(session: Session) -> RelayLease:
    lease = session.get(RelayLease, 1, with_for_update=True)
    if lease is not None:
        return lease
    try:
        with session.begin_nested():
            session.add(RelayLease(id=1, beat=0, last_n=0))
    except IntegrityError:
        pass  # the very first relays raced for the row
    return session.get_one(RelayLease, 1, with_for_update=True)


def _unnumbered(session: Session) -> bool:
    return session.scalar(select(exists().where(OutboxRow.n.is_(None)))) or False


def _rows(result: object) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount


def _event(row: OutboxRow) -> Event:
    assert row.n is not None
    return Event(row.n, row.topic, row.key, row.data, row.at)
