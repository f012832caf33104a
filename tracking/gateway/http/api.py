"""The edges: one endpoint a protocol. What each reads stands in its module of `protocols`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import msgspec
import structlog
from fastapi import APIRouter, Request, Response

from fleet.kit.errors import Problem, problem_response
from tracking.gateway.http.door import Door, Message, Stored, basic, bearer, peer_of
from tracking.protocols import osmand, owntracks, traccar
from tracking.protocols.lenient import Unreadable
from tracking.protocols.reading import Reading

log = structlog.get_logger(__name__)
router = APIRouter(prefix="/in", include_in_schema=False)

MOST_PARAMETERS = 100
TOKEN = "token"


@router.api_route("/osmand", methods=["GET", "POST"])
async def osmand_message(request: Request) -> Response:
    """OsmAnd and Traccar Client: the token as parameter or bearer."""
    return await _answered("osmand", _osmand(request, ""))


@router.api_route("/osmand/{token:path}", methods=["GET", "POST"])
async def osmand_message_at(request: Request, token: str) -> Response:
    """The same for clients in which only the address can be set."""
    return await _answered("osmand", _osmand(request, token.strip("/")))


@router.post("/owntracks")
async def owntracks_messages(request: Request) -> Response:
    """OwnTracks: the device's id and token as user and password."""
    return await _answered("owntracks", _owntracks(request))


@router.post("/traccar")
async def traccar_positions(request: Request) -> Response:
    """Positions forwarded by a Traccar server that is registered as a feed; bearer or parameter."""
    return await _answered("traccar", _traccar(request, ""))


@router.post("/traccar/{token:path}")
async def traccar_positions_at(request: Request, token: str) -> Response:
    return await _answered("traccar", _traccar(request, token.strip("/")))


async def _osmand(request: Request, token: str) -> Response:
    door = _door(request)
    body = await door.body(request)
    is_json = body.lstrip()[:1] in (b"{", b"[")
    fault: Unreadable | None = None
    try:
        parameters = _parameters(request, b"" if is_json else body)
    except Unreadable as error:
        parameters, fault = dict(request.query_params), error
    token = token or parameters.pop(TOKEN, "") or bearer(request)
    parameters.pop(TOKEN, None)
    name = osmand.sender_of(parameters) or (osmand.sender_of_json(body) if is_json else None)
    known = await door.admit(name, token, "osmand")
    door.pace(known.id)
    kept = body if is_json else urlencode(parameters).encode()
    message = Message(peer_of(request), "osmand", kept)
    try:
        if fault is not None:
            raise fault
        sent = osmand.decode_json(body) if is_json else osmand.decode_parameters(parameters)
    except Unreadable as error:
        raise await door.unreadable(error, message, known) from error
    return _told(await door.store(known.id, name or "", [sent.reading], message))


async def _owntracks(request: Request) -> Response:
    door = _door(request)
    name, token = basic(request)
    known = await door.admit(name, token, "owntracks")
    door.pace(known.id)
    body = await door.body(request)
    message = Message(peer_of(request), "owntracks", body)
    try:
        readings = owntracks.decode(body)
    except Unreadable as error:
        raise await door.unreadable(error, message, known) from error
    await door.store(known.id, name, readings, message)
    return Response(owntracks.ANSWER, media_type="application/json")


async def _traccar(request: Request, token: str) -> Response:
    door = _door(request)
    token = token or request.query_params.get(TOKEN, "") or bearer(request)
    known = await door.admit(None, token, "traccar", feed=True)
    body = await door.body(request)
    message = Message(peer_of(request), "traccar", body)
    try:
        positions = traccar.decode(body)
    except Unreadable as error:
        door.pace(known.id)
        raise await door.unreadable(error, message, known) from error
    by_unit: dict[str, list[Reading]] = {}
    for position in positions:
        by_unit.setdefault(position.unique_id, []).append(position.reading)
    devices = await door.forwarded(list(by_unit))
    # A feed speaks for a whole fleet: each of its units has a pace of its own.
    for unit in by_unit:
        door.pace(f"{known.id}/{devices.get(unit, '')}")
    outcomes = await asyncio.gather(
        *(
            door.store(devices[unit], unit, readings, message)
            for unit, readings in by_unit.items()
            if unit in devices
        )
    )
    unknown = [unit for unit in by_unit if unit not in devices]
    for unit in unknown:
        await door.keep(message, "unregistered", "No device of this feed.", unit, known.id)
    stored = Stored(sum(o.stored for o in outcomes), [r for o in outcomes for r in o.refused])
    return _told(stored, unknown=unknown)


async def _answered(edge: str, work: Awaitable[Response]) -> Response:
    """Problems as everywhere, but logged without the address, which may hold a token."""
    try:
        return await work
    except Problem as problem:
        log.info(
            "device_message_refused",
            edge=edge,
            status=problem.status,
            field=problem.field,
            why=problem.detail,
        )
        return problem_response(problem)


def _told(outcome: Stored, unknown: list[str] | None = None) -> Response:
    answer: dict[str, Any] = {"stored": outcome.stored}
    if outcome.refused:
        answer["refused"] = outcome.refused
    if unknown:
        answer["unknown"] = unknown
    return Response(msgspec.json.encode(answer), media_type="application/json")


def _parameters(request: Request, form: bytes) -> dict[str, str]:
    """Those of the address and of a form, of which the form's count more.

    Raises:
        Unreadable: a form in another encoding than UTF-8, or with too many parameters.
    """
    try:
        given: Mapping[str, str] = dict(
            parse_qsl(form.decode(), keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
        )
    except ValueError as error:
        raise Unreadable("body", f"Expected a form: {error}"[:200]) from error
    return {**request.query_params, **given}


def _door(request: Request) -> Door:
    door: Door = request.app.state.door
    return door
