"""Follows the log of fixes and works out facts behind a stored watermark.

New fixes are read in the order of their commit, so that a late one is seen as well; each touches a
stretch of its vehicle's time, which is worked out anew from the log and held against the stored
facts. Facts, events and the place in the log are one transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.settings import ClockMode
from fleet.kit.web import Kit
from fleet.org.models import City, Place
from fleet.org.policy import Policy
from fleet.org.queries import city, lane_rows, places, policy, shifts
from tracking.facts.hearing import heard, last_heard
from tracking.facts.lane_evidence import LanePass, Limits, lane_passes
from tracking.facts.lane_index import LaneIndex
from tracking.facts.match import Track
from tracking.facts.models import LaneTraversal, Watermark
from tracking.facts.places import stands, stays
from tracking.facts.recording import (
    DwellFact,
    LaneFact,
    StayFact,
    Stretch,
    record,
    stays_in_play,
)
from tracking.facts.service_day import service_day
from tracking.fixes.fix import Fix
from tracking.fixes.log import Cursor, FixLog

log = structlog.get_logger(__name__)

WATERMARK = "lane_facts"
READ_FIXES = 20_000
SETTLE = timedelta(seconds=180)
"""Facts that ended this long before a new fix are not touched by it."""
CONTEXT = timedelta(seconds=60)
"""Fixes before and after a stretch that the matcher sees without judging them."""
LONGEST = timedelta(minutes=30)
"""A fact that began earlier is continued, not worked out from its beginning."""
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_ON_FOOT = {"feeder", "gate"}
_LOOKS_WHILE_TIME_STANDS = 5
_LOOK_EVERY_S = {ClockMode.STEPPED: 0.02, ClockMode.SCALED: 0.5, ClockMode.WALL: 1.0}


def watermark(session: Session, name: str = WATERMARK) -> datetime:
    """City time up to which committed fixes have become facts; 1970 before the first run."""
    row = session.get(Watermark, name)
    return _NEVER if row is None else row.t


@dataclass(frozen=True)
class _Town:
    """What facts are about, as one import of the city left it."""

    fingerprint: str
    tz: ZoneInfo
    rules: Policy
    index: LaneIndex
    places: Sequence[Place]
    shifts: dict[str, list[tuple[int, int]]]


@dataclass(frozen=True)
class _Span:
    since: datetime
    until: datetime
    """Facts outside these are settled."""
    known_from: datetime
    known_to: datetime
    """Fixes between these are looked at."""


class Follower:
    """The one writer of facts; runs in the matcher process."""

    def __init__(self, kit: Kit, fixlog: FixLog) -> None:
        self._kit = kit
        self._fixlog = fixlog
        self._town: _Town | None = None

    def run_forever(self, stop: threading.Event) -> None:
        """Follows the clock until `stop`."""
        pause_s = _LOOK_EVERY_S[self._kit.settings.clock]
        seen: datetime | None = None
        looks = 0
        while not stop.is_set():
            now = self._kit.clock.now()
            # While time stands, somebody waits only for its next step: look less often.
            if now != seen or looks % _LOOKS_WHILE_TIME_STANDS == 0:
                self.run_to(now)
            seen, looks = now, looks + 1
            stop.wait(pause_s)

    def run_to(self, t: datetime) -> None:
        """Works up all committed fixes, then sets the watermark to `t`."""
        with self._kit.db.reading() as session:
            row = session.get(Watermark, WATERMARK)
            at = _NEVER if row is None else row.t
            cursor: Cursor = {} if row is None else row.cursor
            town = self._refreshed(session)
        while True:
            fixes, cursor = self._fixlog.received(cursor, READ_FIXES)
            done = len(fixes) < READ_FIXES
            if done and not fixes and at >= t:
                return
            stretches = [] if town is None else self._stretches(town, fixes)
            with self._kit.db.unit_of_work() as session:
                record(session, stretches)
                heard(session, fixes)
                _keep(session, cursor, t if done else None)
            if done:
                return

    def _refreshed(self, session: Session) -> _Town | None:
        """The town, read again after an import; None: there is none yet."""
        fingerprint = session.scalar(select(City.fingerprint))
        if fingerprint is None:
            return None
        if self._town is None or self._town.fingerprint != fingerprint:
            by_vehicle: dict[str, list[tuple[int, int]]] = {}
            for shift in shifts(session):
                by_vehicle.setdefault(shift.vehicle_id, []).append((shift.start_s, shift.end_s))
            index = LaneIndex(
                (lane.id, lane.geometry)
                for lane in lane_rows(session)
                if lane.service_mode not in _ON_FOOT
            )
            self._town = _Town(
                fingerprint,
                ZoneInfo(city(session).tz),
                policy(session),
                index,
                places(session),
                by_vehicle,
            )
            log.info("lanes_loaded", lanes=len(index.ids))
        return self._town

    def _stretches(self, town: _Town, fixes: Sequence[Fix]) -> list[Stretch]:
        touched: dict[str, tuple[datetime, datetime]] = {}
        for fix in fixes:
            if fix.vehicle_id is not None and fix.mark is None:
                first, last = touched.get(fix.vehicle_id, (fix.t, fix.t))
                touched[fix.vehicle_id] = min(first, fix.t), max(last, fix.t)
        if not touched:
            return []
        spans = self._spans(touched)
        with self._kit.db.reading() as session:
            stayed = stays_in_play(session, {v: span.known_from for v, span in spans.items()})
        return [
            self._stretch(
                town,
                vehicle_id,
                span,
                {s.place_id for s in stayed.get(vehicle_id, []) if s.entered_t < span.known_from},
            )
            for vehicle_id, span in sorted(spans.items())
        ]

    def _spans(self, touched: dict[str, tuple[datetime, datetime]]) -> dict[str, _Span]:
        """How far around each vehicle's new fixes facts may change, and fixes must be looked at."""
        with self._kit.db.reading() as session:
            last_t = last_heard(session, touched)
            settled = {
                # A silence that ends with these fixes casts doubt on what came before it.
                v: (max(min(a, last_t.get(v, a)), a - LONGEST) - SETTLE, b + SETTLE)
                for v, (a, b) in touched.items()
            }
            known: dict[str, tuple[datetime, datetime]] = dict(settled)
            rows = session.execute(
                select(LaneTraversal.vehicle_id, LaneTraversal.start_t, LaneTraversal.end_t).where(
                    LaneTraversal.vehicle_id.in_(touched),
                    LaneTraversal.end_t >= min(since for since, _ in settled.values()),
                    LaneTraversal.start_t <= max(until for _, until in settled.values()),
                )
            )
            for vehicle_id, start_t, end_t in rows:
                since, until = settled[vehicle_id]
                if end_t >= since and start_t <= until:
                    low, high = known[vehicle_id]
                    known[vehicle_id] = min(low, start_t), max(high, end_t)
        return {
            v: _Span(
                since,
                until,
                max(known[v][0], since - LONGEST) - CONTEXT,
                min(known[v][1], until + LONGEST) + CONTEXT,
            )
            for v, (since, until) in settled.items()
        }

    def _stretch(self, town: _Town, vehicle_id: str, span: _Span, inside: set[str]) -> Stretch:
        window = self._fixlog.window(vehicle_id, span.known_from, span.known_to)
        track = track_of(window, town.index)
        return Stretch(
            vehicle_id,
            span.since,
            span.until,
            span.known_from,
            self._lanes(town, vehicle_id, track),
            _dwells(town, track),
            _stays(town, track, inside),
        )

    def _lanes(self, town: _Town, vehicle_id: str, track: Track) -> list[LaneFact]:
        limits = Limits(
            buffer_m=town.rules.lane_buffer_m,
            slow_mps=town.rules.slow_speed_mps,
            gap_s=town.rules.gap_s,
        )
        own_shifts = town.shifts.get(vehicle_id, [])
        return [
            _lane_fact(town, own_shifts, found) for found in lane_passes(track, town.index, limits)
        ]


