"""What retention may not touch: the trails that open requests rest on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from feedback import wiring
from feedback.requests.holds import held
from feedback.requests.models import Request, Status
from fleet.kit.ids import new_id
from fleet.kit.times import iso
from fleet.kit.web import Kit
from tests.conftest import START
from tests.routing.plans.planning import make_plan
from tests.routing.plans.town import add_city, west_lanes
from tracking.facts.models import LaneTraversal
from tracking.history import holds as retention
from tracking.history.holds import Hold

MIDNIGHT = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
"""The one before START in Kolkata."""
NEXT = MIDNIGHT + timedelta(days=1)
NOON = START + timedelta(hours=6)


@pytest.fixture
def town(kit: Kit) -> Kit:
    """A published plan: T1 serves the lanes of ward west from 06:00."""
    with kit.db.unit_of_work() as session:
        add_city(session)
    make_plan(kit.db, START - timedelta(hours=4))
    return kit


def complain(kit: Kit, **changes: Any) -> None:
    values: dict[str, Any] = {
        "id": new_id("req"), "version": 1, "code": new_id("c")[:12], "client_id": new_id("cl"),
        "body_hash": "", "service_code": "missed_pickup", "status": Status.CHECKED, "lon": 75.851,
        "lat": 22.701, "address": "", "words": "", "contact": "", "lang": "en", "photo_ids": [],
        "ward_id": "west", "zone_id": "z1", "lane_id": None, "created_at": NOON,
        "promised_at": NOON, "verdict": "served", "verdict_key": "evidence.served",
        "verdict_values": {}, "nearest_pass": None, "rating_words": "",
    }  # fmt: skip
    with kit.db.unit_of_work() as session:
        session.add(Request(**values | changes, timeline=[]))


def holds(kit: Kit) -> list[Hold]:
    with kit.db.reading() as session:
        return held(session)


def test_a_verdict_holds_the_day_of_the_vehicles_it_names(town: Kit) -> None:
    complain(town, verdict_values={"vehicle": "T2", "at": iso(NOON)})
    complain(town, nearest_pass={"vehicle_id": "S1", "t": iso(NOON)})
    assert holds(town) == [Hold("S1", MIDNIGHT, NEXT), Hold("T2", MIDNIGHT, NEXT)]


def test_the_planned_vehicle_is_held_though_nobody_came(town: Kit) -> None:
    """That T1 was not there is told by all of its day."""
    complain(town, verdict="confirmed_missed", verdict_key="no_pass", lane_id=west_lanes()[0])
    assert [hold.vehicle_id for hold in holds(town)] == ["T1"]


def test_a_pass_that_ran_past_midnight_is_held_to_its_end(town: Kit) -> None:
    lane = west_lanes()[0]
    with town.db.unit_of_work() as session:
        session.add(
            LaneTraversal(
                id="ltr_1", version=1, lane_id=lane, vehicle_id="T2",
                service_date=START.date(), start_t=NEXT, end_t=NEXT + timedelta(minutes=5),
                forward=True, served_fraction=1.0, driven_fraction=1.0, gap=False, pace_mps=1.0,
                served_spans=[], driven_spans=[], service_s=0.0, halts=0, standing_s=0.0,
                offset_m=0.0, hidden_m=0.0, provisional=True,
            )
        )  # fmt: skip
    complain(town, lane_id=lane)
    ends = {hold.vehicle_id: hold.until for hold in holds(town)}
    assert ends == {"T1": NEXT, "T2": NEXT + timedelta(minutes=5, seconds=1)}


@pytest.mark.parametrize(
    "changes",
    [{"status": Status.CLOSED}, {"status": Status.ANSWERED}, {"verdict": None}],
    ids=["closed", "answered", "rests on no trail"],
)
def test_nothing_else_is_held(town: Kit, changes: dict[str, Any]) -> None:
    complain(town, verdict_values={"vehicle": "T2"}, **changes)
    assert holds(town) == []


def test_retention_asks_this_room() -> None:
    assert wiring.holds.held in retention.holders
