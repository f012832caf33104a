"""Stored fixes become facts behind a watermark: in steps, late, twice, and after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
import pytest
from msgspec.structs import replace
from sqlalchemy import select

from fleet.kit.outbox import OutboxRow
from fleet.kit.web import Kit
from fleet.org.models import Shift
from tests.tracking.conftest import DEPOT, T0, fix
from tests.tracking.drives import EAST, NORTH, ORIGIN, Town, drive, noisy
from tracking.evidence import passes
from tracking.facts.follower import Follower
from tracking.facts.models import Dwell, GeofencePass, LaneTraversal, Watermark
from tracking.facts.watermark import watermark
from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog

DAY = T0.date()


def along(lane: np.ndarray, mps: float, *, from_s: float = 0.0) -> list[Fix]:
    """A fix each 5 s along a lane of the town."""
    length = float(np.linalg.norm(lane[-1] - lane[0]))
    times = np.r_[np.arange(0, length / mps - 0.1, 5.0), length / mps]
    places = [lane[0] + t * mps / length * (lane[-1] - lane[0]) for t in times]
    return [
        fix(round(from_s + t, 3), lon=ORIGIN[0] + x / EAST, lat=ORIGIN[1] + y / NORTH)
        for t, (x, y) in zip(times.tolist(), np.array(places).tolist(), strict=True)
    ]


def drive_fixes(streets: Town) -> list[Fix]:
    day = drive(streets, 5, planned=10)
    heard = noisy(day.track, 5, sigma_m=4.0, correlation=0.5, speed=True)
    rows = np.column_stack([heard.t_s, heard.x, heard.y, heard.speed_mps.round(2)]).tolist()
    return [
        fix(t, lon=ORIGIN[0] + x / EAST, lat=ORIGIN[1] + y / NORTH, speed_mps=v)
        for t, x, y, v in rows
    ]


def events(kit: Kit, topic: str) -> list[dict]:
    with kit.db.reading() as session:
        rows = session.scalars(
            select(OutboxRow).where(OutboxRow.topic == topic).order_by(OutboxRow.id)
        )
        return [row.data for row in rows]


def told_passes(kit: Kit) -> list[dict]:
    return [found for data in events(kit, "tracking.lanes_traversed") for found in data["passes"]]


def facts(kit: Kit) -> list[tuple]:
    with kit.db.reading() as session:
        rows = session.scalars(select(LaneTraversal).order_by(LaneTraversal.start_t))
        return [
            (r.lane_id, r.start_t, r.end_t, r.forward, r.served_fraction, r.driven_fraction, r.gap)
            for r in rows
            if r.driven_fraction > 0 or r.gap
        ]


def served(kit: Kit, *, least: float = 0.8) -> set[str]:
    return {row[0] for row in facts(kit) if row[4] >= least}


def at(s: float) -> datetime:
    return T0 + timedelta(seconds=s)


def test_a_served_lane_becomes_one_fact_with_its_event(
    kit: Kit, fixlog: FixLog, streets: Town
) -> None:
    fixlog.append(along(streets.lanes["v1.0"], 1.6))
    Follower(kit, fixlog).run_to(at(60))
    with kit.db.reading() as session:
        assert watermark(session) == at(60)
        [found] = passes(session, ["v1.0"], [DAY])
    assert (found.vehicle_id, found.version, found.provisional) == ("v1", 1, True)
    assert (found.served_fraction, found.forward, found.gap) == (1.0, True, False)
    own = [data for data in told_passes(kit) if data["lane_id"] == "v1.0"]
    assert own == [found.view()]


def test_nothing_new_changes_nothing_but_the_watermark(
    kit: Kit, fixlog: FixLog, streets: Town
) -> None:
    fixlog.append(along(streets.lanes["v1.0"], 1.6))
    Follower(kit, fixlog).run_to(at(60))
    before = told_passes(kit)
    again = Follower(kit, fixlog)  # as after a restart
    again.run_to(at(90))
    again.run_to(at(30))
    fixlog.append([fix(0, device="d9", vehicle=None)])
    again.run_to(at(90))
    with kit.db.reading() as session:
        assert watermark(session) == at(90)
    assert told_passes(kit) == before


@pytest.mark.parametrize("step", [7, 60])
def test_facts_are_the_same_in_steps_as_at_once(
    kit: Kit, fixlog: FixLog, streets: Town, step: int
) -> None:
    """The same fixes of two vehicles: one in steps, one whole. Served lanes agree."""
    fixes = drive_fixes(streets)[:400]
    follower = Follower(kit, fixlog)
    for i in range(0, len(fixes), step):
        fixlog.append(fixes[i : i + step])
        follower.run_to(fixes[min(i + step, len(fixes)) - 1].t)
    in_steps = served(kit)
    with kit.db.unit_of_work() as session:
        for row in session.scalars(select(LaneTraversal)):
            session.delete(row)
    fixlog.append([_of_second_vehicle(f) for f in fixes])
    follower.run_to(fixes[-1].t)
    assert len(in_steps) >= 5
    assert in_steps == served(kit)


def _of_second_vehicle(f: Fix) -> Fix:
    return Fix(
        device_id="d2", vehicle_id="v2", t=f.t, received_t=f.received_t, lon=f.lon, lat=f.lat,
        speed_mps=f.speed_mps,
    )  # fmt: skip


def test_late_fixes_mend_a_fact_under_its_own_id(kit: Kit, fixlog: FixLog, streets: Town) -> None:
    """The middle of a lane arrives half an hour late; its doubt goes and its version rises."""
    slow = along(streets.lanes["v1.0"], 0.6)
    middle = [f for f in slow if 30 < (f.t - T0).total_seconds() < 100]
    follower = Follower(kit, fixlog)
    fixlog.append([f for f in slow if f not in middle])
    follower.run_to(at(300))
    with kit.db.reading() as session:
        [before] = passes(session, ["v1.0"], [DAY])
    assert before.gap
    fixlog.append(middle)
    follower.run_to(at(2_000))
    with kit.db.reading() as session:
        [after] = passes(session, ["v1.0"], [DAY])
    assert after.id == before.id
    assert after.version > before.version
    assert (after.served_fraction, after.gap) == (1.0, False)


def test_a_silence_casts_doubt_on_the_lane_in_which_it_began(
    kit: Kit, fixlog: FixLog, streets: Town
) -> None:
    """The half that was seen was a fact before the silence; minutes later it must be doubted."""
    lane = along(streets.lanes["v1.0"], 1.6)
    seen = lane[: len(lane) // 2]
    follower = Follower(kit, fixlog)
    fixlog.append(seen)
    follower.run_to(at(120))
    assert [row[6] for row in facts(kit) if row[0] == "v1.0"] == [False]
    heard_again_s = 400.0
    fixlog.append(along(streets.lanes["v1.1"], 1.6, from_s=heard_again_s))
    follower.run_to(at(600))
    assert [row[6] for row in facts(kit) if row[0] == "v1.0"] == [True]


def test_marked_fixes_prove_nothing(kit: Kit, fixlog: FixLog, streets: Town) -> None:
    fixlog.append([
        fix((f.t - T0).total_seconds(), lon=f.lon, lat=f.lat, mark="jump")
        for f in along(streets.lanes["v1.0"], 1.6)
    ])  # fmt: skip
    Follower(kit, fixlog).run_to(at(60))
    assert facts(kit) == []


def test_a_shift_past_midnight_keeps_its_service_date(
    kit: Kit, fixlog: FixLog, streets: Town
) -> None:
    """A lane served at 01:00 in a shift from 20:00 to 02:00 is yesterday's work."""
    with kit.db.unit_of_work() as session:
        session.add(Shift(vehicle_id="v1", name="night", start_s=20 * 3600, end_s=26 * 3600))
    lane = along(streets.lanes["v1.0"], 1.6, from_s=19 * 3600)
    fixlog.append(lane)
    Follower(kit, fixlog).run_to(lane[-1].t)
    with kit.db.reading() as session:
        assert len(passes(session, ["v1.0"], [DAY])) == 1


