"""Use cases of a request: made, checked, put on a route, followed, answered, rated."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from feedback.categories import Category, categories
from feedback.requests.evidence import NearPass, Verdict
from feedback.requests.models import OPEN, Entry, Request, Status
from feedback.requests.queries import summary
from feedback.requests.schemas import RequestCreate
from feedback.requests.texts import storable
from fleet.kit.errors import Conflict, Malformed, Refused
from fleet.kit.files import Photo
from fleet.kit.ids import new_id, public_code
from fleet.kit.outbox import emit
from fleet.org import queries as org

TOPIC = "feedback.request_changed"
STALE = "stale-version"
"""The kind of conflict that says: look again, somebody decided meanwhile."""
LANE_WITHIN_M = 60.0


@dataclass(frozen=True, slots=True)
class Located:
    """Where a request lies in the city."""

    ward_id: str
    zone_id: str
    lane_id: str | None


def category_of(service_code: str) -> Category:
    """Raises `Malformed` for an unknown code."""
    if (found := categories().get(service_code)) is None:
        raise Malformed(
            f"There is no category {service_code!r}.",
            field="service_code",
            remedy=f"Use one of: {', '.join(categories())}.",
        )
    return found


def locate(session: Session, lon: float, lat: float) -> Located:
    """The ward and the nearest lane. Raises `Malformed` outside the city."""
    ward = org.ward_of(session, lon, lat)
    if ward is None:
        raise Malformed(
            "The place lies outside the city.",
            type="outside-city",
            field="lon,lat",
            remedy="Move the pin to the street where the waste is.",
        )
    near = org.nearest_lane(session, lon, lat, LANE_WITHIN_M)
    return Located(ward.id, ward.zone_id, near[0].id if near else None)


def repeated(session: Session, body: RequestCreate) -> Request | None:
    """The request that this client id made before; `Conflict` when it said other things."""
    found = session.scalars(
        select(Request).where(Request.client_id == body.client_id)
    ).one_or_none()
    if found is not None and found.body_hash != _hash(body):
        raise Conflict(
            "Another request was made with this client_id.",
            field="client_id",
            remedy="Make a new client_id for a new request.",
        )
    return found


def create(
    session: Session,
    body: RequestCreate,
    *,
    located: Located,
    verdict: Verdict | None,
    nearest: NearPass | None,
    now: datetime,
) -> Request:
    """Store a request with what the trails say of it."""
    category = category_of(body.service_code)
    for photo_id in body.photo_ids:
        if session.get(Photo, photo_id) is None:
            raise Malformed(
                f"There is no photo {photo_id!r}.",
                field="photo_ids",
                remedy="Send the photo first and use the id in the answer.",
            )
    policy = org.policy(session)
    request = Request(
        id=new_id("req"),
        code=public_code(),
        body_hash=_hash(body),
        status=Status.CHECKED if verdict else Status.RECEIVED,
        ward_id=located.ward_id,
        zone_id=located.zone_id,
        lane_id=located.lane_id,
        created_at=now,
        promised_at=now + timedelta(hours=policy.sla_h.get(category.service_code, category.sla_h)),
        verdict=verdict.code if verdict else None,
        verdict_key=verdict.key if verdict else None,
        verdict_values=storable(verdict.values) if verdict else {},
        nearest_pass=_pass_json(nearest),
        **body.model_dump(),
    )
    request.timeline = []
    session.add(request)
    _note(request, now, "timeline.received")
    if verdict:
        _note(request, now, "timeline.checked")
    changed(session, request)
    return request


def expect_version(request: Request, version: int) -> None:
    """Raises `Conflict` when the caller saw an older state."""
    if request.version != version:
        raise Conflict(
            f"The request changed meanwhile: it has version {request.version}, not {version}.",
            type=STALE,
            field="version",
            remedy="Load it again and decide on what it says now.",
        )


def expect_plannable(request: Request) -> None:
    """Raises `Refused` for a request that cannot become a stop now."""
    if category_of(request.service_code).kind == "message":
        raise Refused(
            "A message is answered, not collected.", field="service_code", remedy="Answer it."
        )
    if request.status not in {Status.RECEIVED, Status.CHECKED} and request.deferred_to is None:
        raise Refused(
            f"The request is {request.status}; it cannot become another stop.",
            field="status",
            remedy="Follow the stop that it has.",
        )


def stop_placed(
    session: Session,
    request: Request,
    *,
    visit_id: str,
    route_id: str,
    vehicle_id: str,
    eta: datetime,
    now: datetime,
) -> None:
    """The request is a stop on a running route now."""
    request.status = Status.STOP_PLANNED
    request.visit_id, request.route_id, request.vehicle_id = visit_id, route_id, vehicle_id
    request.eta, request.deferred_to = eta, None
    _note(request, now, "timeline.stop_planned", {"vehicle": vehicle_id, "at": eta})
    changed(session, request)


def stop_deferred(session: Session, request: Request, *, to: Any, now: datetime) -> None:
    """The request waits for the plan of `to`, a service date."""
    request.status = Status.STOP_PLANNED
    request.deferred_to = to
    _note(request, now, "timeline.deferred", {"date": to})
    changed(session, request)


def answer(session: Session, request: Request, words: str, now: datetime) -> None:
    """A dispatcher ends the request with an explanation."""
    if request.status not in OPEN:
        raise Refused(
            f"The request is already {request.status}.", field="status", remedy="Nothing to do."
        )
    request.status = Status.ANSWERED
    request.closed_at = now
    _note(request, now, "timeline.answered", {"words": words})
    changed(session, request)


def rate(session: Session, request: Request, rating: str, words: str, now: datetime) -> None:
    """The resident's word on the outcome; the same word again changes nothing."""
    if request.rating == rating:
        return
    if request.status in OPEN:
        raise Refused(
            "The request is still open.", field="rating", remedy="Rate it once it is closed."
        )
    if request.rating is not None:
        raise Refused(
            "The request is rated already.", field="rating", remedy="Make a new request instead."
        )
    request.rating, request.rating_words = rating, words
    _note(request, now, "timeline.rated", {"rating": f"rating.{rating}"})
    changed(session, request)


