"""Programs that `test_kill` starts and kills: ``python -m tests.kit.killable WHAT URL FOLDER``.

They say ``ready`` on standard output at the moment at which they are to be killed.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Mapped, Session, mapped_column

from fleet.kit.clock import SteppedClock, SystemMonotonic
from fleet.kit.db import Base, Database
from fleet.kit.files import PhotoStore
from fleet.kit.jobs import JobContext, JobKind, Worker, enqueue
from fleet.kit.live import Event, Hub
from fleet.kit.outbox import Handler, Relay, emit
from fleet.kit.settings import Settings
from fleet.kit.web import Kit

START = datetime(2026, 3, 2, tzinfo=UTC)
EVENTS = 50
HANDLED_BEFORE_THE_KILL = 20


class Effect(Base):
    """What a handler or job did, counted by nobody but itself: twice would be two rows."""

    __tablename__ = "test_effects"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str]


def ready_to_die() -> None:
    print("ready", flush=True)
    time.sleep(600)


def leave_effect(session: Session, event: Event) -> None:
    session.add(Effect(key=event.key))


def leave_effect_or_die(session: Session, event: Event) -> None:
    leave_effect(session, event)
    session.flush()
    if event.n == HANDLED_BEFORE_THE_KILL + 1:
        ready_to_die()


def handler(run: Any) -> Handler:
    return Handler("effects", frozenset({"thing"}), run)


def finish(context: JobContext) -> dict[str, Any]:
    with context.kit.db.unit_of_work() as session:
        session.add(Effect(key=context.job_id))
    return {"attempt": "last"}


def begin_and_die(context: JobContext) -> dict[str, Any]:
    context.progress(0.5, "half way")
    ready_to_die()
    return {}


def open_kit(url: str, folder: Path) -> Kit:
    clock = SteppedClock(folder / "clock.json", START)
    db = Database.open(url, clock)
    settings = Settings(data_dir=folder)
    return Kit(settings, clock, SystemMonotonic(), db, Hub(), PhotoStore(folder / "photos", db))


def commit_events(kit: Kit) -> None:
    for number in range(EVENTS):
        with kit.db.unit_of_work() as session:
            emit(session, "thing", str(number), {"number": number})


def main(what: str, url: str, folder: str) -> None:
    kit = open_kit(url, Path(folder))
    if what == "after-commit":
        commit_events(kit)
        ready_to_die()
    elif what == "in-handler":
        commit_events(kit)
        Relay(kit.db, kit.hub, [handler(leave_effect_or_die)], kit.monotonic).pump()
    elif what == "in-job":
        with kit.db.unit_of_work() as session:
            enqueue(session, "k", {}, key="one", now=START)
        Worker(kit, [JobKind("k", begin_and_die)]).run_once()


if __name__ == "__main__":
    main(*sys.argv[1:])
