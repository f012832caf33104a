"""Tickets, ledger entries and refusals as the wire shows them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from fleet.kit.i18n import t
from tracking.weights.csvfile import BadLine, write_csv
from tracking.weights.ledger import Entry
from tracking.weights.models import Ticket
from tracking.weights.queries import MIXED, TripLane
from tracking.weights.schemas import ExcuseView, LedgerEntry, Refusal, TicketView
from tracking.weights.tickets import Refused, wrong_text
from tracking.weights.weighing import Wrong

LEDGER_COLUMNS: Final = (
    "vehicle",
    "contractor",
    "service_date",
    "trip",
    "start",
    "end",
    "km",
    "lanes_served",
    "wards",
    "station",
    "arrived",
    "stay_min",
    "tickets",
    "streams",
    "net_kg",
    "agreement",
    "excused",
    "excused_by",
    "payable",
    "id",
)


def ticket_view(row: Ticket, known: Collection[str]) -> TicketView:
    return TicketView(
        id=row.id,
        version=row.version,
        station_id=row.station_id,
        number=row.number,
        vehicle_id=row.vehicle_id,
        vehicle_known=row.vehicle_id in known,
        service_date=row.service_date,
        stream=row.stream,
        gross_kg=row.gross_kg,
        tare_kg=row.tare_kg,
        net_kg=row.net_kg,
        time_in=row.in_t,
        time_out=row.out_t,
        void=row.void,
        source=row.source,
        words=row.words,
        received_t=row.received_t,
        superseded_t=row.superseded_t,
    )


def entry_view(
    entry: Entry,
    lanes: Sequence[TripLane],
    known: Collection[str],
    lang: str,
    *,
    with_lanes: bool,
) -> LedgerEntry:
    trip = entry.trip
    return LedgerEntry(
        id=entry.id,
        trip_id=trip.id if trip else None,
        vehicle_id=entry.vehicle_id,
        contractor=entry.contractor,
        service_date=entry.service_date,
        number=entry.number,
        start_t=trip.start_t if trip else None,
        end_t=trip.left_t if trip else None,
        km=trip.km if trip else None,
        lanes_served=len(lanes),
        lanes=[lane.served.lane_id for lane in lanes] if with_lanes else None,
        wards=_wards(lanes),
        station_id=entry.station_id,
        arrived_t=trip.arrived_t if trip else None,
        stay_s=_stay_s(entry),
        tickets=[ticket_view(ticket, known) for ticket in entry.tickets],
        net_kg=entry.net_kg,
        agreement=entry.agreement,
        agreement_text=t(lang, f"weights.{entry.agreement}"),
        excused=None
        if entry.excuse is None
        else ExcuseView(words=entry.excuse.words, by_name=entry.excuse.by_name, at=entry.excuse.at),
        payable=entry.payable,
    )


def _wards(lanes: Iterable[TripLane]) -> list[str]:
    return list(dict.fromkeys(lane.ward_id for lane in lanes))


def _stay_s(entry: Entry) -> float | None:
    if entry.trip is None or entry.trip.left_t is None:
        return None
    return (entry.trip.left_t - entry.trip.arrived_t).total_seconds()


def ledger_csv(entries: Iterable[Entry], lanes: dict[str, list[TripLane]], tz: ZoneInfo) -> str:
    """The ledger for a spreadsheet, in city time; kg of a ticket are weighed, never shared out."""

    def local(at: datetime | None) -> str | None:
        return None if at is None else at.astimezone(tz).strftime("%Y-%m-%d %H:%M:%S")

    rows = []
    for entry in entries:
        trip, stay_s = entry.trip, _stay_s(entry)
        served = lanes.get(trip.id, []) if trip else []
        rows.append(
            (
                entry.vehicle_id,
                entry.contractor,
                entry.service_date.isoformat(),
                entry.number,
                local(trip.start_t) if trip else None,
                local(trip.left_t) if trip else None,
                trip.km if trip else None,
                len(served),
                " ".join(_wards(served)),
                entry.station_id,
                local(trip.arrived_t) if trip else local(entry.tickets[0].in_t),
                None if stay_s is None else round(stay_s / 60, 1),
                " ".join(ticket.number for ticket in entry.tickets),
                " ".join(ticket.stream or MIXED for ticket in entry.tickets),
                entry.net_kg,
                entry.agreement,
                entry.excuse.words if entry.excuse else None,
                entry.excuse.by_name if entry.excuse else None,
                entry.payable,
                entry.id,
            )
        )
    return write_csv(LEDGER_COLUMNS, rows)


def refusal(
    wrong: Wrong,
    lang: str,
    *,
    i: int | None = None,
    line: int | None = None,
    number: str | None = None,
    field: str | None = None,
) -> Refusal:
    return Refusal(
        i=i,
        line=line,
        number=number,
        field=wrong.field if field is None else field,
        reason=wrong_text(lang, "reason", wrong),
        remedy=wrong_text(lang, "remedy", wrong),
    )


def bad_line(bad: BadLine, lang: str) -> Refusal:
    return refusal(bad.wrong, lang, line=bad.line, field=bad.column)


def bad_ticket(refused: Refused, lang: str) -> Refusal:
    return refusal(refused.wrong, lang, i=refused.at, number=refused.number)
