"""What other rooms may ask: who passed here, and what was done in a lane."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.geo import distance_m
from fleet.org.staff import PREFIX, is_person
from tracking.facts.models import LaneTraversal
from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog

LEG_S = 30.0
"""Between fixes further apart in time the way is not known, and no pass is drawn."""
_LEG_REACH_M = 150.0
"""How far from its ends a leg may pass: half of what a vehicle drives between two fixes."""


@dataclass(frozen=True, slots=True)
class Pass:
    """The moment at which a vehicle was nearest."""

    vehicle_id: str
    t: datetime
    distance_m: float
    speed_mps: float | None
    """Reported by the device, else over the leg; None: neither is known."""


def nearest_pass(
    fixlog: FixLog, lon: float, lat: float, since: datetime, until: datetime, within_m: float
) -> Pass | None:
    """The nearest pass of any vehicle with since ≤ t < until; the earliest among equals.

    Between two fixes the vehicle is taken to drive straight, so that one which passes a house
    between them is found.
    """
    fixes = fixlog.near(lon, lat, since, until, within_m + _LEG_REACH_M)
    by_vehicle: dict[str, list[Fix]] = {}
    for fix in fixes:
        if fix.vehicle_id is not None and not is_person(fix.vehicle_id):
            by_vehicle.setdefault(fix.vehicle_id, []).append(fix)
    passes = [p for own in by_vehicle.values() for p in _passes(own, lon, lat)]
    near = [p for p in passes if p.distance_m <= within_m]
    return min(near, key=lambda p: (round(p.distance_m, 1), p.t, p.vehicle_id), default=None)


def passes(
    session: Session, lane_ids: Collection[str], service_dates: Collection[date]
) -> list[LaneTraversal]:
    """Passes of vehicles along lanes on service dates, by start.

    Those of people are left out: somebody who sweeps a lane on foot has collected nothing there.
    """
    return list(
        session.scalars(
            select(LaneTraversal)
            .where(
                LaneTraversal.lane_id.in_(lane_ids),
                LaneTraversal.service_date.in_(service_dates),
                ~LaneTraversal.vehicle_id.startswith(PREFIX),
            )
            .order_by(LaneTraversal.start_t, LaneTraversal.id)
        )
    )


def _passes(fixes: list[Fix], lon: float, lat: float) -> Iterable[Pass]:
    """The vehicle's fixes, and the nearest point of each leg between them."""
    for fix in fixes:
        yield _pass(fix, fix.t, distance_m(lon, lat, fix.lon, fix.lat), fix.speed_mps)
    east = math.cos(math.radians(lat))
    for a, b in pairwise(fixes):
        leg_s = (b.t - a.t).total_seconds()
        dx, dy = (b.lon - a.lon) * east, b.lat - a.lat
        length_2 = dx * dx + dy * dy
        if not 0 < leg_s <= LEG_S or length_2 == 0:
            continue
        share = ((lon - a.lon) * east * dx + (lat - a.lat) * dy) / length_2
        if 0 < share < 1:
            there = a.lon + share * (b.lon - a.lon), a.lat + share * (b.lat - a.lat)
            speed = a.speed_mps
            if speed is None:
                speed = distance_m(a.lon, a.lat, b.lon, b.lat) / leg_s
            t = a.t + timedelta(seconds=share * leg_s)
            yield _pass(a, t, distance_m(lon, lat, *there), speed)


def _pass(fix: Fix, t: datetime, distance: float, speed: float | None) -> Pass:
    return Pass(fix.vehicle_id or "", t, distance, speed)
