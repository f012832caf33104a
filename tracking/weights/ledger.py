"""The trip ledger: trips and tickets of a service date beside each other, and what follows.

It is worked out at each reading from what is stored, so that a ticket two days late, a correction
or a stay that late fixes showed changes it at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.times import iso
from fleet.org import queries as org
from fleet.org.models import Place, Vehicle
from fleet.org.policy import Policy
from tracking.fixes.log import FixLog
from tracking.weights.matching import Slip, Stop, Tie, TieRule, implausible, ties
from tracking.weights.models import Excuse, Ticket, Trip
from tracking.weights.presence import was_elsewhere
from tracking.weights.schemas import Agreement, Payable
from tracking.weights.weighing import fold

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Entry:
    """A trip with its tickets, or one ticket without a trip."""

    id: str
    vehicle_id: str
    contractor: str
    service_date: date
    station_id: str
    trip: Trip | None
    number: int | None
    tickets: list[Ticket]
    agreement: Agreement
    excuse: Excuse | None
    payable: Payable

    @property
    def net_kg(self) -> float | None:
        """None: not weighed."""
        return round(sum(t.net_kg for t in self.tickets), 3) if self.tickets else None


@dataclass
class _Day:
    """What was stored about a date and the days beside it."""

    trips: list[Trip]
    tickets: list[Ticket]
    vehicles: Mapping[str, Vehicle]
    stations: Mapping[str, Place]
    spelt: Mapping[str, str]
    """Folded spelling → the fleet's own: a vehicle may be imported after its ticket came."""
    by_trip: dict[str, list[tuple[Ticket, Tie]]] = field(default_factory=dict)
    alone: list[Ticket] = field(default_factory=list)
    elsewhere: set[str] = field(default_factory=set)
    """Tickets at whose time fixes show the vehicle somewhere else."""

    def vehicle_of(self, ticket: Ticket) -> str:
        return self.spelt.get(fold(ticket.vehicle_id), ticket.vehicle_id)


def ledger(
    session: Session,
    fixlog: FixLog,
    service_date: date,
    now: datetime,
    *,
    vehicle_id: str | None = None,
) -> list[Entry]:
    """All entries of a date by vehicle and time: trips, then tickets that end none."""
    policy = org.policy(session)
    day = _read(session, service_date)
    _tie(day, fixlog, policy, now, vehicle_id)
    bridged = set(
        session.scalars(
            select(Ticket.station_id).where(
                Ticket.service_date == service_date, Ticket.superseded_t.is_(None)
            )
        )
    )
    numbers: dict[str, int] = defaultdict(int)
    entries: list[Entry] = []
    for trip in day.trips:
        if trip.service_date != service_date or vehicle_id not in (None, trip.vehicle_id):
            continue
        numbers[trip.vehicle_id] += 1
        pairs = day.by_trip.get(trip.id, [])
        agreement = _agreement(pairs, day.vehicles.get(trip.vehicle_id), policy)
        late = trip.left_t is None or now < trip.left_t + timedelta(hours=policy.ticket_wait_h)
        awaited = late or trip.station_id not in bridged
        payable: Payable = "yes" if agreement == "agrees" else "no"
        if agreement == "no_ticket" and awaited:
            payable = "unknown"
        entries.append(
            _entry(day, trip.id, trip, [t for t, _ in pairs], agreement, payable, numbers)
        )
    for ticket in day.alone:
        if ticket.service_date != service_date:
            continue
        if vehicle_id not in (None, day.vehicle_of(ticket)):
            continue
        # It counts against nobody unless fixes show that the vehicle was elsewhere.
        known = ticket.id in day.elsewhere
        alone: Agreement = "other_time" if known else "no_gps"
        unpaid: Payable = "no" if known else "unknown"
        entries.append(_entry(day, ticket.id, None, [ticket], alone, unpaid, numbers))
    return _excused(session, sorted(entries, key=_order))


def _order(entry: Entry) -> tuple[str, str, str]:
    first = entry.trip.arrived_t if entry.trip else entry.tickets[0].in_t
    return entry.vehicle_id, iso(first), entry.id


def _read(session: Session, service_date: date) -> _Day:
    """Everything of three days: a ticket and its trip may stand under different dates, and a
    station's clock is judged by all its tickets."""
    days = [service_date - _DAY, service_date, service_date + _DAY]
    trips = select(Trip).where(Trip.service_date.in_(days), Trip.superseded_t.is_(None))
    tickets = select(Ticket).where(
        Ticket.service_date.in_(days), Ticket.superseded_t.is_(None), Ticket.void.is_(False)
    )
    vehicles = {vehicle.id: vehicle for vehicle in session.scalars(select(Vehicle))}
    return _Day(
        list(session.scalars(trips.order_by(Trip.arrived_t, Trip.id))),
        list(session.scalars(tickets.order_by(Ticket.in_t, Ticket.id))),
        vehicles,
        {place.id: place for place in session.scalars(select(Place))},
        {fold(id): id for id in vehicles},
    )


