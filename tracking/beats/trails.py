"""From stored passes to beats: what is learnt, beside what the city has, for a file and for use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.times import local_midnight
from fleet.org import queries as org
from fleet.org.assignments import held
from fleet.org.customs import replace_customs
from fleet.org.models import CustomaryTime, Lane
from tracking.beats.learning import LearntBeat, LearntLane, Service, learn
from tracking.facts.models import LaneTraversal

SERVED: Final = 0.5
"""Share of a lane from which a pass says when the lane is served."""
NO_SHIFT: Final = ""


@dataclass(frozen=True, slots=True)
class TodaysBeat:
    """A beat as it is driven: `lanes` by time, and `kept`: those of the city's beat of which
    trails tell nothing, in the order that they had."""

    id: str
    vehicle_id: str
    shift: str
    days: int
    lanes: tuple[LearntLane, ...]
    kept: tuple[str, ...]
    new: int
    """Lanes that the city's beat did not have."""


def todays_beats(session: Session, since: date, days: int, now: datetime) -> list[TodaysBeat]:
    """Beats of `days` service dates from `since` on, joined with what the city has.

    A lane on foot goes with the street from which it is fed. A lane that nobody is seen to serve
    stays in its beat, and so does a whole beat whose unit was dead.
    """
    fed = _fed(session)
    learnt = [_with_fed(beat, fed) for beat in learn(services(session, since, days))]
    by_key = {(beat.vehicle_id, beat.shift): beat for beat in learnt}
    active = set(session.scalars(select(Lane.id).where(Lane.active)))
    told: dict[str, set[str]] = defaultdict(set)
    for beat in learnt:
        told[beat.shift] |= {lane.lane_id for lane in beat.lanes}
    found, named = [], set()
    holders = {row.object: row.subject for row in held(session, "vehicle_beat", now)}
    for known in org.beats(session):
        vehicle_id = holders.get(known.id, known.vehicle_id)
        mine = by_key.pop((vehicle_id, known.shift), None)
        lanes = () if mine is None else _in(active, mine.lanes)
        kept = [id for id in known.lane_ids if id not in told[known.shift] and id in active]
        had = set(known.lane_ids)
        found.append(
            TodaysBeat(
                known.id,
                vehicle_id,
                known.shift,
                0 if mine is None else mine.days,
                lanes,
                tuple(kept),
                sum(lane.lane_id not in had for lane in lanes),
            )
        )
        named.add(known.id)
    for (vehicle_id, shift), beat in by_key.items():
        id = f"{vehicle_id}-{shift}" if shift else vehicle_id
        while id in named:
            id += "x"
        named.add(id)
        lanes = _in(active, beat.lanes)
        found.append(TodaysBeat(id, vehicle_id, shift, beat.days, lanes, (), len(lanes)))
    return sorted(found, key=lambda beat: (beat.vehicle_id, beat.shift, beat.id))


def services(session: Session, since: date, days: int) -> list[Service]:
    """Served lanes of some service dates, each with the shift of its vehicle that holds it."""
    tz = org.city_zone(session)
    shifts: dict[str, list[tuple[str, int, int]]] = defaultdict(list)
    for shift in org.shifts(session):
        shifts[shift.vehicle_id].append((shift.name, shift.start_s, shift.end_s))
    rows = session.execute(
        select(
            LaneTraversal.service_date,
            LaneTraversal.vehicle_id,
            LaneTraversal.lane_id,
            LaneTraversal.start_t,
        ).where(
            LaneTraversal.service_date >= since,
            LaneTraversal.service_date < since + timedelta(days=days),
            LaneTraversal.served_fraction >= SERVED,
        )
    )
    found = []
    for day, vehicle_id, lane_id, start_t in rows:
        t_s = _seconds(day, start_t, tz)
        name = _shift_at(shifts.get(vehicle_id, ()), t_s)
        found.append(Service(day, vehicle_id, name, lane_id, t_s))
    return found


def store_customs(session: Session, beats: Iterable[TodaysBeat]) -> int:
    """Keeps the customary times, in the place of those that the vehicles and shifts had."""
    return replace_customs(
        session,
        [
            CustomaryTime(
                lane_id=lane.lane_id,
                shift=beat.shift,
                vehicle_id=beat.vehicle_id,
                usual_s=lane.usual_s,
                spread_s=lane.spread_s,
                days=lane.days,
            )
            for beat in beats
            for lane in beat.lanes
        ],
    )


def beats_json(beats: Sequence[TodaysBeat]) -> list[dict[str, Any]]:
    """The beats as `beats.json` of a city folder: lists of equal length, null where not told."""
    return [
        {
            "beat": beat.id,
            "vehicle": beat.vehicle_id,
            "shift": beat.shift,
            "lanes": [*(lane.lane_id for lane in beat.lanes), *beat.kept],
            "usual_t": [*(clock(lane.usual_s) for lane in beat.lanes), *(None for _ in beat.kept)],
            "spread_s": [*(lane.spread_s for lane in beat.lanes), *(None for _ in beat.kept)],
            "days": [*(lane.days for lane in beat.lanes), *(0 for _ in beat.kept)],
        }
        for beat in beats
        if beat.lanes or beat.kept
    ]


def clock(usual_s: float) -> str:
    """Seconds after midnight as HH:MM:SS; 26:00:00 is two in the next morning.

    >>> clock(26 * 3600 + 61)
    '26:01:01'
    """
    whole = round(usual_s)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}"


def _in(active: set[str], lanes: Iterable[LearntLane]) -> tuple[LearntLane, ...]:
    return tuple(lane for lane in lanes if lane.lane_id in active)


def _fed(session: Session) -> dict[str, list[str]]:
    """By street: the lanes that no vehicle enters, and that are served from it."""
    found: dict[str, list[str]] = defaultdict(list)
    columns = select(Lane.id, Lane.access_lane_id).where(Lane.active, Lane.service_mode != "enter")
    for lane_id, access in session.execute(columns.order_by(Lane.id)):
        if access is not None:
            found[access].append(lane_id)
    return found


def _with_fed(beat: LearntBeat, fed: Mapping[str, Sequence[str]]) -> LearntBeat:
    """Lanes on foot come behind the street from which they are served."""
    own = {lane.lane_id for lane in beat.lanes}
    lanes: list[LearntLane] = []
    for lane in beat.lanes:
        lanes.append(lane)
        behind = [other for other in fed.get(lane.lane_id, ()) if other not in own]
        lanes += [replace(lane, lane_id=other) for other in behind]
    return replace(beat, lanes=tuple(lanes))


def _seconds(day: date, t: datetime, tz: ZoneInfo) -> float:
    return (t - local_midnight(day, tz)).total_seconds()


def _shift_at(shifts: Sequence[tuple[str, int, int]], t_s: float) -> str:
    """The shift that holds a time of day, else the nearest."""

    def apart_s(shift: tuple[str, int, int]) -> float:
        return max(shift[1] - t_s, t_s - shift[2], 0.0)

    return min(shifts, key=apart_s)[0] if shifts else NO_SHIFT
