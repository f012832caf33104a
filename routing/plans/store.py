"""Writes a solved plan as rows. Flushes, never commits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.ids import new_id
from routing import demand
from routing.demand import Point, split_key
from routing.models import Plan, PlanKind, PlanPart, PlanStatus, Route, Visit, VisitKind
from routing.plans import queries
from routing.plans.build import Leg, PartResult
from routing.plans.load import Day, Subject
from routing.problem import Cost, Pass, Problem, Solution
from routing.problem import Route as SolvedRoute
from routing.problem import Visit as ProblemVisit

NO_LEG = Leg((), 0.0, 0)


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for, as the plan's row remembers it."""

    kind: PlanKind
    shift: str | None
    seed: int
    iterations: int
    ward_ids: tuple[str, ...]
    scope: tuple[tuple[str, str], ...]
    """(vehicle, shift) pairs whose routes the plan replaces."""
    job_id: str | None


def store(
    session: Session, day: Day, results: Sequence[PartResult], order: Order, now: datetime
) -> Plan:
    """Add a draft plan with its parts, routes and visits."""
    plan = Plan(
        id=new_id("pln"),
        service_date=day.service_date,
        shift=order.shift,
        status=PlanStatus.DRAFT,
        kind=order.kind,
        seed=order.seed,
        iterations=order.iterations,
        ward_ids=list(order.ward_ids),
        scope=[list(pair) for pair in order.scope],
        cost=_cost([result.solution for result in results]),
        unplanned=[entry for result in results for entry in _unplanned(result, day.subjects)],
        summary={},
        solver_s=round(sum(result.solution.solver_s for result in results), 3),
        created_at=now,
        job_id=order.job_id,
    )
    session.add(plan)
    session.flush()
    vehicle_of_lane: dict[str, str] = {}
    routes: list[Route] = []
    for result in results:
        session.add(
            PlanPart(
                plan_id=plan.id,
                name=result.name,
                problem=result.problem_blob,
                solution=result.solution_blob,
            )
        )
        for solved in result.solution.routes:
            if solved.stops:
                route, visits = route_rows(plan, day, result, solved)
                routes.append(route)
                session.add(route)
                session.flush()
                session.add_all(visits)
                vehicle_of_lane.update(
                    (v.ref, route.vehicle_id) for v in visits if v.kind == VisitKind.LANE
                )
                plan.summary = {
                    **plan.summary,
                    "visits": plan.summary.get("visits", 0) + sum(v.is_work for v in visits),
                }
    before = _before(session, day, order, vehicle_of_lane)
    totals = _totals(routes)
    if before["km"] is not None:
        before["km"] = round(totals["km"] - before["km"], 1)
        before["hours"] = round(totals["hours"] - before["hours"], 2)
    plan.based_on = before["plan_id"]
    asked = {s for lane in day.lanes for s, kg in lane.kg.items() if kg > 0}
    plan.summary = {
        "visits": 0,
        **plan.summary,
        **totals,
        "compared_to": before,
        "not_collected": sorted(asked - demand.collected_streams(day.shifts)),
    }
    session.flush()
    return plan


def route_rows(
    plan: Plan, day: Day, result: PartResult, solved: SolvedRoute
) -> tuple[Route, list[Visit]]:
    """A solved route as a row with its visits: start, stops, end."""
    problem = result.problem
    vehicle = next(v for v in problem.vehicles if v.id == solved.vehicle_id)
    vehicle_id, shift = split_key(vehicle.id)
    by_id = {visit.id: visit for visit in problem.visits}
    legs = result.legs[vehicle.id]

    def at(second: int) -> datetime:
        return day.epoch + timedelta(seconds=second)

    depot = day.depots[vehicle_id]
    start = replace(depot, at=problem.locations[vehicle.start])
    end = replace(depot, kind="end", at=problem.locations[vehicle.end])
    rows = [_visit(start, None, NO_LEG, at(solved.start_s), at(solved.start_s), {})]
    load: Mapping[str, float] = {}
    for stop, leg in zip(solved.stops, legs, strict=False):
        subject = day.subjects[stop.ref]
        arrival, departure = at(stop.arrival_s), at(stop.departure_s)
        if stop.kind == "disposal":
            rows.append(_visit(subject, None, leg, arrival, departure, load))
        else:
            visit: ProblemVisit = by_id[stop.ref]
            way = visit.passes[stop.pass_index]
            rows.append(_visit(subject, way, leg, arrival, departure, visit.demand_kg))
        load = stop.load_kg
    rows.append(_visit(end, None, legs[-1], at(solved.end_s), at(solved.end_s), {}))
    route = Route(
        id=new_id("rte"),
        plan_id=plan.id,
        vehicle_id=vehicle_id,
        profile=vehicle.profile,
        service_date=day.service_date,
        shift=shift,
        shift_end_t=at(vehicle.shift_end_s),
        status=PlanStatus.DRAFT,
        start_t=at(solved.start_s),
        end_t=at(solved.end_s),
        km=driven_km(rows),
        hours=round((solved.end_s - solved.start_s) / 3600, 2),
        trips=solved.trips,
        kg=_kg([row for row in rows if row.is_work]),
        ward_ids=sorted({row.ward_id for row in rows if row.ward_id}),
        compartments=[asdict(chamber) for chamber in vehicle.compartments],
    )
    for seq, row in enumerate(rows):
        row.route_id = route.id
        row.service_date = day.service_date
        row.seq = seq
    return route, rows


