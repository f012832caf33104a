"""Storing, publishing and comparing plans, on both databases."""

from __future__ import annotations

import itertools
import zlib
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from fleet.kit.db import Database
from fleet.kit.errors import Conflict, NotFound, Refused
from fleet.kit.outbox import OutboxRow
from fleet.org.models import City
from fleet.people.models import Role
from fleet.people.scope import Scope
from routing.checker import check
from routing.engine import solve
from routing.live import stops
from routing.models import DeferredStop, PlanPart, PlanStatus, Route, VisitStatus
from routing.plans import load, queries, selection, service, views
from routing.problem_json import load_problem, load_solution
from tests.conftest import START
from tests.routing.plans import town
from tests.routing.plans.planning import make_plan, plan_of, routes, visit_of

NIGHT = START - timedelta(hours=4)
"""02:00 in India."""
EAST_ONLY = Scope("u1", "Asha", Role.DISPATCHER, frozenset({"z2"}), "hi")
EVERYWHERE = Scope("u2", "Ravi", Role.DISPATCHER, None, "en")


def test_every_lane_is_planned_or_explained(town_db: Database) -> None:
    plan_id = make_plan(town_db, NIGHT)
    with town_db.reading() as session:
        plan = plan_of(session, plan_id)
        refs = [v.ref for r in routes(session) for v in queries.visits(session, r.id) if v.is_work]
        assert sorted(refs) == sorted([*(lane for lane, _, _ in town.streets()), "feeder", "bin1"])
        assert [(u["ref"], u["code"]) for u in plan.unplanned] == [("market", "too_heavy")]
        assert plan.summary["visits"] == 33
        view = views.plan_view(plan, queries.routes_of_plan(session, plan_id), "hi")
        assert view["unplanned"][0]["reason"].startswith("वहाँ पहुँचने वाली हर गाड़ी")
        assert view["cost"] == sum(v for k, v in view["cost_parts"].items() if k != "total_s")


def test_routes_are_continuous_in_time_and_place(town_db: Database) -> None:
    """Each approach leads from the exit before to the entry, and is driven in its time."""
    make_plan(town_db, NIGHT)
    with town_db.reading() as session:
        for route in routes(session):
            visits = queries.visits(session, route.id)
            assert [v.seq for v in visits] == list(range(len(visits)))
            assert (visits[0].kind, visits[-1].kind) == ("start", "end")
            assert visits[-2].kind == "disposal"
            for before, visit in itertools.pairwise(visits):
                gap = visit.planned_arrival - before.planned_departure
                assert gap == timedelta(seconds=visit.approach_s)
                if visit.approach:
                    assert tuple(visit.approach[0]) == before.exit
                    assert visit.approach[-1] == visit.path[0]
                else:
                    assert before.exit == (visit.lon, visit.lat)
            assert route.start_t == visits[0].planned_arrival
            assert visits[-1].planned_arrival <= route.shift_end_t


def test_lane_path_runs_in_the_direction_driven(town_db: Database) -> None:
    make_plan(town_db, NIGHT)
    ends = {lane: {town.crossing(*a), town.crossing(*b)} for lane, a, b in town.streets()}
    with town_db.reading() as session:
        for route in routes(session):
            for visit in queries.visits(session, route.id):
                if visit.ref in ends:
                    assert {tuple(point) for point in visit.path} == ends[visit.ref]
        feeder = visit_of(session, "feeder")
        assert (feeder.path, feeder.on_foot) == ([list(town.crossing(1, 1))], True)


def test_parts_can_be_replayed(town_db: Database) -> None:
    plan_id = make_plan(town_db, NIGHT)
    with town_db.reading() as session:
        parts = session.scalars(select(PlanPart).where(PlanPart.plan_id == plan_id)).all()
        assert parts
        for part in parts:
            problem = load_problem(zlib.decompress(part.problem))
            stored = load_solution(zlib.decompress(part.solution))
            assert check(problem, stored) == []
            again = solve(problem, seed=1, iterations=town.POLICY.plan_iterations)
            assert (again.routes, again.cost) == (stored.routes, stored.cost)


def test_beats_keep_their_vehicle_and_are_the_first_comparison(town_db: Database) -> None:
    plan_id = make_plan(town_db, NIGHT)
    with town_db.reading() as session:
        compared = plan_of(session, plan_id).summary["compared_to"]
        assert compared["plan_id"] is None
        assert compared["moved"] == 0
        vehicle = queries.vehicle_of_lane(session, routes(session))
        assert {vehicle[lane] for lane in town.west_lanes()} == {"T1"}


def test_same_seed_same_routes(town_db: Database) -> None:
    first, second = (make_plan(town_db, NIGHT, publish=False) for _ in range(2))
    with town_db.reading() as session:

        def order(plan_id: str) -> list[list[str]]:
            found = session.scalars(
                select(Route).where(Route.plan_id == plan_id).order_by(Route.vehicle_id)
            )
            return [[v.ref for v in queries.visits(session, r.id)] for r in found]

        assert order(first) == order(second)


def test_publishing_replaces_what_was_published(town_db: Database) -> None:
    first = make_plan(town_db, NIGHT)
    second = make_plan(town_db, NIGHT, seed=2)
    with town_db.reading() as session:
        assert plan_of(session, first).status == PlanStatus.SUPERSEDED
        assert {route.plan_id for route in routes(session)} == {second}
        assert plan_of(session, second).based_on == first


