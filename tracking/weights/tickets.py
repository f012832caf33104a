"""Receiving tickets, correcting them, and knowing a weighbridge by its token."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.errors import Conflict, Malformed, NotFound, Unauthenticated
from fleet.kit.i18n import t
from fleet.kit.ids import new_id
from fleet.org import queries as org
from tracking.devices.service import authenticate, register_device
from tracking.facts.service_day import service_day
from tracking.weights.models import Ticket, Weighbridge
from tracking.weights.trips import DISPOSAL
from tracking.weights.weighing import Weighing, Wrong, fold, wrongs

AHEAD: Final = timedelta(days=1)
"""A bridge's clock may be wrong, but not by more."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A ticket that was not stored, or one stored with a warning; `at`: its place in the batch."""

    at: int
    number: str
    wrong: Wrong
    conflict: bool = False


@dataclass
class Receipt:
    """What became of a batch."""

    stored: list[Ticket] = field(default_factory=list)
    same: list[Ticket] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    warnings: list[Refused] = field(default_factory=list)


class Desk:
    """The city's stations, vehicles and shifts, against which tickets are held; one a batch."""

    def __init__(self, session: Session, station_id: str | None = None) -> None:
        """`station_id`: of a weighbridge's own computer, which brings tickets of no other."""
        self._session = session
        self._own = station_id
        self._tz = org.city_zone(session)
        self._stations: dict[str, str] = {}
        places = [place for place in org.places(session) if place.kind in DISPOSAL]
        for place in places:
            for name in (place.name_hi, place.name):
                self._stations[fold(name)] = place.id
        self._stations |= {fold(place.id): place.id for place in places}
        self.names = sorted(place.id for place in places) if station_id is None else [station_id]
        self._vehicles = {fold(vehicle.id): vehicle.id for vehicle in org.vehicles(session)}
        self._shifts: dict[str, list[tuple[int, int]]] = {}
        for shift in org.shifts(session):
            self._shifts.setdefault(shift.vehicle_id, []).append((shift.start_s, shift.end_s))

    def station(self, words: str) -> str | None:
        """The id of a station by id or name; None: unknown, or not the caller's own."""
        found = self._stations.get(fold(words)) if words else self._own
        return found if self._own in (None, found) else None

    def vehicle(self, words: str) -> tuple[str, bool]:
        """The vehicle as the fleet spells it, and whether the fleet has it."""
        found = self._vehicles.get(fold(words))
        return (" ".join(words.split()), False) if found is None else (found, True)

    def row(self, weighing: Weighing, station_id: str, source: str, now: datetime) -> Ticket:
        """The ticket's first version."""
        vehicle_id, _ = self.vehicle(weighing.vehicle)
        return Ticket(
            id=new_id("tkt"),
            version=1,
            station_id=station_id,
            number=weighing.number.strip(),
            vehicle_id=vehicle_id,
            service_date=service_day(weighing.in_t, self._tz, self._shifts.get(vehicle_id, ())),
            stream=weighing.stream,
            gross_kg=round(weighing.gross_kg, 3),
            tare_kg=round(weighing.tare_kg, 3),
            net_kg=round(weighing.net_kg, 3),
            in_t=weighing.in_t,
            out_t=weighing.out_t,
            void=False,
            source=source,
            raw=weighing.raw,
            words="",
            received_t=now,
            superseded_t=None,
        )


def receive(
    session: Session, desk: Desk, weighings: Sequence[Weighing], *, source: str, now: datetime
) -> Receipt:
    """Stores what is new. The same ticket again, also after a correction, changes nothing.

    A bad ticket is refused by itself; another body under a known number is a conflict.
    """
    receipt = Receipt()
    known = _versions(session, {w.number.strip() for w in weighings})
    for at, weighing in enumerate(weighings):
        bad = wrongs(weighing)
        station_id = desk.station(weighing.station)
        if station_id is None:
            named = {"value": weighing.station, "stations": ", ".join(desk.names)}
            bad.append(Wrong("station", "station", named))
        if not bad and weighing.in_t > now + AHEAD:
            bad.append(Wrong("time_in", "future", {}))
        receipt.refused += [Refused(at, weighing.number, wrong) for wrong in bad]
        if bad or station_id is None:
            continue
        row = desk.row(weighing, station_id, source, now)
        before = known.setdefault((station_id, row.number), [])
        if any(_said(row) == _said(old) for old in before):
            receipt.same.append(max(before, key=lambda old: old.version))
            continue
        if before:
            wrong = Wrong("number", "taken", {"number": row.number, "station": station_id})
            receipt.refused.append(Refused(at, weighing.number, wrong, conflict=True))
            continue
        session.add(row)
        before.append(row)
        receipt.stored.append(row)
        if not desk.vehicle(weighing.vehicle)[1]:
            unknown = Wrong("vehicle", "vehicle", {"value": row.vehicle_id})
            receipt.warnings.append(Refused(at, weighing.number, unknown))
    session.flush()
    return receipt


