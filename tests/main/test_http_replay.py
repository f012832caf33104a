"""`GET /api/replay`: tracking's vehicles and routing's lanes in one answer, by area."""

from __future__ import annotations

import itertools
from datetime import timedelta

from sqlalchemy import select

from fleet.kit.times import iso
from routing.models import Judgement, Visit, VisitStatus
from tests.conftest import START
from tests.main.conftest import Served, problem
from tracking.fixes.fix import Fix

DAY = {"service_date": "2026-03-02"}


def test_a_day_of_two_rooms_is_one_answer(town: Served) -> None:
    """Proof was true when it ended, a miss when it was first judged; a pending lane never."""
    town.app.state.fixlog.append(
        [
            Fix(
                device_id="unit-1",
                vehicle_id="T1",
                t=START + timedelta(seconds=5 * i),
                received_t=START + timedelta(seconds=5 * i),
                lon=75.85 + i * 1e-4,
                lat=22.7,
            )
            for i in range(10)
        ]
    )
    with town.kit.db.unit_of_work() as session:
        served, missed = session.scalars(
            select(Visit).where(Visit.kind == "lane").order_by(Visit.id).limit(2)
        )
        served.status = VisitStatus.SERVED
        served.evidence = {
            "start_t": iso(START),
            "end_t": iso(START + timedelta(minutes=3)),
            "vehicle_id": "T2",
            "provisional": True,
        }
        missed.status = VisitStatus.MISSED
        for minutes, status in ((50, VisitStatus.MISSED), (70, VisitStatus.MISSED)):
            session.add(
                Judgement(
                    visit_id=missed.id,
                    made_t=START + timedelta(minutes=minutes),
                    status=status,
                    reason="nobody",
                    evidence=None,
                )
            )
        refs = served.ref, missed.ref
    answer = town.signed_in("dispatcher").get("/api/replay", params=DAY)
    assert answer.headers["content-encoding"] == "gzip"
    found = answer.json()
    assert [v["vehicle_id"] for v in found["vehicles"]] == ["T1"]
    assert list(itertools.accumulate(found["vehicles"][0]["t"]))[-1] == START.timestamp() + 45
    columns = zip(
        *(found["lanes"][k] for k in ("lane_id", "status", "known", "probable")), strict=True
    )
    lanes = {lane: rest for lane, *rest in columns}
    assert lanes.pop(refs[0]) == ["served", START.timestamp() + 180, True]
    assert lanes.pop(refs[1]) == ["missed", START.timestamp() + 3000, False]
    assert {tuple(rest) for rest in lanes.values()} == {("pending", None, False)}


def test_each_zone_sees_its_own_lanes(town: Served) -> None:
    every = town.signed_in("dispatcher").get("/api/replay", params=DAY).json()["lanes"]["lane_id"]
    west, east = (
        set(town.signed_in(name).get("/api/replay", params=DAY).json()["lanes"]["lane_id"])
        for name in ("west", "east")
    )
    assert west
    assert east
    assert west.isdisjoint(east)
    assert west | east == set(every)
    only = town.signed_in("dispatcher").get("/api/replay", params=DAY | {"ward": "west"}).json()
    assert set(only["lanes"]["lane_id"]) == west


def test_a_replay_is_for_dispatchers(town: Served) -> None:
    for name in ("driver", "operator"):
        problem(town.signed_in(name).get("/api/replay", params=DAY))
    assert town.anybody.get("/api/replay", params=DAY).status_code == 401


def test_a_client_without_gzip_is_answered_plainly(town: Served) -> None:
    answer = town.signed_in("dispatcher").get(
        "/api/replay", params=DAY, headers={"Accept-Encoding": "identity"}
    )
    assert "content-encoding" not in answer.headers
    assert answer.json()["service_date"] == "2026-03-02"
