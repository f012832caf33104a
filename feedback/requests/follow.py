"""Follow the stop of a request: what facts and crews say of it changes the request."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from feedback.requests import service
from feedback.requests.models import Request, Status
from fleet.kit.outbox import Event, Handler
from fleet.kit.times import parse_iso

PROVED = frozenset({"served", "partly"})
WAITING = frozenset({Status.STOP_PLANNED, Status.ON_THE_WAY})


def follow_visit(session: Session, event: Event) -> None:
    """A visit of kind `request` changed: proof closes, a tap reports, a failure returns it."""
    visit = event.data
    if visit["kind"] != "request" or visit["status"] == "removed":
        return
    request = _of_visit(session, visit)
    if request is None or request.status in {Status.CLOSED, Status.ANSWERED}:
        return
    evidence, report, now = visit["evidence"] or {}, visit["report"] or {}, event.at
    if visit["status"] in PROVED:
        service.proved(session, request, _instant(evidence.get("end_t"), now), now)
    elif report.get("kind") == "could_not":
        reason = f"reason.{report['reason']}" if report["reason"] else "reason.other"
        service.back_to_queue(session, request, "timeline.could_not", {"reason": reason}, now)
    elif visit["status"] == "missed":
        service.back_to_queue(session, request, "timeline.missed_again", {}, now)
    elif report.get("kind") == "done":
        if request.status in WAITING:
            service.reported_done(session, request, report.get("photo_id"), now)
    elif request.visit_id != visit["id"]:
        _planned(session, request, visit, now)


def follow_route(session: Session, event: Event) -> None:
    """A route's next stop is a request: the resident hears that the vehicle is on its way."""
    next_visit_id = event.data["next_visit_id"]
    if next_visit_id is None:
        return
    query = select(Request).where(
        Request.visit_id == next_visit_id, Request.status == Status.STOP_PLANNED
    )
    request = session.scalars(query.options(selectinload(Request.timeline))).one_or_none()
    if request is not None:
        service.on_the_way(session, request, request.eta, event.at)


def _of_visit(session: Session, visit: dict[str, object]) -> Request | None:
    query = select(Request).where(Request.id == visit["ref"])
    return session.scalars(query.options(selectinload(Request.timeline))).one_or_none()


def _planned(session: Session, request: Request, visit: dict[str, str], now: datetime) -> None:
    """A request that waited for tomorrow's plan has its stop in it now."""
    if request.deferred_to is None:
        return
    service.stop_placed(
        session,
        request,
        visit_id=visit["id"],
        route_id=visit["route_id"],
        vehicle_id=visit["vehicle_id"],
        eta=parse_iso(visit["planned_arrival"]),
        now=now,
    )


def _instant(text: str | None, otherwise: datetime) -> datetime:
    return parse_iso(text) if text else otherwise


handlers = [
    Handler("feedback.follow_visit", frozenset({"routing.visit_changed"}), follow_visit),
    Handler("feedback.follow_route", frozenset({"routing.route_changed"}), follow_route),
]
