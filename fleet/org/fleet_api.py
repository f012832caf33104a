"""Vehicles and dated assignments over HTTP, for dispatchers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from fleet.kit.errors import NotFound
from fleet.kit.i18n import t
from fleet.kit.web import Now, Reading, UnitOfWork
from fleet.org import assignments, queries, staff
from fleet.people import Role, Scope, User, requires

router = APIRouter(tags=["fleet"])

Dispatcher = Annotated[Scope, Depends(requires(Role.DISPATCHER))]
Identifier = Annotated[str, Field(min_length=1, max_length=120)]
AssignmentKind = Literal["device_vehicle", "vehicle_beat", "crew_vehicle", "person_beat"]


class CompartmentView(BaseModel):
    streams: list[str]
    kg: float
    m3: float


class VehicleView(BaseModel):
    """`device_id` and `driver` (an account's id): who is in it now; the first where several are."""

    id: str
    class_id: str
    contractor: str
    depot_id: str
    compartments: list[CompartmentView]
    spare: bool
    device_id: str | None
    driver: str | None
    beats: list[str]


class AssignmentView(BaseModel):
    """Held from `from_t` until `to_t` (None: still). `slot`: the shift of a beat."""

    id: str
    kind: AssignmentKind
    subject: str
    object: str
    slot: str
    from_t: str
    to_t: str | None


class AssignmentBody(BaseModel):
    """`object` None: `subject` gives back what it holds."""

    kind: AssignmentKind
    subject: Identifier
    object: Identifier | None


@router.get("/api/vehicles", summary="Vehicles with what and who is in them now")
def read_vehicles(session: Reading, now: Now, scope: Dispatcher) -> list[VehicleView]:
    devices = _first_by_object(assignments.held(session, "device_vehicle", now))
    crew = _first_by_object(assignments.held(session, "crew_vehicle", now))
    beats: dict[str, list[str]] = {}
    for row in assignments.held(session, "vehicle_beat", now):
        beats.setdefault(row.subject, []).append(row.object)
    return [
        VehicleView(
            id=vehicle.id,
            class_id=vehicle.class_id,
            contractor=vehicle.contractor,
            depot_id=vehicle.depot_id,
            compartments=[CompartmentView(**chamber) for chamber in vehicle.compartments],
            spare=vehicle.spare,
            device_id=devices.get(vehicle.id),
            driver=crew.get(vehicle.id),
            beats=beats.get(vehicle.id, []),
        )
        for vehicle in queries.vehicles(session)
    ]


@router.get("/api/assignments", summary="All that a subject ever held, newest first")
def read_assignments(
    session: Reading, scope: Dispatcher, kind: AssignmentKind, subject: str
) -> list[AssignmentView]:
    rows = assignments.history(session, kind, subject)
    return [AssignmentView(**assignments.view(row)) for row in rows]


@router.post(
    "/api/assignments",
    status_code=201,
    summary="Give a subject something else from now on",
)
def assign(
    body: AssignmentBody, request: Request, session: UnitOfWork, now: Now, scope: Dispatcher
) -> AssignmentView:
    if body.object is None:
        ended = assignments.release(session, body.kind, body.subject, now, lang=scope.lang)
        if not ended:
            raise NotFound(
                t(scope.lang, "org.nothing_held", subject=body.subject),
                field="subject",
                remedy=t(scope.lang, "org.nothing_held_remedy"),
            )
        return AssignmentView(**assignments.view(ended[0]))
    if body.kind == "crew_vehicle" and session.get(User, body.subject) is None:
        raise NotFound(
            t(scope.lang, "org.user_unknown", subject=body.subject),
            field="subject",
            remedy=t(scope.lang, "org.user_unknown_remedy"),
        )
    # What a device is, only a room above knows; it puts its check on the application.
    checks: Mapping[str, assignments.SubjectCheck] = getattr(
        request.app.state, "subject_checks", {}
    )
    if body.kind in checks:
        checks[body.kind](session, body.subject, body.object, scope.lang)
    for holder in (body.subject, body.object):
        staff.check_seen(session, scope, holder)
    row = assignments.assign(session, body.kind, body.subject, body.object, now, lang=scope.lang)
    return AssignmentView(**assignments.view(row))


def _first_by_object(rows: Any) -> dict[str, str]:
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(row.object, row.subject)
    return first