def track_of(fixes: Sequence[Fix], index: LaneIndex) -> Track:
    """Good fixes by time as arrays on the index's plane; the first of those with equal times."""
    times = np.array([f.t.timestamp() for f in fixes], np.float64)
    first = np.r_[True, np.diff(times) > 0] if len(times) else np.zeros(0, bool)
    x, y = index.plane.to_m(
        np.array([f.lon for f in fixes], np.float64), np.array([f.lat for f in fixes], np.float64)
    )
    speed = np.array([f.speed_mps for f in fixes], np.float64)  # None becomes NaN
    course = np.array([f.course_deg for f in fixes], np.float64)
    return Track(times[first], x[first], y[first], speed[first], course[first])


def _lane_fact(town: _Town, own_shifts: Sequence[tuple[int, int]], found: LanePass) -> LaneFact:
    start_t = _instant(found.start_s)
    return LaneFact(
        town.index.ids[found.lane],
        service_day(start_t, town.tz, own_shifts),
        start_t,
        _instant(found.end_s),
        found.forward,
        found.served_fraction,
        found.driven_fraction,
        found.pace_mps,
        found.gap,
    )


def _dwells(town: _Town, track: Track) -> list[DwellFact]:
    found = []
    for stand in stands(track, town.rules.stop_dwell_s):
        lon, lat = town.index.plane.to_degrees(stand.x, stand.y)
        found.append(
            DwellFact(lon, lat, _instant(stand.start_s), _instant(stand.end_s), stand.ended)
        )
    return found


def _stays(town: _Town, track: Track, before: set[str]) -> list[StayFact]:
    found = []
    for place in town.places if len(track.t_s) else ():
        x, y = town.index.plane.to_m(place.lon, place.lat)
        for stay in stays(
            track,
            float(x),
            float(y),
            town.rules.geofence_radius_m,
            inside=place.id in before,
        ):
            left_t = None if stay.left_s is None else _instant(stay.left_s)
            found.append(StayFact(place.id, place.kind, _instant(stay.entered_s), left_t))
    return found


def _keep(session: Session, cursor: Cursor, t: datetime | None) -> None:
    row = session.get(Watermark, WATERMARK)
    if row is None:
        row = Watermark(name=WATERMARK, t=_NEVER, cursor={})
        session.add(row)
    row.cursor = dict(cursor)
    if t is not None:
        row.t = max(row.t, t)


def _instant(t_s: float) -> datetime:
    return datetime.fromtimestamp(round(t_s, 1), UTC)
