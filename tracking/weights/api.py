"""Tickets, trips and weights over HTTP.

A dispatcher, or a weighbridge's own computer by its token, brings tickets; the computer only those
of its station.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Discriminator, Field, Tag
from starlette.datastructures import UploadFile

from fleet.kit.errors import Conflict, Malformed, TooLarge
from fleet.kit.i18n import t
from fleet.kit.web import KitDep, Now, Reading, UnitOfWork, kit_of
from fleet.org import queries as org
from fleet.people import Role, Scope, requires
from fleet.people.scope import current_caller, lang_of
from tracking.weights import excuses, queries, tickets, views
from tracking.weights.csvfile import read_csv
from tracking.weights.ledger import ledger
from tracking.weights.schemas import (
    NO_NUL,
    ExcuseIn,
    ExcuseView,
    LedgerEntry,
    Received,
    TicketCorrection,
    TicketIn,
    TicketView,
    WeighbridgeCreated,
    WeighbridgeIn,
    WeightRow,
    Weights,
)
from tracking.weights.tickets import Desk, Receipt, wrong_text
from tracking.weights.weighing import YEARS, Weighing

router = APIRouter(prefix="/api", tags=["weights"])

MOST_TICKETS: Final = 1000
MOST_BYTES: Final = 8_000_000
Dispatcher = Annotated[Scope, Depends(requires(Role.DISPATCHER))]
ServiceDate = Annotated[
    date, Query(ge=date(YEARS[0], 1, 2), lt=date(YEARS[1], 1, 1), description="A service date.")
]
_CSV = {
    "required": True,
    "content": {
        "text/csv": {"schema": {"type": "string"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": {"type": "string", "format": "binary"}},
                "required": ["file"],
            }
        },
    },
}


@dataclass(frozen=True, slots=True)
class Bringer:
    """Who brings tickets; `station_id`: the only station whose tickets they may bring."""

    by: str
    lang: str
    station_id: str | None


def bringer(request: Request) -> Bringer:
    """A weighbridge by its bearer token, else a signed-in dispatcher.

    Raises:
        Unauthenticated: neither.
        Forbidden: signed in as somebody else, or without the CSRF token.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        lang = lang_of(request)
        with kit_of(request).db.reading() as session:
            bridge = tickets.bridge_of(session, token.strip(), lang)
        return Bringer(bridge.device_id, lang, bridge.station_id)
    scope = requires(Role.DISPATCHER)(current_caller(request).scope)
    return Bringer(scope.user_id, scope.lang, None)


BringerDep = Annotated[Bringer, Depends(bringer)]


def _how_many(body: object) -> str:
    return "many" if isinstance(body, list) else "one"


TicketBody = Annotated[
    Annotated[TicketIn, Tag("one")]
    | Annotated[list[TicketIn], Tag("many"), Field(min_length=1, max_length=MOST_TICKETS)],
    Discriminator(_how_many),
]


@router.post("/tickets", summary="Bring one ticket, or many")
def bring_tickets(body: TicketBody, caller: BringerDep, now: Now, session: UnitOfWork) -> Received:
    """The same ticket again is the same; another body under its number is refused.

    A single ticket that is refused is an error; of many, each is refused by itself.
    """
    many = body if isinstance(body, list) else [body]
    desk = Desk(session, caller.station_id)
    weighings = [_weighing(ticket, caller.lang) for ticket in many]
    receipt = tickets.receive(session, desk, weighings, source=f"api {caller.by}", now=now)
    if not isinstance(body, list) and receipt.refused:
        first = receipt.refused[0]
        kind = Conflict if first.conflict else Malformed
        raise kind(
            wrong_text(caller.lang, "reason", first.wrong),
            field=first.wrong.field,
            remedy=wrong_text(caller.lang, "remedy", first.wrong),
        )
    known = queries.known_vehicles(session)
    stored = [views.ticket_view(row, known) for row in (*receipt.stored, *receipt.same)]
    return _received(receipt, caller.lang).model_copy(update={"tickets": stored})


