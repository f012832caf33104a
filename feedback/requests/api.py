"""HTTP for residents and for the staff who work on their requests."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from fastapi import Request as HttpRequest

from feedback.requests import check, queries, service
from feedback.requests.models import Status
from feedback.requests.schemas import (
    Close,
    PublicRequest,
    Rating,
    RequestCreate,
    RequestCreated,
    RequestSummary,
    RequestView,
    StopAnswer,
    StopOrder,
)
from feedback.requests.stops import order_stop
from fleet.kit.web import KitDep, Now, Reading, UnitOfWork
from fleet.org import queries as org
from fleet.people.models import Role
from fleet.people.scope import Scope, requires

router = APIRouter(tags=["requests"])

Lang = Annotated[str, Query(pattern="^(en|hi)$")]
Staff = Annotated[Scope, Depends(requires(Role.DISPATCHER, Role.OPERATOR))]
Dispatcher = Annotated[Scope, Depends(requires(Role.DISPATCHER))]


@router.post("/api/requests", status_code=201, summary="Report something to the city")
def make_request(body: RequestCreate, http: HttpRequest, kit: KitDep, now: Now) -> RequestCreated:
    """Checked against today's trails at once; the same `client_id` answers the same."""
    made = check.make(kit, http.app.state.fixlog, body, now)
    return RequestCreated(
        code=made.code, url=f"/r/{made.code}", status=made.status, promised_at=made.promised_at
    )


@router.get("/api/r/{code}", summary="What became of a request")
def public_request(code: str, session: Reading, lang: Lang = "en") -> PublicRequest:
    request = queries.public_request(session, code)
    return queries.public_view(request, org.city_zone(session), lang)


@router.post("/api/r/{code}/rating", summary="Say how it went")
def rate(
    code: str, body: Rating, session: UnitOfWork, now: Now, lang: Lang = "en"
) -> PublicRequest:
    request = queries.public_request(session, code)
    service.rate(session, request, body.rating, body.words, now)
    return queries.public_view(request, org.city_zone(session), lang)


@router.get("/api/requests", summary="Requests of the caller's zones, newest first")
def list_requests(
    session: Reading,
    scope: Staff,
    status: Annotated[list[Status] | None, Query()] = None,
    ward: str | None = None,
) -> list[RequestSummary]:
    tz = org.city_zone(session)
    found = queries.requests(session, scope, statuses=status, ward_id=ward)
    return [queries.summary(request, tz, scope.lang) for request in found]


@router.get("/api/requests/{request_id}", summary="One request with its evidence and timeline")
def read_request(request_id: str, session: Reading, scope: Staff) -> RequestView:
    request = queries.staff_request(session, scope, request_id)
    return queries.view(request, org.city_zone(session), scope.lang)


@router.post("/api/requests/{request_id}/stop", summary="Make the request a stop")
def make_stop(
    request_id: str,
    body: StopOrder,
    http: HttpRequest,
    kit: KitDep,
    now: Now,
    scope: Dispatcher,
) -> StopAnswer:
    """On the best running route, or with the reason why not and the day when it is planned."""
    return order_stop(
        kit,
        http.app.state.roads,
        scope,
        request_id,
        version=body.version,
        tomorrow=body.when == "tomorrow",
        now=now,
    )


@router.post("/api/requests/{request_id}/close", summary="Answer and close")
def close(
    request_id: str, body: Close, session: UnitOfWork, scope: Dispatcher, now: Now
) -> RequestView:
    request = queries.staff_request(session, scope, request_id)
    service.expect_version(request, body.version)
    service.answer(session, request, body.words, now)
    return queries.view(request, org.city_zone(session), scope.lang)
