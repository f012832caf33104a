"""A vehicle's day, for those whose area it is: from its fixes, or from what was kept of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
import numpy as np
from fastapi import Query
from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.errors import NotFound
from fleet.kit.geo import METRES_PER_DEGREE
from fleet.kit.i18n import t
from fleet.kit.times import iso
from fleet.org import queries as org
from fleet.org.models import Lane, Shift, Vehicle
from fleet.people import Scope
from tracking.facts.models import LaneTraversal
from tracking.fixes.log import FixLog
from tracking.history.day import Day, Summary, day_of, summary_of
from tracking.history.models import DayTrack
from tracking.history.names import names, spots
from tracking.history.simplify import kept, tolerance_m
from tracking.history.tracks import Track, track_of, unpack
from tracking.history.window import day_window
from tracking.queries import sees_vehicle

ServiceDate = Annotated[
    date,
    Query(ge=date(2000, 1, 1), le=date(2199, 12, 31), description="Local date of a shift's start."),
]
Resolution = Literal["raw", "compact"]
type Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True, eq=False)
class Stored:
    """What is known of a vehicle's day. `compact`: its fixes may be deleted."""

    vehicle_id: str
    service_date: date
    window: Window
    resolution: Resolution
    summary: Summary
    track: Track


class Pass(msgspec.Struct, frozen=True):
    """One pass along a lane."""

    lane_id: str
    name: str
    name_hi: str
    start_t: str
    end_t: str
    forward: bool
    served_fraction: float
    driven_fraction: float
    gap: bool
    provisional: bool


def windows(
    session: Session, service_date: date, vehicle_ids: Collection[str]
) -> dict[str, Window]:
    """From when to when each vehicle's service day lasts, by its shifts."""
    tz = org.city_zone(session)
    shifts: dict[str, list[tuple[int, int]]] = {}
    rows = session.execute(
        select(Shift.vehicle_id, Shift.start_s, Shift.end_s).where(
            Shift.active, Shift.vehicle_id.in_(vehicle_ids)
        )
    )
    for vehicle_id, start_s, end_s in rows:
        shifts.setdefault(vehicle_id, []).append((start_s, end_s))
    return {v: day_window(service_date, tz, shifts.get(v, [])) for v in vehicle_ids}


def known_vehicle(session: Session, scope: Scope, vehicle_id: str, at: datetime) -> None:
    """Raises `NotFound`: no such vehicle in the caller's area."""
    known = session.get(Vehicle, vehicle_id) is not None
    if not known or not sees_vehicle(session, scope, vehicle_id, at):
        raise NotFound(
            t(scope.lang, "tracking.no_vehicle", id=vehicle_id),
            remedy=t(scope.lang, "tracking.no_vehicle_remedy"),
        )


def worked_out(session: Session, fixlog: FixLog, vehicle_id: str, window: Window) -> Day:
    """A day from its stored fixes."""
    policy = org.policy(session)
    return day_of(
        fixlog.trail_columns(vehicle_id, *window),
        spots(session),
        gap_s=policy.gap_s,
        radius_m=policy.geofence_radius_m,
    )


def stored_day(
    session: Session,
    fixlog: FixLog,
    scope: Scope,
    *,
    vehicle_id: str,
    service_date: date,
    within_m: float | None = None,
    zoom: float | None = None,
) -> Stored:
    """A vehicle's day with its track simplified.

    Args:
        within_m: how far the track may be from the fixes; None: a pixel of the map at `zoom`.

    Raises:
        NotFound: no such vehicle in the caller's area.
    """
    window = windows(session, service_date, [vehicle_id])[vehicle_id]
    known_vehicle(session, scope, vehicle_id, window[1])
    compact = session.get(DayTrack, (vehicle_id, service_date))
    if compact is not None and compact.sealed:
        track = unpack(compact.track)
        summary = msgspec.convert(compact.summary, Summary)
        lat = float(track.lat[0]) if len(track) else 0.0
        within_m = tolerance_m(zoom, lat) if within_m is None and zoom is not None else within_m
        track = thinned(track, within_m or 0.0)
        return Stored(vehicle_id, service_date, window, "compact", summary, track)
    day = worked_out(session, fixlog, vehicle_id, window)
    lat = float(day.good.lat[0]) if len(day.good) else 0.0
    within_m = tolerance_m(zoom, lat) if within_m is None and zoom is not None else within_m
    gap_s = org.policy(session).gap_s
    track = track_of(day.good, day.x, day.y, tolerance_m=within_m or 0.0, gap_s=gap_s)
    summary = summary_of(day, names(session))
    return Stored(vehicle_id, service_date, window, "raw", summary, track)


def thinned(track: Track, within_m: float) -> Track:
    """Fewer points of a track that was kept."""
    east_m = METRES_PER_DEGREE * np.cos(np.radians(track.lat[0])) if len(track) else 1.0
    before = np.flatnonzero(track.gap) - 1
    mask = kept(
        track.t_s,
        track.lon * east_m,
        track.lat * METRES_PER_DEGREE,
        within_m,
        np.concatenate([before, before + 1]),
    )
    return Track(
        track.t_s[mask],
        track.lon[mask],
        track.lat[mask],
        track.speed_mps[mask],
        track.gap[mask],
    )


def passes(session: Session, vehicle_id: str, service_date: date, window: Window) -> list[Pass]:
    """The vehicle's passes along lanes on a service date, by start."""
    rows = session.execute(
        select(
            LaneTraversal.lane_id,
            Lane.name,
            Lane.name_hi,
            LaneTraversal.start_t,
            LaneTraversal.end_t,
            LaneTraversal.forward,
            LaneTraversal.served_fraction,
            LaneTraversal.driven_fraction,
            LaneTraversal.gap,
            LaneTraversal.provisional,
        )
        .outerjoin(Lane, Lane.id == LaneTraversal.lane_id)
        .where(
            LaneTraversal.vehicle_id == vehicle_id,
            LaneTraversal.end_t >= window[0],
            LaneTraversal.service_date == service_date,
        )
        .order_by(LaneTraversal.start_t, LaneTraversal.id)
    )
    return [
        Pass(lane, name or "", name_hi or "", iso(start), iso(end), *rest)
        for lane, name, name_hi, start, end, *rest in rows
    ]
