"""Brings an outcome into a visit's row, and a route's progress up to date. Flushes only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.outbox import emit
from fleet.kit.times import iso, parse_iso
from fleet.org.policy import Policy
from routing.live.outcomes import Outcome
from routing.live.progress import DONE, Step, assess
from routing.models import (
    PlanStatus,
    Route,
    RouteProgress,
    Visit,
    VisitKind,
    VisitStatus,
)
from routing.plans import queries, views

BEFORE = timedelta(hours=1)
AFTER = timedelta(hours=3)
"""Facts from this long before a route's start until this long after its shift count for it."""


def window_of(route: Route) -> tuple[datetime, datetime]:
    return route.start_t - BEFORE, route.shift_end_t + AFTER


def routes_at(session: Session, vehicle_id: str, t: datetime) -> list[Route]:
    """Published routes of a vehicle whose window holds an instant."""
    found = session.scalars(
        select(Route).where(
            Route.vehicle_id == vehicle_id,
            Route.status == PlanStatus.PUBLISHED,
            Route.start_t <= t + BEFORE,
            Route.shift_end_t >= t - AFTER,
        )
    )
    return sorted(found, key=lambda route: route.start_t)


def settle(visit: Visit, outcome: Outcome, now: datetime) -> bool:
    """Bring what all facts together say into the row; True when the wire should hear of it.

    Served in part, driven through or unknown is only noted (`seen`) until the sweep judges the
    visit: the vehicle may still be in the lane, or come back and serve it. Once it was judged,
    facts correct the judgement, and the evidence keeps what was said before.
    """
    judged = visit.status != VisitStatus.PENDING
    status = outcome.status if outcome.settled or judged else VisitStatus.PENDING
    evidence = _evidence(visit, outcome, status, now)
    if status == visit.status and evidence == visit.evidence:
        return False
    visit.seen = None if outcome.settled else outcome.status
    visit.proved_t = outcome.end_t if outcome.settled else None
    visit.at_risk = visit.at_risk and status == VisitStatus.PENDING
    visit.status = status
    visit.evidence = evidence
    return True


def withdraw(visit: Visit, now: datetime) -> bool:
    """Facts were taken back and say nothing of the visit any more; True when that is news."""
    if visit.seen is None and visit.status not in DONE:
        return False
    judged = visit.status not in (VisitStatus.PENDING, *DONE)
    history = [*(visit.evidence or {}).get("history", ())]
    if visit.status != VisitStatus.PENDING:
        history.append({"status": visit.status, "until": iso(now)})
    visit.seen = visit.proved_t = None
    visit.status = VisitStatus.MISSED if judged else VisitStatus.PENDING
    visit.evidence = {**NO_EVIDENCE, "history": history} if history else None
    return True


NO_EVIDENCE: dict[str, Any] = {
    "start_t": None,
    "end_t": None,
    "served_fraction": 0.0,
    "driven_fraction": 0.0,
    "pace_mps": None,
    "vehicle_id": None,
    "provisional": False,
}


def _evidence(visit: Visit, outcome: Outcome, status: VisitStatus, now: datetime) -> dict[str, Any]:
    before = visit.evidence or {}
    evidence: dict[str, Any] = {
        "start_t": iso(outcome.start_t),
        "end_t": iso(outcome.end_t),
        "served_fraction": outcome.served_fraction,
        "driven_fraction": outcome.driven_fraction,
        "pace_mps": outcome.pace_mps,
        "vehicle_id": outcome.vehicle_id,
        "provisional": outcome.provisional,
        "probable": visit.is_point,
    }
    history = list(before.get("history", ()))
    if status != visit.status and visit.status != VisitStatus.PENDING:
        history.append({"status": visit.status, "until": iso(now)})
    if history:
        evidence["history"] = history
    return evidence


def announce_visits(session: Session, route: Route, visits: Iterable[Visit]) -> None:
    """Emit `routing.visit_changed` for each, after a flush (for versions)."""
    session.flush()
    progress = session.get(RouteProgress, route.id)
    for visit in visits:
        emit(session, "routing.visit_changed", visit.id, views.visit_view(visit, route, progress))


def announce_route(session: Session, route: Route) -> None:
    session.flush()
    (summary,) = queries.summaries(session, [route])
    emit(session, "routing.route_changed", route.id, summary)


def steps_of(session: Session, route_ids: Sequence[str]) -> dict[str, list[Step]]:
    """Each route's visits as progress sees them, in order."""
    steps: dict[str, list[Step]] = {route_id: [] for route_id in route_ids}
    rows = session.execute(
        select(
            Visit.route_id,
            Visit.id,
            Visit.kind,
            Visit.planned_arrival,
            Visit.planned_departure,
            Visit.status,
            Visit.proved_t,
            Visit.seen,
            Visit.at_risk,
            Visit.report,
        )
        .where(Visit.route_id.in_(route_ids))
        .order_by(Visit.route_id, Visit.seq)
    )
    for route_id, visit_id, kind, arrival, departure, status, proved_t, seen, risk, report in rows:
        steps[route_id].append(
            Step(
                visit_id=visit_id,
                at_risk=risk,
                reported_t=parse_iso(report["t"]) if report else None,
                work=kind in (VisitKind.LANE, VisitKind.BIN, VisitKind.REQUEST),
                planned_arrival=arrival,
                planned_departure=departure,
                status=VisitStatus(status),
                proved_t=proved_t,
                seen=VisitStatus(seen) if seen else None,
            )
        )
    return steps


def refresh(session: Session, route: Route, now: datetime, policy: Policy) -> None:
    """Bring delay and next visit up to date after facts, and tell the wire."""
    progress = session.get(RouteProgress, route.id)
    if progress is None:
        progress = RouteProgress(route_id=route.id, late_s=0)
        session.add(progress)
    session.flush()
    steps = steps_of(session, [route.id])[route.id]
    judged = assess(steps, now=now, shift_end_t=route.shift_end_t, silences=(), policy=policy)
    progress.late_s = judged.late_s
    progress.next_visit_id = judged.next_visit_id
    progress.last_fact_t = now
    announce_route(session, route)


def service_dates_around(service_date: date) -> tuple[date, date]:
    """A pass after midnight may belong to the shift of the evening before."""
    return service_date - timedelta(days=1), service_date
