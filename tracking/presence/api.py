"""Presence of field staff over HTTP, for those whose zone it is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from fleet.kit.web import Reading
from fleet.people import Role, Scope, requires
from tracking.api import Trail
from tracking.fixes.fix import to_ms
from tracking.history.queries import ServiceDate
from tracking.presence import queries

router = APIRouter(tags=["fleet"])

Dispatcher = Annotated[Scope, Depends(requires(Role.DISPATCHER))]


class StayView(BaseModel):
    beat_id: str
    assigned: bool
    """Whether it is one of the beats that the person had that day."""
    from_t: datetime
    to_t: datetime
    minutes: int


class PresenceView(BaseModel):
    """One person's day within the shift."""

    person_id: str
    name: str
    name_hi: str
    zone_id: str
    duty: str
    shift_start: datetime
    shift_end: datetime
    beats: list[str]
    first_t: datetime | None
    last_t: datetime | None
    """First and last good fix; null: the phone was not heard."""
    stays: list[StayView]
    minutes: int
    """In the person's own beats."""
    lanes: int
    lanes_served: int
    lanes_partly: int
    """Of the lanes of those beats, by the same proof as for vehicles."""


@router.get("/api/presence", summary="Who of the field staff was in which beat, from when to when")
def read_presence(
    service_date: ServiceDate, request: Request, session: Reading, scope: Dispatcher
) -> list[PresenceView]:
    days = queries.presence(session, request.app.state.fixlog, scope, service_date)
    return [_view(day) for day in days]


@router.get("/api/staff/{person_id}/trail", summary="A person's fixes within the shift of a day")
def read_person_trail(
    person_id: str,
    service_date: ServiceDate,
    request: Request,
    session: Reading,
    scope: Dispatcher,
) -> Trail:
    fixes = queries.trail(session, request.app.state.fixlog, scope, person_id, service_date)
    return Trail(
        vehicle_id=person_id,
        fixes=[(to_ms(f.t) / 1000, f.lon, f.lat, f.speed_mps, f.mark) for f in fixes],
    )


def _view(day: queries.Presence) -> PresenceView:
    stays = [
        StayView(
            beat_id=stay.area,
            assigned=stay.area in day.beats,
            from_t=datetime.fromtimestamp(stay.start_s, UTC),
            to_t=datetime.fromtimestamp(stay.end_s, UTC),
            minutes=round((stay.end_s - stay.start_s) / 60),
        )
        for stay in day.stays
    ]
    first_t, last_t = day.heard or (None, None)
    return PresenceView(
        person_id=day.worker.id,
        name=day.worker.name,
        name_hi=day.worker.name_hi,
        zone_id=day.worker.zone_id,
        duty=day.worker.duty,
        shift_start=day.shift[0],
        shift_end=day.shift[1],
        beats=list(day.beats),
        first_t=first_t,
        last_t=last_t,
        stays=stays,
        minutes=sum(stay.minutes for stay in stays if stay.assigned),
        lanes=day.swept.total,
        lanes_served=day.swept.served,
        lanes_partly=day.swept.partly,
    )
