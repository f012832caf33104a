"""Trips that were much longer than their beat's trips usually are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import select
from sqlalchemy.orm import Session

from routing.models import PlanStatus, Route
from tracking.alarms.about import About, about_vehicle
from tracking.alarms.models import Alarm
from tracking.alarms.rules import Rule
from tracking.weights.models import Trip

NORM_DAYS = 21
NORM_TRIPS = 5
"""Fewer make no norm: then the plan of the day is it."""
LOOK_BACK = timedelta(hours=3)
LEAST_KM = 2.0
"""Less above the norm is nobody's business."""


@dataclass(frozen=True, slots=True)
class LongTrip:
    id: str
    at: datetime
    about: About
    km: float
    norm: float


def norm_km(before: Sequence[float], planned_km: float | None) -> float | None:
    """The median of earlier trips, else what the plan says; None: nothing to compare with.

    >>> norm_km([9.0, 10.0, 30.0, 11.0, 10.0], 4.0)
    10.0
    """
    return median(before) if len(before) >= NORM_TRIPS else planned_km


def long_trips(session: Session, rule: Rule, now: datetime) -> list[LongTrip]:
    """Trips measured lately that exceed the norm by the rule's share, and were not told yet."""
    trips = session.scalars(
        select(Trip).where(
            Trip.left_t >= now - LOOK_BACK,
            Trip.km.is_not(None),
            Trip.superseded_t.is_(None),
        )
    ).all()
    if not trips or not rule.enabled:
        return []
    told = set(
        session.scalars(select(Alarm.key).where(Alarm.key.in_([f"route_km:{t.id}" for t in trips])))
    )
    found = []
    for trip in trips:
        if f"route_km:{trip.id}" in told or trip.km is None or trip.left_t is None:
            continue
        norm = norm_km(_before(session, trip), _planned_km(session, trip))
        if norm and trip.km >= norm * (1 + rule.raise_at) and trip.km >= norm + LEAST_KM:
            about = about_vehicle(
                session, trip.vehicle_id, trip.arrived_t, place_id=trip.station_id
            )
            found.append(LongTrip(trip.id, trip.left_t, about, round(trip.km, 1), round(norm, 1)))
    return found


def _before(session: Session, trip: Trip) -> list[float]:
    """km of the vehicle's earlier trips to the same station."""
    rows = session.scalars(
        select(Trip.km).where(
            Trip.vehicle_id == trip.vehicle_id,
            Trip.station_id == trip.station_id,
            Trip.service_date >= trip.service_date - timedelta(days=NORM_DAYS),
            Trip.service_date < trip.service_date,
            Trip.superseded_t.is_(None),
        )
    )
    return [km for km in rows if km is not None]


def _planned_km(session: Session, trip: Trip) -> float | None:
    route = session.scalar(
        select(Route)
        .where(
            Route.vehicle_id == trip.vehicle_id,
            Route.service_date == trip.service_date,
            Route.status == PlanStatus.PUBLISHED,
            Route.start_t <= trip.arrived_t,
        )
        .order_by(Route.start_t.desc())
        .limit(1)
    )
    return route.km / route.trips if route is not None and route.trips else None
