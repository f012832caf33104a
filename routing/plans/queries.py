"""Reads of plans and routes. What a caller may see depends on the wards of their zones."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fleet.kit.errors import NotFound
from fleet.org import queries as org
from fleet.people.scope import Scope
from routing.models import (
    WORK_KINDS,
    Plan,
    PlanStatus,
    Route,
    RouteProgress,
    Visit,
)
from routing.plans import views

Wards = frozenset[str] | None
"""Wards that a caller may see; None: all."""


def wards_of(session: Session, scope: Scope) -> Wards:
    """The wards of a caller's zones."""
    if scope.zones is None:
        return None
    return frozenset(ward.id for ward in org.wards(session, zones=scope.zones))


def sees(wards: Wards, ward_ids: Collection[str]) -> bool:
    return wards is None or not wards.isdisjoint(ward_ids)


def plan(session: Session, wards: Wards, plan_id: str, *, for_update: bool = False) -> Plan:
    """A plan that touches the caller's wards.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    found = session.get(Plan, plan_id, with_for_update=for_update or None)
    if found is None or not sees(wards, found.ward_ids):
        raise NotFound(f"There is no plan {plan_id}.", field="id", remedy="Check the id.")
    return found


def plans(session: Session, wards: Wards, service_date: date) -> list[Plan]:
    """Plans of a service date, newest first."""
    found = session.scalars(
        select(Plan)
        .where(Plan.service_date == service_date)
        .order_by(Plan.created_at.desc(), Plan.id)
    )
    return [row for row in found if sees(wards, row.ward_ids)]


def published(session: Session, service_date: date) -> Sequence[Route]:
    """Published routes of a service date, by vehicle and start."""
    return session.scalars(
        select(Route)
        .where(Route.service_date == service_date, Route.status == PlanStatus.PUBLISHED)
        .order_by(Route.vehicle_id, Route.start_t)
    ).all()


def route(session: Session, wards: Wards, route_id: str) -> Route:
    """A route that touches the caller's wards.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    found = session.get(Route, route_id)
    if found is None or not sees(wards, found.ward_ids):
        raise NotFound(f"There is no route {route_id}.", field="id", remedy="Check the id.")
    return found


def visits(session: Session, route_id: str) -> Sequence[Visit]:
    """A route's visits in order."""
    return session.scalars(
        select(Visit).where(Visit.route_id == route_id).order_by(Visit.seq)
    ).all()


def summaries(session: Session, routes: Sequence[Route]) -> list[dict[str, Any]]:
    """RouteSummary of each route, in three queries at most."""
    ids = [route.id for route in routes]
    counts: dict[str, dict[str, int]] = defaultdict(dict)
    rows = session.execute(
        select(Visit.route_id, Visit.status, func.count())
        .where(Visit.route_id.in_(ids), Visit.kind.in_(WORK_KINDS))
        .group_by(Visit.route_id, Visit.status)
    )
    for route_id, status, n in rows:
        counts[route_id][status] = n
    progress = {
        row.route_id: row
        for row in session.scalars(select(RouteProgress).where(RouteProgress.route_id.in_(ids)))
    }
    return [
        views.route_summary(route, progress.get(route.id), counts[route.id]) for route in routes
    ]


def route_summaries(session: Session, scope: Scope, service_date: date) -> list[dict[str, Any]]:
    """RouteSummary of the published routes that touch the caller's wards."""
    wards = wards_of(session, scope)
    return summaries(
        session, [r for r in published(session, service_date) if sees(wards, r.ward_ids)]
    )


def routes_of_plan(session: Session, plan_id: str) -> list[dict[str, Any]]:
    """RouteSummary of every route of a plan."""
    found = session.scalars(
        select(Route).where(Route.plan_id == plan_id).order_by(Route.vehicle_id, Route.start_t)
    ).all()
    return summaries(session, found)


def vehicle_of_lane(session: Session, routes: Sequence[Route]) -> dict[str, str]:
    """lane → vehicle of the given routes."""
    vehicles = {route.id: route.vehicle_id for route in routes}
    rows = session.execute(
        select(Visit.ref, Visit.route_id).where(Visit.route_id.in_(vehicles), Visit.kind == "lane")
    )
    return {lane_id: vehicles[route_id] for lane_id, route_id in rows}