async def csv_body(request: Request, caller: BringerDep) -> bytes:
    """The file, as the body itself or as the one file of a form."""
    too_large = TooLarge(
        t(caller.lang, "weights.too_large", mb=MOST_BYTES // 1_000_000),
        remedy=t(caller.lang, "weights.too_large_remedy"),
    )
    size = request.headers.get("content-length", "")
    if size.isdigit() and int(size) > MOST_BYTES:
        raise too_large
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        data = bytearray()
        async for chunk in request.stream():
            data += chunk
            if len(data) > MOST_BYTES:
                raise too_large
        return bytes(data)
    if not size.isdigit():
        raise too_large  # a form of unknown size would be written to disk before it is counted
    async with request.form(max_files=1, max_fields=10) as form:
        for value in form.values():
            if isinstance(value, UploadFile):
                return await value.read()
    raise Malformed(
        t(caller.lang, "weights.no_file"),
        field="file",
        remedy=t(caller.lang, "weights.no_file_remedy"),
    )


@router.post("/tickets/csv", summary="Bring a file of tickets", openapi_extra={"requestBody": _CSV})
def bring_csv(
    caller: BringerDep,
    data: Annotated[bytes, Depends(csv_body)],
    kit: KitDep,
    now: Now,
    session: UnitOfWork,
    station: Annotated[
        str | None,
        Query(max_length=64, pattern=NO_NUL, description="Of lines that name no station."),
    ] = None,
) -> Received:
    """Good lines are stored; each bad one is reported by line and column. `tickets` is empty."""
    with kit.db.reading() as reading:
        tz = org.city_zone(reading)
        default = station
        if default is None and caller.station_id is not None:
            default = caller.station_id
    # Read before the session's first statement: nobody waits for our turn meanwhile.
    read = read_csv(data, tz, default)
    desk = Desk(session, caller.station_id)
    weighings = [weighing for _, weighing in read.tickets]
    receipt = tickets.receive(session, desk, weighings, source=f"csv {caller.by}", now=now)
    answer = _received(receipt, caller.lang)
    lines = [line for line, _ in read.tickets]
    for refused in (*answer.refused, *answer.warnings):
        refused.line, refused.i = lines[refused.i or 0], None
    answer.refused += [views.bad_line(bad, caller.lang) for bad in read.bad]
    answer.refused.sort(key=lambda refused: refused.line or 0)
    return answer


@router.get("/tickets", summary="Tickets of a service date")
def list_tickets(
    session: Reading,
    now: Now,
    scope: Dispatcher,
    service_date: ServiceDate,
    station: Annotated[str | None, Query(max_length=64, pattern=NO_NUL)] = None,
    history: Annotated[bool, Query(description="Superseded versions too.")] = False,
) -> list[TicketView]:
    known = queries.known_vehicles(session)
    rows = queries.tickets_of(
        session,
        service_date,
        station_id=station,
        history=history,
        unseen=queries.vehicles_unseen(session, scope, now),
    )
    return [views.ticket_view(row, known) for row in rows]


@router.post("/tickets/{ticket_id}/correct", summary="Put a ticket right; the earlier stays")
def correct_ticket(
    ticket_id: str, body: TicketCorrection, scope: Dispatcher, now: Now, session: UnitOfWork
) -> TicketView:
    before = tickets.current(session, ticket_id, scope.lang)
    if before.vehicle_id in queries.vehicles_unseen(session, scope, now):
        raise tickets.no_such_ticket(ticket_id, scope.lang)
    weighing = _weighing(body, scope.lang, station=before.station_id)
    row = tickets.correct(
        session,
        Desk(session),
        before,
        weighing,
        void=body.void,
        words=body.words,
        by=scope.user_id,
        now=now,
        lang=scope.lang,
    )
    return views.ticket_view(row, queries.known_vehicles(session))


@router.get(
    "/trips",
    summary="The trip ledger of a service date",
    response_model=list[LedgerEntry],
    responses={200: {"content": {"text/csv": {"schema": {"type": "string"}}}}},
)
def list_trips(
    request: Request,
    session: Reading,
    now: Now,
    scope: Dispatcher,
    service_date: ServiceDate,
    vehicle: Annotated[str | None, Query(max_length=64, pattern=NO_NUL)] = None,
    format: Literal["json", "csv"] = "json",
) -> Any:
    """Trips with their tickets, and tickets without a trip, by vehicle and time."""
    unseen = queries.vehicles_unseen(session, scope, now)
    found = ledger(session, request.app.state.fixlog, service_date, now, vehicle_id=vehicle)
    entries = [entry for entry in found if entry.vehicle_id not in unseen]
    lanes = queries.lanes_of(session, entries)
    if format == "csv":
        name = f"trips-{service_date.isoformat()}.csv"
        return Response(
            # A byte order mark, for spreadsheets that do not expect UTF-8.
            "\ufeff" + views.ledger_csv(entries, lanes, org.city_zone(session)),
            media_type="text/csv",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    known = queries.known_vehicles(session)
    return [
        views.entry_view(
            entry,
            lanes.get(entry.trip.id, []) if entry.trip else [],
            known,
            scope.lang,
            with_lanes=vehicle is not None,
        )
        for entry in entries
    ]


@router.post("/trips/{entry_id}/excuse", summary="Say why a trip or ticket is to be paid")
def excuse_trip(
    entry_id: str, body: ExcuseIn, scope: Dispatcher, now: Now, session: UnitOfWork
) -> ExcuseView:
    """`entry_id` is an entry's of the ledger. Without words an earlier excuse is withdrawn."""
    row = excuses.excuse(session, scope, entry_id, body.words, now)
    return ExcuseView(words=row.words, by_name=row.by_name, at=row.at)


@router.get("/weights", summary="Kilograms of a service date by ward, lane or vehicle")
def read_weights(
    request: Request,
    session: Reading,
    now: Now,
    scope: Dispatcher,
    service_date: ServiceDate,
    by: queries.By = "ward",
) -> Weights:
    """By vehicle as weighed; by ward and lane apportioned over the lanes that each trip served."""
    unseen = queries.vehicles_unseen(session, scope, now)
    found = ledger(session, request.app.state.fixlog, service_date, now)
    entries = [entry for entry in found if entry.vehicle_id not in unseen]
    sums = queries.weights(entries, queries.lanes_of(session, entries), by)
    seen = queries.seen_keys(session, scope, by)
    rows = [
        WeightRow(
            id=key,
            basis="weighed" if by == "vehicle" else "apportioned",
            net_kg=round(sum(found.kg.values()), 3),
            kg=found.kg,
            trips=len(found.trips),
        )
        for key, found in sorted(sums.items(), key=lambda item: item[0] or "")
        if key is None or seen is None or key in seen
    ]
    return Weights(
        service_date=service_date,
        by=by,
        net_kg=round(sum(row.net_kg for row in rows), 3),
        rows=rows,
    )


@router.post("/weighbridges", status_code=201, summary="Give a station's computer a token")
def create_weighbridge(
    body: WeighbridgeIn,
    scope: Annotated[Scope, Depends(requires(Role.ADMIN))],
    now: Now,
    session: UnitOfWork,
) -> WeighbridgeCreated:
    """With `Authorization: Bearer …` it brings the tickets of this station, and may do no more."""
    device_id, station_id, token = tickets.register_weighbridge(
        session, station=body.station, label=body.label, now=now, lang=scope.lang
    )
    return WeighbridgeCreated(device_id=device_id, station_id=station_id, token=token)


def _weighing(ticket: TicketIn, lang: str, station: str = "") -> Weighing:
    gross, tare, net = ticket.gross_kg, ticket.tare_kg, ticket.net_kg
    if [gross, tare, net].count(None) > 1:
        raise Malformed(
            t(lang, "weights.wrong_weights"),
            field="net_kg",
            remedy=t(lang, "weights.wrong_weights_remedy"),
        )
    if gross is None:
        gross = (net or 0.0) + (tare or 0.0)
    elif tare is None:
        tare = gross - (net or 0.0)
    elif net is None:
        net = gross - tare
    return Weighing(
        number=ticket.number,
        station=ticket.station or station,
        vehicle=ticket.vehicle,
        stream=ticket.stream,
        gross_kg=gross,
        tare_kg=tare or 0.0,
        net_kg=net or 0.0,
        in_t=ticket.time_in,
        out_t=ticket.time_out or ticket.time_in,
        raw=ticket.model_dump_json(exclude_none=True),
    )


def _received(receipt: Receipt, lang: str) -> Received:
    return Received(
        stored=len(receipt.stored),
        same=len(receipt.same),
        refused=[views.bad_ticket(refused, lang) for refused in receipt.refused],
        warnings=[views.bad_ticket(refused, lang) for refused in receipt.warnings],
        tickets=[],
    )
