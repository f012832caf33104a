"""Field staff: who they are, when their shift is, and who may know where they were.

A person's position is recorded for the work, not for the person: only fixes within the shift have
the person as their holder, and only who answers for the person's zone may ask.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.errors import Conflict, Malformed, NotFound
from fleet.kit.i18n import t
from fleet.kit.ids import new_id
from fleet.kit.outbox import emit
from fleet.kit.times import local_midnight, service_date_of
from fleet.org.models import FieldWorker, Zone
from fleet.people import Scope

PREFIX: Final = "person:"
STAFF_TOPIC: Final = "org.staff_changed"
"""Whoever remembers shifts must read them again."""
Duty = Literal["sweeping", "collection", "supervision"]
DAY_S: Final = 86_400
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,59}")


def is_person(holder: str | None) -> bool:
    """Whether a holder of a device is a person and no vehicle."""
    return holder is not None and holder.startswith(PREFIX)


def shift_on(worker: FieldWorker, service_date: date, tz: ZoneInfo) -> tuple[datetime, datetime]:
    """Begin and end of the person's shift of a service date."""
    midnight = local_midnight(service_date, tz)
    return midnight + timedelta(seconds=worker.start_s), midnight + timedelta(seconds=worker.end_s)


def within_shift(start_s: int, end_s: int, at: datetime, tz: ZoneInfo) -> bool:
    """Whether an instant lies in a shift of its own day, or in one that began the day before."""
    today = service_date_of(at, tz)
    for day in (today, today - timedelta(days=1)):
        after_s = (at - local_midnight(day, tz)).total_seconds()
        if start_s <= after_s < end_s:
            return True
    return False


def workers(session: Session, scope: Scope) -> Sequence[FieldWorker]:
    """The field staff of the caller's zones, by id."""
    statement = select(FieldWorker).where(FieldWorker.active).order_by(FieldWorker.id)
    if scope.zones is not None:
        statement = statement.where(FieldWorker.zone_id.in_(scope.zones))
    return session.scalars(statement).all()


def worker(session: Session, scope: Scope, person_id: str) -> FieldWorker:
    """One person whom the caller may know of.

    Raises:
        NotFound: there is none, or the person belongs to another zone.
    """
    found = session.get(FieldWorker, person_id)
    if found is None or not scope.sees_zone(found.zone_id):
        raise NotFound(
            t(scope.lang, "org.person_unknown", person=person_id),
            field="person_id",
            remedy=t(scope.lang, "org.person_unknown_remedy"),
        )
    return found


def check_seen(session: Session, scope: Scope, holder: str) -> None:
    """Raises as `worker` when the holder is a person whom the caller may not know of."""
    if is_person(holder):
        worker(session, scope, holder)


def add_worker(
    session: Session,
    scope: Scope,
    *,
    id: str | None,
    name: str,
    name_hi: str,
    zone_id: str,
    duty: Duty,
    start_s: int,
    end_s: int,
) -> FieldWorker:
    """A new person; the id is given without its prefix.

    Raises:
        Malformed: the id does not fit into an address, or the shift is none.
        NotFound: the zone is not the caller's.
        Conflict: the id is taken.
    """
    local = id or new_id("w")
    if not _ID.fullmatch(local):
        raise Malformed(
            t(scope.lang, "org.person_id", id=local),
            field="id",
            remedy=t(scope.lang, "org.person_id_remedy"),
        )
    if session.get(FieldWorker, PREFIX + local) is not None:
        raise Conflict(
            t(scope.lang, "org.person_taken", id=PREFIX + local),
            field="id",
            remedy=t(scope.lang, "org.person_taken_remedy"),
        )
    made = FieldWorker(
        id=PREFIX + local,
        name=name,
        name_hi=name_hi,
        zone_id=zone_id,
        duty=duty,
        start_s=start_s,
        end_s=end_s,
        active=True,
    )
    session.add(made)
    settle(session, scope, made)
    return made


def settle(session: Session, scope: Scope, made: FieldWorker) -> None:
    """Checks and announces a new or changed person; raises as `add_worker`."""
    with session.no_autoflush:
        zone = session.get(Zone, made.zone_id)
    if zone is None or not scope.sees_zone(made.zone_id):
        raise NotFound(
            t(scope.lang, "org.zone_unknown", zone=made.zone_id),
            field="zone_id",
            remedy=t(scope.lang, "org.zone_unknown_remedy"),
        )
    if not (0 <= made.start_s < DAY_S and 0 < made.end_s - made.start_s <= DAY_S):
        raise Malformed(
            t(scope.lang, "org.duty_span"),
            field="end",
            remedy=t(scope.lang, "org.duty_span_remedy"),
        )
    session.flush()
    emit(session, STAFF_TOPIC, made.id, {"person_id": made.id})
