"""Facts become outcomes of visits, on both databases."""

from __future__ import annotations

from datetime import timedelta

from fleet.kit.web import Kit
from routing.live import queries as live
from routing.models import VisitStatus
from routing.plans import queries
from tests.conftest import START
from tests.routing.live.days import (
    correct,
    judgements,
    lanes,
    read,
    stand,
    stay,
    told,
    traverse,
    west,
)
from tests.routing.plans.town import DAY, crossing

HOUR = timedelta(hours=1)


def test_slow_pass_serves_and_is_told(running: Kit) -> None:
    first, second, *_ = lanes(running)
    traverse(running, first, late_s=120)
    visit = read(running, first)
    assert visit.status == VisitStatus.SERVED
    assert visit.evidence is not None
    assert (visit.evidence["vehicle_id"], visit.evidence["served_fraction"]) == ("T1", 1.0)
    (event,) = told(running, "routing.visit_changed")
    assert (event["id"], event["status"], event["version"]) == (visit.id, "served", visit.version)
    assert "approach" not in event
    summary = told(running, "routing.route_changed")[-1]
    assert (summary["served"], summary["late_s"]) == (1, 120)
    with running.db.reading() as session:
        (planned,) = live.visits_of_lane(session, second.ref, DAY)
        assert planned.eta == planned.planned_arrival + timedelta(seconds=120)
        (done,) = live.visits_of_lane(session, first.ref, DAY)
        assert (done.eta, done.proved_at) == (
            None,
            first.planned_departure + timedelta(seconds=120),
        )


def test_same_fact_twice_changes_nothing(running: Kit) -> None:
    first = lanes(running)[0]
    fact = traverse(running, first)
    before = read(running, first).version
    correct(running, fact, 1.0)
    assert read(running, first).version == before


def test_driving_through_decides_nothing_yet(running: Kit) -> None:
    """The vehicle may only be on its way to another lane."""
    later = lanes(running)[4]
    traverse(running, later, 0.0, late_s=-600)
    visit = read(running, later)
    assert (visit.status, visit.seen) == (VisitStatus.PENDING, "driven_through")
    traverse(running, later, 0.95)
    assert read(running, later).status == VisitStatus.SERVED


def test_corrected_fact_corrects_the_visit(running: Kit) -> None:
    first = lanes(running)[0]
    fact = traverse(running, first)
    correct(running, fact, 0.4, 0.4)
    seen = read(running, first)
    assert (seen.status, seen.seen) == (VisitStatus.PENDING, VisitStatus.PARTLY)
    correct(running, fact, 0.0, 0.0)
    visit = read(running, first)
    assert (visit.status, visit.seen, visit.proved_t) == (VisitStatus.PENDING, None, None)
    assert judgements(running, first) == [("served", "covered")]


def test_another_vehicle_may_serve_it(running: Kit) -> None:
    first = lanes(running)[0]
    traverse(running, first, vehicle_id="T2")
    visit = read(running, first)
    assert visit.status == VisitStatus.SERVED
    assert visit.evidence is not None
    assert visit.evidence["vehicle_id"] == "T2"


def test_yesterdays_pass_does_not_count(running: Kit) -> None:
    first = lanes(running)[0]
    traverse(running, first, late_s=-86_400, service_date=DAY - timedelta(days=1))
    assert read(running, first).status == VisitStatus.PENDING


def test_standing_at_the_access_point_serves_a_feeder_lane(running: Kit) -> None:
    with running.db.reading() as session:
        feeder = next(v for v in west(session)[1] if v.ref == "feeder")
    stand(running, (feeder.lon, feeder.lat), feeder.planned_arrival, feeder.service_s * 0.4)
    visit = read(running, feeder)
    assert (visit.status, visit.seen) == (VisitStatus.PENDING, "partly")
    stand(running, (feeder.lon, feeder.lat), feeder.planned_departure, feeder.service_s * 0.2)
    visit = read(running, feeder)
    assert visit.status == VisitStatus.SERVED
    assert visit.evidence is not None
    assert visit.evidence["probable"]


def test_lane_facts_do_not_serve_a_feeder_lane(running: Kit) -> None:
    with running.db.reading() as session:
        feeder = next(v for v in west(session)[1] if v.ref == "feeder")
    traverse(running, feeder)
    assert read(running, feeder).status == VisitStatus.PENDING


def test_start_unloading_and_end(running: Kit) -> None:
    with running.db.reading() as session:
        route, visits = west(session)
    unloadings = [v for v in visits if v.kind == "disposal"]
    stay(running, "depot", "depot", START - HOUR, START)
    assert read(running, visits[0]).status == VisitStatus.SERVED
    stay(running, "station", "transfer_station", START + HOUR, START + HOUR)
    assert read(running, unloadings[0]).status == VisitStatus.PENDING  # drove by
    for n, unloading in enumerate(unloadings, start=1):
        arrived = START + n * HOUR + timedelta(minutes=5)
        stay(running, "station", "transfer_station", arrived, arrived + timedelta(minutes=4))
        visit = read(running, unloading)
        assert (visit.status, visit.proved_t) == ("served", arrived + timedelta(minutes=4))
    stay(running, "depot", "depot", route.end_t)
    assert read(running, visits[-1]).status == VisitStatus.SERVED
    with running.db.reading() as session:
        (summary,) = queries.summaries(session, [route])
        assert summary["served"] == 0  # only what collects waste is counted


def test_pass_at_a_crossing_touches_no_other_lane(running: Kit) -> None:
    """Standing at a crossing serves no lane that is entered."""
    stand(running, crossing(2, 1), START, 300)
    with running.db.reading() as session:
        assert {v.status for v in west(session)[1]} == {VisitStatus.PENDING}
