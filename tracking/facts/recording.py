"""Writing facts: what was worked out anew is held against what is stored.

A fact keeps its id over later fixes; it is announced when it changed, never twice the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from fleet.kit.ids import new_id
from fleet.kit.outbox import emit
from fleet.kit.times import iso
from tracking.facts.models import Dwell, GeofencePass, LaneTraversal

_SAME_PASS = timedelta(seconds=90)
_SAME_STAND = timedelta(seconds=60)
_SAME_STAND_DEG = 0.0004
"""About 40 m."""


@dataclass(frozen=True)
class LaneFact:
    """A pass as worked out, with ids and instants."""

    lane_id: str
    service_date: date
    start_t: datetime
    end_t: datetime
    forward: bool
    served_fraction: float
    driven_fraction: float
    pace_mps: float
    gap: bool


@dataclass(frozen=True)
class DwellFact:
    lon: float
    lat: float
    start_t: datetime
    end_t: datetime
    ended: bool


@dataclass(frozen=True)
class StayFact:
    place_id: str
    place_kind: str
    entered_t: datetime
    left_t: datetime | None


@dataclass(frozen=True)
class Stretch:
    """All facts of one vehicle in a stretch of time that was worked out anew.

    Facts that end before `since` or begin after `until` are settled. Before `known_from` no fix
    was looked at: a fact that began earlier keeps its beginning and what it had proved.
    """

    vehicle_id: str
    since: datetime
    until: datetime
    known_from: datetime
    lanes: list[LaneFact] = field(default_factory=list)
    dwells: list[DwellFact] = field(default_factory=list)
    stays: list[StayFact] = field(default_factory=list)


def record(session: Session, stretches: Sequence[Stretch]) -> None:
    """Upserts the stretches' facts and announces what changed; one stretch a vehicle."""
    if not stretches:
        return
    vehicles = [stretch.vehicle_id for stretch in stretches]
    since = min(stretch.since for stretch in stretches)
    until = max(stretch.until for stretch in stretches)
    lanes = _by_vehicle(
        session.scalars(
            select(LaneTraversal)
            .where(
                LaneTraversal.vehicle_id.in_(vehicles),
                LaneTraversal.end_t >= since - _SAME_PASS,
                LaneTraversal.start_t <= until + _SAME_PASS,
            )
            .order_by(LaneTraversal.start_t)
        )
    )
    dwells = _by_vehicle(
        session.scalars(
            select(Dwell)
            .where(
                Dwell.vehicle_id.in_(vehicles),
                or_(Dwell.ended.is_(False), Dwell.end_t >= since - _SAME_STAND),
                Dwell.start_t <= until + _SAME_STAND,
            )
            .order_by(Dwell.start_t)
        )
    )
    stays = stays_in_play(session, {s.vehicle_id: s.known_from for s in stretches})
    for stretch in stretches:
        _record_lanes(session, stretch, lanes.get(stretch.vehicle_id, []))
        _record_dwells(session, stretch, dwells.get(stretch.vehicle_id, []))
        _record_stays(session, stretch, stays.get(stretch.vehicle_id, []))
    session.flush()


def _by_vehicle[Row: (LaneTraversal, Dwell, GeofencePass)](
    rows: Iterable[Row],
) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row.vehicle_id, []).append(row)
    return found


def _record_lanes(session: Session, stretch: Stretch, stored: list[LaneTraversal]) -> None:
    for fact in stretch.lanes:
        if fact.end_t < stretch.since or fact.start_t > stretch.until:
            continue
        row = _nearest(stored, fact)
        if row is None:
            row = LaneTraversal(
                id=new_id("trv"),
                version=0,
                lane_id=fact.lane_id,
                vehicle_id=stretch.vehicle_id,
                service_date=fact.service_date,
                provisional=True,
            )
            session.add(row)
            changed = True
        else:
            stored.remove(row)
            fact = _continued(row, fact, stretch.known_from)
            changed = _of(row) != _of(fact)
        if changed:
            _take(row, fact)
            emit(session, "tracking.lane_traversed", row.id, row.view())
    for row in stored:
        settled = row.end_t < stretch.since or row.start_t > stretch.until
        if not settled and row.start_t >= stretch.known_from and _is_something(row):
            # Later fixes showed that it was not so; whoever relied on it must hear that.
            row.served_fraction = row.driven_fraction = 0.0
            row.gap = False
            row.version += 1
            emit(session, "tracking.lane_traversed", row.id, row.view())


def _nearest(stored: Sequence[LaneTraversal], fact: LaneFact) -> LaneTraversal | None:
    """The stored pass of the same lane that overlaps, or nearly does."""
    same = [
        row
        for row in stored
        if row.lane_id == fact.lane_id
        and row.start_t <= fact.end_t + _SAME_PASS
        and row.end_t >= fact.start_t - _SAME_PASS
    ]
    return min(same, key=lambda row: abs(row.start_t - fact.start_t), default=None)


