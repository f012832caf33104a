"""Alarms of routes and visits: occasions of the plan, told by tracking's one service of alarms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from routing.models import Route, Visit
from tracking.alarms import service
from tracking.alarms.about import About, beat_of, zone_of


def about_route(session: Session, route: Route, visit: Visit | None = None) -> About:
    """Whose zone, beat and shift a route's alarm belongs to."""
    wards = [visit.ward_id] if visit is not None and visit.ward_id else route.ward_ids
    return About(
        service_date=route.service_date,
        shift=route.shift,
        zone_id=zone_of(session, wards),
        ward_ids=wards,
        beat=beat_of(session, route.vehicle_id, route.start_t, route.shift),
        vehicle_id=route.vehicle_id,
        route_id=route.id,
        visit_id=visit.id if visit is not None else None,
        lane_id=visit.lane_id if visit is not None else None,
        lon=visit.lon if visit is not None else None,
        lat=visit.lat if visit is not None else None,
    )


def tell_missed(session: Session, route: Route, missed: Sequence[Visit], now: datetime) -> None:
    """One alarm a route for what it missed: no lists of thousands."""
    key = f"visit_missed:{route.id}"
    if not missed:
        service.clear(session, key, now)
        return
    last = missed[-1]
    service.raise_alarm(
        session,
        key=key,
        kind="visit_missed",
        at=now,
        about=about_route(session, route, last),
        words=service.said(
            "routing.alarm.visit_missed", vehicle=route.vehicle_id, n=len(missed), name=last.name
        ),
        n=len(missed),
    )


def tell_sos(
    session: Session,
    *,
    key: str,
    at: datetime,
    about: About,
    vehicle_id: str | None,
    name: str,
    words: str,
) -> None:
    """A driver calls for help from the tablet."""
    service.raise_alarm(
        session,
        key=key,
        kind="sos",
        at=at,
        about=about,
        words=service.said("routing.alarm.sos", vehicle=vehicle_id or "–", name=name, words=words),
    )
