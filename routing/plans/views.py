"""The wire shapes of plans, routes and visits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fleet.kit.i18n import t
from fleet.kit.times import iso
from routing.models import Plan, Route, RouteProgress, Visit, VisitStatus

Counts = Mapping[str, int]
"""Working visits by status."""


def plan_summary(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "version": plan.version,
        "service_date": plan.service_date.isoformat(),
        "shift": plan.shift,
        "status": plan.status,
        "kind": plan.kind,
        "seed": plan.seed,
        "iterations": plan.iterations,
        "created_at": iso(plan.created_at),
        "published_at": _iso(plan.published_at),
        "based_on": plan.based_on,
        "wards": plan.ward_ids,
        "solver_s": plan.solver_s,
        "unplanned": len(plan.unplanned),
        "cost": plan.cost["total_s"],
        **{key: plan.summary[key] for key in ("vehicles", "visits", "km", "hours", "trips", "kg")},
    }


def plan_view(plan: Plan, routes: Sequence[dict[str, Any]], lang: str) -> dict[str, Any]:
    """A plan with its reasons: cost by part (seconds of work), what was left out, and why."""
    return {
        **plan_summary(plan),
        "cost_parts": plan.cost,
        "not_collected": plan.summary["not_collected"],
        "unplanned": [{**entry, "reason": unplanned_text(lang, entry)} for entry in plan.unplanned],
        "routes": routes,
        "compared_to": plan.summary["compared_to"],
    }


def unplanned_text(lang: str, entry: Mapping[str, Any]) -> str:
    """Why a visit was left out, for a person."""
    reason = t(lang, f"routing.unplanned.{entry['code']}")
    return f"{reason} {entry['detail']}" if lang == "en" and entry["detail"] else reason


def route_summary(route: Route, progress: RouteProgress | None, counts: Counts) -> dict[str, Any]:
    return {
        "id": route.id,
        "version": route.version,
        "plan_id": route.plan_id,
        "vehicle_id": route.vehicle_id,
        "service_date": route.service_date.isoformat(),
        "shift": route.shift,
        "ward_ids": route.ward_ids,
        "status": route.status,
        "start_t": iso(route.start_t),
        "end_t": iso(route.end_t),
        "km": route.km,
        "hours": route.hours,
        "trips": route.trips,
        "kg": route.kg,
        "visits": sum(counts.values()),
        "served": counts.get(VisitStatus.SERVED, 0),
        "missed": counts.get(VisitStatus.MISSED, 0),
        "partly": counts.get(VisitStatus.PARTLY, 0),
        "driven_through": counts.get(VisitStatus.DRIVEN_THROUGH, 0),
        "unknown": counts.get(VisitStatus.UNKNOWN, 0),
        "pending": counts.get(VisitStatus.PENDING, 0),
        "late_s": progress.late_s if progress else 0,
        "next_visit_id": progress.next_visit_id if progress else None,
    }


def route_view(
    route: Route,
    progress: RouteProgress | None,
    visits: Sequence[Visit],
    locked: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """A route with its visits in order; `locked`: those that no new stop may displace."""
    return {
        **route_summary(route, progress, counts_of(visits)),
        "visits": [
            {
                **visit_view(visit, route, progress),
                "approach": visit.approach,
                "approach_m": visit.approach_m,
                "locked": visit.id in locked,
            }
            for visit in visits
        ],
    }


def visit_view(visit: Visit, route: Route, progress: RouteProgress | None) -> dict[str, Any]:
    """A visit as events carry it: without approach, with its vehicle."""
    return {
        "id": visit.id,
        "route_id": visit.route_id,
        "vehicle_id": route.vehicle_id,
        "service_date": visit.service_date.isoformat(),
        "version": visit.version,
        "seq": visit.seq,
        "kind": visit.kind,
        "ref": visit.ref,
        "lane_id": visit.lane_id,
        "name": visit.name,
        "name_hi": visit.name_hi,
        "ward_id": visit.ward_id,
        "lon": visit.lon,
        "lat": visit.lat,
        "path": visit.path,
        "planned_arrival": iso(visit.planned_arrival),
        "planned_departure": iso(visit.planned_departure),
        "service_s": visit.service_s,
        "kg": visit.kg,
        "service_mode": visit.service_mode,
        "on_foot": visit.on_foot,
        "households": visit.households,
        "status": visit.status,
        "at_risk": visit.at_risk,
        "eta": _iso(eta_of(visit, progress)),
        "evidence": visit.evidence,
        "report": visit.report,
        "request_id": visit.request_id,
        "request_code": visit.request_code,
    }


def eta_of(visit: Visit, progress: RouteProgress | None) -> datetime | None:
    """Planned arrival and the route's present delay; None once the visit has an outcome."""
    if visit.status != VisitStatus.PENDING:
        return None
    return visit.planned_arrival + timedelta(seconds=progress.late_s if progress else 0)


def counts_of(visits: Sequence[Visit]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for visit in visits:
        if visit.is_work:
            counts[visit.status] = counts.get(visit.status, 0) + 1
    return counts


def _iso(instant: datetime | None) -> str | None:
    return None if instant is None else iso(instant)
