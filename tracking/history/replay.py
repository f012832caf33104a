"""The fleet's day, small enough for a page: tracks as differences of whole numbers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import date, datetime
from typing import Literal

import msgspec
import numpy as np
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.clock import Monotonic
from fleet.org import queries as org
from fleet.org.models import Lane, Vehicle
from fleet.people import Scope
from tracking.facts.models import LaneTraversal
from tracking.fixes.log import FixLog
from tracking.history.models import DayTrack
from tracking.history.queries import Resolution, thinned, windows, worked_out
from tracking.history.tracks import Track, track_of, unpack
from tracking.queries import vehicles_seen

REPLAY_M = 8.0
"""How far a replayed vehicle may be from the true one: a few pixels where lanes can be told."""
FRESH_S = 30.0
"""A day that goes on is read again after so long."""
_MOST_REELS = 2_000
_MICRO_10 = 1e5

type _Version = datetime | float


class Reel(BaseModel):
    """One vehicle's track: running sums of whole numbers."""

    vehicle_id: str
    resolution: Literal["raw", "compact"]
    t: list[int]
    """Seconds since 1970; the first, then differences."""
    lon: list[int]
    lat: list[int]
    """1e-5 degrees; the first, then differences."""
    gaps: list[int]
    """Indices of points before which a silence lies."""


class Reels:
    """Tracks made ready, by vehicle and date; threads may share it."""

    def __init__(self, monotonic: Monotonic) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._made: OrderedDict[tuple[str, date], tuple[_Version, bytes]] = OrderedDict()

    def get(self, vehicle_id: str, service_date: date, made_t: datetime | None) -> bytes | None:
        """A reel of the track that was made at `made_t`; None for it: of fixes, still fresh."""
        with self._lock:
            known = self._made.get((vehicle_id, service_date))
            if known is None:
                return None
            version, reel = known
            if made_t is not None:
                return reel if version == made_t else None
            fresh = isinstance(version, float) and self._monotonic.now_s() - version <= FRESH_S
            return reel if fresh else None

    def put(
        self, vehicle_id: str, service_date: date, made_t: datetime | None, reel: bytes
    ) -> None:
        with self._lock:
            self._made[vehicle_id, service_date] = (made_t or self._monotonic.now_s(), reel)
            self._made.move_to_end((vehicle_id, service_date))
            if len(self._made) > _MOST_REELS:
                self._made.popitem(last=False)


def fleet(
    session: Session,
    fixlog: FixLog,
    reels: Reels,
    scope: Scope,
    *,
    service_date: date,
    ward: str | None = None,
) -> list[bytes]:
    """`Reel` as JSON of each vehicle in the caller's area that was heard on a service date.

    Days that were kept as compact tracks come from these, without a look at their fixes.

    Args:
        ward: only vehicles that passed a lane of it.
    """
    vehicle_ids = list(session.scalars(select(Vehicle.id).order_by(Vehicle.id)))
    by_vehicle = windows(session, service_date, vehicle_ids)
    ends = max((until for _, until in by_vehicle.values()), default=None)
    if ends is None:
        return []
    seen = vehicles_seen(session, scope, ends)
    passed = None if ward is None else _passed(session, service_date, ward)
    rows = session.execute(
        select(DayTrack.vehicle_id, DayTrack.made_t).where(DayTrack.service_date == service_date)
    )
    kept = {vehicle_id: made_t for vehicle_id, made_t in rows}  # noqa: C416 - rows are no tuples
    found = []
    for vehicle_id in vehicle_ids:
        if vehicle_id not in seen or (passed is not None and vehicle_id not in passed):
            continue
        made_t = kept.get(vehicle_id)
        reel = reels.get(vehicle_id, service_date, made_t)
        if reel is None:
            reel = (
                _of_fixes(session, fixlog, vehicle_id, by_vehicle[vehicle_id])
                if made_t is None
                else _of_track(session, vehicle_id, service_date)
            )
            reels.put(vehicle_id, service_date, made_t, reel)
        if reel:
            found.append(reel)
    return found


def _passed(session: Session, service_date: date, ward: str) -> set[str]:
    return set(
        session.scalars(
            select(LaneTraversal.vehicle_id)
            .join(Lane, Lane.id == LaneTraversal.lane_id)
            .where(LaneTraversal.service_date == service_date, Lane.ward_id == ward)
            .distinct()
        )
    )


def _of_fixes(
    session: Session, fixlog: FixLog, vehicle_id: str, window: tuple[datetime, datetime]
) -> bytes:
    day = worked_out(session, fixlog, vehicle_id, window)
    gap_s = org.policy(session).gap_s
    return _reel(
        vehicle_id, track_of(day.good, day.x, day.y, tolerance_m=REPLAY_M, gap_s=gap_s), "raw"
    )


def _of_track(session: Session, vehicle_id: str, service_date: date) -> bytes:
    row = session.get_one(DayTrack, (vehicle_id, service_date))
    resolution: Resolution = "compact" if row.sealed else "raw"
    return _reel(vehicle_id, thinned(unpack(row.track), REPLAY_M), resolution)


def _reel(vehicle_id: str, track: Track, resolution: Resolution) -> bytes:
    """Empty for a vehicle that was not heard."""
    if len(track) == 0:
        return b""
    columns = (track.t_s, track.lon * _MICRO_10, track.lat * _MICRO_10)
    t, lon, lat = (np.diff(np.rint(c).astype(np.int64), prepend=0).tolist() for c in columns)
    return msgspec.json.encode(
        {
            "vehicle_id": vehicle_id,
            "resolution": resolution,
            "t": t,
            "lon": lon,
            "lat": lat,
            "gaps": np.flatnonzero(track.gap).tolist(),
        }
    )
