"""A city in two zones with beats, and what alarms say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.outbox import OutboxRow
from fleet.kit.web import Kit
from fleet.org.models import Beat
from fleet.people.models import Role
from fleet.people.scope import Scope
from tests.tracking.conftest import T0
from tests.tracking.drives import Town
from tracking.alarms.about import About
from tracking.alarms.models import Alarm

CHIEF = Scope("usr_1", "Meera", Role.DISPATCHER, None, "en")
DAY = T0.date()


def at(s: float) -> datetime:
    return T0 + timedelta(seconds=s)


def about(
    vehicle: str | None = "v1",
    *,
    beat: str | None = "b1",
    zone: str | None = "z1",
    shift: str = "morning",
    day: date = DAY,
    wards: Sequence[str] = ("w1",),
) -> About:
    return About(
        service_date=day, shift=shift, zone_id=zone, ward_ids=wards, beat=beat, vehicle_id=vehicle
    )


def told(kit: Kit) -> list[dict[str, Any]]:
    """What the control room heard, in order."""
    with kit.db.reading() as session:
        rows = session.scalars(
            select(OutboxRow).where(OutboxRow.topic == "tracking.alarm").order_by(OutboxRow.id)
        )
        return [row.data for row in rows]


def shown(kit: Kit) -> dict[str, dict[str, Any]]:
    """Items as a client that heard all events shows them: neither cleared nor in a group."""
    table: dict[str, dict[str, Any]] = {}
    for data in told(kit):
        table[data["id"]] = data
    return {
        key: data
        for key, data in table.items()
        if data["state"] != "cleared" and data["group_id"] is None
    }


def stored(session: Session, kind: str | None = None) -> list[Alarm]:
    statement = select(Alarm).order_by(Alarm.t, Alarm.id)
    if kind is not None:
        statement = statement.where(Alarm.kind == kind)
    return list(session.scalars(statement))


def kinds(kit: Kit) -> list[tuple[str, str]]:
    """(kind, state) of every stored alarm but groups, by time."""
    with kit.db.reading() as session:
        return [(a.kind, a.state) for a in stored(session) if a.kind != "group"]


@pytest.fixture
def beats(kit: Kit, streets: Town) -> Kit:
    """v1 has the beat of two streets in the west."""
    with kit.db.unit_of_work() as session:
        session.add(
            Beat(id="b1", vehicle_id="v1", shift="morning", landmarks=[], lane_ids=["v1.0", "v1.1"])
        )
    return kit
