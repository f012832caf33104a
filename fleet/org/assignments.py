"""Dated assignments: which device is in which vehicle, which vehicle serves which beat, and whose
crew drives what. History stays with the holder of its time: rows are only added and ended.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from fleet.kit.errors import Conflict, Malformed, NotFound
from fleet.kit.ids import new_id
from fleet.kit.outbox import emit
from fleet.kit.times import iso
from fleet.org.models import Assignment, Beat, Vehicle

type Kind = Literal["device_vehicle", "vehicle_beat", "crew_vehicle"]
KINDS: Final = ("device_vehicle", "vehicle_beat", "crew_vehicle")
TOPIC: Final = "org.assignment_changed"


def assign(session: Session, kind: Kind, subject: str, object: str, at: datetime) -> Assignment:
    """Give `object` to `subject` from `at` on, and end what that replaces.

    A device or a crew member has one vehicle at a time (a vehicle may carry several devices and
    crew). A vehicle has one beat a shift, and a beat one vehicle. The same again changes nothing.

    Raises:
        Malformed: unknown kind.
        NotFound: no such vehicle or beat.
        Conflict: something was assigned later than `at`; history is not rewritten.
    """
    slot = _slot(session, kind, subject, object)
    replaced = _open(session, kind, subject, object, slot)
    for row in replaced:
        if row.subject == subject and row.object == object and row.from_at <= at:
            return row
    for row in replaced:
        _end(row, at)
    session.flush()  # the open-row index must see the ends before the new row
    row = Assignment(
        id=new_id("asg"),
        kind=kind,
        subject=subject,
        object=object,
        slot=slot,
        from_at=at,
        to_at=None,
    )
    session.add(row)
    session.flush()
    for changed in (*replaced, row):
        emit(session, TOPIC, changed.id, view(changed))
    return row


def release(
    session: Session, kind: Kind, subject: str, at: datetime, *, slot: str | None = None
) -> list[Assignment]:
    """End what `subject` holds at `at`, in one shift (`slot`) or in all, and give nothing instead."""
    held = [
        row
        for row in session.scalars(select(Assignment).where(_is_open(kind, subject)))
        if slot is None or row.slot == slot
    ]
    for row in held:
        _end(row, at)
    session.flush()
    for row in held:
        emit(session, TOPIC, row.id, view(row))
    return held


def holder(
    session: Session, kind: Kind, subject: str, at: datetime, *, slot: str | None = None
) -> str | None:
    """What `subject` held at `at`: the vehicle of a device or crew member, the beat of a vehicle.

    `slot` names the shift of a `vehicle_beat`; without it, the first by shift name.
    """
    statement = (
        select(Assignment.object)
        .where(Assignment.kind == kind, Assignment.subject == subject, _holds_at(at))
        .order_by(Assignment.slot)
        .limit(1)
    )
    if slot is not None:
        statement = statement.where(Assignment.slot == slot)
    return session.scalar(statement)


def subjects(session: Session, kind: Kind, object: str, at: datetime) -> list[str]:
    """Who held `object` at `at`, such as the devices of a vehicle, by id."""
    return list(
        session.scalars(
            select(Assignment.subject)
            .where(Assignment.kind == kind, Assignment.object == object, _holds_at(at))
            .order_by(Assignment.subject)
        )
    )


def held(session: Session, kind: Kind, at: datetime) -> Sequence[Assignment]:
    """All assignments of a kind that hold at `at`, in one query."""
    return session.scalars(
        select(Assignment)
        .where(Assignment.kind == kind, _holds_at(at))
        .order_by(Assignment.subject, Assignment.slot)
    ).all()


def history(session: Session, kind: Kind, subject: str) -> Sequence[Assignment]:
    """All that `subject` ever held, newest first."""
    return session.scalars(
        select(Assignment)
        .where(Assignment.kind == kind, Assignment.subject == subject)
        .order_by(Assignment.from_at.desc(), Assignment.to_at.desc().nulls_first())
    ).all()


def view(row: Assignment) -> dict[str, Any]:
    """The wire shape of an assignment."""
    return {
        "id": row.id,
        "kind": row.kind,
        "subject": row.subject,
        "object": row.object,
        "slot": row.slot,
        "from_at": iso(row.from_at),
        "to_at": iso(row.to_at) if row.to_at else None,
    }


def _slot(session: Session, kind: Kind, subject: str, object: str) -> str:
    if kind not in KINDS:
        raise Malformed(
            f"{kind!r} is no kind of assignment.", field="kind", remedy=f"Use {', '.join(KINDS)}."
        )
    if kind == "vehicle_beat":
        _existing_vehicle(session, subject, "subject")
        beat = session.get(Beat, object)
        if beat is None:
            raise NotFound(f"No beat {object}.", field="object", remedy="Choose a known beat.")
        return beat.shift
    _existing_vehicle(session, object, "object")
    return ""


def _existing_vehicle(session: Session, vehicle_id: str, field: str) -> None:
    if session.get(Vehicle, vehicle_id) is None:
        raise NotFound(
            f"No vehicle {vehicle_id}.", field=field, remedy="Choose a vehicle of fleet.csv."
        )


def _is_open(kind: str, subject: str) -> ColumnElement[bool]:
    return and_(Assignment.kind == kind, Assignment.subject == subject, Assignment.to_at.is_(None))


def _holds_at(at: datetime) -> ColumnElement[bool]:
    return and_(Assignment.from_at <= at, or_(Assignment.to_at.is_(None), Assignment.to_at > at))


def _open(
    session: Session, kind: Kind, subject: str, object: str, slot: str
) -> Sequence[Assignment]:
    """Open rows that a new assignment replaces."""
    replaced = and_(_is_open(kind, subject), Assignment.slot == slot)
    if kind == "vehicle_beat":
        by_object = and_(
            Assignment.kind == kind, Assignment.object == object, Assignment.to_at.is_(None)
        )
        replaced = or_(replaced, by_object)
    return session.scalars(
        select(Assignment).where(replaced).order_by(Assignment.id).with_for_update()
    ).all()


def _end(row: Assignment, at: datetime) -> None:
    if row.from_at > at:
        raise Conflict(
            f"{row.subject} was given {row.object} at {iso(row.from_at)}, which is later.",
            field="at",
            remedy="Assign from a later time; what has been recorded is not rewritten.",
        )
    row.to_at = at
