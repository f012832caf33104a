"""A vehicle follows its route: slow where it serves, fast where it does not, as it is told."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest

from simulators.truth import SERVED, Truth
from simulators.vehicles import ON_BEFORE_S, Finished, Vehicle
from tests.simulators.routes import LANE_M, PLANE, START, route, street, visit

LANES = 8


def vehicle(lanes: int = LANES, seed: int = 1, **misses: Truth) -> Vehicle:
    """A vehicle whose misses are chosen: `lane_2=Truth(…)`."""
    made = Vehicle("V1", route(lanes), street(lanes), seed=seed)
    made.misses = {name.replace("_", "-"): truth for name, truth in misses.items()}
    return made


def run(driven: Vehicle, step_s: float = 60.0) -> tuple[list[dict[str, Any]], list[Finished]]:
    fixes: list[dict[str, Any]] = []
    finished: list[Finished] = []
    now_s = START.timestamp() - 600
    while not driven.off:
        now_s += step_s
        progress = driven.advance(now_s)
        fixes += progress.fixes
        finished += progress.finished
    return fixes, finished


def on_lane(fixes: list[dict[str, Any]], lane: int) -> list[dict[str, Any]]:
    """Fixes within the inner 80 m of a lane, on the street itself."""
    x0 = 40 + lane * (LANE_M + 40)
    placed = [(f, PLANE.metres(f["lon"], f["lat"])) for f in fixes]
    return [f for f, (x, y) in placed if x0 + 10 < x < x0 + LANE_M - 10 and abs(y) < 45]


def test_every_visit_is_finished_once_in_order() -> None:
    _, finished = run(vehicle())
    assert [done.visit["id"] for done in finished] == [f"v{n}" for n in range(LANES + 3)]
    assert [done.at_s for done in finished] == sorted(done.at_s for done in finished)
    assert all(done.truth == SERVED for done in finished)


def test_fixes_come_every_five_seconds_but_for_gaps_and_begin_before_the_shift() -> None:
    fixes, _ = run(vehicle())
    times = [fix["t"] for fix in fixes]
    assert 0 <= times[0] - (START.timestamp() - ON_BEFORE_S) < 5
    steps = {b - a for a, b in itertools.pairwise(times)}
    assert min(steps) == 5
    assert all(step % 5 == 0 and step <= 305 for step in steps)


def test_a_served_lane_takes_its_service_time() -> None:
    fixes, _ = run(vehicle())
    times = [fix["t"] for fix in on_lane(fixes, 0)]
    assert 0.5 * 240 < times[-1] - times[0] < 1.2 * 240


def test_a_lane_driven_through_is_passed_at_road_speed() -> None:
    fixes, _ = run(vehicle(lane_2=Truth("driven_through", 0.0)))
    times = [fix["t"] for fix in on_lane(fixes, 2)]
    assert 0 < times[-1] - times[0] < 30


def test_a_skipped_lane_is_passed_by_another_way() -> None:
    driven = vehicle(lane_2=Truth("skipped", 0.0))
    fixes, finished = run(driven)
    truths = {done.visit["ref"]: done.truth.kind for done in finished}
    assert truths["lane-2"] == "skipped"
    assert on_lane(fixes, 2) == []
    assert on_lane(fixes, 3) != []


def test_a_lane_served_in_part_is_slow_only_there() -> None:
    fixes, _ = run(vehicle(lane_2=Truth("partly", 0.5)))
    x0 = 40 + 2 * (LANE_M + 40)
    halves: dict[bool, int] = {True: 0, False: 0}
    for fix in on_lane(fixes, 2):
        halves[PLANE.metres(fix["lon"], fix["lat"])[0] < x0 + LANE_M / 2] += 1
    assert halves[True] > 3 * halves[False]


@pytest.mark.parametrize("step_s", [5.0, 60.0, 300.0])
def test_the_size_of_steps_changes_nothing(step_s: float) -> None:
    assert run(vehicle(), step_s)[0] == run(vehicle(), 37.0)[0]


def test_noise_stays_within_what_a_receiver_does() -> None:
    fixes, _ = run(vehicle())
    offsets = [abs(PLANE.metres(f["lon"], f["lat"])[1]) for f in fixes]
    rms = math.sqrt(sum(off * off for off in offsets) / len(offsets))
    assert 1.5 < rms < 14


def test_an_inserted_stop_is_done_where_the_new_version_has_it() -> None:
    driven = vehicle()
    driven.advance(START.timestamp() + 700)
    newer = route(LANES, version=2)
    stop = visit(3, "request", "req_1", 450, 450, id="stop", service_s=120)
    newer["visits"].insert(6, stop)
    driven.follow(newer)
    _, finished = run(driven)
    order = [done.visit["id"] for done in finished]
    assert order.index("stop") == order.index("v5") + 1
    assert order.index("v6") == order.index("stop") + 1


def test_a_route_that_replaces_another_is_not_begun_again() -> None:
    driven = vehicle()
    _, before = [], driven.advance(START.timestamp() + 1200).finished
    assert len(before) >= 3
    newer = route(LANES)
    newer["id"] = "r2"
    newer["visits"] = [{**v, "id": f"new-{v['id']}"} for v in newer["visits"]]
    driven.follow(newer)
    _, after = run(driven)
    refs = [done.visit["ref"] for done in [*before, *after] if done.visit["kind"] == "lane"]
    assert refs == [f"lane-{n}" for n in range(LANES)]


def test_joining_a_day_begins_at_the_first_visit_without_an_outcome() -> None:
    begun = route(LANES)
    for number in (1, 2, 3):
        begun["visits"][number]["status"] = "served"
    driven = Vehicle("V1", begun, street(LANES), seed=1)
    driven.misses = {}
    noon_s = START.timestamp() + 3600
    driven.resume(noon_s)
    progress = driven.advance(noon_s + 900)
    assert progress.fixes[0]["t"] >= noon_s
    assert progress.finished[0].visit["id"] == "v4"
