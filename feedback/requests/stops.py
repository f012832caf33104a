"""From a request to a stop on a running route, or to the plan of the next service date."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from feedback.requests import queries, service
from feedback.requests.models import Request
from feedback.requests.schemas import StopAnswer
from fleet.kit.times import service_date_of
from fleet.kit.web import Kit
from fleet.org import queries as org
from fleet.people.scope import Scope
from fleet.roads.engine import RoadEngines
from routing.live import stops as live
from routing.live.stops import Deferred, RouteChanged, StopRequest

ATTEMPTS = 3


def order_stop(
    kit: Kit,
    roads: RoadEngines,
    scope: Scope,
    request_id: str,
    *,
    version: int,
    tomorrow: bool,
    now: datetime,
) -> StopAnswer:
    """Put the request on the running route where it costs least.

    Road times are asked outside any transaction; a route that moved meanwhile is tried again, and
    the last refusal goes to the caller. Raises `Conflict`, `Refused`, `NotFound`, `RouteChanged`.
    """
    for attempt in range(1, ATTEMPTS + 1):
        with kit.db.reading() as session:
            request = queries.staff_request(session, scope, request_id)
            service.expect_version(request, version)
            service.expect_plannable(request)
            stop = _stop_of(request)
            next_date = service_date_of(now, org.city_zone(session)) + timedelta(days=1)
        proposal = None if tomorrow else live.propose(kit, roads, stop, now)
        try:
            with kit.db.unit_of_work() as session:
                request = queries.staff_request(session, scope, request_id)
                service.expect_version(request, version)
                if proposal is None or isinstance(proposal, Deferred):
                    to = proposal.service_date if proposal else next_date
                    live.defer(session, stop, to)
                    service.stop_deferred(session, request, to=to, now=now)
                    reason = proposal.reason if proposal else None
                    return StopAnswer(placed=False, reason=reason, deferred_to=to)
                return _place(session, request, live.apply(session, proposal, now), now)
        except RouteChanged:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the loop returns or raises")


def _place(
    session: Session, request: Request, visit: live.PlacedVisit, now: datetime
) -> StopAnswer:
    service.stop_placed(
        session,
        request,
        visit_id=visit.visit_id,
        route_id=visit.route_id,
        vehicle_id=visit.vehicle_id,
        eta=visit.planned_arrival,
        now=now,
    )
    return StopAnswer(
        placed=True,
        route_id=visit.route_id,
        vehicle_id=visit.vehicle_id,
        visit_id=visit.visit_id,
        planned_arrival=visit.planned_arrival,
    )


def _stop_of(request: Request) -> StopRequest:
    category = service.category_of(request.service_code)
    return StopRequest(
        request_id=request.id,
        code=request.code,
        lon=request.lon,
        lat=request.lat,
        service_s=category.service_s,
        kg=dict(category.kg),
        lane_id=request.lane_id,
        ward_id=request.ward_id,
        words=request.words,
    )