def _tie(day: _Day, fixlog: FixLog, policy: Policy, now: datetime, vehicle_id: str | None) -> None:
    stops = [
        Stop(
            trip.id,
            trip.vehicle_id,
            trip.station_id,
            trip.arrived_t,
            trip.left_t or max(now, trip.arrived_t),
        )
        for trip in day.trips
    ]
    slips = [
        Slip(t.id, day.vehicle_of(t), t.station_id, t.stream, t.in_t, t.out_t) for t in day.tickets
    ]

    def elsewhere(slip: Slip) -> bool:
        if vehicle_id not in (None, slip.vehicle_id):
            return False  # nobody asks for that vehicle
        found = _was_elsewhere(slip, day, fixlog, policy)
        if found:
            day.elsewhere.add(slip.ticket_id)
        return found

    rule = TieRule(policy.ticket_tolerance_s, policy.ticket_far_s)
    found = ties(stops, slips, rule, elsewhere)
    for ticket in day.tickets:
        tie = found.get(ticket.id)
        if tie is None:
            day.alone.append(ticket)
        else:
            day.by_trip.setdefault(tie.trip_id, []).append((ticket, tie))


def _was_elsewhere(slip: Slip, day: _Day, fixlog: FixLog, policy: Policy) -> bool:
    station = day.stations.get(slip.station_id)
    if slip.vehicle_id not in day.vehicles or station is None:
        return False
    slack = timedelta(seconds=policy.ticket_tolerance_s)
    since, until = slip.in_t - slack, slip.out_t + slack
    return was_elsewhere(
        fixlog.window(slip.vehicle_id, since, until),
        since,
        until,
        at=(station.lon, station.lat),
        near_m=policy.ticket_near_m,
        silent_s=policy.silent_device_s,
    )


def _agreement(
    pairs: Sequence[tuple[Ticket, Tie]], vehicle: Vehicle | None, policy: Policy
) -> Agreement:
    """The worst that is to be said of a trip's tickets."""
    if not pairs:
        return "no_ticket"
    hows = {tie.how for _, tie in pairs}
    if "other_station" in hows:
        return "other_station"
    if "other_time" in hows:
        return "other_time"
    return "weight_implausible" if _too_much([t for t, _ in pairs], vehicle, policy) else "agrees"


def _too_much(tickets: Sequence[Ticket], vehicle: Vehicle | None, policy: Policy) -> bool:
    net_kg: dict[str | None, float] = defaultdict(float)
    for ticket in tickets:
        net_kg[ticket.stream] += ticket.net_kg
    chambers = [] if vehicle is None else vehicle.compartments
    payload = [(frozenset(c["streams"]), float(c["kg"])) for c in chambers]
    return implausible(
        net_kg, payload, least_kg=policy.ticket_least_kg, most_share=policy.ticket_most_share
    )


def _entry(
    day: _Day,
    id: str,
    trip: Trip | None,
    tickets: list[Ticket],
    agreement: Agreement,
    payable: Payable,
    numbers: Mapping[str, int],
) -> Entry:
    vehicle_id = trip.vehicle_id if trip else day.vehicle_of(tickets[0])
    vehicle = day.vehicles.get(vehicle_id)
    return Entry(
        id=id,
        vehicle_id=vehicle_id,
        contractor=vehicle.contractor if vehicle else "",
        service_date=trip.service_date if trip else tickets[0].service_date,
        station_id=trip.station_id if trip else tickets[0].station_id,
        trip=trip,
        number=numbers[vehicle_id] if trip else None,
        tickets=tickets,
        agreement=agreement,
        excuse=None,
        payable=payable,
    )


def _excused(session: Session, entries: list[Entry]) -> list[Entry]:
    """An excuse that holds makes an entry payable; one of a ticket goes with it to its trip."""
    ids = [id for entry in entries for id in _subjects(entry)]
    held: dict[str, Excuse] = {}
    for first in range(0, len(ids), 500):
        excuses = select(Excuse).where(
            Excuse.subject_id.in_(ids[first : first + 500]),
            Excuse.superseded_t.is_(None),
            Excuse.words != "",
        )
        held |= {excuse.subject_id: excuse for excuse in session.scalars(excuses)}
    return [
        replace(entry, excuse=excuse, payable="yes")
        if (excuse := next((held[id] for id in _subjects(entry) if id in held), None))
        else entry
        for entry in entries
    ]


def _subjects(entry: Entry) -> list[str]:
    return list(dict.fromkeys([entry.id, *(ticket.id for ticket in entry.tickets)]))
