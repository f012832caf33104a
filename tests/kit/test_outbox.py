"""Events: numbered after the commit, handled exactly once, in order per key, then published."""

from __future__ import annotations

import threading
from collections.abc import Callable
from itertools import pairwise

import pytest
from sqlalchemy.orm import Session

from fleet.kit.db import Database
from fleet.kit.live import Event, Hub
from fleet.kit.outbox import Handler, Relay, emit, events_after, failures, last_number, prune
from tests.conftest import START, HandMonotonic


class Recorder(Hub):
    """A hub that remembers what was published."""

    def __init__(self) -> None:
        super().__init__()
        self.published: list[Event] = []

    def publish(self, event: Event) -> None:
        self.published.append(event)
        super().publish(event)


def handler(run: Callable[[Session, Event], None], name: str = "h", *topics: str) -> Handler:
    return Handler(name, frozenset(topics or {"thing"}), run)


def emit_all(db: Database, *pairs: tuple[str, str]) -> None:
    with db.unit_of_work() as session:
        for topic, key in pairs:
            emit(session, topic, key, {"key": key})


def test_events_are_numbered_handled_and_published_in_order(
    db: Database, monotonic: HandMonotonic
) -> None:
    handled: list[tuple[int, str]] = []
    hub = Recorder()
    relay = Relay(db, hub, [handler(lambda _, e: handled.append((e.n, e.key)))], monotonic)
    emit_all(db, ("thing", "a"), ("other", "b"), ("thing", "c"))
    assert not relay.drained()
    relay.pump()
    assert handled == [(1, "a"), (3, "c")]
    assert [(e.n, e.topic, e.key, e.data, e.at) for e in hub.published] == [
        (1, "thing", "a", {"key": "a"}, START),
        (2, "other", "b", {"key": "b"}, START),
        (3, "thing", "c", {"key": "c"}, START),
    ]
    assert relay.drained()
    assert relay.pump() == 0


def test_an_event_of_a_rolled_back_unit_never_was(db: Database, monotonic: HandMonotonic) -> None:
    def fail() -> None:
        with db.unit_of_work() as session:
            emit(session, "thing", "a", {})
            session.flush()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    relay = Relay(db, Hub(), [], monotonic)
    assert relay.pump() == 0
    with db.reading() as session:
        assert last_number(session) == 0


def test_what_a_handler_emits_is_delivered_by_the_same_pump(
    db: Database, monotonic: HandMonotonic
) -> None:
    seen: list[str] = []
    chain = handler(lambda s, e: emit(s, "second", e.key, {}), "first")
    relay = Relay(
        db, Hub(), [chain, handler(lambda _, e: seen.append(e.topic), "h", "second")], monotonic
    )
    emit_all(db, ("thing", "a"))
    relay.pump()
    assert seen == ["second"]
    assert relay.drained()


def test_a_failure_rolls_back_is_visible_holds_back_its_key_only_and_is_retried(
    db: Database, monotonic: HandMonotonic
) -> None:
    broken = {"a"}
    handled: list[tuple[str, int]] = []

    def run(session: Session, event: Event) -> None:
        emit(session, "effect", event.key, {})
        session.flush()
        if event.key in broken:
            raise RuntimeError("no such lane")
        handled.append((event.key, event.n))

    hub = Recorder()
    relay = Relay(db, hub, [handler(run)], monotonic)
    emit_all(db, ("thing", "a"), ("thing", "a"), ("thing", "b"))
    relay.pump()
    assert handled == [("b", 3)]
    assert [e.n for e in hub.published if e.topic == "thing"] == [1, 2, 3]
    assert [e.key for e in hub.published if e.topic == "effect"] == ["b"]
    assert not relay.drained()
    with db.reading() as session:
        (failure,) = failures(session)
    assert (failure.n, failure.handler, failure.attempts) == (1, "h", 1)
    assert failure.error == "RuntimeError: no such lane"

    broken.clear()
    assert relay.pump() == 0  # it pauses
    monotonic.advance(0.6)
    relay.pump()
    assert handled == [("b", 3), ("a", 1), ("a", 2)]
    assert relay.drained()
    with db.reading() as session:
        assert failures(session) == []


