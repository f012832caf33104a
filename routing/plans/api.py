"""HTTP for plans, routes and jobs."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends

from fleet.kit import jobs
from fleet.kit.errors import Malformed, Refused
from fleet.kit.i18n import t
from fleet.kit.web import Now, Reading, UnitOfWork
from fleet.people.models import Role
from fleet.people.scope import Scope, requires
from routing.live import locking
from routing.models import RouteProgress
from routing.plans import queries, selection, service, views
from routing.plans.schemas import PlanOrder, PublishOrder

router = APIRouter(prefix="/api", tags=["routing"])

Dispatcher = Annotated[Scope, Depends(requires(Role.DISPATCHER))]
Json = dict[str, Any]


@router.get("/routes", summary="Published routes of a service date")
def routes(service_date: date, scope: Dispatcher, session: Reading) -> list[Json]:
    return queries.route_summaries(session, scope, service_date)


@router.get("/routes/{route_id}", summary="A route with its visits")
def route(route_id: str, scope: Dispatcher, session: Reading) -> Json:
    found = queries.route(session, queries.wards_of(session, scope), route_id)
    visits = queries.visits(session, found.id)
    return views.route_view(
        found,
        session.get(RouteProgress, found.id),
        visits,
        locking.locked_ids(session, found, visits),
    )


@router.post("/plans", status_code=202, summary="Order a plan; answers its job")
def order_plan(body: PlanOrder, scope: Dispatcher, session: UnitOfWork, now: Now) -> Json:
    allowed = queries.wards_of(session, scope)
    published = queries.published(session, body.service_date)
    if body.wards and body.vehicles:
        raise Malformed(
            t(scope.lang, "routing.wards_or_vehicles"),
            field="vehicles",
            remedy=t(scope.lang, "routing.wards_or_vehicles_remedy"),
        )
    asked = set(body.wards)
    if body.vehicles:
        replaced = [r for r in published if r.vehicle_id in body.vehicles]
        asked = {ward for r in replaced for ward in r.ward_ids}
    elif body.wards:
        asked, replaced = selection.closure(published, asked)
    else:
        replaced = list(published)
    if allowed is not None and (not asked or not asked <= allowed):
        raise Refused(
            t(scope.lang, "routing.outside_zones"),
            type="outside-zones",
            field="wards",
            remedy=t(scope.lang, "routing.outside_zones_remedy"),
        )
    selection.refuse_running(replaced, now, body.shift)
    options = body.model_dump(include={"shift", "seed", "iterations", "publish"})
    if body.wards or body.vehicles:
        job = service.order_selection(
            session, body.service_date, now, wards=body.wards, vehicles=body.vehicles, **options
        )
    else:
        job = service.order_night(session, body.service_date, now, again=True, **options)
    return job.view()


@router.get("/plans", summary="Plans of a service date, newest first")
def plans(service_date: date, scope: Dispatcher, session: Reading) -> list[Json]:
    found = queries.plans(session, queries.wards_of(session, scope), service_date)
    return [views.plan_summary(plan) for plan in found]


@router.get("/plans/{plan_id}", summary="A plan: cost, what was left out and why, routes")
def plan(plan_id: str, scope: Dispatcher, session: Reading) -> Json:
    found = queries.plan(session, queries.wards_of(session, scope), plan_id)
    return views.plan_view(found, queries.routes_of_plan(session, found.id), scope.lang)


@router.post("/plans/{plan_id}/publish", summary="Make a draft the plan to drive")
def publish(
    plan_id: str, body: PublishOrder, scope: Dispatcher, session: UnitOfWork, now: Now
) -> Json:
    wards = queries.wards_of(session, scope)
    plan = service.publish(session, plan_id, now, wards=wards, version=body.version)
    return views.plan_summary(plan)


@router.get("/jobs/{job_id}", summary="How far a job is")
def job(job_id: str, scope: Dispatcher, session: Reading) -> Json:
    return jobs.get(session, job_id).view()


@router.post("/jobs/{job_id}/cancel", summary="Stop a job")
def cancel_job(job_id: str, scope: Dispatcher, session: UnitOfWork, now: Now) -> Json:
    return jobs.cancel(session, job_id, now=now).view()
