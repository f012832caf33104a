"""Devices over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field
from sqlalchemy import select

from fleet.kit.ids import new_id
from fleet.kit.web import Now, Reading, UnitOfWork
from fleet.org.assignments import assign, held
from fleet.people import Role, Scope, requires
from tracking.devices.models import Device
from tracking.devices.service import register_device
from tracking.live import LiveState

router = APIRouter(prefix="/api/devices", tags=["tracking"])


class DeviceView(BaseModel):
    """A device with its vehicle of this moment."""

    id: str
    label: str
    kind: str
    created_at: datetime
    disabled: bool
    vehicle_id: str | None
    last_t: datetime | None
    """Time of its newest good fix."""
    age_s: float | None
    """How old that is in city time."""


class DeviceCreate(BaseModel):
    id: str | None = Field(default=None, max_length=64)
    label: str = Field(min_length=1, max_length=200)
    vehicle_id: str | None = Field(default=None, max_length=64)


class DeviceCreated(BaseModel):
    id: str
    token: str
    """Shown this once."""


@router.get("", summary="All devices with their vehicles and the age of their last fix")
def list_devices(
    request: Request,
    session: Reading,
    now: Now,
    scope: Annotated[Scope, Depends(requires(Role.DISPATCHER))],
) -> list[DeviceView]:
    live: LiveState = request.app.state.live
    vehicles = {row.subject: row.object for row in held(session, "device_vehicle", now)}
    views = []
    for device in session.scalars(select(Device).order_by(Device.id)):
        last = live.last_of_device(device.id)
        views.append(
            DeviceView(
                id=device.id,
                label=device.label,
                kind=device.kind,
                created_at=device.created_at,
                disabled=device.disabled,
                vehicle_id=vehicles.get(device.id),
                last_t=last.t if last else None,
                age_s=(now - last.t).total_seconds() if last else None,
            )
        )
    return views


@router.post("", status_code=201, summary="Register a device; its token is answered once")
def create_device(
    body: DeviceCreate,
    session: UnitOfWork,
    now: Now,
    scope: Annotated[Scope, Depends(requires(Role.ADMIN))],
) -> DeviceCreated:
    device_id = body.id or new_id("dev")
    token = register_device(session, id=device_id, label=body.label, now=now, lang=scope.lang)
    if body.vehicle_id is not None:
        assign(session, "device_vehicle", device_id, body.vehicle_id, now)
    return DeviceCreated(id=device_id, token=token)
