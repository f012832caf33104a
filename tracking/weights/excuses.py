"""A dispatcher's word that a trip or ticket is to be paid although it does not agree."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.errors import NotFound
from fleet.kit.i18n import t
from fleet.kit.ids import new_id
from fleet.people import Scope
from tracking.weights.models import Excuse, Ticket, Trip
from tracking.weights.queries import vehicles_unseen


def excuse(session: Session, scope: Scope, subject_id: str, words: str, now: datetime) -> Excuse:
    """Excuses a trip or a ticket, in the place of what was said before; no words withdraw it.

    Raises:
        NotFound: no such trip or ticket in the caller's area.
    """
    vehicle_id = _vehicle_of(session, subject_id)
    if vehicle_id is None or vehicle_id in vehicles_unseen(session, scope, now):
        raise NotFound(
            t(scope.lang, "weights.no_entry", id=subject_id),
            remedy=t(scope.lang, "weights.no_entry_remedy"),
        )
    for before in session.scalars(
        select(Excuse)
        .where(Excuse.subject_id == subject_id, Excuse.superseded_t.is_(None))
        .with_for_update()
    ):
        before.superseded_t = now
    row = Excuse(
        id=new_id("exc"),
        subject_id=subject_id,
        words=words.strip(),
        by_user=scope.user_id,
        by_name=scope.name,
        at=now,
        superseded_t=None,
    )
    session.add(row)
    session.flush()
    return row


def _vehicle_of(session: Session, subject_id: str) -> str | None:
    trip = session.get(Trip, subject_id)
    if trip is not None:
        return trip.vehicle_id
    return session.scalar(
        select(Ticket.vehicle_id).where(Ticket.id == subject_id, Ticket.superseded_t.is_(None))
    )
