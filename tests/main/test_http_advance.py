"""Stepped time: who may move it, and that timers see it stand at their own hour."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from fleet.kit import jobs
from fleet.kit.errors import Malformed
from fleet.kit.jobs import JobKind, Worker
from fleet.kit.outbox import Handler, Relay, emit
from fleet.kit.timers import Scheduler, Timer, every
from fleet.kit.times import iso
from fleet.kit.web import Kit
from fleet.main.advance import Stepper
from fleet.main.app import create_app
from fleet.main.metadata import metadata
from tests.conftest import START
from tests.main.conftest import Served, problem
from tracking import wiring as tracking

metadata()


def later(**more: float) -> datetime:
    return START + timedelta(**more)


@contextmanager
def other_processes(kit: Kit, kinds: list[JobKind]) -> Iterator[None]:
    """The matcher and the worker, as threads."""
    stop = threading.Event()
    follower = tracking.make_follower(kit)
    worker = Worker(kit, kinds, parallel=1)
    threads = [
        threading.Thread(target=run, args=(stop,))
        for run in (follower.run_forever, worker.run_forever)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


def test_timers_fire_in_order_each_at_its_own_time(sqlite_kit: Kit) -> None:
    """What a timer sets going (a job, its event, the handler) ends before the clock moves on."""
    kit, seen = sqlite_kit, []

    def note(what: str) -> None:
        seen.append((what, kit.clock.now() - START))

    def order(kit: Kit, at: datetime) -> None:
        note("order")
        with kit.db.unit_of_work() as session:
            jobs.enqueue(session, "work", {}, key=iso(at), now=at)

    def handled(session: object, event: object) -> None:
        note("handled")

    def work(context: jobs.JobContext) -> dict[str, object]:
        note("work")
        with kit.db.unit_of_work() as session:
            emit(session, "test.worked", "w", {})
        return {}

    timers = [
        Timer("b", every(3600), order),
        Timer("a", every(1800), lambda kit, at: note("look")),
    ]
    relay = Relay(
        kit.db, kit.hub, [Handler("h", frozenset({"test.worked"}), handled)], kit.monotonic
    )
    stepper = Stepper(kit, kit.clock, relay, Scheduler(kit, timers), lambda: True)
    with other_processes(kit, [JobKind("work", work)]):
        assert stepper.advance(later(minutes=45)) == later(minutes=45)
        assert stepper.advance(later(minutes=45)) == later(minutes=45)
    assert seen == [(what, timedelta(minutes=30)) for what in ("look", "order", "work", "handled")]


def test_facts_follow_before_a_timer_fires(sqlite_kit: Kit) -> None:
    """The clock does not move while ingest has frames; the matcher is at each timer's time."""
    kit, order = sqlite_kit, []
    waiting = [False, False, True]

    def ingest_empty() -> bool:
        order.append(kit.clock.now() - START)
        return waiting.pop(0) if waiting else True

    def look(kit: Kit, at: datetime) -> None:
        with kit.db.reading() as session:
            assert tracking.watermark(session) >= at

    relay = Relay(kit.db, kit.hub, [], kit.monotonic)
    scheduler = Scheduler(kit, [Timer("look", every(1800), look)])
    stepper = Stepper(kit, kit.clock, relay, scheduler, ingest_empty)
    with other_processes(kit, []):
        stepper.advance(later(minutes=40))
    assert order == [timedelta(0)] * 3 + [timedelta(minutes=30)]


@pytest.mark.parametrize("to", [later(seconds=-1), later(days=3), datetime(9999, 1, 1, tzinfo=UTC)])
def test_time_runs_neither_back_nor_away(sqlite_kit: Kit, to: datetime) -> None:
    kit = sqlite_kit
    relay = Relay(kit.db, kit.hub, [], kit.monotonic)
    stepper = Stepper(kit, kit.clock, relay, Scheduler(kit, []), lambda: True)
    with pytest.raises(Malformed) as refused:
        stepper.advance(to)
    assert (refused.value.field, kit.clock.now()) == ("to", START)
    assert refused.value.remedy


@pytest.mark.parametrize("host", ["192.0.2.7", "testclient", "2001:db8::1"])
def test_only_this_machine_moves_the_clock(shared_town: Served, host: str) -> None:
    client = TestClient(shared_town.app, client=(host, 5000))
    answer = client.post("/api/clock/advance", json={"to": iso(later(seconds=-1))})
    assert problem(answer)["status"] == 403
    assert problem(answer)["remedy"]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_this_machine_may(shared_town: Served, host: str) -> None:
    """It is heard: a step back is refused as what it is."""
    client = TestClient(shared_town.app, client=(host, 5000))
    answer = client.post("/api/clock/advance", json={"to": iso(later(seconds=-1))})
    assert (problem(answer)["status"], problem(answer)["field"]) == (422, "to")
    assert client.post("/api/clock/advance", json={"to": "2026-03-02T06:00"}).status_code == 422


def test_nobody_moves_a_clock_unless_a_setting_allows_it(sqlite_kit: Kit, tmp_path: Path) -> None:
    settings = sqlite_kit.settings.model_copy(update={"allow_advance": False})
    app = create_app(replace(sqlite_kit, settings=settings))
    with TestClient(app, client=("127.0.0.1", 5000)) as client:
        answer = client.post("/api/clock/advance", json={"to": iso(later(hours=1))})
    assert (problem(answer)["status"], sqlite_kit.clock.now()) == (404, START)
