"""Customary times: when each lane is usually served, learnt from trails or imported with beats."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fleet.org.models import CustomaryTime


def customary_s(session: Session, lane_id: str, vehicle_id: str, shift: str) -> float | None:
    """When a lane is usually served in a shift, in seconds after the service date's midnight.

    The vehicle's own custom first; else that of whoever serves it in this shift, since residents
    wait for the song and not for the number plate. None: no custom is known.
    """
    return customary_times(session, [lane_id], vehicle_id, shift).get(lane_id)


def customary_times(
    session: Session, lane_ids: Collection[str], vehicle_id: str, shift: str
) -> dict[str, float]:
    """`customary_s` of many lanes; those without a custom are left out."""
    own: dict[str, float] = {}
    others: dict[str, tuple[int, float]] = {}
    wanted = sorted(set(lane_ids))
    for first in range(0, len(wanted), 500):
        statement = (
            select(CustomaryTime)
            .where(
                CustomaryTime.lane_id.in_(wanted[first : first + 500]),
                CustomaryTime.shift == shift,
            )
            .order_by(CustomaryTime.vehicle_id)
        )
        for row in session.scalars(statement):
            if row.vehicle_id == vehicle_id:
                own[row.lane_id] = row.usual_s
            elif row.days > others.get(row.lane_id, (0, 0.0))[0]:
                others[row.lane_id] = row.days, row.usual_s
    return {lane_id: usual_s for lane_id, (_, usual_s) in others.items()} | own


def replace_customs(session: Session, rows: Iterable[CustomaryTime]) -> int:
    """Puts the customs of some vehicles and shifts in the place of what they had.

    Returns:
        How many there are now.
    """
    made = list(rows)
    for vehicle_id, shift in sorted({(row.vehicle_id, row.shift) for row in made}):
        session.execute(
            delete(CustomaryTime).where(
                CustomaryTime.vehicle_id == vehicle_id, CustomaryTime.shift == shift
            )
        )
    session.add_all(made)
    session.flush()
    return len(made)
