"""What a driver's tablet needs: the route of the vehicle in hand, and taps stored exactly once.

Taps never change a visit's `status`: facts do. A tap is kept as it came and shown beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.errors import Refused
from fleet.kit.i18n import t
from fleet.kit.times import iso, parse_iso, service_date_of
from fleet.org import assignments
from fleet.org import queries as org
from fleet.people.scope import Scope
from routing.live import facts, locking
from routing.live.alarms import about_route, tell_sos
from routing.live.schemas import CabEventIn
from routing.models import CabEvent, PlanStatus, Route, RouteProgress, Visit
from routing.plans import queries, views
from tracking.alarms.about import about_vehicle

AFTER_SHIFT = timedelta(hours=2)
"""A route stays on the tablet for so long after its shift, unless the next one has begun."""


@dataclass(frozen=True, slots=True)
class Refusal:
    id: str
    reason: str


def vehicle_of(session: Session, scope: Scope, at: datetime) -> str | None:
    """The vehicle that the driver had at a time."""
    return assignments.holder(session, "crew_vehicle", scope.user_id, at)


def route_of(session: Session, vehicle_id: str, now: datetime) -> Route | None:
    """The vehicle's published route that runs now, or else the next one within a day."""
    routes = session.scalars(
        select(Route)
        .where(
            Route.vehicle_id == vehicle_id,
            Route.status == PlanStatus.PUBLISHED,
            Route.shift_end_t >= now - AFTER_SHIFT,
            Route.start_t <= now + timedelta(days=1),
        )
        .order_by(Route.start_t)
    ).all()
    begun = [route for route in routes if route.start_t <= now]
    return begun[-1] if begun else (routes[0] if routes else None)


def state(session: Session, scope: Scope, now: datetime) -> dict[str, Any]:
    """Vehicle, route and next visit of a driver."""
    vehicle_id = vehicle_of(session, scope, now)
    route = route_of(session, vehicle_id, now) if vehicle_id else None
    if route is None:
        return {"vehicle": vehicle_id, "route": None, "next_visit_id": None, "server_now": iso(now)}
    visits = queries.visits(session, route.id)
    following = locking.next_visit(visits)
    locked = locking.locked_ids(session, route, visits)
    return {
        "vehicle": vehicle_id,
        "route": views.route_view(route, session.get(RouteProgress, route.id), visits, locked),
        "next_visit_id": following.id if following else None,
        "server_now": iso(now),
    }


def take_events(
    session: Session, scope: Scope, events: Sequence[CabEventIn], now: datetime
) -> tuple[list[str], list[Refusal]]:
    """Store a batch of taps. What was stored before with the same body is accepted again.

    An event is refused when its id was used for something else, or when it names a visit that is
    not on a route of the driver's vehicle; the others of the batch are taken all the same.
    """
    accepted: list[str] = []
    refused: list[Refusal] = []
    for event in events:
        try:
            _take(session, scope, event, now)
        except Refused as refusal:
            refused.append(Refusal(event.id, refusal.detail))
        else:
            accepted.append(event.id)
    return accepted, refused


def _take(session: Session, scope: Scope, event: CabEventIn, now: datetime) -> None:
    body_hash = hashlib.sha256(event.model_dump_json().encode()).hexdigest()
    before = session.scalar(
        select(CabEvent).where(CabEvent.user_id == scope.user_id, CabEvent.id == event.id)
    )
    if before is not None:
        if before.body_hash != body_hash:
            raise Refused(t(scope.lang, "routing.event_id_reused"), type="id-reused", field="id")
        return
    vehicle_id = vehicle_of(session, scope, event.t) or vehicle_of(session, scope, now)
    visit = _visit(session, scope, event, vehicle_id)
    route = (
        session.get_one(Route, visit.route_id)
        if visit
        else (route_of(session, vehicle_id, event.t) if vehicle_id else None)
    )
    tz = org.city_zone(session)
    service_date = route.service_date if route else service_date_of(event.t, tz)
    session.add(
        CabEvent(
            user_id=scope.user_id,
            id=event.id,
            body_hash=body_hash,
            kind=event.kind,
            vehicle_id=vehicle_id,
            visit_id=event.visit_id,
            reason=event.reason,
            words=event.words,
            photo_id=event.photo_id,
            kg=event.kg,
            t=event.t,
            received_t=now,
            service_date=service_date,
        )
    )
    if visit is not None and route is not None and event.kind in ("done", "could_not"):
        _report(session, visit, route, event)
    if event.kind == "sos":
        tell_sos(
            session,
            key=f"sos:{scope.user_id}:{event.id}",
            at=event.t,
            about=about_route(session, route) if route else about_vehicle(session, vehicle_id, now),
            vehicle_id=vehicle_id,
            name=scope.name,
            words=event.words or "",
        )


def _visit(
    session: Session, scope: Scope, event: CabEventIn, vehicle_id: str | None
) -> Visit | None:
    """The visit that a tap is about, as the present plan has it.

    A tablet that was offline may name a visit of a route that was replaced since.
    """
    if event.visit_id is None:
        return None
    visit = session.get(Visit, event.visit_id)
    route = session.get(Route, visit.route_id) if visit else None
    if visit is None or route is None or route.vehicle_id != vehicle_id:
        raise Refused(
            t(scope.lang, "routing.event_foreign_visit"), type="foreign-visit", field="visit_id"
        )
    if route.status == PlanStatus.PUBLISHED:
        return visit
    now_planned = session.scalar(
        select(Visit)
        .join(Route, Route.id == Visit.route_id)
        .where(
            Route.status == PlanStatus.PUBLISHED,
            Visit.service_date == visit.service_date,
            Visit.kind == visit.kind,
            Visit.ref == visit.ref,
        )
        .limit(1)
    )
    return now_planned or visit


def _report(session: Session, visit: Visit, route: Route, event: CabEventIn) -> None:
    """The latest tap by its own time stands beside the visit's status."""
    before = visit.report
    if before is not None and parse_iso(before["t"]) > event.t:
        return
    visit.report = {
        "kind": event.kind,
        "reason": event.reason,
        "words": event.words,
        "t": iso(event.t),
        "photo_id": event.photo_id,
    }
    facts.announce_visits(session, route, [visit])


def events_of(session: Session, scope: Scope, service_date: date) -> list[dict[str, Any]]:
    """The driver's own stored taps of a service date, in the order in which they came."""
    rows = session.scalars(
        select(CabEvent)
        .where(CabEvent.user_id == scope.user_id, CabEvent.service_date == service_date)
        .order_by(CabEvent.n)
    )
    return [{"id": row.id, "kind": row.kind, "t": iso(row.t)} for row in rows]


def concerns(topic: str, data: dict[str, Any], vehicle_id: str | None, user_id: str) -> bool:
    """Whether an event may change what the driver's tablet shows."""
    if topic in ("routing.route_changed", "routing.visit_changed"):
        return bool(data.get("vehicle_id") == vehicle_id)
    return topic == "org.assignment_changed" and data.get("subject") == user_id