def _continued(row: LaneTraversal, fact: LaneFact, known_from: datetime) -> LaneFact:
    """The fact with what an earlier part, not looked at this time, had proved."""
    if row.start_t >= known_from:
        return fact
    return LaneFact(
        fact.lane_id,
        row.service_date,
        row.start_t,
        max(row.end_t, fact.end_t),
        row.forward,
        max(row.served_fraction, fact.served_fraction),
        max(row.driven_fraction, fact.driven_fraction),
        fact.pace_mps,
        row.gap or fact.gap,
    )


def _of(what: LaneTraversal | LaneFact) -> tuple[object, ...]:
    return (
        what.service_date,
        what.start_t,
        what.end_t,
        what.forward,
        what.served_fraction,
        what.driven_fraction,
        what.pace_mps,
        what.gap,
    )


def _take(row: LaneTraversal, fact: LaneFact) -> None:
    row.version += 1
    row.service_date = fact.service_date
    row.start_t, row.end_t = fact.start_t, fact.end_t
    row.forward, row.gap, row.pace_mps = fact.forward, fact.gap, fact.pace_mps
    row.served_fraction, row.driven_fraction = fact.served_fraction, fact.driven_fraction


def _is_something(row: LaneTraversal) -> bool:
    return row.gap or row.driven_fraction > 0


def _record_dwells(session: Session, stretch: Stretch, stored: list[Dwell]) -> None:
    for fact in stretch.dwells:
        row = next((row for row in stored if _is_same_stand(row, fact)), None)
        if row is not None:
            stored.remove(row)
            row.end_t = max(row.end_t, fact.end_t)
            if fact.ended and not row.ended:
                row.ended = True
                _announce_dwell(session, row)
        elif fact.end_t >= stretch.since:
            row = Dwell(
                id=new_id("dwl"),
                vehicle_id=stretch.vehicle_id,
                lon=fact.lon,
                lat=fact.lat,
                start_t=fact.start_t,
                end_t=fact.end_t,
                ended=fact.ended,
            )
            session.add(row)
            _announce_dwell(session, row)
    for row in stored:
        if not row.ended and row.end_t < stretch.until:
            row.ended = True
            _announce_dwell(session, row)


def _is_same_stand(row: Dwell, fact: DwellFact) -> bool:
    open_until = row.end_t if row.ended else max(row.end_t, fact.start_t)
    return (
        row.start_t <= fact.end_t + _SAME_STAND
        and open_until >= fact.start_t - _SAME_STAND
        and abs(row.lon - fact.lon) <= _SAME_STAND_DEG
        and abs(row.lat - fact.lat) <= _SAME_STAND_DEG
    )


def _announce_dwell(session: Session, row: Dwell) -> None:
    data = {
        "id": row.id,
        "vehicle_id": row.vehicle_id,
        "lon": row.lon,
        "lat": row.lat,
        "start_t": iso(row.start_t),
        "end_t": iso(row.end_t),
        "ended": row.ended,
    }
    emit(session, "tracking.dwelled", row.id, data)


def stays_in_play(session: Session, since: Mapping[str, datetime]) -> dict[str, list[GeofencePass]]:
    """By vehicle: its stays that had not ended at the vehicle's time in `since`."""
    rows = session.scalars(
        select(GeofencePass)
        .where(
            GeofencePass.vehicle_id.in_(since),
            or_(GeofencePass.left_t.is_(None), GeofencePass.left_t >= min(since.values())),
        )
        .order_by(GeofencePass.entered_t)
    )
    return _by_vehicle(
        row for row in rows if row.left_t is None or row.left_t >= since[row.vehicle_id]
    )


def _record_stays(session: Session, stretch: Stretch, stored: list[GeofencePass]) -> None:
    for fact in stretch.stays:
        row = next(
            (
                row
                for row in stored
                if row.place_id == fact.place_id
                and (fact.left_t is None or row.entered_t <= fact.left_t)
                and (row.left_t is None or row.left_t >= fact.entered_t)
            ),
            None,
        )
        if row is None:
            row = GeofencePass(
                id=new_id("gfp"),
                vehicle_id=stretch.vehicle_id,
                place_id=fact.place_id,
                place_kind=fact.place_kind,
                entered_t=fact.entered_t,
                left_t=None,
            )
            session.add(row)
            _announce_stay(session, "tracking.geofence_entered", row, fact.entered_t)
        else:
            stored.remove(row)
        if fact.left_t is not None and row.left_t is None:
            row.left_t = fact.left_t
            _announce_stay(session, "tracking.geofence_left", row, fact.left_t)


def _announce_stay(session: Session, topic: str, row: GeofencePass, t: datetime) -> None:
    data = {
        "id": row.id,
        "vehicle_id": row.vehicle_id,
        "place_id": row.place_id,
        "place_kind": row.place_kind,
        "t": iso(t),
    }
    emit(session, topic, row.id, data)
