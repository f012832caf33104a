"""Taps on both databases, without HTTP."""

from __future__ import annotations

from datetime import timedelta

from fleet.kit.web import Kit
from fleet.org.assignments import assign
from fleet.people.models import Role
from fleet.people.scope import Scope
from routing.live import cab
from routing.live.schemas import CabEventIn
from tests.conftest import START
from tests.routing.live.days import lanes, read
from tests.routing.plans.town import DAY

DRIVER = Scope("usr_1", "Sita", Role.DRIVER, None, "hi")


def test_taps_are_stored_once_and_in_order(running: Kit) -> None:
    first, second = lanes(running)[:2]
    taps = [
        CabEventIn(id="event-0001", kind="done", visit_id=first.id, t=START),
        CabEventIn(id="event-0002", kind="could_not", visit_id=second.id, t=START),
        CabEventIn(id="event-0003", kind="break_start", t=START),
    ]
    with running.db.unit_of_work() as session:
        assign(session, "crew_vehicle", DRIVER.user_id, "T1", START - timedelta(hours=1))
    for _ in range(2):
        with running.db.unit_of_work() as session:
            accepted, refused = cab.take_events(session, DRIVER, taps, START)
        assert (accepted, refused) == ([tap.id for tap in taps], [])
    with running.db.unit_of_work() as session:
        reused = CabEventIn(id="event-0001", kind="sos", t=START)
        _, (refusal,) = cab.take_events(session, DRIVER, [reused], START)
        assert refusal.reason.startswith("यही आईडी")
    with running.db.reading() as session:
        stored = cab.events_of(session, DRIVER, DAY)
        assert [event["id"] for event in stored] == [tap.id for tap in taps]
    report = read(running, first).report
    assert report is not None
    assert report["kind"] == "done"
