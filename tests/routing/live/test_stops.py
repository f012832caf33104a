"""A resident's stop goes where it costs least, behind what the driver has been told."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from fleet.kit.web import Kit
from routing.live import queries as live
from routing.live import stops
from routing.live.stops import Deferred, Proposal, RouteChanged, StopRequest
from routing.models import DeferredStop, VisitStatus
from routing.plans import queries
from tests.conftest import START
from tests.routing.live.days import lanes, read, stand, told, traverse, west
from tests.routing.plans.planning import ROADS, routes, visit_of
from tests.routing.plans.town import DAY, POLICY, crossing

STOP = StopRequest("req_1", "AB12", *crossing(2, 1), 180, {"wet": 5.0}, "h21", "west", "heap")


def proposal(kit: Kit, stop: StopRequest = STOP) -> Proposal:
    found = stops.propose(kit, ROADS, stop, kit.clock.now())
    assert isinstance(found, Proposal)
    return found


def place(kit: Kit, stop: StopRequest = STOP) -> stops.PlacedVisit:
    found = proposal(kit, stop)
    with kit.db.unit_of_work() as session:
        return stops.apply(session, found, kit.clock.now())


def test_stop_is_inserted_and_later_visits_move(running: Kit) -> None:
    with running.db.reading() as session:
        before = {v.id: v for r in routes(session) for v in queries.visits(session, r.id)}
        versions = {r.id: r.version for r in routes(session)}
    found = proposal(running)
    with running.db.unit_of_work() as session:
        placed = stops.apply(session, found, running.clock.now())
    with running.db.reading() as session:
        route = session.get_one(type(routes(session)[0]), placed.route_id)
        visits = queries.visits(session, route.id)
        assert [v.seq for v in visits] == list(range(len(visits)))
        assert route.version == versions[route.id] + 1
        index = next(i for i, v in enumerate(visits) if v.id == placed.visit_id)
        new = visits[index]
        assert (new.kind, new.ref, new.request_code, new.lane_id) == (
            "request",
            "req_1",
            "AB12",
            "h21",
        )
        assert placed.planned_arrival == new.planned_arrival
        for visit in visits[:index]:
            assert visit.planned_arrival == before[visit.id].planned_arrival
        for visit in visits[index + 1 :]:
            moved = visit.planned_arrival - before[visit.id].planned_arrival
            assert moved == timedelta(seconds=found.added_s)
        for a, b in itertools.pairwise(visits):
            assert b.planned_arrival - a.planned_departure == timedelta(seconds=b.approach_s)
            assert not b.approach or tuple(b.approach[0]) == a.exit
        assert route.end_t == visits[-1].planned_arrival <= route.shift_end_t
        planned = live.visit_of_request(session, "req_1")
        assert planned is not None
        assert (planned.id, planned.eta) == (placed.visit_id, placed.planned_arrival)
    event = next(e for e in told(running, "routing.visit_changed") if e["id"] == placed.visit_id)
    assert (event["request_id"], event["vehicle_id"]) == ("req_1", placed.vehicle_id)


def test_never_before_what_the_driver_was_told(running: Kit) -> None:
    """The best place is between the next two visits; they are locked."""
    for stop_at in range(3):
        target = lanes(running)[stop_at]
        here = replace(STOP, lon=target.lon, lat=target.lat, lane_id=None)
        found = proposal(running, here)
        if found.vehicle_id == "T1":
            with running.db.reading() as session:
                order = [v.id for v in west(session)[1]]
            assert order.index(found.before_id) >= 1 + POLICY.locked_visits


def test_moved_route_is_proposed_again(running: Kit) -> None:
    first, second = proposal(running), proposal(running, replace(STOP, request_id="req_2"))
    with running.db.unit_of_work() as session:
        stops.apply(session, first, running.clock.now())
    with pytest.raises(RouteChanged), running.db.unit_of_work() as session:
        stops.apply(session, second, running.clock.now())
    placed = place(running, replace(STOP, request_id="req_2"))
    with running.db.reading() as session:
        assert visit_of(session, "req_2").id == placed.visit_id


def test_driver_who_went_on_makes_it_stale(running: Kit) -> None:
    """The route's version is the same, but the place is now among what the driver was told."""
    found = proposal(running)
    with running.db.reading() as session:
        route = next(r for r in routes(session) if r.id == found.route_id)
        visits = queries.visits(session, route.id)
        at = next(i for i, v in enumerate(visits) if v.id == found.before_id)
    with running.db.unit_of_work() as session:
        for passed in visits[:at]:
            row = session.get_one(type(passed), passed.id)
            row.status = VisitStatus.SERVED
            row.proved_t = passed.planned_departure
    with pytest.raises(RouteChanged), running.db.unit_of_work() as session:
        stops.apply(session, found, running.clock.now())


@pytest.mark.parametrize(
    ("change", "code"),
    [({"kg": {"wet": 9000.0}}, "too_heavy"), ({"service_s": 40_000}, "shift_full")],
    ids=["heavy", "long"],
)
def test_what_does_not_fit_is_deferred_with_its_reason(
    running: Kit, change: dict[str, object], code: str
) -> None:
    found = stops.propose(running, ROADS, replace(STOP, **change), running.clock.now())  # type: ignore[arg-type]  # one field each
    assert isinstance(found, Deferred)
    assert (found.code, found.service_date) == (code, DAY + timedelta(days=1))
    assert found.reason


def test_after_the_shift_nobody_is_running(running: Kit) -> None:
    found = stops.propose(running, ROADS, STOP, START + timedelta(hours=12))
    assert isinstance(found, Deferred)
    assert found.code == "none_running"


def test_defer_twice_keeps_one(running: Kit) -> None:
    for service_date in (DAY, DAY + timedelta(days=1)):
        with running.db.unit_of_work() as session:
            stops.defer(session, STOP, service_date)
    with running.db.reading() as session:
        row = session.get_one(DeferredStop, "req_1")
        assert (row.service_date, row.planned_in) == (DAY + timedelta(days=1), None)


def test_proof_of_a_stop_counts_from_its_order_on(running: Kit) -> None:
    """The vehicle stood there before anybody complained: that is no proof."""
    stand(running, crossing(2, 1), START - timedelta(minutes=30), 600)
    placed = place(running)
    with running.db.reading() as session:
        visit = visit_of(session, "req_1")
    assert visit.status == VisitStatus.PENDING
    if placed.vehicle_id == "T1":
        stand(running, crossing(2, 1), placed.planned_arrival, 120)
    else:
        traverse(running, visit, vehicle_id="T2")
    assert read(running, visit).status == VisitStatus.SERVED
