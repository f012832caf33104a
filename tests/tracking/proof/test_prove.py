"""What a track proves, on drives with known truth."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.tracking.proof.drives import Leg, drive, legs, silenced, town
from tracking.proof import Judgement, LaneGraph, LanePass, Track, judge, prove

GRAPH = town()


def judged(track: Track, graph: LaneGraph = GRAPH) -> dict[str, Judgement]:
    """By lane; those without a pass are left out."""
    passes: dict[int, list[LanePass]] = {}
    for found in prove(track, graph).passes:
        passes.setdefault(found.lane, []).append(found)
    return {graph.ids[n]: judge(own, float(graph.length_m[n])) for n, own in passes.items()}


def passes_of(track: Track, lane: str, graph: LaneGraph = GRAPH) -> list[LanePass]:
    return [p for p in prove(track, graph).passes if graph.ids[p.lane] == lane]


@pytest.mark.parametrize("doppler", [True, False], ids=["doppler", "positions-only"])
@pytest.mark.parametrize("period_s", [5, 10])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_served_and_driven_through_lanes_are_told_apart(
    period_s: int, doppler: bool, seed: int
) -> None:
    route = legs("main1", "+main2", "+cross1", "-north1", "-cross0", "main2", "main3", "main4")
    states = {
        lane: found.state
        for lane, found in judged(
            drive(GRAPH, route, period_s=period_s, doppler=doppler, seed=seed)
        ).items()
    }
    assert states.pop("main2") == "served"
    assert states.pop("cross1") == "served"
    assert {states.pop(n) for n in ("main1", "north1", "cross0", "main3", "main4")} == {
        "driven_through"
    }
    assert set(states.values()) <= {"not_visited"}


@pytest.mark.parametrize("period_s", [30, 60])
def test_seldom_fixes_are_no_silences(period_s: int) -> None:
    track = drive(GRAPH, legs("main1", "+main2", "+main3", "main4"), period_s=period_s)
    assert not any(p.gap for p in prove(track, GRAPH).passes)
    assert judged(track)["main3"].state == "served"


@pytest.mark.parametrize("doppler", [True, False], ids=["doppler", "positions-only"])
def test_driving_against_a_one_way_street_is_seen(doppler: bool) -> None:
    route = legs("+-oneway", "north1", "-cross1", "main3")
    track = drive(GRAPH, route, doppler=doppler)
    (found,) = passes_of(track, "oneway")
    assert not found.forward
    assert judge([found], float(GRAPH.length_m[found.lane])).state == "served"


@pytest.mark.parametrize("seed", range(6))
def test_a_dead_end_served_on_the_way_in_is_served_to_its_end(seed: int) -> None:
    route = legs("main1", "cross0", "north1", "north2", "+stub", "-stub", "-cross2", "main4")
    assert judged(drive(GRAPH, route, seed=seed))["stub"].state == "served"


def test_a_dead_end_passed_by_is_not_touched() -> None:
    route = legs("main1", "cross0", "+north1", "+north2", "-cross2", "main4")
    found = judged(drive(GRAPH, route))
    assert "stub" not in found or found["stub"].state == "not_visited"


@pytest.mark.parametrize(("lane", "other"), [("main3", "back3"), ("back3", "main3")])
@pytest.mark.parametrize("seed", range(4))
def test_parallel_lanes_twenty_metres_apart_are_told_apart(
    lane: str, other: str, seed: int
) -> None:
    found = judged(drive(GRAPH, legs("main1", "main2", f"+{lane}", "main4"), seed=seed))
    assert found[lane].state == "served"
    assert other not in found or found[other].state in ("not_visited", "driven_through")


def test_half_a_lane_is_served_in_part() -> None:
    half = [Leg("main4", served=True, until=0.5), Leg("main4", since=0.5)]
    found = judged(drive(GRAPH, [*legs("main1", "main2", "main3"), *half]))["main4"]
    assert found.state == "partly"
    assert found.served_fraction == pytest.approx(0.5, abs=0.08)


def test_two_passes_unite() -> None:
    """Each half on its own visit; together they are the lane."""
    first = [*legs("main1", "main2", "main3"), Leg("main4", served=True, until=0.5)]
    back = [Leg("main4", forward=False, since=0.5), *legs("-main3", "-main2")]
    second = [
        *legs("main2", "main3"),
        Leg("main4", until=0.5),
        Leg("main4", served=True, since=0.5),
    ]
    found = judged(drive(GRAPH, [*first, *back, *back[1:], *second]))["main4"]
    assert found.state == "served"


def test_a_silence_over_a_lane_leaves_it_unknown() -> None:
    route = legs("main1", "+main2", "+main3", "main4")
    track = drive(GRAPH, route)
    begin_s = 400 / 6 + 5
    found = judged(silenced(track, begin_s, begin_s + 105))
    assert found["main2"].state == "unknown"
    assert found["main2"].reason == "gap"


def test_a_silence_too_short_to_serve_a_lane_decides_it() -> None:
    """Fifty-five seconds for four hundred metres: no crew serves so fast."""
    track = drive(GRAPH, legs("main1", "main2", "main3", "main4", "-main4"))
    found = judged(silenced(track, 400 / 6 + 240 / 6 + 5, 400 / 6 + 240 / 6 + 60))
    assert found["main4"].state == "driven_through"


def test_a_lane_served_in_plain_sight_stays_served_beside_a_silence() -> None:
    route = legs("main1", "+main2", "+cross1", "-north1", "-cross0", "main2", "main3", "main4")
    track = drive(GRAPH, route)
    last = passes_of(track, "main2")[0].end_s - track.t_s[0]
    found = judged(silenced(track, last + 2, last + 130))
    assert found["main2"].state == "served"


def test_no_fix_and_no_lane() -> None:
    nothing = Track(*(np.zeros(0) for _ in range(5)))
    assert prove(nothing, GRAPH).passes == []
    one = Track(*(np.zeros(1) for _ in range(5)))
    assert all(not p.served_m for p in prove(one, GRAPH).passes)
    track = drive(GRAPH, legs("main1"))
    far = dataclasses.replace(track, x=track.x + 5e4)
    assert prove(far, GRAPH).passes == []
    assert (prove(far, GRAPH).lane_of_fix == -1).all()
    empty = LaneGraph.build([])
    assert prove(track, empty).passes == []


def test_lane_of_fix_and_standing() -> None:
    track = drive(GRAPH, legs("main1", "+main2", "main3"), doppler=True, sigma_m=2.0)
    proof = prove(track, GRAPH)
    inside = (track.x - track.x[0] > 430) & (track.x - track.x[0] < 490)
    assert {GRAPH.ids[n] for n in proof.lane_of_fix[inside]} == {"main2"}
    assert (proof.standing == (track.speed_mps < 0.5)).all()


def test_truth_shuffled_over_lanes_is_not_found() -> None:
    """Scores must come from the fixes, not from the town: other truths score like chance."""
    rng = np.random.default_rng(7)
    names = ["main2", "main3", "cross0", "cross1", "cross2", "north1", "north2"]
    hits = shuffled_hits = total = 0
    for seed in range(30):
        served = {n: bool(rng.random() < 0.5) for n in names}
        marks = {n: "+" if s else "" for n, s in served.items()}
        route = legs(
            "main1", marks["main2"] + "main2", marks["cross1"] + "cross1",
            marks["north2"] + "north2", marks["cross2"] + "-cross2", marks["main3"] + "-main3",
            "cross1", marks["north1"] + "-north1", marks["cross0"] + "-cross0", "-main1",
        )  # fmt: skip
        found = judged(drive(GRAPH, route, seed=seed))
        told = {n: n in found and found[n].state == "served" for n in names}
        other = dict(zip(names, rng.permutation(list(served.values())), strict=True))
        hits += sum(told[n] == served[n] for n in names)
        shuffled_hits += sum(told[n] == other[n] for n in names)
        total += len(names)
    assert hits / total >= 0.95
    assert shuffled_hits / total <= 0.70
