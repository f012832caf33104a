"""`/ws/control`: a snapshot, then numbered events of the caller's zones, and positions."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from starlette.concurrency import run_in_threadpool

from feedback.requests import queries as requests
from fleet.kit import jobs
from fleet.kit.live import Event, Lost, Subscription
from fleet.kit.outbox import events_after, last_number
from fleet.kit.times import iso, service_date_of
from fleet.kit.web import Kit, kit_of
from fleet.org import queries as org
from fleet.people.models import Role
from fleet.people.scope import Scope, socket_scope
from routing.live import queries as live
from routing.plans import queries as plans
from tracking.alarms import queries as alarms
from tracking.live import LiveState

router = APIRouter()

PING_EVERY_S = 10.0
POSITIONS_EVERY_S = 1.0
RESUME_AT_MOST = 2_000
type Wards = frozenset[str] | None
"""Wards that the caller may see; None: all."""

TOPICS = (
    "org.assignment_changed",
    "tracking.device_",
    "tracking.alarm",
    "routing.",
    "feedback.",
    "job.",
)


@router.websocket("/ws/control")
async def control(websocket: WebSocket, after: int | None = None) -> None:
    """Staff's live view. `after`: the number of the last event that the client has seen."""
    kit = kit_of(websocket)
    scope = await socket_scope(websocket, Role.DISPATCHER)
    websocket.state.scope = scope
    await websocket.accept()
    wards = await run_in_threadpool(_wards, kit, scope)
    with kit.hub.subscribe() as subscription:
        try:
            seen = await _begin(websocket, kit, scope, wards, after)
            await _stream(websocket, kit, wards, subscription, seen)
        except* Lost:
            with suppress(WebSocketDisconnect, RuntimeError):
                await websocket.send_json({"type": "start_again"})
                await websocket.close(4410, "too far behind")
        except* (WebSocketDisconnect, RuntimeError):
            pass  # the client left; RuntimeError is how a send after that ends


async def _begin(
    websocket: WebSocket, kit: Kit, scope: Scope, wards: Wards, after: int | None
) -> int:
    """Send what was missed since `after`, or a snapshot; returns the last number sent."""
    if after is not None:
        missed = await run_in_threadpool(_missed, kit, after)
        if missed is not None:
            for event in missed:
                await _send(websocket, kit, wards, event)
            return missed[-1].n if missed else after
        await websocket.send_json({"type": "start_again"})
    snapshot = await run_in_threadpool(_snapshot, kit, scope, websocket.app.state.live)
    await websocket.send_json(snapshot)
    return int(snapshot["n"])


async def _stream(
    websocket: WebSocket, kit: Kit, wards: Wards, subscription: Subscription, seen: int
) -> None:
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_positions(websocket, kit, subscription))
        tasks.create_task(_pings(websocket))
        tasks.create_task(_until_gone(websocket))
        async for event in subscription:
            if event.n > seen:
                await _send(websocket, kit, wards, event)


async def _send(websocket: WebSocket, kit: Kit, wards: Wards, event: Event) -> None:
    scope: Scope = websocket.state.scope
    if event.data.get("seen_by") == "admin" and scope.role is not Role.ADMIN:
        return
    if event.topic.startswith(TOPICS) and await _visible(kit, wards, event.data):
        await websocket.send_json(
            {
                "type": "event",
                "n": event.n,
                "topic": event.topic,
                "key": event.key,
                "data": event.data,
            }
        )


async def _positions(websocket: WebSocket, kit: Kit, subscription: Subscription) -> None:
    while True:
        await asyncio.sleep(POSITIONS_EVERY_S)
        vehicles = subscription.take_positions()
        await websocket.send_json(
            {"type": "positions", "now": iso(kit.clock.now()), "vehicles": vehicles}
        )


async def _pings(websocket: WebSocket) -> None:
    while True:
        await asyncio.sleep(PING_EVERY_S)
        await websocket.send_json({"type": "ping"})


async def _until_gone(websocket: WebSocket) -> None:
    """Reading is how a disconnect is noticed; what a client says here is not used."""
    while (await websocket.receive())["type"] != "websocket.disconnect":
        pass
    raise WebSocketDisconnect


def _wards(kit: Kit, scope: Scope) -> Wards:
    if scope.zones is None:
        return None
    with kit.db.reading() as session:
        return frozenset(ward.id for ward in org.wards(session, zones=scope.zones))


async def _visible(kit: Kit, wards: Wards, data: dict[str, Any]) -> bool:
    """Whether an event concerns the caller's wards; one without a ward concerns everybody."""
    if wards is None:
        return True
    about = data.get("ward_ids") or data.get("wards") or []
    if data.get("ward_id"):
        about = [data["ward_id"]]
    elif not about and data.get("route_id"):  # a stop between wards, such as a disposal
        about = await run_in_threadpool(_wards_of_route, kit, data["route_id"])
    return not about or not wards.isdisjoint(about)


def _wards_of_route(kit: Kit, route_id: str) -> list[str]:
    with kit.db.reading() as session:
        return plans.route(session, None, route_id).ward_ids


def _missed(kit: Kit, after: int) -> list[Event] | None:
    """Events after a number; None when they are too many, pruned, or the number is not ours."""
    with kit.db.reading() as session:
        expected = last_number(session) - after
        if not 0 <= expected <= RESUME_AT_MOST:
            return None
        events = events_after(session, after, RESUME_AT_MOST)
    return events if len(events) == expected else None


def _snapshot(kit: Kit, scope: Scope, vehicles: LiveState) -> dict[str, Any]:
    now = kit.clock.now()
    with kit.db.reading() as session:
        tz = org.city_zone(session)
        service_date = service_date_of(now, tz)
        return {
            "type": "snapshot",
            "n": last_number(session),
            "now": iso(now),
            "service_date": service_date.isoformat(),
            "vehicles": vehicles.snapshot(now, [v.id for v in org.vehicles(session)]),
            "routes": plans.route_summaries(session, scope, service_date),
            "lanes": live.lane_states(session, scope, service_date),
            "requests": [
                requests.summary(request, tz, scope.lang).model_dump(mode="json")
                for request in requests.requests(session, scope)
            ],
            "jobs": [job.view() for job in jobs.recent(session)],
            "alarms": alarms.items(session, scope),
        }
