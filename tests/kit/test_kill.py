"""A process killed with SIGKILL between commit and delivery loses no event and no job."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from fleet.kit.db import Database
from fleet.kit.jobs import Job, JobKind, Worker
from fleet.kit.live import Hub
from fleet.kit.outbox import Relay, events_after
from fleet.kit.web import Kit
from tests.conftest import HandMonotonic
from tests.kit.killable import (
    EVENTS,
    HANDLED_BEFORE_THE_KILL,
    Effect,
    finish,
    handler,
    leave_effect,
)


def run_and_kill(what: str, url: str, folder: Path) -> None:
    """Start the program, wait for its word, kill it as the kernel's OOM killer does."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.kit.killable", what, url, str(folder)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    with process:
        said = process.stdout.readline()
        process.kill()
    assert said == "ready\n"
    assert process.returncode == -9


def effects(db: Database) -> Counter[str]:
    with db.reading() as session:
        return Counter(session.scalars(select(Effect.key)))


@pytest.mark.parametrize(
    ("what", "done_before"),
    [("after-commit", 0), ("in-handler", HANDLED_BEFORE_THE_KILL)],
)
def test_every_committed_event_is_handled_exactly_once(
    what: str,
    done_before: int,
    db: Database,
    db_url: str,
    tmp_path: Path,
    monotonic: HandMonotonic,
) -> None:
    run_and_kill(what, db_url, tmp_path)
    assert effects(db).total() == done_before
    relay = Relay(db, Hub(), [handler(leave_effect)], monotonic)
    relay.pump()
    monotonic.advance(3.1)  # the dead relay's lease ends
    relay.pump()
    assert relay.drained()
    assert effects(db) == Counter(str(number) for number in range(EVENTS))
    with db.reading() as session:
        events = events_after(session, 0, limit=1000)
    assert [event.n for event in events] == list(range(1, EVENTS + 1))
    assert [event.data["number"] for event in events] == list(range(EVENTS))


def test_a_job_is_taken_over_and_done(
    kit: Kit, db_url: str, tmp_path: Path, monotonic: HandMonotonic
) -> None:
    run_and_kill("in-job", db_url, tmp_path)
    worker = Worker(kit, [JobKind("k", finish)])
    assert not worker.run_once()
    monotonic.advance(10.1)  # the dead worker's lease ends
    assert worker.run_once()
    with kit.db.reading() as session:
        (job,) = session.scalars(select(Job)).all()
    assert (job.status, job.result, job.attempts) == ("done", {"attempt": "last"}, 2)
    assert effects(kit.db) == Counter([job.id])
