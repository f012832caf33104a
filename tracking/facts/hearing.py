"""Silence of devices, announced once when it begins and once when it ends; stored, so that a
restart repeats nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists, insert, select, update
from sqlalchemy.orm import Session

from fleet.kit.outbox import emit
from fleet.kit.times import iso
from fleet.kit.web import Kit
from fleet.org.assignments import holder
from fleet.org.queries import policy
from fleet.org.staff import PREFIX
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


def heard(session: Session, latest: Mapping[str, Fix]) -> None:
    """Notes who was heard, and announces those that were silent.

    Args:
        latest: the newest fix of each vehicle.
    """
    if not latest:
        return
    columns = (Hearing.vehicle_id, Hearing.last_t, Hearing.silent)
    rows = session.execute(select(*columns).where(Hearing.vehicle_id.in_(latest))).all()
    known = {row.vehicle_id: row for row in rows}
    values: dict[str, dict[str, Any]] = {
        vehicle_id: {
            "vehicle_id": vehicle_id,
            "device_id": fix.device_id,
            "last_t": fix.t,
            "ignition": fix.ignition,
            "silent": False,
        }
        for vehicle_id, fix in latest.items()
        if vehicle_id not in known or fix.t > known[vehicle_id].last_t
    }
    new = [row for vehicle_id, row in values.items() if vehicle_id not in known]
    later = [row for vehicle_id, row in values.items() if vehicle_id in known]
    if new:
        session.execute(insert(Hearing), new)
    if later:
        session.execute(update(Hearing), later)
    for row in later:
        if known[row["vehicle_id"]].silent:
            emit(session, HEARD, row["vehicle_id"], _view(row))


def last_heard(session: Session, vehicle_ids: Collection[str]) -> dict[str, datetime]:
    """Time of the last fix that was noted, by vehicle."""
    rows = session.execute(
        select(Hearing.vehicle_id, Hearing.last_t).where(Hearing.vehicle_id.in_(vehicle_ids))
    )
    return {row.vehicle_id: row.last_t for row in rows}


def announce_silent(session: Session, now: datetime, silent_after_s: float) -> None:
    """Announces vehicles not heard for `silent_after_s`.

    One that was switched off, or stands in its depot, is at rest. One whose device was taken to
    another vehicle has nobody to be silent, and a person who goes home is none.
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
            ~Hearing.vehicle_id.startswith(PREFIX),
            ~at_depot,
        )
        .order_by(Hearing.vehicle_id)
    )
    for row in quiet.all():
        if holder(session, "device_vehicle", row.device_id, now) == row.vehicle_id:
            row.silent = True
            emit(session, SILENT, row.vehicle_id, _view(vars(row)))
    session.flush()


def sweep(kit: Kit, now: datetime) -> None:
    """The timer's run."""
    with kit.db.unit_of_work() as session:
        announce_silent(session, now, policy(session).silent_device_s)


def _view(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "vehicle_id": row["vehicle_id"],
        "device_id": row["device_id"],
        "t": iso(row["last_t"]),
    }
