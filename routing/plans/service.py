"""Use cases of plans: order one, publish one. Services flush; the edge commits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from fleet.kit import jobs
from fleet.kit.errors import Conflict, NotFound, Refused
from fleet.kit.ids import new_id
from fleet.kit.jobs import Job
from fleet.kit.outbox import emit
from fleet.org import queries as org
from routing.models import (
    DeferredStop,
    Plan,
    PlanStatus,
    Route,
    RouteProgress,
    Visit,
    VisitKind,
    VisitStatus,
)
from routing.plans import queries, views
from routing.plans.queries import Wards

NIGHT = "plan_night"
SELECTION = "plan_selection"


def order_night(
    session: Session,
    service_date: date,
    now: datetime,
    *,
    shift: str | None = None,
    seed: int | None = None,
    iterations: int | None = None,
    publish: bool = True,
    again: bool = False,
) -> Job:
    """Ask for the plan of all wards; asked again for the same date and shift, the same job.

    `again`: a new job also when there was one, as a dispatcher may wish.
    """
    key = f"plan-night:{service_date.isoformat()}:{shift or 'all'}"
    return jobs.enqueue(
        session,
        NIGHT,
        _payload(session, service_date, shift, seed, iterations, publish),
        key=f"{key}:{new_id('again')}" if again else key,
        now=now,
    )


def order_selection(
    session: Session,
    service_date: date,
    now: datetime,
    *,
    wards: Sequence[str] = (),
    vehicles: Sequence[str] = (),
    shift: str | None = None,
    seed: int | None = None,
    iterations: int | None = None,
    publish: bool = False,
) -> Job:
    """Ask for a new plan of some wards, or of what some vehicles have to do.

    Raises:
        NotFound: a ward or vehicle is not known.
    """
    for field, known, asked in (
        ("wards", {ward.id for ward in org.wards(session)}, wards),
        ("vehicles", {vehicle.id for vehicle in org.vehicles(session)}, vehicles),
    ):
        strange = sorted(set(asked) - known)
        if strange:
            raise NotFound(
                f"Not known: {', '.join(strange)}.", field=field, remedy="Choose from the lists."
            )
    payload = _payload(session, service_date, shift, seed, iterations, publish)
    return jobs.enqueue(
        session,
        SELECTION,
        {**payload, "wards": sorted(wards), "vehicles": sorted(vehicles)},
        key=f"plan-selection:{new_id('sel')}",
        now=now,
    )


def _payload(
    session: Session,
    service_date: date,
    shift: str | None,
    seed: int | None,
    iterations: int | None,
    publish: bool,
) -> dict[str, Any]:
    policy = org.policy(session)
    return {
        "service_date": service_date.isoformat(),
        "shift": shift,
        "seed": policy.plan_seed if seed is None else seed,
        "iterations": policy.plan_iterations if iterations is None else iterations,
        "publish": publish,
    }


def publish(
    session: Session,
    plan_id: str,
    now: datetime,
    *,
    wards: Wards = None,
    version: int | None = None,
) -> Plan:
    """Make a draft the plan to drive. It replaces the routes of its vehicles, date and shifts.

    What facts and drivers said of visits that the new routes also have is carried over.

    Raises:
        NotFound: no such plan in the caller's wards.
        Conflict: the plan is not at `version` any more.
        Refused: it is published or superseded already.
    """
    plan = queries.plan(session, wards, plan_id, for_update=True)
    if wards is not None and not wards.issuperset(plan.ward_ids):
        raise Refused(
            "The plan also covers wards of other zones.",
            type="outside-zones",
            field="id",
            remedy="Ask somebody who sees all its wards, or plan your own wards only.",
        )
    if version is not None and plan.version != version:
        raise Conflict(
            f"The plan is at version {plan.version}.", field="version", remedy="Read it again."
        )
    if plan.status != PlanStatus.DRAFT:
        raise Refused(
            f"The plan is {plan.status}.",
            type="plan-not-draft",
            field="id",
            remedy="Publish a draft, or make a new plan.",
        )
    pairs = {(vehicle, shift) for vehicle, shift in plan.scope}
    old = [
        r for r in queries.published(session, plan.service_date) if (r.vehicle_id, r.shift) in pairs
    ]
    for route in old:
        route.status = PlanStatus.SUPERSEDED
    session.flush()  # the unique index must see the ends before the new rows
    new = session.scalars(
        select(Route).where(Route.plan_id == plan.id).order_by(Route.vehicle_id, Route.start_t)
    ).all()
    for route in new:
        route.status = PlanStatus.PUBLISHED
        session.add(RouteProgress(route_id=route.id, late_s=0))
    plan.mark_published(now)
    session.flush()
    carried = _carry_over(session, old, new)
    _take_up_stops(session, plan, new)
    _supersede_plans(session, {route.plan_id for route in old} - {plan.id})
    session.flush()
    _announce(session, plan, [*old, *new], carried)
    return plan


def _carry_over(session: Session, old: Sequence[Route], new: Sequence[Route]) -> list[Visit]:
    """Outcomes and reports go along to the visit of the same thing in a new route."""
    known: dict[tuple[str, str], Visit] = {}
    for visit in _visits_of(session, old):
        if visit.status != VisitStatus.PENDING or visit.report is not None:
            known[visit.kind, visit.ref] = visit
    carried = []
    for visit in _visits_of(session, new) if known else ():
        before = known.get((visit.kind, visit.ref)) if visit.is_work else None
        if before is not None:
            visit.status = before.status
            visit.evidence = before.evidence
            visit.seen = before.seen
            visit.proved_t = before.proved_t
            visit.since_t = before.since_t
            visit.report = before.report
            carried.append(visit)
    return carried


def _visits_of(session: Session, routes: Sequence[Route]) -> Sequence[Visit]:
    return session.scalars(
        select(Visit)
        .where(Visit.route_id.in_([route.id for route in routes]))
        .order_by(Visit.route_id, Visit.seq)
    ).all()


def _take_up_stops(session: Session, plan: Plan, routes: Sequence[Route]) -> None:
    taken = [v.ref for v in _visits_of(session, routes) if v.kind == VisitKind.REQUEST]
    session.execute(
        update(DeferredStop).where(DeferredStop.request_id.in_(taken)).values(planned_in=plan.id)
    )


def _supersede_plans(session: Session, plan_ids: set[str]) -> None:
    """A plan none of whose routes is driven any more is superseded."""
    for plan_id in sorted(plan_ids):
        alive = select(Route.id).where(
            Route.plan_id == plan_id, Route.status == PlanStatus.PUBLISHED
        )
        plan = session.get_one(Plan, plan_id)
        if session.scalar(alive.limit(1)) is None:
            plan.mark_superseded()
            session.flush()
            announce(session, plan)


def _announce(
    session: Session, plan: Plan, routes: Sequence[Route], carried: Sequence[Visit]
) -> None:
    announce(session, plan)
    for summary in queries.summaries(session, routes):
        emit(session, "routing.route_changed", summary["id"], summary)
    by_id = {route.id: route for route in routes}
    stops = [
        v
        for v in _visits_of(session, [r for r in routes if r.status == PlanStatus.PUBLISHED])
        if v.kind == VisitKind.REQUEST
    ]
    for visit in {v.id: v for v in (*carried, *stops)}.values():
        route = by_id[visit.route_id]
        emit(session, "routing.visit_changed", visit.id, views.visit_view(visit, route, None))


def announce(session: Session, plan: Plan) -> None:
    """Emit `routing.plan_changed` with the plan's summary."""
    emit(session, "routing.plan_changed", plan.id, views.plan_summary(plan))
