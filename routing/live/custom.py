"""A route's steps at their customary times, so that delay is measured against what people know."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.times import local_midnight
from fleet.org.customs import customary_times
from fleet.org.models import CustomaryTime
from fleet.org.queries import city_zone
from routing.live.progress import Step
from routing.models import Route, Visit, VisitKind

LEAST_SHARE = 0.5
"""Share of a route's lanes that must have a custom; else its plan is what it is late against."""

type Shifted = Callable[[Sequence[Step]], list[Step]]


def by_custom(session: Session, routes: Sequence[Route]) -> dict[str, Shifted]:
    """For routes whose beats have customs: what puts their steps at the customary times."""
    if not routes or session.scalar(select(CustomaryTime.lane_id).limit(1)) is None:
        return {}
    tz = city_zone(session)
    lanes: dict[str, dict[str, str]] = {}
    rows = session.execute(
        select(Visit.route_id, Visit.id, Visit.lane_id).where(
            Visit.route_id.in_([route.id for route in routes]), Visit.kind == VisitKind.LANE
        )
    )
    for route_id, visit_id, lane_id in rows:
        if lane_id is not None:
            lanes.setdefault(route_id, {})[visit_id] = lane_id
    found: dict[str, Shifted] = {}
    for route in routes:
        own = lanes.get(route.id, {})
        usual = customary_times(session, list(own.values()), route.vehicle_id, route.shift)
        known = {visit_id: usual[lane] for visit_id, lane in own.items() if lane in usual}
        if own and len(known) >= LEAST_SHARE * len(own):
            midnight = local_midnight(route.service_date, tz)
            at = {visit_id: midnight + timedelta(seconds=s) for visit_id, s in known.items()}
            found[route.id] = partial(shifted, at)
    return found


def shifted(usual: Mapping[str, datetime], steps: Sequence[Step]) -> list[Step]:
    """Steps with a custom begin at it; the others keep their distance to the one before."""
    moved: list[Step] = []
    apart = timedelta(0)
    first = next((s for s in steps if s.visit_id in usual), None)
    if first is not None:
        apart = usual[first.visit_id] - first.planned_arrival
    for step in steps:
        if step.visit_id in usual:
            apart = usual[step.visit_id] - step.planned_arrival
        moved.append(
            replace(
                step,
                planned_arrival=step.planned_arrival + apart,
                planned_departure=step.planned_departure + apart,
            )
        )
    return moved
