"""Keeping the stored trips up to date: booked when a vehicle comes to or leaves a station, measured
from its fixes soon after, and measured once more when late fixes have had a day to arrive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from fleet.kit.db import now_of
from fleet.kit.ids import new_id
from fleet.kit.outbox import Event, Handler
from fleet.kit.timers import Timer, every
from fleet.kit.times import local_midnight, parse_iso
from fleet.kit.web import Kit
from fleet.org import queries as org
from fleet.org.models import Shift
from fleet.org.policy import Policy
from tracking.facts.models import GeofencePass, LaneTraversal
from tracking.facts.service_day import service_day
from tracking.fixes import open_fixlog
from tracking.fixes.log import FixLog
from tracking.weights.models import Trip
from tracking.weights.trips import DISPOSAL, Round, Stay, UnloadingRule, rounds, way_km

LOOK_BACK: Final = timedelta(hours=24)
"""What was loaded the evening before may be unloaded in the morning."""
SETTLED: Final = timedelta(hours=24)
"""Fixes that a unit kept back have arrived by then."""
AT_ONCE: Final = 200


def book(session: Session, vehicle_id: str, service_date: date, now: datetime) -> list[Trip]:
    """Brings a vehicle's trips of a service date up to date with its stays and passes.

    A trip keeps its id while its stay is known; one that there was not is superseded, and kept.

    Returns:
        The day's trips by arrival.
    """
    tz = org.city_zone(session)
    shifts = _shifts(session, vehicle_id)
    midnight = local_midnight(service_date, tz)
    since, until = midnight - LOOK_BACK, midnight + timedelta(hours=48)
    stays = _stays(session, vehicle_id, since, until)
    served = _served(session, vehicle_id, since, until)
    starts = [
        local_midnight(service_date + timedelta(days=days), tz) + timedelta(seconds=start_s)
        for days in (-1, 0)
        for start_s, _ in shifts
    ]
    rule = unloading_rule(org.policy(session))
    today = [
        found
        for found in rounds(stays, served, starts, rule, now)
        if service_day(found.arrived_t, tz, shifts) == service_date
    ]
    stored = {
        row.pass_id: row
        for row in session.scalars(
            select(Trip).where(
                or_(
                    Trip.pass_id.in_([found.pass_id for found in today]),
                    (Trip.vehicle_id == vehicle_id) & (Trip.service_date == service_date),
                )
            )
        )
    }
    rows = [
        _put(session, stored.pop(found.pass_id, None), found, vehicle_id, service_date)
        for found in today
    ]
    for row in stored.values():
        if row.superseded_t is None:
            row.superseded_t = now
            row.version += 1
    session.flush()
    return rows


def unloading_rule(policy: Policy) -> UnloadingRule:
    return UnloadingRule(policy.unload_least_s, policy.station_return_s)


def _put(
    session: Session, row: Trip | None, found: Round, vehicle_id: str, service_date: date
) -> Trip:
    if row is None:
        row = Trip(
            id=new_id("trp"),
            version=0,
            pass_id=found.pass_id,
            km=None,
            measured_t=None,
            settled=False,
        )
        session.add(row)
    said = (
        vehicle_id,
        service_date,
        found.from_place_id,
        found.start_t,
        found.station_id,
        found.arrived_t,
        found.left_t,
        None,
    )
    if row.version == 0 or said != _said(row):
        row.version += 1
        row.measured_t, row.settled = None, False
        (
            row.vehicle_id,
            row.service_date,
            row.from_place_id,
            row.start_t,
            row.station_id,
            row.arrived_t,
            row.left_t,
            row.superseded_t,
        ) = said
    return row


def _said(row: Trip) -> tuple[object, ...]:
    return (
        row.vehicle_id,
        row.service_date,
        row.from_place_id,
        row.start_t,
        row.station_id,
        row.arrived_t,
        row.left_t,
        row.superseded_t,
    )


def _shifts(session: Session, vehicle_id: str) -> list[tuple[int, int]]:
    rows = session.execute(
        select(Shift.start_s, Shift.end_s).where(Shift.active, Shift.vehicle_id == vehicle_id)
    )
    return [(row.start_s, row.end_s) for row in rows]


def _stays(session: Session, vehicle_id: str, since: datetime, until: datetime) -> list[Stay]:
    rows = session.scalars(
        select(GeofencePass)
        .where(
            GeofencePass.vehicle_id == vehicle_id,
            GeofencePass.entered_t < until,
            or_(GeofencePass.left_t.is_(None), GeofencePass.left_t >= since),
        )
        .order_by(GeofencePass.entered_t, GeofencePass.id)
    )
    return [Stay(r.id, r.place_id, r.place_kind, r.entered_t, r.left_t) for r in rows]


def _served(
    session: Session, vehicle_id: str, since: datetime, until: datetime
) -> Sequence[tuple[datetime, datetime]]:
    rows = session.execute(
        select(LaneTraversal.start_t, LaneTraversal.end_t)
        .where(
            LaneTraversal.vehicle_id == vehicle_id,
            LaneTraversal.served_fraction > 0,
            LaneTraversal.end_t >= since,
            LaneTraversal.start_t < until,
        )
        .order_by(LaneTraversal.start_t)
    )
    return [(row.start_t, row.end_t) for row in rows]


def _on_stay(session: Session, event: Event) -> None:
    """A vehicle came or went: its day is booked anew."""
    if event.data["place_kind"] not in DISPOSAL:
        return
    vehicle_id, tz = event.data["vehicle_id"], org.city_zone(session)
    day = service_day(parse_iso(event.data["t"]), tz, _shifts(session, vehicle_id))
    book(session, vehicle_id, day, now_of(session))


def measure(kit: Kit, now: datetime, fixlog: FixLog) -> int:
    """Kilometres of trips that ended: of new ones, and once more of those a day old.

    Returns:
        How many were measured; at most `AT_ONCE`.
    """
    with kit.db.reading() as session:
        due = [
            (row.id, row.version, row.vehicle_id, row.start_t, row.left_t)
            for row in session.scalars(
                select(Trip)
                .where(
                    Trip.superseded_t.is_(None),
                    Trip.left_t.is_not(None),
                    Trip.settled.is_(False),
                    or_(Trip.measured_t.is_(None), Trip.left_t < now - SETTLED),
                )
                .order_by(Trip.left_t)
                .limit(AT_ONCE)
            )
        ]
    measured: dict[str, tuple[int, float | None]] = {}
    for trip_id, version, vehicle_id, start_t, left_t in due:
        if left_t is not None:
            fixes = fixlog.window(vehicle_id, start_t, left_t)
            measured[trip_id] = version, way_km((fix.lon, fix.lat) for fix in fixes)
    if measured:
        with kit.db.unit_of_work() as session:
            for row in session.scalars(select(Trip).where(Trip.id.in_(measured))):
                version, km = measured[row.id]
                if row.version == version:
                    row.km, row.measured_t = km, now
                    row.settled = row.left_t is not None and row.left_t < now - SETTLED
    return len(measured)


def _measure(kit: Kit, now: datetime) -> None:
    """The timer's run."""
    fixlog = open_fixlog(kit.settings, kit.db)
    try:
        measure(kit, now, fixlog)
    finally:
        fixlog.close()


handler = Handler(
    "tracking.trips", frozenset({"tracking.geofence_entered", "tracking.geofence_left"}), _on_stay
)
timer = Timer("tracking.measure_trips", every(300), _measure)
