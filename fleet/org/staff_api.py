"""Field staff over HTTP, for those whose zone it is."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from fleet.kit.web import Now, Reading, UnitOfWork
from fleet.org import staff
from fleet.org.assignments import held, release, subjects
from fleet.org.models import FieldWorker
from fleet.people import Role, Scope, requires

router = APIRouter(prefix="/api/staff", tags=["fleet"])

Dispatcher = Annotated[Scope, Depends(requires(Role.DISPATCHER))]
Clock = Annotated[
    str,
    Field(pattern=r"^[0-4]\d:[0-5]\d$", description="Local HH:MM; past midnight as 26:00."),
]
Name = Annotated[str, Field(min_length=1, max_length=200)]


class WorkerView(BaseModel):
    """A person with the device and the beats of this moment."""

    id: str
    name: str
    name_hi: str
    zone_id: str
    duty: staff.Duty
    start: str
    end: str
    device_id: str | None
    beats: list[str]


class WorkerCreate(BaseModel):
    id: str | None = Field(default=None, max_length=60, description="Without `person:`.")
    name: Name
    name_hi: Name | None = None
    zone_id: str = Field(max_length=120)
    duty: staff.Duty = "sweeping"
    start: Clock
    end: Clock


class WorkerChange(BaseModel):
    """What is left out stays."""

    name: Name | None = None
    name_hi: Name | None = None
    zone_id: str | None = Field(default=None, max_length=120)
    duty: staff.Duty | None = None
    start: Clock | None = None
    end: Clock | None = None
    active: bool | None = None


@router.get("", summary="Field staff of the caller's zones")
def read_staff(session: Reading, now: Now, scope: Dispatcher) -> list[WorkerView]:
    devices = {row.object: row.subject for row in held(session, "device_vehicle", now)}
    beats: dict[str, list[str]] = {}
    for row in held(session, "person_beat", now):
        beats.setdefault(row.subject, []).append(row.object)
    return [
        _view(worker, devices.get(worker.id), beats.get(worker.id, []))
        for worker in staff.workers(session, scope)
    ]


@router.post("", status_code=201, summary="Add a person")
def create_worker(body: WorkerCreate, session: UnitOfWork, scope: Dispatcher) -> WorkerView:
    made = staff.add_worker(
        session,
        scope,
        id=body.id,
        name=body.name,
        name_hi=body.name_hi or body.name,
        zone_id=body.zone_id,
        duty=body.duty,
        start_s=_seconds(body.start),
        end_s=_seconds(body.end),
    )
    return _view(made, None, [])


@router.patch("/{person_id}", summary="Change a person; one who has left gives all back")
def change_worker(
    person_id: str, body: WorkerChange, session: UnitOfWork, now: Now, scope: Dispatcher
) -> WorkerView:
    worker = staff.worker(session, scope, person_id)
    given = body.model_dump(exclude_none=True)
    for name in ("start", "end"):
        if name in given:
            given[f"{name}_s"] = _seconds(given.pop(name))
    for name, value in given.items():
        setattr(worker, name, value)
    staff.settle(session, scope, worker)
    devices = subjects(session, "device_vehicle", person_id, now)
    if not worker.active:
        for device in devices:
            release(session, "device_vehicle", device, now, lang=scope.lang)
        release(session, "person_beat", person_id, now, lang=scope.lang)
        devices = []
    beats = [r.object for r in held(session, "person_beat", now) if r.subject == person_id]
    return _view(worker, next(iter(devices), None), beats)


def _view(worker: FieldWorker, device_id: str | None, beats: list[str]) -> WorkerView:
    return WorkerView(
        id=worker.id,
        name=worker.name,
        name_hi=worker.name_hi,
        zone_id=worker.zone_id,
        duty=cast(staff.Duty, worker.duty),
        start=_clock(worker.start_s),
        end=_clock(worker.end_s),
        device_id=device_id,
        beats=beats,
    )


def _seconds(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 3600 + int(minutes) * 60


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02d}:{seconds % 3600 // 60:02d}"
