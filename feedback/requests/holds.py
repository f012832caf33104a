"""Trails that open requests rest on: retention keeps them until the request is closed."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from feedback.requests.models import OPEN, Request
from fleet.kit.times import local_midnight, service_date_of
from fleet.org import queries as org
from routing.live import queries as live
from tracking.facts.models import LaneTraversal
from tracking.history.holds import Hold

VEHICLES = ("vehicle", "pass_vehicle")
"""Where a verdict's values name vehicles."""


def held(session: Session) -> list[Hold]:
    """The day of each vehicle that an open request's verdict speaks of.

    A verdict rests on what a vehicle did not do as well as on what it did, so that its whole day
    is held: from the midnight before the complaint to the one after it, or longer where a shift
    that was judged ran on.
    """
    tz = org.city_zone(session)
    requests = session.scalars(
        select(Request).where(Request.status.in_(OPEN), Request.verdict.is_not(None))
    )
    spans: dict[tuple[str, datetime], datetime] = {}
    for request in requests:
        day = service_date_of(request.created_at, tz)
        since = local_midnight(day, tz)
        until = local_midnight(day + timedelta(days=1), tz)
        for vehicle_id, begins, ends in _spoken_of(session, request, day):
            key = vehicle_id, min(since, begins or since)
            spans[key] = max(spans.get(key, until), until, ends or until)
    return [Hold(vehicle_id, since, until) for (vehicle_id, since), until in sorted(spans.items())]


def _spoken_of(
    session: Session, request: Request, day: date
) -> list[tuple[str, datetime | None, datetime | None]]:
    """Vehicles with the times that are known of them."""
    values: dict[str, Any] = {**request.verdict_values, **(request.nearest_pass or {})}
    named = {values[key] for key in (*VEHICLES, "vehicle_id") if values.get(key)}
    found: list[tuple[str, datetime | None, datetime | None]] = [(v, None, None) for v in named]
    if request.lane_id is None:
        return found
    for visit in live.visits_of_lane(session, request.lane_id, day):
        found.append((visit.vehicle_id, visit.planned_arrival, visit.planned_departure))
    passes = session.execute(
        select(LaneTraversal.vehicle_id, LaneTraversal.start_t, LaneTraversal.end_t).where(
            LaneTraversal.lane_id == request.lane_id, LaneTraversal.service_date == day
        )
    )
    for vehicle_id, begins, ends in passes:
        found.append((vehicle_id, begins, ends + timedelta(seconds=1)))
    return found
