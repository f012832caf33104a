"""Trips that were much longer than their beat's trips usually are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
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
LOOK_BACK = timedelta(minutes=15)
"""Trips measured since are looked at: each minute, so that none is passed over."""
MEASURED_WITHIN = timedelta(days=3)
"""Trips are measured, and measured again, within so long of their day."""
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
            Trip.service_date >= (now - MEASURED_WITHIN).date(),
            Trip.measured_t >= now - LOOK_BACK,
            Trip.km.is_not(None),
            Trip.superseded_t.is_(None),
        )
    ).all()
    if not trips or not rule.enabled:
        return []
    told = set(
        session.scalars(select(Alarm.key).where(Alarm.key.in_([f"route_km:{t.id}" for t in trips])))
    )
    new = [trip for trip in trips if f"route_km:{trip.id}" not in told]
    before = _before(session, new)
    found = []
    for trip in new:
        if trip.km is None or trip.left_t is None or trip.km < LEAST_KM:
            continue
        own = [
            km
            for day, km in before.get((trip.vehicle_id, trip.station_id), ())
            if trip.service_date - timedelta(days=NORM_DAYS) <= day < trip.service_date
        ]
        norm = norm_km(own, _planned_km(session, trip) if len(own) < NORM_TRIPS else None)
        if norm and trip.km >= norm * (1 + rule.raise_at) and trip.km >= norm + LEAST_KM:
            about = about_vehicle(
                session, trip.vehicle_id, trip.arrived_t, place_id=trip.station_id
            )
            found.append(LongTrip(trip.id, trip.left_t, about, round(trip.km, 1), round(norm, 1)))
    return found


def _before(
    session: Session, trips: Sequence[Trip]
) -> dict[tuple[str, str], list[tuple[date, float]]]:
    """Days and km of earlier trips, by vehicle and station, for all trips at once."""
    if not trips:
        return {}
    rows = session.execute(
        select(Trip.vehicle_id, Trip.station_id, Trip.service_date, Trip.km).where(
            Trip.service_date >= min(t.service_date for t in trips) - timedelta(days=NORM_DAYS),
            Trip.service_date < max(t.service_date for t in trips),
            Trip.vehicle_id.in_({t.vehicle_id for t in trips}),
            Trip.km.is_not(None),
            Trip.superseded_t.is_(None),
        )
    )
    found: dict[tuple[str, str], list[tuple[date, float]]] = {}
    for vehicle_id, station_id, day, km in rows:
        if km is not None:
            found.setdefault((vehicle_id, station_id), []).append((day, km))
    return found


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
