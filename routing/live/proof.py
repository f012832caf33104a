"""What is held of each visit, why, and what was held before: reads for dispatchers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.errors import NotFound
from fleet.kit.i18n import t
from fleet.kit.times import iso, parse_iso
from fleet.people.scope import Scope
from routing.live import facts
from routing.models import WORK_KINDS, Judgement, PlanStatus, Route, Visit
from routing.plans.queries import sees, wards_of
from tracking import evidence as trails
from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog

AROUND = timedelta(seconds=60)
"""Fixes from this long before and after a proof are shown with it."""
LONGEST = timedelta(hours=1)


def of_day(
    session: Session, scope: Scope, service_date: date, ward_id: str | None
) -> list[dict[str, Any]]:
    """Every visit of a service date with its judgements, newest first, in order of the routes."""
    wards = wards_of(session, scope)
    rows = session.execute(
        select(Visit, Route)
        .join(Route, Route.id == Visit.route_id)
        .where(
            Route.status == PlanStatus.PUBLISHED,
            Visit.service_date == service_date,
            Visit.kind.in_(WORK_KINDS),
        )
        .order_by(Visit.route_id, Visit.seq)
    ).all()
    found = [
        (visit, route)
        for visit, route in rows
        if sees(wards, [visit.ward_id or ""]) and ward_id in (None, visit.ward_id)
    ]
    said: dict[str, list[dict[str, Any]]] = {}
    judgements = session.scalars(
        select(Judgement)
        .join(Visit, Visit.id == Judgement.visit_id)
        .where(Visit.service_date == service_date)
        .order_by(Judgement.n.desc())
    )
    for row in judgements:
        said.setdefault(row.visit_id, []).append(_said(row, scope.lang))
    return [_view(visit, route, said.get(visit.id, []), scope.lang) for visit, route in found]


def of_visit(session: Session, fixlog: FixLog, scope: Scope, visit_id: str) -> dict[str, Any]:
    """One visit with its judgements, the passes along its lane, and the fixes that prove it.

    Raises:
        NotFound: no such visit in the caller's area.
    """
    row = session.execute(
        select(Visit, Route).join(Route, Route.id == Visit.route_id).where(Visit.id == visit_id)
    ).one_or_none()
    if row is None or not sees(wards_of(session, scope), [row[0].ward_id or ""]):
        raise NotFound(
            t(scope.lang, "routing.no_visit", id=visit_id),
            remedy=t(scope.lang, "routing.no_visit_remedy"),
        )
    visit, route = row
    judgements = session.scalars(
        select(Judgement).where(Judgement.visit_id == visit_id).order_by(Judgement.n.desc())
    )
    since, until = facts.window_of(route)
    days = (visit.service_date, visit.service_date + timedelta(days=1))
    passes = trails.passes(session, [visit.lane_id], days) if visit.lane_id else []
    view = _view(visit, route, [_said(j, scope.lang) for j in judgements], scope.lang)
    return {
        **view,
        "passes": [p.view() for p in passes if since <= p.start_t <= until],
        "fixes": [_fix(fix) for fix in _fixes(fixlog, visit, route)],
    }


def _fixes(fixlog: FixLog, visit: Visit, route: Route) -> list[Fix]:
    """Of the vehicle that proved it, or else of the one that should have come."""
    evidence: Mapping[str, Any] = visit.evidence or {}
    start_t, end_t = evidence.get("start_t"), evidence.get("end_t")
    since = parse_iso(start_t) if start_t else visit.planned_arrival
    until = parse_iso(end_t) if end_t else visit.planned_departure
    return fixlog.window(
        evidence.get("vehicle_id") or route.vehicle_id,
        since - AROUND,
        min(until, since + LONGEST) + AROUND,
        include_marked=True,
    )


def _fix(fix: Fix) -> list[float | str | None]:
    return [fix.t.timestamp(), fix.lon, fix.lat, fix.speed_mps, fix.mark]


def _view(visit: Visit, route: Route, said: list[dict[str, Any]], lang: str) -> dict[str, Any]:
    evidence: Mapping[str, Any] = visit.evidence or {}
    return {
        "visit_id": visit.id,
        "route_id": route.id,
        "kind": visit.kind,
        "ref": visit.ref,
        "lane_id": visit.lane_id,
        "ward_id": visit.ward_id,
        "vehicle_id": route.vehicle_id,
        "status": visit.status,
        "probable": evidence.get("probable", False),
        "reason": evidence.get("reason"),
        "text": said[0]["text"] if said else None,
        "evidence": visit.evidence,
        "history": said,
    }


def _said(row: Judgement, lang: str) -> dict[str, Any]:
    evidence: Mapping[str, Any] = row.evidence or {}
    return {
        "status": row.status,
        "reason": row.reason,
        "text": reason_text(lang, row.reason, evidence),
        "made_t": iso(row.made_t),
        "evidence": row.evidence,
    }


def reason_text(lang: str, reason: str, evidence: Mapping[str, Any]) -> str:
    """The sentence that says why a visit was judged so."""
    values = {
        "served": round(100 * (evidence.get("served_fraction") or 0.0)),
        "driven": round(100 * (evidence.get("driven_fraction") or 0.0)),
        "minutes": round((evidence.get("spent_s") or 0.0) / 60, 1),
        "vehicle": evidence.get("vehicle_id") or "–",
    }
    return t(lang, f"routing.proof.{reason}", **values)
