"""Devices over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy import select

from fleet.kit.ids import new_id
from fleet.kit.web import Now, Reading, UnitOfWork
from fleet.org import staff
from fleet.org.assignments import assign, held
from fleet.people import Role, Scope, requires
from tracking.devices.models import Device, Kind, Protocol
from tracking.devices.service import change_device, check_carrier, register_device, renew_token
from tracking.devices.socket import Connections
from tracking.live import LiveState

router = APIRouter(prefix="/api/devices", tags=["tracking"])

Admin = Annotated[Scope, Depends(requires(Role.ADMIN))]
Label = Annotated[str, Field(min_length=1, max_length=200)]
ExternalId = Annotated[
    str, Field(min_length=1, max_length=120, description="What the unit calls itself: its IMEI.")
]
Layout = Annotated[
    str, Field(min_length=1, max_length=64, description="Frame layout, or source of `pull.toml`.")
]


class DeviceView(BaseModel):
    """A device with whom it is with at this moment."""

    id: str
    label: str
    kind: str
    external_id: str | None
    protocol: str | None
    layout: str | None
    created_at: datetime
    disabled: bool
    vehicle_id: str | None
    person_id: str | None
    last_t: datetime | None
    """Time of its newest good fix."""
    age_s: float | None
    """How old that is in city time."""


class DeviceCreate(BaseModel):
    id: str | None = Field(default=None, max_length=64)
    label: Label
    kind: Kind = "gps"
    external_id: ExternalId | None = None
    protocol: Protocol | None = None
    layout: Layout | None = None
    vehicle_id: str | None = Field(default=None, max_length=64)
    person_id: str | None = Field(default=None, max_length=80)


class DeviceChange(BaseModel):
    """What is left out stays; null takes an external id, a protocol or a layout away."""

    label: Label = ""
    kind: Kind = "gps"
    external_id: ExternalId | None = None
    protocol: Protocol | None = None
    layout: Layout | None = None
    disabled: bool = False


class DeviceCreated(BaseModel):
    id: str
    token: str
    """Shown this once."""


@router.get("", summary="All devices with their holders and the age of their last fix")
def list_devices(
    request: Request,
    session: Reading,
    now: Now,
    scope: Annotated[Scope, Depends(requires(Role.DISPATCHER))],
) -> list[DeviceView]:
    live: LiveState = request.app.state.live
    holders = {row.subject: row.object for row in held(session, "device_vehicle", now)}
    seen = {worker.id for worker in staff.workers(session, scope)}
    return [
        _view(device, holders.get(device.id), seen, live, now)
        for device in session.scalars(select(Device).order_by(Device.id))
    ]


@router.post("", status_code=201, summary="Register a device; its token is answered once")
def create_device(body: DeviceCreate, session: UnitOfWork, now: Now, scope: Admin) -> DeviceCreated:
    device_id = body.id or new_id("dev")
    token = register_device(
        session,
        id=device_id,
        label=body.label,
        now=now,
        kind=body.kind,
        external_id=body.external_id,
        protocol=body.protocol,
        layout=body.layout,
        lang=scope.lang,
    )
    holder = body.vehicle_id or body.person_id
    if holder is not None:
        check_carrier(session, device_id, holder, scope.lang)
        assign(session, "device_vehicle", device_id, holder, now, lang=scope.lang)
    return DeviceCreated(id=device_id, token=token)


@router.patch("/{device_id}", summary="Change a device; a disabled one is disconnected")
def patch_device(
    device_id: str,
    body: DeviceChange,
    request: Request,
    session: UnitOfWork,
    now: Now,
    scope: Admin,
    after: BackgroundTasks,
) -> DeviceView:
    changes = body.model_dump(include=body.model_fields_set)
    device = change_device(session, device_id, changes, now=now, lang=scope.lang)
    # After the commit: a unit that connects again at once must find itself changed.
    after.add_task(_disconnect, request, device_id)
    holders = {row.subject: row.object for row in held(session, "device_vehicle", now)}
    seen = {worker.id for worker in staff.workers(session, scope)}
    return _view(device, holders.get(device_id), seen, request.app.state.live, now)


@router.post("/{device_id}/token", summary="A new token, answered once; the old one ends")
def new_token(
    device_id: str, request: Request, session: UnitOfWork, scope: Admin, after: BackgroundTasks
) -> DeviceCreated:
    token = renew_token(session, device_id, lang=scope.lang)
    after.add_task(_disconnect, request, device_id)
    return DeviceCreated(id=device_id, token=token)


async def _disconnect(request: Request, device_id: str) -> None:
    """Ends what is open, so that the unit proves anew who it is and what it may."""
    connections: Connections = request.app.state.device_connections
    await connections.end(device_id)
    request.app.state.gateway.end(device_id)


def _view(
    device: Device, holder: str | None, seen: set[str], live: LiveState, now: datetime
) -> DeviceView:
    last = live.last_of_device(device.id)
    person = staff.is_person(holder)
    return DeviceView(
        id=device.id,
        label=device.label,
        kind=device.kind,
        external_id=device.external_id,
        protocol=device.protocol,
        layout=device.layout,
        created_at=device.created_at,
        disabled=device.disabled,
        vehicle_id=None if person else holder,
        person_id=holder if person and holder in seen else None,
        last_t=last.t if last else None,
        age_s=(now - last.t).total_seconds() if last else None,
    )
