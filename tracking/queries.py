"""Reads of tracking, for those whose area it is."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.errors import Malformed, NotFound
from fleet.kit.i18n import t
from fleet.org.assignments import held
from fleet.org.models import Beat, Lane, Vehicle, Ward
from fleet.people import Scope
from tracking.fixes.columns import TrailColumns
from tracking.fixes.log import FixLog

LONGEST_TRAIL = timedelta(hours=36)


def sees_vehicle(session: Session, scope: Scope, vehicle_id: str, at: datetime) -> bool:
    """Whether the vehicle serves the caller's zones, by its beats at that time or those imported.

    A vehicle without a beat may be sent anywhere, so everybody sees it.
    """
    if scope.zones is None:
        return True
    given = {a.object for a in held(session, "vehicle_beat", at) if a.subject == vehicle_id}
    own = Beat.id.in_(given) if given else Beat.vehicle_id == vehicle_id
    lanes = {
        lane
        for ids in session.scalars(select(Beat.lane_ids).where(Beat.active, own))
        for lane in ids
    }
    if not lanes:
        return True
    zones = session.scalars(
        select(Ward.zone_id)
        .join(Lane, Lane.ward_id == Ward.id)
        .where(Lane.id.in_(lanes))
        .distinct()
    )
    return any(scope.sees_zone(zone) for zone in zones)


def vehicles_seen(session: Session, scope: Scope, at: datetime) -> frozenset[str]:
    """All vehicles for which `sees_vehicle` is true, in a few queries for the whole fleet."""
    everybody = frozenset(session.scalars(select(Vehicle.id)))
    if scope.zones is None:
        return everybody
    rows = session.execute(select(Lane.id, Ward.zone_id).join(Ward, Ward.id == Lane.ward_id))
    zone_of = {lane_id: zone_id for lane_id, zone_id in rows}  # noqa: C416 - rows are no tuples
    beats = {
        beat_id: (vehicle_id, lane_ids)
        for beat_id, vehicle_id, lane_ids in session.execute(
            select(Beat.id, Beat.vehicle_id, Beat.lane_ids).where(Beat.active)
        )
    }
    given: dict[str, set[str]] = {}
    for assignment in held(session, "vehicle_beat", at):
        given.setdefault(assignment.subject, set()).add(assignment.object)
    imported: dict[str, set[str]] = {}
    for beat_id, (vehicle_id, _) in beats.items():
        imported.setdefault(vehicle_id, set()).add(beat_id)

    def seen(vehicle_id: str) -> bool:
        own = given.get(vehicle_id) or imported.get(vehicle_id, set())
        lanes = {lane for beat in own if beat in beats for lane in beats[beat][1]}
        zones = {zone_of[lane] for lane in lanes if lane in zone_of}
        return not lanes or any(scope.sees_zone(zone) for zone in zones)

    return frozenset(v for v in everybody if seen(v))


def trail(
    session: Session,
    fixlog: FixLog,
    scope: Scope,
    *,
    vehicle_id: str,
    since: datetime,
    until: datetime,
) -> TrailColumns:
    """All stored fixes of a vehicle with since ≤ t < until, marked ones included.

    Raises:
        NotFound: no such vehicle in the caller's area.
        Malformed: a longer time than `LONGEST_TRAIL`, or one that ends before it begins.
    """
    known = session.get(Vehicle, vehicle_id) is not None
    if not known or not sees_vehicle(session, scope, vehicle_id, until):
        raise NotFound(
            t(scope.lang, "tracking.no_vehicle", id=vehicle_id),
            remedy=t(scope.lang, "tracking.no_vehicle_remedy"),
        )
    if not timedelta(0) <= until - since <= LONGEST_TRAIL:
        hours = LONGEST_TRAIL // timedelta(hours=1)
        raise Malformed(
            t(scope.lang, "tracking.window", hours=hours),
            field="since",
            remedy=t(scope.lang, "tracking.window_remedy"),
        )
    return fixlog.trail_columns(vehicle_id, since, until)
