"""Timers: when they are due, in what order, and what a restart remembers."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from fleet.kit.clock import SteppedClock
from fleet.kit.errors import Busy
from fleet.kit.timers import Scheduler, Timer, TimerRow, daily, every
from fleet.kit.web import Kit
from tests.conftest import START

INDIA = ZoneInfo("Asia/Kolkata")


def at(hour: int, minute: int = 0, day: int = 2) -> datetime:
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def nothing(kit: Kit, when: datetime) -> None:
    return None


def names(scheduler: Scheduler, until: datetime) -> list[tuple[datetime, str]]:
    return [(when, timer.name) for when, timer in scheduler.due(until)]


def test_due_timers_come_by_time_and_then_by_name(kit: Kit) -> None:
    scheduler = Scheduler(
        kit,
        [Timer("sweep", every(1800), nothing), Timer("night", daily(time(7), INDIA), nothing)],
    )
    assert names(scheduler, at(1, 30)) == [
        (at(1), "sweep"),
        (at(1, 30), "night"),
        (at(1, 30), "sweep"),
    ]
    assert names(scheduler, START) == []


def test_a_fired_timer_is_not_due_again_also_after_a_restart(kit: Kit) -> None:
    fired: list[datetime] = []
    timers = [Timer("sweep", every(1800), lambda _, when: fired.append(when))]
    scheduler = Scheduler(kit, timers)
    for when, timer in scheduler.due(at(1, 30)):
        scheduler.fire(when, timer)
    assert fired == [at(1), at(1, 30)]
    assert names(scheduler, at(2)) == [(at(2), "sweep")]
    assert names(Scheduler(kit, timers), at(2)) == [(at(2), "sweep")]


def test_what_was_missed_while_the_server_was_down_counts_as_one(
    kit: Kit, clock: SteppedClock
) -> None:
    timers = [Timer("sweep", every(1800), nothing)]
    scheduler = Scheduler(kit, timers)
    scheduler.fire(at(1), timers[0])
    clock.set(at(9, 45))
    assert names(Scheduler(kit, timers), at(10)) == [(at(9, 30), "sweep"), (at(10), "sweep")]


def test_a_failure_is_stored_and_the_next_one_comes(kit: Kit) -> None:
    def fail(kit: Kit, when: datetime) -> None:
        raise RuntimeError("no plan")

    timer = Timer("night", every(1800), fail)
    scheduler = Scheduler(kit, [timer])
    scheduler.fire(at(1), timer)
    with kit.db.reading() as session:
        row = session.get_one(TimerRow, "night")
    assert (row.fired_at, row.failures, row.error) == (at(1), 1, "RuntimeError: no plan")
    assert names(scheduler, at(1, 30)) == [(at(1, 30), "night")]


def test_a_busy_database_leaves_the_timer_due(kit: Kit) -> None:
    def meet_a_busy_database(kit: Kit, when: datetime) -> None:
        raise Busy

    timer = Timer("night", every(1800), meet_a_busy_database)
    scheduler = Scheduler(kit, [timer])
    with pytest.raises(Busy):
        scheduler.fire(at(1), timer)
    assert names(scheduler, at(1)) == [(at(1), "night")]


def test_the_loop_fires_on_a_running_clock(kit: Kit, clock: SteppedClock) -> None:
    fired = threading.Event()
    scheduler = Scheduler(kit, [Timer("sweep", every(1800), lambda *_: fired.set())])
    stop = threading.Event()
    thread = threading.Thread(target=scheduler.run_forever, args=(stop,))
    thread.start()
    clock.set(at(1))
    assert fired.wait(20)
    stop.set()
    thread.join()


@pytest.mark.parametrize(
    ("local", "t", "expected"),
    [
        pytest.param(time(2, 30), "2026-03-28T12:00Z", "2026-03-29T01:30Z", id="skipped"),
        pytest.param(time(2, 30), "2026-10-24T12:00Z", "2026-10-25T00:30Z", id="twice-first"),
        pytest.param(time(2, 30), "2026-10-25T00:30Z", "2026-10-26T01:30Z", id="twice-once"),
        pytest.param(time(23), "2026-06-01T21:00Z", "2026-06-02T21:00Z", id="strictly-after"),
    ],
)
def test_daily_times_over_clock_changes(local: time, t: str, expected: str) -> None:
    next_after = daily(local, ZoneInfo("Europe/Berlin"))
    assert next_after(datetime.fromisoformat(t)) == datetime.fromisoformat(expected)


def test_every_is_strictly_after() -> None:
    assert every(60)(at(1)) == at(1) + timedelta(minutes=1)
    with pytest.raises(ValueError, match="seconds"):
        every(0)
