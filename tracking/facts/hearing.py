"""Silence of devices, announced once when it begins and once when it ends; stored, so that a
restart repeats nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from fleet.kit.outbox import emit
from fleet.kit.times import iso
from fleet.kit.web import Kit
from fleet.org.assignments import holder
from fleet.org.queries import policy
from tracking.facts.models import GeofencePass, Hearing
from tracking.fixes.fix import Fix

SILENT = "tracking.device_silent"
HEARD = "tracking.device_heard"


def newest(fixes: Iterable[Fix]) -> dict[str, Fix]:
    """The newest fix of each vehicle, marked ones too: a poor position is no silence."""
    found: dict[str, Fix] = {}
    for fix in fixes:
        vehicle_id = fix.vehicle_id
        if vehicle_id is not None and (vehicle_id not in found or found[vehicle_id].t < fix.t):
            found[vehicle_id] = fix
    return found


def heard(session: Session, fixes: Iterable[Fix]) -> None:
    """Notes who was heard, and announces those that were silent."""
    for vehicle_id, fix in newest(fixes).items():
        row = session.get(Hearing, vehicle_id)
        if row is None:
            row = Hearing(vehicle_id=vehicle_id, device_id=fix.device_id, last_t=fix.t)
            row.silent, row.ignition = False, fix.ignition
            session.add(row)
        elif fix.t > row.last_t:
            row.device_id, row.last_t, row.ignition = fix.device_id, fix.t, fix.ignition
            if row.silent:
                row.silent = False
                emit(session, HEARD, vehicle_id, _view(row))


def last_heard(session: Session, vehicle_ids: Collection[str]) -> dict[str, datetime]:
    """Time of the last fix that was noted, by vehicle."""
    rows = session.execute(
        select(Hearing.vehicle_id, Hearing.last_t).where(Hearing.vehicle_id.in_(vehicle_ids))
    )
    return {row.vehicle_id: row.last_t for row in rows}


def announce_silent(session: Session, now: datetime, silent_after_s: float) -> None:
    """Announces vehicles not heard for `silent_after_s`.

    One that was switched off, or stands in its depot, is at rest. One whose device was taken to
    another vehicle has nobody to be silent.
    """
    at_depot = exists().where(
        GeofencePass.vehicle_id == Hearing.vehicle_id,
        GeofencePass.place_kind == "depot",
        GeofencePass.left_t.is_(None),
    )
    quiet = session.scalars(
        select(Hearing)
        .where(
            Hearing.silent.is_(False),
            Hearing.last_t < now - timedelta(seconds=silent_after_s),
            Hearing.ignition.is_distinct_from(False),
            ~at_depot,
        )
        .order_by(Hearing.vehicle_id)
    )
    for row in quiet.all():
        if holder(session, "device_vehicle", row.device_id, now) == row.vehicle_id:
            row.silent = True
            emit(session, SILENT, row.vehicle_id, _view(row))
    session.flush()


def sweep(kit: Kit, now: datetime) -> None:
    """The timer's run."""
    with kit.db.unit_of_work() as session:
        announce_silent(session, now, policy(session).silent_device_s)


def _view(row: Hearing) -> dict[str, Any]:
    return {"vehicle_id": row.vehicle_id, "device_id": row.device_id, "t": iso(row.last_t)}
