"""What an alarm is about: whose zone, beat and shift it belongs to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.times import local_midnight
from fleet.org.assignments import holder
from fleet.org.models import Beat, City, Lane, Shift, Ward
from tracking.facts.service_day import service_day


@dataclass(frozen=True, slots=True)
class About:
    """Positions in degrees. `shift` empty: outside any."""

    service_date: date
    shift: str = ""
    zone_id: str | None = None
    ward_ids: Sequence[str] = ()
    beat: str | None = None
    vehicle_id: str | None = None
    device_id: str | None = None
    route_id: str | None = None
    visit_id: str | None = None
    lane_id: str | None = None
    place_id: str | None = None
    lon: float | None = None
    lat: float | None = None


@dataclass(frozen=True, slots=True)
class Duty:
    """The shift of a vehicle that holds a moment; `name` empty: it is in none."""

    service_date: date
    name: str


def duty_of(session: Session, vehicle_id: str | None, at: datetime, margin_s: float = 0.0) -> Duty:
    """The vehicle's shift at a moment, `margin_s` before and after it included."""
    city = session.get(City, 1)
    if city is None:
        return Duty(at.date(), "")
    rows = session.execute(
        select(Shift.name, Shift.start_s, Shift.end_s)
        .where(Shift.active, Shift.vehicle_id == vehicle_id)
        .order_by(Shift.start_s)
    ).all()
    day = service_day(at, city.zone, [(row.start_s, row.end_s) for row in rows])
    after_s = (at - local_midnight(day, city.zone)).total_seconds()
    inside = (r.name for r in rows if r.start_s - margin_s <= after_s <= r.end_s + margin_s)
    return Duty(day, next(inside, ""))


def about_vehicle(
    session: Session,
    vehicle_id: str | None,
    at: datetime,
    *,
    device_id: str | None = None,
    lon: float | None = None,
    lat: float | None = None,
    place_id: str | None = None,
) -> About:
    """The area and shift of a vehicle by its beat at that time; wards by their share of lanes."""
    duty = duty_of(session, vehicle_id, at)
    beat = _beat(session, vehicle_id, at, duty.name) if vehicle_id else None
    wards = wards_of_beat(session, beat) if beat else []
    return About(
        service_date=duty.service_date,
        shift=duty.name,
        zone_id=zone_of(session, wards),
        ward_ids=wards,
        beat=beat.id if beat else None,
        vehicle_id=vehicle_id,
        device_id=device_id,
        place_id=place_id,
        lon=lon,
        lat=lat,
    )


def zone_of(session: Session, ward_ids: Sequence[str]) -> str | None:
    """The zone of the first ward: that of most of its lanes."""
    if not ward_ids:
        return None
    return session.scalar(select(Ward.zone_id).where(Ward.id == ward_ids[0]))


def beat_of(session: Session, vehicle_id: str, at: datetime, shift: str) -> str | None:
    """Id of the vehicle's beat in a shift: by assignment, else as imported."""
    beat = _beat(session, vehicle_id, at, shift)
    return beat.id if beat else None


def _beat(session: Session, vehicle_id: str, at: datetime, shift: str) -> Beat | None:
    given = holder(session, "vehicle_beat", vehicle_id, at, slot=shift or None)
    if given is not None:
        return session.get(Beat, given)
    own = select(Beat).where(Beat.active, Beat.vehicle_id == vehicle_id).order_by(Beat.id)
    if shift:
        own = own.where(Beat.shift == shift)
    return session.scalar(own.limit(1))


def wards_of_beat(session: Session, beat: Beat) -> list[str]:
    counts: Counter[str] = Counter()
    step = 500  # databases bound the number of values in one statement
    for start in range(0, len(beat.lane_ids), step):
        ids = beat.lane_ids[start : start + step]
        counts.update(session.scalars(select(Lane.ward_id).where(Lane.id.in_(ids))))
    return sorted(counts, key=lambda ward: (-counts[ward], ward))
