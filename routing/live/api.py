"""HTTP and the socket of drivers' tablets."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any

import anyio
from fastapi import APIRouter, Depends, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from fleet.kit.live import Event, Lost, Subscription
from fleet.kit.web import Kit, Now, Reading, UnitOfWork, kit_of
from fleet.people.models import Role
from fleet.people.scope import Scope, requires, socket_scope
from routing.live import cab
from routing.live.schemas import CabAnswer, CabEvents, Refused

router = APIRouter(tags=["cab"])

Driver = Annotated[Scope, Depends(requires(Role.DRIVER))]

PING_S = 10.0
GATHER_S = 0.1
"""Events that follow each other within this are answered by one message,"""
GATHER_MOST_S = 1.0
"""which does not wait longer than this for more."""


@router.get("/api/cab/route", summary="The driver's vehicle, route and next visit")
def cab_route(scope: Driver, session: Reading, now: Now) -> dict[str, Any]:
    return cab.state(session, scope, now)


@router.post("/api/cab/events", summary="Taps, each stored once")
def cab_events(body: CabEvents, scope: Driver, session: UnitOfWork, now: Now) -> CabAnswer:
    accepted, refused = cab.take_events(session, scope, body.events, now)
    return CabAnswer(
        accepted=accepted, refused=[Refused(id=r.id, reason=r.reason) for r in refused]
    )


@router.get("/api/cab/events", summary="The driver's stored taps of a service date")
def stored_events(service_date: date, scope: Driver, session: Reading) -> list[dict[str, Any]]:
    return cab.events_of(session, scope, service_date)


@router.websocket("/ws/cab")
async def cab_socket(websocket: WebSocket) -> None:
    """The route on connection, and again whenever something of it changes."""
    scope = await socket_scope(websocket, Role.DRIVER)
    await websocket.accept()
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_send_routes, websocket, scope)
            await _until_closed(websocket)
    except* WebSocketDisconnect:
        pass  # the tablet went away; its events are stored, and it will come again


async def _until_closed(websocket: WebSocket) -> None:
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass  # what a tablet says here is not used
    raise WebSocketDisconnect


async def _send_routes(websocket: WebSocket, scope: Scope) -> None:
    kit = kit_of(websocket)
    while True:
        with kit.hub.subscribe() as subscription:
            try:
                await _follow(websocket, scope, kit, subscription)
            except Lost:
                continue  # too far behind: begin with the whole route again


async def _follow(websocket: WebSocket, scope: Scope, kit: Kit, subscription: Subscription) -> None:
    clock = asyncio.get_running_loop().time
    vehicle_id = await _send_state(websocket, scope, kit)
    ping_at = clock() + PING_S
    while True:
        event = await _next(subscription, ping_at - clock())
        stale, until = False, clock() + GATHER_MOST_S
        while event is not None:
            stale = stale or cab.concerns(event.topic, event.data, vehicle_id, scope.user_id)
            event = await _next(subscription, GATHER_S) if clock() < until else None
        if stale:
            vehicle_id = await _send_state(websocket, scope, kit)
        elif clock() >= ping_at:
            await websocket.send_json({"type": "ping"})
        if stale or clock() >= ping_at:
            ping_at = clock() + PING_S


async def _next(subscription: Subscription, within_s: float) -> Event | None:
    try:
        return await asyncio.wait_for(anext(subscription), max(within_s, 0.001))
    except TimeoutError:
        return None


async def _send_state(websocket: WebSocket, scope: Scope, kit: Kit) -> str | None:
    def read() -> dict[str, Any]:
        with kit.db.reading() as session:
            return cab.state(session, scope, kit.clock.now())

    state = await run_in_threadpool(read)
    vehicle_id: str | None = state.pop("vehicle")
    await websocket.send_json({"type": "route", **state})
    return vehicle_id
