"""Bins emptied, as lifting gears and scales tell it. One event is one lift."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.outbox import emit
from tracking.facts.models import Lift
from tracking.fixes.fix import Fix, to_ms

_KINDS = frozenset({"lift", "load"})


def is_lift(fix: Fix) -> bool:
    """Whether the fix tells of an emptied bin, at a place that is known."""
    return fix.event in _KINDS and fix.mark is None and fix.vehicle_id is not None


def record_lifts(session: Session, fixes: Iterable[Fix]) -> None:
    """Stores and announces those that are new; after a restart some come again."""
    found = {row.id: row for row in map(_lift, fixes)}
    if not found:
        return
    known = set(session.scalars(select(Lift.id).where(Lift.id.in_(found))))
    for lift_id, row in found.items():
        if lift_id not in known:
            session.add(row)
            emit(session, "tracking.lifted", row.id, row.view())
    session.flush()


def _lift(fix: Fix) -> Lift:
    return Lift(
        id=f"lft_{fix.device_id}_{to_ms(fix.t)}_{fix.event}",
        vehicle_id=fix.vehicle_id,
        kind=fix.event,
        t=fix.t,
        lon=fix.lon,
        lat=fix.lat,
    )


def lifts_of(session: Session, vehicle_id: str, since: datetime, until: datetime) -> Sequence[Lift]:
    """Lifts of a vehicle with since ≤ t ≤ until, by time."""
    return session.scalars(
        select(Lift)
        .where(Lift.vehicle_id == vehicle_id, Lift.t >= since, Lift.t <= until)
        .order_by(Lift.t, Lift.id)
    ).all()
