"""Jobs: asked for once, run once or taken over, cancelled, and told about."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.errors import Conflict, NotFound, Refused
from fleet.kit.jobs import (
    Job,
    JobContext,
    JobKind,
    JobStatus,
    Worker,
    active_count,
    cancel,
    enqueue,
    get,
)
from fleet.kit.outbox import OutboxRow
from fleet.kit.web import Kit
from tests.conftest import START, HandMonotonic
from tests.kit import jobkinds


def ask(kit: Kit, kind: str = "k", key: str = "one", **payload: Any) -> str:
    with kit.db.unit_of_work() as session:
        return enqueue(session, kind, payload, key=key, now=START).id


def view(kit: Kit, job_id: str) -> dict[str, Any]:
    with kit.db.reading() as session:
        return get(session, job_id).view()


def told(session: Session) -> list[tuple[str, float, str]]:
    rows = session.scalars(select(OutboxRow).order_by(OutboxRow.id))
    return [(row.data["status"], row.data["progress"], row.data["message"]) for row in rows]


def worker(kit: Kit, run: Any, **options: Any) -> Worker:
    return Worker(kit, [JobKind("k", run)], **options)


def test_a_job_runs_tells_of_its_progress_and_answers(kit: Kit) -> None:
    def run(context: JobContext) -> dict[str, Any]:
        context.progress(0.5, "half")
        context.progress(0.6, "too soon to be told")
        return {"sum": sum(context.payload["numbers"]), "now": context.now.isoformat()}

    job_id = ask(kit, numbers=[1, 2])
    assert worker(kit, run).run_once()
    seen = view(kit, job_id)
    assert (seen["status"], seen["progress"]) == ("done", 1.0)
    assert seen["result"] == {"sum": 3, "now": START.isoformat()}
    with kit.db.reading() as session:
        assert told(session) == [
            ("queued", 0.0, ""),
            ("running", 0.0, ""),
            ("running", 0.5, "half"),
            ("done", 1.0, "half"),
        ]
        assert active_count(session) == 0
    assert not worker(kit, run).run_once()


def test_the_same_key_is_the_same_job(kit: Kit) -> None:
    job_id = ask(kit, key="plan 2026-03-02")
    assert ask(kit, key="plan 2026-03-02") == job_id
    assert ask(kit, key="plan 2026-03-03") != job_id
    with pytest.raises(Conflict):
        ask(kit, kind="other", key="plan 2026-03-02")
    with pytest.raises(NotFound):
        view(kit, "job_unknown")


def test_askers_that_race_get_one_job(kit: Kit) -> None:
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(ask(kit))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(set(found)) == 1


def test_workers_that_race_run_a_job_once(kit: Kit) -> None:
    runs: list[str] = []

    def run(context: JobContext) -> dict[str, Any]:
        runs.append(context.job_id)
        return {}

    asked = {ask(kit, key=str(number)) for number in range(6)}
    workers = [worker(kit, run) for _ in range(3)]

    def work(one: Worker) -> None:
        with_work = 6  # each looks often enough to have run them all alone
        for _ in range(3 * with_work):
            one.run_once()

    threads = [threading.Thread(target=work, args=(one,)) for one in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(runs) == sorted(asked)


@pytest.mark.parametrize(
    ("fn", "error"),
    [
        pytest.param(jobkinds.refuse, "The ward has no lanes. Choose another ward.", id="refused"),
        pytest.param(jobkinds.stumble, "ZeroDivisionError: no vehicles", id="raised"),
        pytest.param(
            jobkinds.die,
            "The computing process was killed by SIGKILL; perhaps the machine ran out of memory.",
            id="killed",
        ),
        pytest.param(
            jobkinds.leave,
            "The computing process ended with code 7 and no result.",
            id="exited",
        ),
    ],
)
def test_a_spawned_failure_is_the_jobs_error(sqlite_kit: Kit, fn: Any, error: str) -> None:
    job_id = ask(sqlite_kit)
    worker(sqlite_kit, lambda context: context.spawn(fn)).run_once()
    seen = view(sqlite_kit, job_id)
    assert (seen["status"], seen["error"]) == ("failed", error)


def test_a_result_that_cannot_travel_is_a_failure(sqlite_kit: Kit) -> None:
    job_id = ask(sqlite_kit)
    worker(sqlite_kit, lambda context: context.spawn(jobkinds.unpicklable)).run_once()
    assert "unpicklable.<locals>" in view(sqlite_kit, job_id)["error"]


def test_a_spawned_result_comes_back(sqlite_kit: Kit) -> None:
    job_id = ask(sqlite_kit)
    worker(sqlite_kit, lambda c: {"double": c.spawn(jobkinds.double, 21)}).run_once()
    assert view(sqlite_kit, job_id)["result"] == {"double": 42}


@pytest.mark.parametrize("error", [Refused("No."), RuntimeError("Refused: No.")])
def test_a_failure_in_the_worker_itself_is_the_jobs_error(kit: Kit, error: Exception) -> None:
    def run(context: JobContext) -> dict[str, Any]:
        raise error

    job_id = ask(kit)
    worker(kit, run).run_once()
    seen = view(kit, job_id)
    assert seen["status"] == "failed"
    assert "No." in seen["error"]


def test_cancelling_ends_a_queued_job_and_leaves_an_ended_one(kit: Kit) -> None:
    job_id = ask(kit)
    for _ in range(2):
        with kit.db.unit_of_work() as session:
            cancel(session, job_id, now=START)
    assert view(kit, job_id)["status"] == "cancelled"
    assert not worker(kit, lambda _: {}).run_once()


def test_cancelling_kills_the_spawned_process(sqlite_kit: Kit, tmp_path: Path) -> None:
    started = tmp_path / "started"
    job_id = ask(sqlite_kit)
    one = worker(sqlite_kit, lambda c: c.spawn(jobkinds.wait_forever, started), beat_every_s=0.05)
    thread = threading.Thread(target=one.run_once)
    thread.start()
    _until(started.exists)
    with sqlite_kit.db.unit_of_work() as session:
        cancel(session, job_id, now=START)
    thread.join()
    assert view(sqlite_kit, job_id)["status"] == "cancelled"
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)


def test_a_worker_that_goes_down_puts_its_job_back(sqlite_kit: Kit, tmp_path: Path) -> None:
    started = tmp_path / "started"
    job_id = ask(sqlite_kit)
    one = worker(
        sqlite_kit, lambda c: c.spawn(jobkinds.wait_forever, started), parallel=1, beat_every_s=0.05
    )
    stop = threading.Event()
    thread = threading.Thread(target=one.run_forever, args=(stop,))
    thread.start()
    _until(started.exists)
    stop.set()
    thread.join()
    assert view(sqlite_kit, job_id)["status"] == "queued"
    worker(sqlite_kit, lambda _: {}).run_once()
    assert view(sqlite_kit, job_id)["status"] == "done"


def abandon(kit: Kit, job_id: str) -> None:
    """Leave a job as a worker that was killed leaves it."""
    with kit.db.unit_of_work() as session:
        job = session.get_one(Job, job_id)
        job.status, job.holder = JobStatus.RUNNING, "dead"
        job.beat += 1
        job.attempts += 1


def test_an_abandoned_job_is_taken_over_after_a_whole_lease(
    kit: Kit, monotonic: HandMonotonic
) -> None:
    job_id = ask(kit)
    abandon(kit, job_id)
    other = worker(kit, lambda _: {"taken": "over"}, lease_s=10)
    assert not other.run_once()
    monotonic.advance(9)
    assert not other.run_once()
    with kit.db.unit_of_work() as session:
        session.get_one(Job, job_id).beat += 1  # it lives
    monotonic.advance(9)
    assert not other.run_once()
    monotonic.advance(10)
    assert other.run_once()
    assert view(kit, job_id)["result"] == {"taken": "over"}


def test_a_job_that_kills_its_workers_fails_in_the_end(kit: Kit, monotonic: HandMonotonic) -> None:
    job_id = ask(kit)
    other = worker(kit, lambda _: {})
    for _ in range(3):
        abandon(kit, job_id)
    other.run_once()
    monotonic.advance(11)
    assert not other.run_once()
    seen = view(kit, job_id)
    assert (seen["status"], seen["error"]) == (
        "failed",
        "The worker died 3 times while it ran this job.",
    )


def test_an_old_worker_cannot_end_a_job_that_was_taken_over(
    kit: Kit, monotonic: HandMonotonic
) -> None:
    job_id = ask(kit)

    def slow(context: JobContext) -> dict[str, Any]:
        with kit.db.unit_of_work() as session:
            session.get_one(Job, job_id).holder = "another"
        return {"by": "the old one"}

    worker(kit, slow).run_once()
    seen = view(kit, job_id)
    assert (seen["status"], seen["result"]) == ("running", None)


def _until(condition: Any) -> None:
    for _ in range(600):
        if condition():
            return
        threading.Event().wait(0.05)
    raise TimeoutError
