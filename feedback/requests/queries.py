"""Reads of requests: for the public by code, for staff by their zones."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, select
from sqlalchemy.orm import Session, selectinload

from feedback.requests.models import OPEN, Request
from feedback.requests.schemas import (
    PublicRequest,
    RequestSummary,
    RequestView,
    TimelineEntry,
)
from feedback.requests.texts import sentence
from fleet.kit.errors import NotFound
from fleet.kit.i18n import t
from fleet.people.scope import Scope

NEWEST = 500
COLUMNS = tuple(
    name for name in RequestSummary.model_fields if name not in {"verdict_text", "verdict_texts"}
)


def _scoped(scope: Scope) -> Select[Request]:
    query = select(Request)
    if scope.zones is not None:
        query = query.where(Request.zone_id.in_(scope.zones))
    return query


def requests(
    session: Session,
    scope: Scope,
    *,
    statuses: Collection[str] | None = None,
    ward_id: str | None = None,
) -> Sequence[Request]:
    """The newest requests that `scope` may see, of some statuses (None: all)."""
    query = _scoped(scope)
    if statuses is not None:
        query = query.where(Request.status.in_(statuses))
    if ward_id is not None:
        query = query.where(Request.ward_id == ward_id)
    return session.scalars(query.order_by(Request.created_at.desc()).limit(NEWEST)).all()


def staff_request(session: Session, scope: Scope, request_id: str) -> Request:
    """One request with its timeline. Raises `NotFound`, also for another zone's."""
    query = _scoped(scope).where(Request.id == request_id).options(selectinload(Request.timeline))
    if (found := session.scalars(query).one_or_none()) is None:
        raise _missing()
    return found


def public_request(session: Session, code: str) -> Request:
    """The request of a public code, typed in any case. Raises `NotFound`."""
    query = select(Request).where(Request.code == code.strip().upper())
    if (
        found := session.scalars(query.options(selectinload(Request.timeline))).one_or_none()
    ) is None:
        raise _missing()
    return found


def summary(request: Request, tz: ZoneInfo, lang: str) -> RequestSummary:
    """A request as lists and events show it."""
    return RequestSummary(**_summary_fields(request, tz, lang))


def view(request: Request, tz: ZoneInfo, lang: str) -> RequestView:
    """A request as a dispatcher opens it; its timeline must be loaded."""
    return RequestView(
        **_summary_fields(request, tz, lang),
        contact=request.contact,
        timeline=_timeline(request, tz, lang),
    )


def public_view(request: Request, tz: ZoneInfo, lang: str) -> PublicRequest:
    """A request as anybody with its code sees it: no contact, no zone, no staff's names."""
    return PublicRequest(
        code=request.code,
        service_code=request.service_code,
        status=request.status,
        lon=request.lon,
        lat=request.lat,
        address=request.address,
        words=request.words,
        photo_ids=request.photo_ids,
        created_at=request.created_at,
        promised_at=request.promised_at,
        eta=request.eta if request.visit_id else None,
        vehicle=request.vehicle_id,
        evidence_text=verdict_text(request, tz, lang),
        timeline=_timeline(request, tz, lang),
        rating=request.rating,
        may_rate=request.rating is None and request.status not in OPEN,
    )


def verdict_text(request: Request, tz: ZoneInfo, lang: str) -> str | None:
    """What the trails say, as a sentence."""
    if request.verdict_key is None:
        return None
    return sentence(lang, tz, request.verdict_key, request.verdict_values)


def _summary_fields(request: Request, tz: ZoneInfo, lang: str) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(request, name) for name in COLUMNS}
    fields["verdict_text"] = verdict_text(request, tz, lang)
    fields["verdict_texts"] = (
        {code: verdict_text(request, tz, code) for code in ("en", "hi")}
        if request.verdict_key
        else None
    )
    return fields


def _timeline(request: Request, tz: ZoneInfo, lang: str) -> list[TimelineEntry]:
    return [
        TimelineEntry(
            at=entry.at,
            key=entry.key,
            text=sentence(lang, tz, entry.key, _localised(lang, entry.values)),
            photo_id=entry.photo_id,
        )
        for entry in request.timeline
    ]


def _localised(lang: str, values: dict[str, Any]) -> dict[str, Any]:
    """Values that are catalogue keys themselves, such as `reason.other`, as words."""
    return {
        name: t(lang, f"feedback.{value}") if name in {"reason", "rating"} else value
        for name, value in values.items()
    }


def _missing() -> NotFound:
    return NotFound(
        "There is no such request.", field="code", remedy="Check the code on your receipt."
    )