def _visit(
    subject: Subject,
    way: Pass | None,
    leg: Leg,
    arrival: datetime,
    departure: datetime,
    kg: Mapping[str, float],
) -> Visit:
    path = driven_path(subject, way)
    return Visit(
        id=new_id("vis"),
        kind=VisitKind(subject.kind),
        ref=subject.ref,
        lane_id=subject.lane_id,
        name=subject.name,
        name_hi=subject.name_hi,
        ward_id=subject.ward_id,
        lon=path[0][0],
        lat=path[0][1],
        path=path,
        approach=[list(point) for point in leg.path],
        approach_m=leg.distance_m,
        approach_s=leg.duration_s,
        planned_arrival=arrival,
        planned_departure=departure,
        service_s=int((departure - arrival).total_seconds()) if way is None else way.service_s,
        kg={stream: round(amount, 3) for stream, amount in kg.items() if amount > 0},
        service_mode=subject.service_mode,
        on_foot=subject.on_foot,
        households=subject.households,
        status="pending",
        at_risk=False,
        request_id=subject.ref if subject.kind == "request" else None,
        request_code=subject.request_code,
    )


def driven_path(subject: Subject, way: Pass | None) -> list[list[float]]:
    """The lane in the direction driven, or the one point of a stop."""
    points: Sequence[Point] = subject.path or (subject.at,)
    if way is not None and way.reversed:
        points = points[::-1]
    return [list(point) for point in points]


def driven_km(visits: Sequence[Visit]) -> float:
    """Kilometres of approaches and of the lanes themselves."""
    lanes_m = sum(
        demand.distance_m((a[0], a[1]), (b[0], b[1]))
        for visit in visits
        for a, b in zip(visit.path, visit.path[1:], strict=False)
    )
    return round((sum(visit.approach_m for visit in visits) + lanes_m) / 1000, 2)


def _kg(visits: Sequence[Visit]) -> dict[str, float]:
    total: Counter[str] = Counter()
    for visit in visits:
        total.update(visit.kg)
    return {stream: round(kg, 1) for stream, kg in sorted(total.items())}


def _cost(solutions: Sequence[Solution]) -> dict[str, int]:
    total: Counter[str] = Counter(dict.fromkeys(Cost.__dataclass_fields__, 0))
    for solution in solutions:
        total.update(asdict(solution.cost))
    return {**total, "total_s": sum(total.values())}


def _unplanned(result: PartResult, subjects: Mapping[str, Subject]) -> list[dict[str, Any]]:
    return [
        unplanned_entry(result.problem, entry.visit_id, subjects)
        | {"code": entry.code, "detail": entry.detail}
        for entry in result.solution.unplanned
    ]


def unplanned_entry(
    problem: Problem, visit_id: str, subjects: Mapping[str, Subject]
) -> dict[str, Any]:
    subject = subjects[visit_id]
    visit = next(v for v in problem.visits if v.id == visit_id)
    return {
        "kind": subject.kind,
        "ref": subject.ref,
        "name": subject.name,
        "name_hi": subject.name_hi,
        "ward_id": subject.ward_id,
        "kg": round(sum(visit.demand_kg.values()), 1),
    }


def _totals(routes: Sequence[Route]) -> dict[str, Any]:
    return {
        "vehicles": len({route.vehicle_id for route in routes}),
        "km": round(sum(route.km for route in routes), 1),
        "hours": round(sum(route.hours for route in routes), 2),
        "trips": sum(route.trips for route in routes),
        "kg": round(sum(sum(route.kg.values()) for route in routes), 1),
    }


def _before(
    session: Session, day: Day, order: Order, vehicle_of_lane: Mapping[str, str]
) -> dict[str, Any]:
    """What the plan is compared with: the routes it replaces, the last night's plan, or beats.

    `moved` counts lanes that another vehicle serves than before.
    """
    pairs = set(order.scope)
    routes = [
        r for r in queries.published(session, day.service_date) if (r.vehicle_id, r.shift) in pairs
    ]
    if not routes:
        last = session.scalar(
            select(Plan.service_date)
            .where(
                Plan.kind == PlanKind.NIGHT,
                Plan.published_at.is_not(None),
                Plan.service_date < day.service_date,
            )
            .order_by(Plan.service_date.desc())
            .limit(1)
        )
        if last is not None:
            routes = [
                r for r in queries.published(session, last) if (r.vehicle_id, r.shift) in pairs
            ]
    if routes:
        served_by = queries.vehicle_of_lane(session, routes)
    else:
        served_by = {lane: split_key(key)[0] for lane, key in day.beats.items()}
    return {
        "plan_id": routes[0].plan_id if routes else None,
        "km": sum(route.km for route in routes) if routes else None,
        "hours": sum(route.hours for route in routes) if routes else None,
        "moved": sum(
            lane in served_by and served_by[lane] != vehicle
            for lane, vehicle in vehicle_of_lane.items()
        ),
    }