def on_the_way(session: Session, request: Request, eta: datetime | None, now: datetime) -> None:
    """The driver's next stop is this one."""
    request.status = Status.ON_THE_WAY
    request.eta = eta
    values = {"vehicle": request.vehicle_id, "at": eta or now}
    _note(request, now, "timeline.on_the_way", values)
    changed(session, request)


def reported_done(session: Session, request: Request, photo_id: str | None, now: datetime) -> None:
    """The crew says that it is done; proof from fixes closes it."""
    request.status = Status.DONE
    _note(request, now, "timeline.done", photo_id=photo_id)
    changed(session, request)


def proved(session: Session, request: Request, at: datetime, now: datetime) -> None:
    """Stored fixes show the vehicle serving the place: the request is closed."""
    request.status = Status.CLOSED
    request.closed_at = now
    _note(request, now, "timeline.closed", {"at": at})
    changed(session, request)


def back_to_queue(
    session: Session, request: Request, key: str, values: Mapping[str, Any], now: datetime
) -> None:
    """The stop failed: the request waits for another decision, and the resident is told."""
    request.status = Status.CHECKED if request.verdict else Status.RECEIVED
    request.visit_id = request.route_id = request.vehicle_id = request.eta = None
    _note(request, now, key, values)
    changed(session, request)


def changed(session: Session, request: Request) -> None:
    """Flush, so that the version is the new one, and announce the full state."""
    try:
        session.flush()
    except StaleDataError as error:
        raise Conflict(
            "The request changed at the same moment.",
            type=STALE,
            field="version",
            remedy="Load it again and decide on what it says now.",
        ) from error
    tz = org.city_zone(session)
    emit(session, TOPIC, request.id, summary(request, tz, "en").model_dump(mode="json"))


def _note(
    request: Request,
    now: datetime,
    key: str,
    values: Mapping[str, Any] | None = None,
    photo_id: str | None = None,
) -> None:
    request.timeline.append(
        Entry(at=now, key=key, values=storable(values or {}), photo_id=photo_id)
    )


def _pass_json(nearest: NearPass | None) -> dict[str, Any] | None:
    if nearest is None:
        return None
    return storable(
        {
            "vehicle_id": nearest.vehicle_id,
            "t": nearest.at,
            "distance_m": round(nearest.distance_m, 1),
            "speed_mps": nearest.speed_mps,
        }
    )


def _hash(body: RequestCreate) -> str:
    return hashlib.sha256(msgspec.json.encode(body.model_dump(), order="sorted")).hexdigest()
