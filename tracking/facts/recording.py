"""Holding facts that were worked out anew against those stored, and writing what changed.

A fact keeps its id over later fixes; it is announced when it changed, never twice the same. The
follower is the only writer, so what it stored lately it also keeps in memory (`Book`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import batched
from typing import Any

from sqlalchemy import insert, or_, select, update
from sqlalchemy.orm import Session

from fleet.kit.ids import new_id
from fleet.kit.outbox import emit
from fleet.kit.times import iso
from tracking.facts.models import Dwell, GeofencePass, LaneTraversal
from tracking.facts.stretch import DwellFact, LaneFact, StayFact, Stretch, fraction, united

_SAME_PASS = timedelta(seconds=90)
_SAME_STAND = timedelta(seconds=60)
_SAME_STAND_DEG = 0.0004
"""About 40 m."""
_OPEN_LONG = timedelta(seconds=120)
"""A pass that has not ended is stored when it lasts this long, and again each time it has grown
by so much: a lane takes a minute or two, and each change has its price."""
_PROVED = 0.8
"""A lane served to this share is news at once."""
EVENT_PASSES = 200
"""An event says no more than this at once."""
REMEMBERED = timedelta(minutes=60)
"""How far back from its newest fix a vehicle's facts are kept in memory."""

type Row = dict[str, Any]
"""A stored row by column."""

_TABLES: dict[str, type[LaneTraversal | Dwell | GeofencePass]] = {
    "lanes": LaneTraversal,
    "dwells": Dwell,
    "stays": GeofencePass,
}


@dataclass
class _Known:
    """Stored facts of one vehicle that end at or after `since`."""

    since: datetime
    lanes: list[Row] = field(default_factory=list)
    dwells: list[Row] = field(default_factory=list)
    stays: list[Row] = field(default_factory=list)


@dataclass
class Changes:
    """What is to be written and announced."""

    new: dict[str, dict[str, Row]] = field(default_factory=lambda: {k: {} for k in _TABLES})
    changed: dict[str, dict[str, Row]] = field(default_factory=lambda: {k: {} for k in _TABLES})
    passes: dict[str, Row] = field(default_factory=dict)
    events: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)


class Book:
    """What is stored of all vehicles since a while: load, apply, write; forget after a failure."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def load(self, session: Session, wanted: dict[str, datetime]) -> None:
        """Makes sure that each vehicle's facts from its time on are known."""
        missing = {
            vehicle: since
            for vehicle, since in wanted.items()
            if vehicle not in self._known or self._known[vehicle].since > since
        }
        if not missing:
            return
        for vehicle, since in missing.items():
            self._known[vehicle] = _Known(since)
        earliest = min(missing.values())
        queries = {
            "lanes": LaneTraversal.end_t >= earliest,
            "dwells": or_(Dwell.ended.is_(False), Dwell.end_t >= earliest),
            "stays": or_(GeofencePass.left_t.is_(None), GeofencePass.left_t >= earliest),
        }
        for name, table in _TABLES.items():
            columns = table.__table__.columns
            rows = session.execute(
                select(*columns)
                .where(table.vehicle_id.in_(missing), queries[name])
                .order_by(columns["start_t" if name != "stays" else "entered_t"])
            )
            for row in rows.mappings():
                getattr(self._known[row["vehicle_id"]], name).append(dict(row))

    def forget(self, vehicle_id: str | None = None) -> None:
        """What was applied was not written, or somebody else wrote."""
        if vehicle_id is None:
            self._known.clear()
        else:
            self._known.pop(vehicle_id, None)

    def pass_starts(self, vehicle_id: str, since: datetime, until: datetime) -> list[datetime]:
        """Where the stored passes that touch a time begin."""
        return [
            row["start_t"]
            for row in self._known[vehicle_id].lanes
            if row["end_t"] >= since and row["start_t"] <= until
        ]

    def places_inside(self, vehicle_id: str, at: datetime) -> set[str]:
        """Places at which the vehicle had arrived before a moment, and not left by then."""
        return {
            row["place_id"]
            for row in self._known[vehicle_id].stays
            if row["entered_t"] < at and (row["left_t"] is None or row["left_t"] >= at)
        }

    def apply(self, stretches: Iterable[Stretch]) -> Changes:
        """Takes stretches in; one a vehicle, each loaded before."""
        changes = Changes()
        for stretch in stretches:
            known = self._known[stretch.vehicle_id]
            _apply_lanes(changes, stretch, known.lanes)
            _apply_dwells(changes, stretch, known.dwells)
            _apply_stays(changes, stretch, known.stays)
            self._trim(known, stretch.until)
        return changes

    def _trim(self, known: _Known, until: datetime) -> None:
        before = until - REMEMBERED
        if known.since < before - REMEMBERED:
            known.since = before
            known.lanes = [row for row in known.lanes if row["end_t"] >= before]
            known.dwells = [r for r in known.dwells if not r["ended"] or r["end_t"] >= before]
            known.stays = [r for r in known.stays if r["left_t"] is None or r["left_t"] >= before]