def correct(
    session: Session,
    desk: Desk,
    old: Ticket,
    weighing: Weighing,
    *,
    void: bool,
    words: str,
    by: str,
    now: datetime,
    lang: str,
) -> Ticket:
    """A new version of a ticket in the place of the one before, which stays, superseded.

    Raises:
        Malformed: what is given contradicts itself.
        Conflict: another number or station; those name the ticket.
    """
    bad = wrongs(weighing)
    if bad:
        raise Malformed(
            wrong_text(lang, "reason", bad[0]),
            field=bad[0].field,
            remedy=wrong_text(lang, "remedy", bad[0]),
        )
    station_id = desk.station(weighing.station)
    if (station_id, weighing.number.strip()) != (old.station_id, old.number):
        raise Conflict(
            t(lang, "weights.renamed", number=old.number, station=old.station_id),
            field="number",
            remedy=t(lang, "weights.renamed_remedy"),
        )
    old.superseded_t = now
    session.flush()  # the index of current numbers must see the end before the new row
    row = desk.row(weighing, old.station_id, f"correction {by}", now)
    row.id, row.version, row.void, row.words = old.id, old.version + 1, void, words
    session.add(row)
    session.flush()
    return row


def current(session: Session, ticket_id: str, lang: str) -> Ticket:
    """A ticket as it stands. Raises `NotFound`."""
    found = session.scalar(
        select(Ticket).where(Ticket.id == ticket_id, Ticket.superseded_t.is_(None))
    )
    if found is None:
        raise no_such_ticket(ticket_id, lang)
    return found


def no_such_ticket(ticket_id: str, lang: str) -> NotFound:
    return NotFound(
        t(lang, "weights.no_ticket_id", id=ticket_id), remedy=t(lang, "weights.no_ticket_id_remedy")
    )


def register_weighbridge(
    session: Session, *, station: str, label: str, now: datetime, lang: str
) -> tuple[str, str, str]:
    """A station's computer: its device id, its station's id and its token, answered this once.

    Raises:
        NotFound: no such station.
    """
    desk = Desk(session)
    station_id = desk.station(station)
    if station_id is None:
        wrong = Wrong("station", "station", {"value": station, "stations": ", ".join(desk.names)})
        raise NotFound(
            wrong_text(lang, "reason", wrong),
            field="station",
            remedy=wrong_text(lang, "remedy", wrong),
        )
    device_id = new_id("wbr")
    token = register_device(
        session, id=device_id, label=label, now=now, kind="weighbridge", lang=lang
    )
    session.add(Weighbridge(device_id=device_id, station_id=station_id))
    session.flush()
    return device_id, station_id, token


def bridge_of(session: Session, token: str, lang: str) -> Weighbridge:
    """The weighbridge that a token belongs to.

    Raises:
        Unauthenticated: none, or one out of use.
    """
    device = authenticate(session, None, token, "websocket")
    known = device is not None and device.kind == "weighbridge"
    found = session.get(Weighbridge, device.id) if known and device is not None else None
    if found is None:
        raise Unauthenticated(
            t(lang, "weights.no_bridge"), remedy=t(lang, "weights.no_bridge_remedy")
        )
    return found


def _versions(session: Session, numbers: Iterable[str]) -> dict[tuple[str, str], list[Ticket]]:
    """All stored versions by station and number."""
    found: dict[tuple[str, str], list[Ticket]] = {}
    wanted = sorted(numbers)
    for first in range(0, len(wanted), 500):
        some = wanted[first : first + 500]
        for row in session.scalars(select(Ticket).where(Ticket.number.in_(some))):
            found.setdefault((row.station_id, row.number), []).append(row)
    return found


def _said(row: Ticket) -> tuple[object, ...]:
    """What a ticket says; how and when it arrived is no part of it."""
    return (
        fold(row.vehicle_id),
        row.stream,
        row.gross_kg,
        row.tare_kg,
        row.net_kg,
        row.in_t,
        row.out_t,
        row.void,
    )


def wrong_text(lang: str, kind: str, wrong: Wrong) -> str:
    """The reason or remedy of a fault in words; `kind`: reason | remedy."""
    suffix = "" if kind == "reason" else "_remedy"
    return t(lang, f"weights.wrong_{wrong.reason}{suffix}", **wrong.values)
