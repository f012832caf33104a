"""A silent device is announced once, and once when it is heard again."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import select

from fleet.kit.outbox import OutboxRow
from fleet.kit.web import Kit
from fleet.org.assignments import assign
from tests.tracking.conftest import T0, fix
from tests.tracking.drives import Town
from tracking.facts.hearing import heard, newest, sweep
from tracking.facts.models import GeofencePass
from tracking.fixes.fix import Fix

LATE = T0 + timedelta(seconds=181)


@pytest.fixture
def driving(kit: Kit, streets: Town) -> Kit:
    """d1 in v1, heard at T0."""
    with kit.db.unit_of_work() as session:
        assign(session, "device_vehicle", "d1", "v1", T0)
    hear(kit, fix(0))
    return kit


def hear(kit: Kit, *fixes: Fix) -> None:
    with kit.db.unit_of_work() as session:
        heard(session, newest(fixes))


def told(kit: Kit) -> list[tuple[str, str]]:
    with kit.db.reading() as session:
        rows = session.scalars(
            select(OutboxRow)
            .where(OutboxRow.topic.startswith("tracking.device_"))
            .order_by(OutboxRow.id)
        )
        return [(row.topic.removeprefix("tracking.device_"), row.data["t"]) for row in rows]


def test_silence_and_the_end_of_it_are_told_once_each(driving: Kit) -> None:
    sweep(driving, T0 + timedelta(seconds=180))
    assert told(driving) == []
    sweep(driving, LATE)
    sweep(driving, LATE + timedelta(seconds=30))
    assert told(driving) == [("silent", "2026-03-02T00:30:00Z")]
    hear(driving, fix(220), fix(225))
    hear(driving, fix(230))
    sweep(driving, T0 + timedelta(seconds=300))
    assert told(driving)[1:] == [("heard", "2026-03-02T00:33:45Z")]


def test_an_old_fix_that_arrives_late_is_no_sign_of_life(driving: Kit) -> None:
    sweep(driving, LATE)
    hear(driving, fix(-10))
    assert len(told(driving)) == 1


def test_a_marked_fix_is_a_sign_of_life(driving: Kit) -> None:
    hear(driving, fix(150, mark="hdop"))
    sweep(driving, LATE)
    assert told(driving) == []


def test_a_vehicle_that_was_switched_off_is_at_rest(driving: Kit) -> None:
    hear(driving, msgspec.structs.replace(fix(5), ignition=False))
    sweep(driving, T0 + timedelta(hours=1))
    assert told(driving) == []


def test_a_vehicle_in_its_depot_is_at_rest(driving: Kit) -> None:
    with driving.db.unit_of_work() as session:
        session.add(
            GeofencePass(
                id="g1",
                vehicle_id="v1",
                place_id="depot",
                place_kind="depot",
                entered_t=T0,
                left_t=None,
            )
        )
    sweep(driving, LATE)
    assert told(driving) == []


def test_a_device_that_moved_to_another_vehicle_is_not_missed_in_the_old(driving: Kit) -> None:
    with driving.db.unit_of_work() as session:
        assign(session, "device_vehicle", "d1", "v2", T0 + timedelta(seconds=60))
    sweep(driving, LATE)
    assert told(driving) == []
