"""Reads of visits for other rooms and for the control room's snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, cast

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from fleet.people.scope import Scope
from routing.models import PlanStatus, Route, RouteProgress, Visit, VisitKind
from routing.plans import views
from routing.plans.queries import sees, wards_of


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit of a published route, as it stands. Times are expected or, by facts, known."""

    id: str
    route_id: str
    route_version: int
    vehicle_id: str
    kind: str
    seq: int
    status: str
    at_risk: bool
    planned_arrival: datetime
    planned_departure: datetime
    eta: datetime | None
    """None once it has an outcome."""
    proved_at: datetime | None
    """When facts say that it had been served, wholly or partly."""
    evidence: dict[str, Any] | None
    report: dict[str, Any] | None


def visits_of_lane(session: Session, lane_id: str, service_date: date) -> list[PlannedVisit]:
    """Visits that collect a lane on a service date, by planned time."""
    return _visits(
        session,
        _published().where(
            Visit.ref == lane_id,
            Visit.kind == VisitKind.LANE,
            Visit.service_date == service_date,
        ),
    )


def visit_of_request(session: Session, request_id: str) -> PlannedVisit | None:
    """The latest visit planned for a resident's request."""
    found = _visits(
        session,
        _published().where(Visit.ref == request_id, Visit.kind == VisitKind.REQUEST),
    )
    return found[-1] if found else None


def eta(session: Session, visit_id: str) -> datetime | None:
    """When a pending visit is expected: planned, and the route's present delay."""
    found = _visits(session, _published().where(Visit.id == visit_id))
    return found[0].eta if found else None


def lane_states(session: Session, scope: Scope, service_date: date) -> dict[str, dict[str, Any]]:
    """lane id → {status, at_risk, vehicle_id} for the control room's map."""
    wards = wards_of(session, scope)
    rows = session.execute(
        select(Visit.ref, Visit.status, Visit.at_risk, Visit.ward_id, Route.vehicle_id)
        .join(Route, Route.id == Visit.route_id)
        .where(
            Route.status == PlanStatus.PUBLISHED,
            Route.service_date == service_date,
            Visit.kind == VisitKind.LANE,
        )
    )
    return {
        lane_id: {"status": status, "at_risk": at_risk, "vehicle_id": vehicle_id}
        for lane_id, status, at_risk, ward_id, vehicle_id in rows
        if sees(wards, [ward_id or ""])
    }


type Rows = Select[Visit, Route, RouteProgress | None]


def _published() -> Rows:
    statement = (
        select(Visit, Route, RouteProgress)
        .join(Route, Route.id == Visit.route_id)
        .outerjoin(RouteProgress, RouteProgress.route_id == Route.id)
        .where(Route.status == PlanStatus.PUBLISHED)
        .order_by(Visit.planned_arrival, Visit.id)
    )
    return cast(Rows, statement)  # an outer join may find no progress; the types do not know


def _visits(session: Session, statement: Rows) -> list[PlannedVisit]:
    return [
        PlannedVisit(
            id=visit.id,
            route_id=route.id,
            route_version=route.version,
            vehicle_id=route.vehicle_id,
            kind=visit.kind,
            seq=visit.seq,
            status=visit.status,
            at_risk=visit.at_risk,
            planned_arrival=visit.planned_arrival,
            planned_departure=visit.planned_departure,
            eta=views.eta_of(visit, progress),
            proved_at=visit.proved_t,
            evidence=visit.evidence,
            report=visit.report,
        )
        for visit, route, progress in session.execute(statement)
    ]
