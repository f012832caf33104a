"""Reads of tickets, trips and weights, for those whose area it is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.org import queries as org
from fleet.org.assignments import held
from fleet.org.models import Beat, Lane, Vehicle, Ward
from fleet.people import Scope
from tracking.facts.models import LaneTraversal
from tracking.weights.apportion import ServedLane, apportion, covered
from tracking.weights.ledger import Entry
from tracking.weights.models import Ticket

type By = Literal["ward", "lane", "vehicle"]
MIXED: Final = "mixed"


def vehicles_unseen(session: Session, scope: Scope, at: datetime) -> frozenset[str]:
    """Vehicles whose beats at that time lie in other zones than the caller's, all at once.

    As `tracking.queries.sees_vehicle`: without a beat a vehicle is everybody's.
    """
    if scope.zones is None:
        return frozenset()
    beats = {beat.id: beat for beat in session.scalars(select(Beat).where(Beat.active))}
    given: dict[str, list[str]] = defaultdict(list)
    for row in held(session, "vehicle_beat", at):
        if row.object in beats:
            given[row.subject].append(row.object)
    own: dict[str, list[str]] = defaultdict(list)
    for beat in beats.values():
        own[beat.vehicle_id].append(beat.id)
    wards = select(Lane.id, Ward.zone_id).join(Ward, Ward.id == Lane.ward_id)
    zone_of: dict[str, str] = {row.id: row.zone_id for row in session.execute(wards)}
    unseen = set()
    for vehicle_id in own.keys() | given.keys():
        ids = given.get(vehicle_id) or own[vehicle_id]
        zones = {zone_of[lane] for id in ids for lane in beats[id].lane_ids if lane in zone_of}
        if zones and not any(scope.sees_zone(zone) for zone in zones):
            unseen.add(vehicle_id)
    return frozenset(unseen)


def tickets_of(
    session: Session,
    service_date: date,
    *,
    station_id: str | None = None,
    history: bool = False,
    unseen: Collection[str] = (),
) -> list[Ticket]:
    """A date's tickets by station and number; with `history` superseded versions too."""
    statement = select(Ticket).where(Ticket.service_date == service_date)
    if station_id is not None:
        statement = statement.where(Ticket.station_id == station_id)
    if not history:
        statement = statement.where(Ticket.superseded_t.is_(None))
    rows = session.scalars(statement.order_by(Ticket.station_id, Ticket.number, Ticket.version))
    return [row for row in rows if row.vehicle_id not in unseen]


def known_vehicles(session: Session) -> frozenset[str]:
    return frozenset(session.scalars(select(Vehicle.id)))


@dataclass(frozen=True, slots=True)
class TripLane:
    """A lane served in a trip."""

    ward_id: str
    served: ServedLane


class _Pass(NamedTuple):
    lane_id: str
    start_t: datetime
    served_fraction: float
    served_spans: list[list[float]]


def lanes_of(session: Session, entries: Iterable[Entry]) -> dict[str, list[TripLane]]:
    """By trip: the lanes served in it, in order; those fed from a street that was served with it.

    What is less than served in part, by policy, is a corner that was cut, and not counted.

    A lane that no vehicle enters is served on foot from the street where the vehicle stands.
    """
    trips = [entry.trip for entry in entries if entry.trip is not None]
    if not trips:
        return {}
    since = min(trip.start_t for trip in trips)
    until = max(trip.arrived_t for trip in trips)
    days = {trip.service_date for trip in trips}
    vehicles = sorted({trip.vehicle_id for trip in trips})
    least = org.policy(session).partly_fraction
    # Columns, not rows: a city's day has 40,000 passes.
    statement = select(
        LaneTraversal.vehicle_id,
        LaneTraversal.lane_id,
        LaneTraversal.start_t,
        LaneTraversal.served_fraction,
        LaneTraversal.served_spans,
    ).where(
        # Waste of the evening before may be unloaded in the morning.
        LaneTraversal.service_date >= min(days) - timedelta(days=1),
        LaneTraversal.service_date <= max(days),
        LaneTraversal.end_t >= since,
        LaneTraversal.start_t <= until,
        LaneTraversal.served_fraction > 0,
    )
    if len(vehicles) == 1:
        statement = statement.where(LaneTraversal.vehicle_id == vehicles[0])
    passes: dict[str, list[_Pass]] = defaultdict(list)
    for row in session.execute(statement.order_by(LaneTraversal.start_t, LaneTraversal.id)):
        passes[row.vehicle_id].append(_Pass(*row[1:]))
    fractions = {
        trip.id: _fractions(
            (p for p in passes[trip.vehicle_id] if trip.start_t <= p.start_t < trip.arrived_t),
            least,
        )
        for trip in trips
    }
    lanes, fed = _lanes(session, {id for found in fractions.values() for id in found})
    found: dict[str, list[TripLane]] = {}
    for trip_id, served in fractions.items():
        whole = dict(served)
        for lane_id, fraction in served.items():
            for other in fed.get(lane_id, ()):
                whole.setdefault(other, fraction)
        found[trip_id] = [
            TripLane(lane.ward_id, ServedLane(lane.id, lane.kg_day, fraction))
            for lane_id, fraction in whole.items()
            if (lane := lanes.get(lane_id)) is not None
        ]
    return found


