"""Dated assignments: which vehicle or person carries which device, which vehicle serves which beat,
whose crew drives what, and who works in which beat on foot. History stays with the holder of its
time: rows are only added and ended.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from fleet.kit.errors import Conflict, Malformed, NotFound
from fleet.kit.i18n import t
from fleet.kit.ids import new_id
from fleet.kit.outbox import emit
from fleet.kit.times import iso
from fleet.org.models import Assignment, Beat, FieldWorker, Vehicle
from fleet.org.staff import is_person

type Kind = Literal["device_vehicle", "vehicle_beat", "crew_vehicle", "person_beat"]
KINDS: Final = ("device_vehicle", "vehicle_beat", "crew_vehicle", "person_beat")
TOPIC: Final = "org.assignment_changed"

type SubjectCheck = Callable[[Session, str, str, str], None]
"""Session, subject, object, language; raises a Problem when the subject cannot hold the object."""


def assign(
    session: Session, kind: Kind, subject: str, object: str, at: datetime, *, lang: str = "en"
) -> Assignment:
    """Give `object` to `subject` from `at` on, and end what that replaces.

    A device or a crew member has one vehicle at a time (a vehicle may carry several devices and
    crew); a device may have a person (`person:…`) instead. A vehicle has one beat a shift, and a
    beat one vehicle; a person has one beat a shift, and a beat any number of persons. The same
    again changes nothing.

    Raises:
        Malformed: unknown kind.
        NotFound: no such vehicle, person or beat.
        Conflict: something was assigned later than `at`; history is not rewritten.
    """
    slot = _slot(session, kind, subject, object, lang)
    rivals = _rivals(kind, subject, object, slot)
    replaced = session.scalars(
        select(Assignment)
        .where(rivals, Assignment.to_at.is_(None))
        .order_by(Assignment.id)
        .with_for_update()
    ).all()
    for row in replaced:
        if row.subject == subject and row.object == object and row.from_at <= at:
            return row
    _refuse_the_past(session, rivals, at, lang)
    for row in replaced:
        row.to_at = at
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
    session: Session,
    kind: Kind,
    subject: str,
    at: datetime,
    *,
    slot: str | None = None,
    lang: str = "en",
) -> list[Assignment]:
    """End what `subject` holds from `at` on, in one shift (`slot`) or in all.

    Raises:
        Conflict: as `assign`.
    """
    mine = and_(Assignment.kind == kind, Assignment.subject == subject)
    if slot is not None:
        mine = and_(mine, Assignment.slot == slot)
    held = session.scalars(
        select(Assignment).where(mine, Assignment.to_at.is_(None)).with_for_update()
    ).all()
    if held:
        _refuse_the_past(session, mine, at, lang)
    for row in held:
        row.to_at = at
    session.flush()
    for row in held:
        emit(session, TOPIC, row.id, view(row))
    return list(held)


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
        "from_t": iso(row.from_at),
        "to_t": iso(row.to_at) if row.to_at else None,
    }


def _slot(session: Session, kind: Kind, subject: str, object: str, lang: str) -> str:
    if kind not in KINDS:
        raise Malformed(
            f"{kind!r} is no kind of assignment.", field="kind", remedy=f"Use {', '.join(KINDS)}."
        )
    if kind in ("vehicle_beat", "person_beat"):
        if kind == "person_beat":
            _existing_person(session, subject, "subject", lang)
        else:
            _existing_vehicle(session, subject, "subject", lang)
        beat = session.get(Beat, object)
        if beat is None:
            raise NotFound(
                t(lang, "org.beat_unknown", beat=object),
                field="object",
                remedy=t(lang, "org.beat_unknown_remedy"),
            )
        return beat.shift
    if kind == "device_vehicle" and is_person(object):
        _existing_person(session, object, "object", lang)
    else:
        _existing_vehicle(session, object, "object", lang)
    return ""


def _existing_person(session: Session, person_id: str, field: str, lang: str) -> None:
    person = session.get(FieldWorker, person_id)
    if person is None or not person.active:
        raise NotFound(
            t(lang, "org.person_unknown", person=person_id),
            field=field,
            remedy=t(lang, "org.person_unknown_remedy"),
        )


def _existing_vehicle(session: Session, vehicle_id: str, field: str, lang: str) -> None:
    if session.get(Vehicle, vehicle_id) is None:
        raise NotFound(
            t(lang, "org.vehicle_unknown", vehicle=vehicle_id),
            field=field,
            remedy=t(lang, "org.vehicle_unknown_remedy"),
        )


def _holds_at(at: datetime) -> ColumnElement[bool]:
    return and_(Assignment.from_at <= at, or_(Assignment.to_at.is_(None), Assignment.to_at > at))


def _rivals(kind: Kind, subject: str, object: str, slot: str) -> ColumnElement[bool]:
    """Rows that may not hold together with a new assignment."""
    same = and_(Assignment.subject == subject, Assignment.slot == slot)
    if kind == "vehicle_beat":
        same = or_(same, Assignment.object == object)
    return and_(Assignment.kind == kind, same)


def _refuse_the_past(
    session: Session, rivals: ColumnElement[bool], at: datetime, lang: str
) -> None:
    later = session.scalar(
        select(Assignment)
        .where(rivals, or_(Assignment.from_at > at, Assignment.to_at > at))
        .order_by(Assignment.from_at.desc())
        .limit(1)
    )
    if later is not None:
        raise Conflict(
            t(lang, "org.later_change", subject=later.subject, object=later.object, at=iso(at)),
            field="at",
            remedy=t(lang, "org.later_change_remedy"),
        )