def write(session: Session, changes: Changes) -> None:
    """Rows in bulk, then the events."""
    for name, table in _TABLES.items():
        if changes.new[name]:
            session.execute(insert(table), list(changes.new[name].values()))
        if changes.changed[name]:
            session.execute(update(table), list(changes.changed[name].values()))
    for rows in batched(changes.passes.values(), EVENT_PASSES, strict=False):
        views = [_pass_view(row) for row in rows]
        emit(session, "tracking.lanes_traversed", new_id("trs"), {"passes": views})
    for topic, key, data in changes.events:
        emit(session, topic, key, data)


def _pass_view(row: Row) -> dict[str, Any]:
    return LaneTraversal(**row).view()


def _put(changes: Changes, name: str, row: Row, *, new: bool) -> None:
    rows = changes.new if new or row["id"] in changes.new[name] else changes.changed
    rows[name][row["id"]] = row


# --- lanes


def _apply_lanes(changes: Changes, stretch: Stretch, stored: list[Row]) -> None:
    left = list(stored)
    for fact in stretch.lanes:
        if fact.end_t < stretch.since or fact.start_t > stretch.until:
            continue
        row = _nearest(left, fact)
        if row is None:
            if fact.open and not _worth_storing(fact):
                continue
            row = {
                "id": new_id("trv"),
                "version": 0,
                "lane_id": fact.lane_id,
                "vehicle_id": stretch.vehicle_id,
            }
            stored.append(row)
            new = True
        else:
            left.remove(row)
            fact, new = _continued(row, fact, stretch.known_from), False
            if fact.open and not _grown(row, fact):
                continue
        values = _values(fact, provisional=not stretch.final)
        if any(row.get(key) != value for key, value in values.items()):
            row.update(values, version=row["version"] + 1)
            _put(changes, "lanes", row, new=new)
            changes.passes[row["id"]] = row
    for row in left:
        settled = row["end_t"] < stretch.since or row["start_t"] > stretch.until
        something = row["gap"] or row["driven_fraction"] > 0
        if not settled and row["start_t"] >= stretch.known_from and something:
            # Later fixes showed that it was not so; whoever relied on it must hear that.
            row.update(
                served_spans=[],
                driven_spans=[],
                served_fraction=0.0,
                driven_fraction=0.0,
                service_s=0.0,
                standing_s=0.0,
                halts=0,
                gap=False,
                hidden_m=0.0,
                provisional=not stretch.final,
                version=row["version"] + 1,
            )
            _put(changes, "lanes", row, new=False)
            changes.passes[row["id"]] = row
        elif stretch.final and not settled and row["provisional"]:
            row["provisional"] = False
            _put(changes, "lanes", row, new=False)


def _worth_storing(fact: LaneFact) -> bool:
    lasted = fact.end_t - fact.start_t >= _OPEN_LONG
    return lasted or fraction(fact.served_spans) >= _PROVED


def _grown(row: Row, fact: LaneFact) -> bool:
    newly_proved = fraction(fact.served_spans) >= _PROVED > row["served_fraction"]
    return bool(newly_proved or fact.end_t - row["end_t"] >= _OPEN_LONG)


def _nearest(stored: Sequence[Row], fact: LaneFact) -> Row | None:
    """The stored pass of the same lane that overlaps, or nearly does."""
    same = [
        row
        for row in stored
        if row["lane_id"] == fact.lane_id
        and row["start_t"] <= fact.end_t + _SAME_PASS
        and row["end_t"] >= fact.start_t - _SAME_PASS
    ]
    return min(same, key=lambda row: abs(row["start_t"] - fact.start_t), default=None)


