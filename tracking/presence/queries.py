"""Who of the field staff was in which beat on a day: from stored fixes, for those who may know.

A person's fixes outside of the shift have no holder, and only the shift of the day that was asked
for is read: where people are at other times is not known here.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import shapely
import structlog
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from fleet.kit.geo import METRES_PER_DEGREE
from fleet.org import staff
from fleet.org.models import Assignment, Beat, FieldWorker, Lane, Ward
from fleet.org.policy import Policy
from fleet.org.queries import city_zone, policy
from fleet.people import Scope
from tracking.facts.models import LaneTraversal
from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog
from tracking.presence.stays import Stay, stays

log = structlog.get_logger(__name__)

REACH_M = 40.0
"""So far from a beat's lanes somebody on foot is still in the beat: a phone's error and a yard."""


@dataclass(frozen=True, slots=True)
class Swept:
    """What became of the lanes of a person's beats, by the proof that vehicles have."""

    total: int = 0
    served: int = 0
    partly: int = 0


@dataclass(frozen=True, slots=True)
class Presence:
    """One person's day: the shift, the beats given, where the person was, and what was done."""

    worker: FieldWorker
    shift: tuple[datetime, datetime]
    beats: Sequence[str]
    heard: tuple[datetime, datetime] | None
    """First and last good fix within the shift; None: nothing was heard."""
    stays: Sequence[Stay] = field(default_factory=list)
    swept: Swept = Swept()


class Areas:
    """Beats as what lies near their lanes.

    Args:
        lanes: beat and one of its lanes as [[lon, lat], …].
    """

    def __init__(self, lanes: Sequence[tuple[str, list[list[float]]]]) -> None:
        lat = lanes[0][1][0][1] if lanes else 0.0
        self._per_degree = np.array(
            [METRES_PER_DEGREE * math.cos(math.radians(lat)), METRES_PER_DEGREE]
        )
        self._beats = [beat for beat, _ in lanes]
        self._tree = shapely.STRtree(
            [shapely.LineString(np.asarray(line) * self._per_degree) for _, line in lanes]
        )

    def of(self, positions: Sequence[tuple[float, float]]) -> list[str | None]:
        """The beat nearest to each position (lon, lat); None: none is in reach."""
        found: list[str | None] = [None] * len(positions)
        if positions and self._beats:
            points = shapely.points(np.asarray(positions) * self._per_degree)
            near = self._tree.query_nearest(points, max_distance=REACH_M, all_matches=False)
            for point, lane in near.T:
                found[point] = self._beats[lane]
        return found


def presence(session: Session, fixlog: FixLog, scope: Scope, service_date: date) -> list[Presence]:
    """The day of each person whom the caller may know of, by id."""
    tz = city_zone(session)
    rules = policy(session)
    areas: dict[str, tuple[Areas, Mapping[str, Collection[str]]]] = {}
    days = []
    for worker in staff.workers(session, scope):
        if worker.zone_id not in areas:
            areas[worker.zone_id] = _areas(session, worker.zone_id)
        days.append(_day(session, fixlog, worker, service_date, tz, rules, *areas[worker.zone_id]))
    return days


def trail(
    session: Session, fixlog: FixLog, scope: Scope, person_id: str, service_date: date
) -> list[Fix]:
    """A person's fixes within the shift of a day, marked ones included; who asked is logged.

    Raises:
        NotFound: there is no such person, or not in the caller's zones.
    """
    worker = staff.worker(session, scope, person_id)
    since, until = staff.shift_on(worker, service_date, city_zone(session))
    log.info("person_trail_read", person=person_id, day=str(service_date), by=scope.user_id)
    return fixlog.window(person_id, since, until, include_marked=True)


def _day(
    session: Session,
    fixlog: FixLog,
    worker: FieldWorker,
    service_date: date,
    tz: ZoneInfo,
    rules: Policy,
    areas: Areas,
    lanes: Mapping[str, Collection[str]],
) -> Presence:
    shift = staff.shift_on(worker, service_date, tz)
    own = _given(session, worker.id, *shift)
    fixes = fixlog.window(worker.id, *shift)
    beats = areas.of([(fix.lon, fix.lat) for fix in fixes])
    return Presence(
        worker=worker,
        shift=shift,
        beats=own,
        heard=(fixes[0].t, fixes[-1].t) if fixes else None,
        stays=stays([(fix.t.timestamp(), beat) for fix, beat in zip(fixes, beats, strict=True)]),
        swept=_swept(session, worker.id, service_date, _lanes_of(own, lanes), rules),
    )


def _given(session: Session, person_id: str, since: datetime, until: datetime) -> list[str]:
    """The beats that the person had at any time between two instants."""
    return sorted(
        session.scalars(
            select(Assignment.object)
            .where(
                Assignment.kind == "person_beat",
                Assignment.subject == person_id,
                Assignment.from_at < until,
                or_(Assignment.to_at.is_(None), Assignment.to_at > since),
            )
            .distinct()
        )
    )


def _areas(session: Session, zone_id: str) -> tuple[Areas, Mapping[str, Collection[str]]]:
    """The beats that have a lane in the zone, as areas and as their lanes."""
    lines = {
        lane_id: line
        for lane_id, line in session.execute(
            select(Lane.id, Lane.geometry)
            .join(Ward, Ward.id == Lane.ward_id)
            .where(Ward.zone_id == zone_id, Lane.active)
        )
        if len(line) > 1
    }
    beats = {
        beat_id: [lane for lane in lane_ids if lane in lines]
        for beat_id, lane_ids in session.execute(select(Beat.id, Beat.lane_ids).where(Beat.active))
    }
    rows = [(beat, lines[lane]) for beat in sorted(beats) for lane in beats[beat]]
    return Areas(rows), beats


def _lanes_of(beats: Iterable[str], lanes: Mapping[str, Collection[str]]) -> set[str]:
    return {lane for beat in beats for lane in lanes.get(beat, ())}


def _swept(
    session: Session, person_id: str, service_date: date, lane_ids: set[str], rules: Policy
) -> Swept:
    rows = session.execute(
        select(LaneTraversal.lane_id, LaneTraversal.served_fraction).where(
            LaneTraversal.vehicle_id == person_id,
            LaneTraversal.service_date.in_([service_date, service_date + timedelta(days=1)]),
        )
    )
    best: dict[str, float] = {}
    for lane_id, fraction in rows:
        if lane_id in lane_ids:
            best[lane_id] = max(best.get(lane_id, 0.0), fraction)
    served = sum(fraction >= rules.served_fraction for fraction in best.values())
    at_all = sum(fraction >= rules.partly_fraction for fraction in best.values())
    return Swept(total=len(lane_ids), served=served, partly=at_all - served)
