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
    Judgement,
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


def settle(session: Session, visit: Visit, outcome: Outcome, now: datetime) -> bool:
    """Bring what all facts together say into the row; True when the wire should hear of it.

    Served is said at once. Served in part or driven through is only noted (`seen`) until the
    sweep judges the visit, which knows the whole route: the vehicle may still be in the lane, or
    come back, or was silent there. A visit that was judged already is judged again.
    """
    evidence = {
        "start_t": iso(outcome.start_t),
        "end_t": iso(outcome.end_t),
        "served_fraction": outcome.served_fraction,
        "driven_fraction": outcome.driven_fraction,
        "pace_mps": outcome.pace_mps,
        "vehicle_id": outcome.vehicle_id,
        "provisional": outcome.provisional,
        "probable": outcome.probable,
        "spent_s": outcome.spent_s,
        "reason": outcome.reason,
    }
    before = visit.evidence or {}
    same = all(before.get(key) == value for key, value in evidence.items() if key != "reason")
    if same and (before["reason"] == outcome.reason or visit.status != VisitStatus.PENDING):
        return False  # the sweep may have given another reason for the same facts
    if outcome.settled:
        visit.seen, visit.proved_t = None, outcome.end_t
        visit.at_risk = False
        visit.recheck = outcome.probable
        judge(session, visit, VisitStatus.SERVED, evidence, now)
        return True
    visit.seen, visit.proved_t = outcome.status, None
    visit.evidence = evidence
    _judge_again(session, visit)
    return True


def withdraw(session: Session, visit: Visit, now: datetime) -> bool:
    """Facts were taken back and say nothing of the visit any more; True when that is news."""
    if visit.seen is None and visit.status not in DONE:
        return False
    visit.seen = visit.proved_t = None
    visit.evidence = {**NO_EVIDENCE, "reason": "withdrawn"}
    _judge_again(session, visit)
    return True


def _judge_again(session: Session, visit: Visit) -> None:
    """Leaves the visit to the sweep, which looks at routes that are not closed."""
    if visit.status == VisitStatus.SERVED:
        visit.status = VisitStatus.PENDING
    visit.recheck = visit.status != VisitStatus.PENDING
    progress = session.get(RouteProgress, visit.route_id)
    if progress is not None:
        progress.closed = False


def judge(
    session: Session, visit: Visit, status: VisitStatus, evidence: dict[str, Any], now: datetime
) -> None:
    """Says what is held of a visit, and keeps it beside what was said before."""
    said = visit.status, (visit.evidence or {}).get("reason")
    visit.status, visit.evidence = status, evidence
    if (status, evidence["reason"]) != said:
        session.add(
            Judgement(
                visit_id=visit.id,
                made_t=now,
                status=status,
                reason=evidence["reason"],
                evidence=evidence,
            )
        )


NO_EVIDENCE: dict[str, Any] = {
    "start_t": None,
    "end_t": None,
    "served_fraction": 0.0,
    "driven_fraction": 0.0,
    "pace_mps": None,
    "vehicle_id": None,
    "provisional": False,
    "probable": False,
}


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
            Visit.evidence,
            Visit.service_s,
            Visit.recheck,
            Visit.path,
        )
        .where(Visit.route_id.in_(route_ids))
        .order_by(Visit.route_id, Visit.seq)
    )
    for row in rows:
        evidence = row.evidence or NO_EVIDENCE
        began_t = evidence["start_t"]
        steps[row.route_id].append(
            Step(
                visit_id=row.id,
                at_risk=row.at_risk,
                reported_t=parse_iso(row.report["t"]) if row.report else None,
                work=row.kind in (VisitKind.LANE, VisitKind.BIN, VisitKind.REQUEST),
                planned_arrival=row.planned_arrival,
                planned_departure=row.planned_departure,
                status=VisitStatus(row.status),
                proved_t=row.proved_t,
                seen=VisitStatus(row.seen) if row.seen else None,
                began_t=parse_iso(began_t) if began_t else None,
                ended_t=parse_iso(evidence["end_t"]) if evidence["end_t"] else None,
                spent_s=evidence.get("spent_s", 0.0),
                # What a resident's stop takes is anybody's guess.
                service_s=float(row.service_s) if row.kind == VisitKind.LANE else 0.0,
                covered=evidence["served_fraction"],
                point=row.kind == VisitKind.LANE and len(row.path) < 2,
                recheck=row.recheck,
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