def _continued(row: Row, fact: LaneFact, known_from: datetime) -> LaneFact:
    """The fact with what an earlier part, not looked at this time, had proved."""
    if row["start_t"] >= known_from:
        return fact
    return replace(
        fact,
        service_date=row["service_date"],
        start_t=row["start_t"],
        end_t=max(row["end_t"], fact.end_t),
        forward=row["forward"],
        served_spans=united([*row["served_spans"], *fact.served_spans]),
        driven_spans=united([*row["driven_spans"], *fact.driven_spans]),
        service_s=max(row["service_s"], fact.service_s),
        halts=max(row["halts"], fact.halts),
        standing_s=max(row["standing_s"], fact.standing_s),
        gap=row["gap"] or fact.gap,
        hidden_m=max(row["hidden_m"], fact.hidden_m),
    )


def _values(fact: LaneFact, *, provisional: bool) -> Row:
    return {
        "service_date": fact.service_date,
        "start_t": fact.start_t,
        "end_t": fact.end_t,
        "forward": fact.forward,
        "served_fraction": fraction(fact.served_spans),
        "driven_fraction": fraction(fact.driven_spans),
        "served_spans": fact.served_spans,
        "driven_spans": fact.driven_spans,
        "service_s": fact.service_s,
        "halts": fact.halts,
        "pace_mps": fact.pace_mps,
        "standing_s": fact.standing_s,
        "offset_m": fact.offset_m,
        "gap": fact.gap,
        "hidden_m": fact.hidden_m,
        "provisional": provisional,
    }


# --- standing


def _apply_dwells(changes: Changes, stretch: Stretch, stored: list[Row]) -> None:
    left = list(stored)
    for fact in stretch.dwells:
        row = next((row for row in left if _is_same_stand(row, fact)), None)
        if row is not None:
            left.remove(row)
            ends = fact.ended and not row["ended"]
            if fact.end_t > row["end_t"] or ends:
                row.update(end_t=max(row["end_t"], fact.end_t), ended=row["ended"] or fact.ended)
                _put(changes, "dwells", row, new=False)
            if ends:
                _announce_dwell(changes, row)
        elif fact.end_t >= stretch.since:
            row = {
                "id": new_id("dwl"),
                "vehicle_id": stretch.vehicle_id,
                "lon": fact.lon,
                "lat": fact.lat,
                "start_t": fact.start_t,
                "end_t": fact.end_t,
                "ended": fact.ended,
            }
            stored.append(row)
            _put(changes, "dwells", row, new=True)
            _announce_dwell(changes, row)
    for row in left:
        if not row["ended"] and row["end_t"] < stretch.until:
            row["ended"] = True
            _put(changes, "dwells", row, new=False)
            _announce_dwell(changes, row)


def _is_same_stand(row: Row, fact: DwellFact) -> bool:
    open_until = row["end_t"] if row["ended"] else max(row["end_t"], fact.start_t)
    return bool(
        row["start_t"] <= fact.end_t + _SAME_STAND
        and open_until >= fact.start_t - _SAME_STAND
        and abs(row["lon"] - fact.lon) <= _SAME_STAND_DEG
        and abs(row["lat"] - fact.lat) <= _SAME_STAND_DEG
    )


def _announce_dwell(changes: Changes, row: Row) -> None:
    data = {**row, "start_t": iso(row["start_t"]), "end_t": iso(row["end_t"])}
    changes.events.append(("tracking.dwelled", row["id"], data))


# --- places


def _apply_stays(changes: Changes, stretch: Stretch, stored: list[Row]) -> None:
    left = list(stored)
    for fact in stretch.stays:
        row = next((row for row in left if _is_same_stay(row, fact)), None)
        if row is None:
            row = {
                "id": new_id("gfp"),
                "vehicle_id": stretch.vehicle_id,
                "place_id": fact.place_id,
                "place_kind": fact.place_kind,
                "entered_t": fact.entered_t,
                "left_t": None,
            }
            stored.append(row)
            _put(changes, "stays", row, new=True)
            _announce_stay(changes, "tracking.geofence_entered", row, fact.entered_t)
        else:
            left.remove(row)
        if fact.left_t is not None and row["left_t"] is None:
            row["left_t"] = fact.left_t
            _put(changes, "stays", row, new=False)
            _announce_stay(changes, "tracking.geofence_left", row, fact.left_t)


def _is_same_stay(row: Row, fact: StayFact) -> bool:
    return bool(
        row["place_id"] == fact.place_id
        and (fact.left_t is None or row["entered_t"] <= fact.left_t)
        and (row["left_t"] is None or row["left_t"] >= fact.entered_t)
    )


def _announce_stay(changes: Changes, topic: str, row: Row, t: datetime) -> None:
    data = {key: row[key] for key in ("id", "vehicle_id", "place_id", "place_kind")}
    changes.events.append((topic, row["id"], {**data, "t": iso(t)}))