def test_pauses_grow(db: Database, monotonic: HandMonotonic) -> None:
    tried: list[float] = []

    def run(session: Session, event: Event) -> None:
        tried.append(monotonic.now_s())
        raise RuntimeError

    relay = Relay(db, Hub(), [handler(run)], monotonic)
    emit_all(db, ("thing", "a"))
    for _ in range(80):
        relay.pump()
        monotonic.advance(0.5)
    gaps = [later - earlier for earlier, later in pairwise(tried)]
    assert gaps == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0]


def test_a_second_relay_waits_for_the_lease_and_takes_over_from_a_dead_one(
    db: Database, monotonic: HandMonotonic
) -> None:
    handled: list[str] = []
    first = Relay(db, Hub(), [handler(lambda _, e: handled.append("first"))], monotonic)
    second = Relay(db, Hub(), [handler(lambda _, e: handled.append("second"))], monotonic)
    emit_all(db, ("thing", "a"))
    first.pump()
    emit_all(db, ("thing", "b"))
    assert second.pump() == 0
    monotonic.advance(2.0)
    assert second.pump() == 0
    monotonic.advance(1.1)
    second.pump()
    assert handled == ["first", "second"]
    emit_all(db, ("thing", "c"))
    assert first.pump() == 0


def test_a_released_lease_is_taken_at_once(db: Database, monotonic: HandMonotonic) -> None:
    first = Relay(db, Hub(), [], monotonic)
    second = Relay(db, Hub(), [], monotonic)
    emit_all(db, ("thing", "a"))
    first.pump()
    first.release()
    emit_all(db, ("thing", "b"))
    assert second.pump() == 1


def test_a_relay_publishes_what_another_one_numbered(
    db: Database, monotonic: HandMonotonic
) -> None:
    hub = Recorder()
    bystander = Relay(db, hub, [], monotonic)
    bystander.pump()
    emit_all(db, ("thing", "a"))
    Relay(db, Hub(), [], monotonic).pump()
    bystander.pump()
    assert [e.n for e in hub.published] == [1]


def test_relays_that_race_handle_each_event_once(db: Database, monotonic: HandMonotonic) -> None:
    handled: list[int] = []
    relays = [
        Relay(db, Hub(), [handler(lambda _, e: handled.append(e.n))], monotonic, lease_s=0.0)
        for _ in range(3)
    ]
    emit_all(db, *[("thing", str(number % 5)) for number in range(40)])
    threads = [threading.Thread(target=relay.pump) for relay in relays]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(3):
        relays[0].pump()
    assert relays[0].drained()
    assert sorted(handled) == list(range(1, 41))


def test_resuming_and_pruning(db: Database, monotonic: HandMonotonic) -> None:
    emit_all(db, ("thing", "a"), ("thing", "b"), ("thing", "c"))
    Relay(db, Hub(), [], monotonic).pump()
    with db.reading() as session:
        assert last_number(session) == 3
        assert [e.key for e in events_after(session, 1, limit=10)] == ["b", "c"]
    with db.unit_of_work() as session:
        assert prune(session, START) == 0
        assert prune(session, START.replace(hour=23)) == 3
    emit_all(db, ("thing", "d"))
    relay = Relay(db, Hub(), [], monotonic)
    relay.release()
    monotonic.advance(10)
    relay.pump()
    monotonic.advance(10)
    relay.pump()
    with db.reading() as session:
        assert [e.n for e in events_after(session, 0, limit=10)] == [4]


def test_the_loop_wakes_on_commits_of_its_process(db: Database, monotonic: HandMonotonic) -> None:
    handled = threading.Event()
    relay = Relay(db, Hub(), [handler(lambda _, e: handled.set())], monotonic)
    stop = threading.Event()
    thread = threading.Thread(target=relay.run_forever, args=(stop,))
    thread.start()
    emit_all(db, ("thing", "a"))
    assert handled.wait(20)
    stop.set()
    thread.join()
    assert relay.drained()


def test_handlers_need_names_of_their_own(db: Database, monotonic: HandMonotonic) -> None:
    twin = handler(lambda _, e: None)
    with pytest.raises(ValueError, match="unique"):
        Relay(db, Hub(), [twin, twin], monotonic)