def stand(seconds: Sequence[float], lon: float, lat: float) -> list[Fix]:
    return [fix(s, lon=lon, lat=lat, speed_mps=0.0) for s in seconds]


def test_a_dwell_is_announced_when_it_is_one_and_when_it_ends(
    kit: Kit, fixlog: FixLog, streets: Town
) -> None:
    follower = Follower(kit, fixlog)
    for start in range(0, 600, 60):
        fixlog.append(stand(range(start, start + 60, 5), 75.87, 22.73))
        follower.run_to(at(start + 60))
    assert [e["ended"] for e in events(kit, "tracking.dwelled")] == [False]
    fixlog.append([fix(600 + 5 * i, lon=75.87 + 0.0004 * i, lat=22.73) for i in range(1, 9)])
    follower.run_to(at(700))
    first, last = events(kit, "tracking.dwelled")
    assert (first["id"], first["start_t"]) == (last["id"], last["start_t"])
    assert (last["ended"], last["end_t"]) == (True, "2026-03-02T00:39:55Z")
    with kit.db.reading() as session:
        assert len(session.scalars(select(Dwell)).all()) == 1


def test_coming_to_the_depot_and_leaving_it_are_told_once_each(
    kit: Kit, fixlog: FixLog, streets: Town
) -> None:
    """It stands at the border of the radius for a while; noise there is no coming and going."""
    lon, lat = DEPOT
    follower = Follower(kit, fixlog)
    for offsets in ([0.003, 0.0015, 0.0005], [0.00055, 0.0006, 0.00056], [0.0015, 0.003]):
        done = len(fixlog.window("v1", T0, at(999)))
        fixlog.append([
            fix(10 * (done + i), lon=lon + offset, lat=lat) for i, offset in enumerate(offsets)
        ])  # fmt: skip
        follower.run_to(at(10 * (done + len(offsets))))
    told = [
        (topic, data["place_id"], data["place_kind"], data["t"])
        for topic in ("tracking.geofence_entered", "tracking.geofence_left")
        for data in events(kit, topic)
    ]
    assert told == [
        ("tracking.geofence_entered", "depot", "depot", "2026-03-02T00:30:20Z"),
        ("tracking.geofence_left", "depot", "depot", "2026-03-02T00:31:00Z"),
    ]
    with kit.db.reading() as session:
        [stay] = session.scalars(select(GeofencePass)).all()
    assert stay.left_t == at(60)


def test_a_lift_is_told_once_also_when_it_is_read_again(
    kit: Kit, fixlog: FixLog, streets: Town
) -> None:
    lon, lat = 75.87, 22.73
    told = [
        replace(fix(60, lon=lon, lat=lat), event="lift"),
        replace(fix(70, lon=lon, lat=lat), event="lift", mark="jump"),
        replace(fix(80, lon=lon, lat=lat), event="ignition_off"),
    ]
    fixlog.append([fix(0, lon=lon, lat=lat), *told])
    Follower(kit, fixlog).run_to(at(100))
    with kit.db.unit_of_work() as session:
        for row in session.scalars(select(Watermark)):
            row.cursor = {}
    Follower(kit, fixlog).run_to(at(200))
    [lifted] = events(kit, "tracking.lifted")
    assert (lifted["vehicle_id"], lifted["kind"], lifted["t"]) == (
        "v1",
        "lift",
        "2026-03-02T00:31:00Z",
    )


def test_before_a_city_is_imported_only_the_watermark_moves(kit: Kit, fixlog: FixLog) -> None:
    fixlog.append([fix(0), fix(5)])
    Follower(kit, fixlog).run_to(at(10))
    with kit.db.reading() as session:
        assert watermark(session) == at(10)
