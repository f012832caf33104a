"""Plans of the town without a road engine: distances on a plane, everything else for real."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from fleet.kit.db import Database
from fleet.org import queries as org
from fleet.roads.engine import RoadLeg, RoadRoute, Snap, Table, route_of
from fleet.roads.network import LonLat
from routing.demand import distance_m, territories
from routing.models import Plan, PlanKind, Route, Visit
from routing.plans import load, queries, selection, service
from routing.plans.build import PartResult, inputs
from routing.plans.load import Day
from routing.plans.solving import solve_with
from routing.plans.store import Order, store
from tests.routing.plans.town import DAY

SPEED_MPS = 5.0


class PlaneRoads:
    """A road engine for which every way is straight, at 5 m/s."""

    def table(
        self, points: Sequence[LonLat], destinations: Sequence[LonLat] | None = None
    ) -> Table:
        targets = points if destinations is None else destinations
        metres = np.array([[distance_m(a, b) for b in targets] for a in points])
        return Table(np.rint(metres / SPEED_MPS).astype(np.int32), np.rint(metres).astype(np.int32))

    def route(self, points: Sequence[LonLat]) -> RoadRoute:
        legs = []
        for a, b in itertools.pairwise(points):
            metres = distance_m(a, b)
            legs.append(RoadLeg((a, b), metres, metres / SPEED_MPS))
        return route_of(legs)

    def nearest(self, point: LonLat) -> Snap:
        return Snap(*point, 0.0)


ROADS = {"tipper": PlaneRoads()}
DATASETS = {"tipper": Path("unused")}


def solved(
    session: Session, now: datetime, *, seed: int = 1
) -> tuple[Day, list[PartResult], Order]:
    """The night plan of the town, solved but not stored."""
    day = load.load_day(session, DAY, now)
    day = selection.with_requests(session, day, {(s.vehicle_id, s.shift) for s in day.shifts})
    spread = territories(day.wards, day.shifts, day.home)
    iterations = org.policy(session).plan_iterations
    parts = inputs(day, spread, DATASETS, seed=seed, iterations=iterations)
    order = Order(
        kind=PlanKind.NIGHT,
        shift=None,
        seed=seed,
        iterations=iterations,
        ward_ids=tuple(sorted({w for t in spread for w in t.ward_ids})),
        scope=tuple(sorted((s.vehicle_id, s.shift) for t in spread for s in t.shifts)),
        job_id=None,
    )
    return day, [solve_with(part, ROADS) for part in parts], order


def make_plan(db: Database, now: datetime, *, publish: bool = True, seed: int = 1) -> str:
    """Plan the town; the plan's id."""
    with db.reading() as session:
        day, results, order = solved(session, now, seed=seed)
    with db.unit_of_work() as session:
        plan = store(session, day, results, order, now)
        if publish:
            service.publish(session, plan.id, now)
        return plan.id


def plan_of(session: Session, plan_id: str) -> Plan:
    return session.get_one(Plan, plan_id)


def routes(session: Session, day: date = DAY) -> list[Route]:
    return list(queries.published(session, day))


def visit_of(session: Session, ref: str, day: date = DAY) -> Visit:
    """The published visit of a lane, bin, request or place."""
    planned = [v for route in routes(session, day) for v in queries.visits(session, route.id)]
    (found,) = [visit for visit in planned if visit.ref == ref]
    return found