def _fractions(passes: Iterable[_Pass], least_fraction: float) -> dict[str, float]:
    """By lane, in the order of service: what all passes together served of it."""
    spans: dict[str, list[tuple[float, float]]] = defaultdict(list)
    most: dict[str, float] = {}
    for row in passes:
        spans[row.lane_id] += [(low, high) for low, high in row.served_spans]
        most[row.lane_id] = max(most.get(row.lane_id, 0.0), row.served_fraction)
    whole = {lane_id: max(least, covered(spans[lane_id])) for lane_id, least in most.items()}
    return {lane_id: fraction for lane_id, fraction in whole.items() if fraction >= least_fraction}


class _LaneRow(NamedTuple):
    id: str
    ward_id: str
    kg_day: dict[str, float]


def _lanes(
    session: Session, served: Collection[str]
) -> tuple[dict[str, _LaneRow], dict[str, list[str]]]:
    """The lanes by id, and by street the lanes that are fed from it."""
    fed: dict[str, list[str]] = defaultdict(list)
    on_foot = select(Lane.id, Lane.access_lane_id).where(
        Lane.active, Lane.service_mode != "enter", Lane.access_lane_id.is_not(None)
    )
    for lane_id, access in session.execute(on_foot.order_by(Lane.id)):
        if access is not None and access in served:
            fed[access].append(lane_id)
    wanted = sorted({*served, *(id for ids in fed.values() for id in ids)})
    lanes: dict[str, _LaneRow] = {}
    for first in range(0, len(wanted), 1000):
        some = wanted[first : first + 1000]
        columns = select(Lane.id, Lane.ward_id, Lane.kg_day).where(Lane.id.in_(some))
        lanes |= {row.id: _LaneRow(*row) for row in session.execute(columns)}
    return lanes, fed


@dataclass
class Sum:
    """Kilograms of one ward, lane or vehicle, by stream; `trips` that brought any."""

    kg: dict[str, float]
    trips: set[str]


def weights(
    entries: Sequence[Entry], lanes: dict[str, list[TripLane]], by: By
) -> dict[str | None, Sum]:
    """Kilograms by what is asked; None: weighed, but of no lane that is known to be served.

    All sums together are the net weight of the entries' tickets, to the gram.
    """
    grams: dict[str | None, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    trips: dict[str | None, set[str]] = defaultdict(set)
    for entry in entries:
        served = lanes.get(entry.trip.id, []) if entry.trip else []
        ward_of = {lane.served.lane_id: lane.ward_id for lane in served}
        for ticket in entry.tickets:
            stream = ticket.stream or MIXED
            shares: dict[str | None, int] = defaultdict(int)
            if by == "vehicle":
                shares[entry.vehicle_id] = round(ticket.net_kg * 1000)
            else:
                parts = apportion(ticket.net_kg, ticket.stream, [lane.served for lane in served])
                for lane_id, kg in parts.items():
                    shares[ward_of[lane_id] if by == "ward" else lane_id] += round(kg * 1000)
                if not parts:
                    shares[None] = round(ticket.net_kg * 1000)
            for key, share in shares.items():
                grams[key][stream] += share
                trips[key].add(entry.id)
    return {
        key: Sum({stream: g / 1000 for stream, g in found.items()}, trips[key])
        for key, found in grams.items()
    }


def seen_keys(session: Session, scope: Scope, by: By) -> frozenset[str] | None:
    """Wards or lanes of the caller's zones; None: all (vehicles are chosen before)."""
    if scope.zones is None or by == "vehicle":
        return None
    wards = {ward.id for ward in session.scalars(select(Ward)) if scope.sees_zone(ward.zone_id)}
    if by == "ward":
        return frozenset(wards)
    return frozenset(session.scalars(select(Lane.id).where(Lane.ward_id.in_(wards))))
