"""Alarms and geofences over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from fleet.kit.web import Now, Reading, UnitOfWork
from fleet.people import Role, Scope, requires
from tracking.alarms import geofences, queries, service
from tracking.alarms.models import AlarmState, FenceKind, Geofence
from tracking.alarms.views import alarm_view

router = APIRouter(prefix="/api", tags=["alarms"])

Dispatcher = Annotated[Scope, Depends(requires(Role.DISPATCHER))]
Admin = Annotated[Scope, Depends(requires(Role.ADMIN))]


class AlarmOut(BaseModel):
    """An alarm, or (`kind` group) one item for several. Positions in degrees."""

    id: str
    version: int
    kind: str
    cause: str
    severity: Literal["info", "warning", "critical"]
    actionable: bool
    seen_by: Literal["dispatcher", "admin"]
    state: AlarmState
    service_date: date
    shift: str
    zone_id: str | None
    ward_ids: list[str]
    beat: str | None
    vehicle_id: str | None
    device_id: str | None
    route_id: str | None
    visit_id: str | None
    lane_id: str | None
    place_id: str | None
    lon: float | None
    lat: float | None
    n: int
    times: int
    t: str
    raised_t: str
    acknowledged_by: str | None
    acknowledged_t: str | None
    cleared_by: str | None
    cleared_t: str | None
    group_id: str | None
    text: str
    words: dict[str, str]


@router.get("/alarms", summary="What dispatchers are told, the newest first")
def read_alarms(
    session: Reading,
    scope: Dispatcher,
    service_date: date | None = None,
    state: AlarmState | None = None,
    group: Annotated[str | None, Field(max_length=40)] = None,
    logged: bool = False,
) -> list[AlarmOut]:
    """`group`: the alarms that an item speaks for. `logged`: every alarm, also what nobody was
    told. At most 500."""
    found = queries.alarms(
        session, scope, service_date=service_date, state=state, group_id=group, logged=logged
    )
    return [AlarmOut(**view) for view in found]


@router.post("/alarms/{alarm_id}/acknowledge", summary="I have seen it")
def acknowledge(alarm_id: str, session: UnitOfWork, now: Now, scope: Dispatcher) -> AlarmOut:
    """With a group, all that it stands for."""
    return AlarmOut(**alarm_view(service.acknowledge(session, alarm_id, scope, now), scope.lang))


@router.post("/alarms/{alarm_id}/clear", summary="It has been dealt with")
def clear(alarm_id: str, session: UnitOfWork, now: Now, scope: Dispatcher) -> AlarmOut:
    """With a group, all that it stands for. It stays away until its occasion has ended."""
    return AlarmOut(**alarm_view(service.dismiss(session, alarm_id, scope, now), scope.lang))


class FenceRules(BaseModel):
    """What raises an alarm; `vehicles` empty: any vehicle."""

    model_config = ConfigDict(extra="forbid")

    enter: bool = False
    leave: bool = False
    dwell_min: float | None = Field(default=None, gt=0, le=1440)
    vehicles: list[Annotated[str, Field(max_length=80)]] = Field(default=[], max_length=2000)


class FenceIn(BaseModel):
    """`geometry`: GeoJSON in degrees, lon first: Point, Polygon or LineString by kind."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200)
    kind: FenceKind
    geometry: dict[str, Any]
    radius_m: float = Field(
        default=0.0, ge=0, le=50_000, description="Of a circle; half a corridor's width."
    )
    dwell_s: float = Field(
        default=30.0, ge=0, le=86_400, description="Before coming or going counts."
    )
    rules: FenceRules = FenceRules()


class FenceChange(FenceIn):
    version: int


class FenceOut(FenceIn):
    id: str
    version: int


@router.get("/geofences", summary="All geofences")
def read_geofences(session: Reading, scope: Dispatcher) -> list[FenceOut]:
    return [_fence(row) for row in geofences.geofences(session)]


@router.post("/geofences", status_code=201, summary="Draw a geofence")
def create_geofence(body: FenceIn, session: UnitOfWork, now: Now, scope: Admin) -> FenceOut:
    row = geofences.draw(session, None, **_values(body), now=now, lang=scope.lang)
    return _fence(row)


@router.put("/geofences/{fence_id}", summary="Change a geofence")
def change_geofence(
    fence_id: str, body: FenceChange, session: UnitOfWork, now: Now, scope: Admin
) -> FenceOut:
    """Alarms about its former outline are cleared."""
    row = geofences.draw(
        session, fence_id, **_values(body), now=now, lang=scope.lang, version=body.version
    )
    return _fence(row)


@router.delete("/geofences/{fence_id}", status_code=204, summary="Take a geofence away")
def delete_geofence(fence_id: str, session: UnitOfWork, now: Now, scope: Admin) -> None:
    geofences.erase(session, fence_id, now=now, lang=scope.lang)


def _values(body: FenceIn) -> dict[str, Any]:
    return {
        "name": body.name,
        "kind": body.kind,
        "geometry": body.geometry,
        "radius_m": body.radius_m,
        "dwell_s": body.dwell_s,
        "rules": body.rules.model_dump(),
    }


def _fence(row: Geofence) -> FenceOut:
    return FenceOut(
        id=row.id,
        version=row.version,
        name=row.name,
        kind=FenceKind(row.kind),
        geometry=row.geometry,
        radius_m=row.radius_m,
        dwell_s=row.dwell_s,
        rules=FenceRules(**row.rules),
    )