def test_outcomes_and_reports_go_along(town_db: Database) -> None:
    make_plan(town_db, NIGHT)
    with town_db.unit_of_work() as session:
        visit_of(session, "h00").status = VisitStatus.SERVED
        visit_of(session, "h01").report = {"kind": "done", "t": "2026-03-02T01:00:00Z"}
    make_plan(town_db, NIGHT, seed=2)
    with town_db.reading() as session:
        assert visit_of(session, "h00").status == VisitStatus.SERVED
        report = visit_of(session, "h01").report
        assert report is not None
        assert report["kind"] == "done"
        assert visit_of(session, "h02").status == VisitStatus.PENDING


def test_publishing_twice_or_at_another_version_is_refused(town_db: Database) -> None:
    plan_id = make_plan(town_db, NIGHT, publish=False)
    with pytest.raises(Conflict), town_db.unit_of_work() as session:
        service.publish(session, plan_id, NIGHT, version=99)
    with town_db.unit_of_work() as session:
        service.publish(session, plan_id, NIGHT)
    with pytest.raises(Refused, match="published"), town_db.unit_of_work() as session:
        service.publish(session, plan_id, NIGHT)


def test_publishing_announces_plan_and_routes(town_db: Database) -> None:
    plan_id = make_plan(town_db, NIGHT)
    with town_db.reading() as session:
        events = session.scalars(select(OutboxRow)).all()
        assert [e.data["status"] for e in events if e.topic == "routing.plan_changed"] == [
            "published"
        ]
        changed = [e.data for e in events if e.topic == "routing.route_changed"]
        assert {data["plan_id"] for data in changed} == {plan_id}
        assert sum(data["visits"] for data in changed) == 33


def test_dispatcher_sees_own_zones_only(town_db: Database) -> None:
    plan_id = make_plan(town_db, NIGHT, publish=False)
    with town_db.unit_of_work() as session:
        wards = queries.wards_of(session, EAST_ONLY)
        with pytest.raises(Refused, match="other zones"):
            service.publish(session, plan_id, NIGHT, wards=wards)
        service.publish(session, plan_id, NIGHT)
    with town_db.reading() as session:
        seen = queries.route_summaries(session, EAST_ONLY, town.DAY)
        assert all("east" in summary["ward_ids"] for summary in seen)
        assert len(queries.route_summaries(session, EVERYWHERE, town.DAY)) == 2
        west = next(r for r in routes(session) if r.ward_ids == ["west"])
        with pytest.raises(NotFound):
            queries.route(session, wards, west.id)


def test_deferred_stop_is_in_the_next_plan(town_db: Database) -> None:
    stop = stops.StopRequest(
        "req_1", "AB12", *town.crossing(2, 1), 180, {"wet": 10.0}, "h21", "west", "heap"
    )
    with town_db.unit_of_work() as session:
        stops.defer(session, stop, town.DAY)
    plan_id = make_plan(town_db, NIGHT)
    with town_db.reading() as session:
        visit = visit_of(session, "req_1")
        assert (visit.kind, visit.request_code, visit.service_s) == ("request", "AB12", 180)
        assert session.get_one(DeferredStop, "req_1").planned_in == plan_id
        told = session.scalars(
            select(OutboxRow).where(OutboxRow.topic == "routing.visit_changed")
        ).all()
        assert [e.data["request_id"] for e in told] == ["req_1"]
    make_plan(town_db, NIGHT, seed=3)
    with town_db.reading() as session:
        assert visit_of(session, "req_1").id != visit.id  # kept by the plan that replaces it


def test_selection_of_vehicles_covers_what_they_serve(town_db: Database) -> None:
    make_plan(town_db, NIGHT)
    with town_db.reading() as session:
        day, (territory,) = selection.select(
            session, town.DAY, NIGHT, wards=[], vehicles=["T1", "S1"], shift=None
        )
        assert {s.vehicle_id for s in territory.shifts} == {"T1", "S1"}  # the spare is called
        assert {lane.id for lane in day.lanes} == {*town.west_lanes(), "feeder"}


def test_selection_of_a_ward_brings_its_vehicles_only(town_db: Database) -> None:
    make_plan(town_db, NIGHT)
    with town_db.reading() as session:
        _, (territory,) = selection.select(
            session, town.DAY, NIGHT, wards=["west"], vehicles=[], shift=None
        )
        assert [s.vehicle_id for s in territory.shifts] == ["T1"]
        with pytest.raises(Refused, match="under way"):
            selection.select(
                session,
                town.DAY,
                START + timedelta(hours=1),
                wards=["west"],
                vehicles=[],
                shift=None,
            )


def test_no_collection_on_a_day_off(town_db: Database) -> None:
    with town_db.unit_of_work() as session:
        policy = town.POLICY.model_copy(update={"working_days": ("sun",)})
        session.get_one(City, 1).policy = policy.model_dump(mode="json")
    with town_db.reading() as session:
        day = load.load_day(session, town.DAY, NIGHT)
        assert (day.lanes, day.bins, day.wards) == ((), (), ())


def test_published_routes_are_unique(town_db: Database) -> None:
    make_plan(town_db, NIGHT)
    other = make_plan(town_db, NIGHT, publish=False)
    both = update(Route).where(Route.plan_id == other).values(status=PlanStatus.PUBLISHED)
    with pytest.raises(Conflict), town_db.unit_of_work() as session:
        session.execute(both)
    with town_db.reading() as session:
        assert plan_of(session, other).status == PlanStatus.DRAFT
