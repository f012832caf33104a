"""Whose a device's fix is: the vehicle or person that held the device at the fix's own time.

A person holds a device only while on shift. A fix from before or after belongs to nobody: it is
stored like that of a unit without vehicle, and no read by holder ever finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.org.models import Assignment, FieldWorker
from fleet.org.staff import is_person, within_shift


@dataclass(frozen=True, slots=True)
class Holding:
    """One dated assignment; `shift` is the person's, in seconds after local midnight."""

    holder: str
    from_at: datetime
    to_at: datetime | None
    shift: tuple[int, int] | None


def holdings(session: Session, device_ids: Collection[str]) -> dict[str, list[Holding]]:
    """All that each of the devices ever was in or on."""
    rows = session.execute(
        select(
            Assignment.subject,
            Assignment.object,
            Assignment.from_at,
            Assignment.to_at,
            FieldWorker.start_s,
            FieldWorker.end_s,
        )
        .outerjoin(FieldWorker, FieldWorker.id == Assignment.object)
        .where(Assignment.kind == "device_vehicle", Assignment.subject.in_(device_ids))
    )
    found: dict[str, list[Holding]] = {}
    for device_id, holder, from_at, to_at, start_s, end_s in rows:
        shift = None if start_s is None else (start_s, end_s)
        found.setdefault(device_id, []).append(Holding(holder, from_at, to_at, shift))
    return found


def holder_at(held: Sequence[Holding], t: datetime, tz: ZoneInfo) -> str | None:
    """The holder at an instant; a person outside of the shift holds nothing.

    Args:
        tz: the city's zone, in which shifts are told.
    """
    for holding in held:
        if holding.from_at <= t and (holding.to_at is None or t < holding.to_at):
            if not is_person(holding.holder):
                return holding.holder
            on_shift = holding.shift is not None and within_shift(*holding.shift, t, tz)
            return holding.holder if on_shift else None
    return None
