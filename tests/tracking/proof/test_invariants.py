"""What must hold for every track."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.tracking.proof.drives import drive, legs, town
from tracking.proof import DEFAULT, LaneGraph, LanePass, Track, judge, prove
from tracking.proof.graph import Floats

GRAPH = town()
ROUTES = [
    ["main1", "+main2", "+cross1", "-north1", "-cross0", "main2", "main3", "main4"],
    ["+-oneway", "+north1", "north2", "+stub", "-stub", "+-cross2", "main4"],
    ["-main4", "+-main3", "+-main2", "-main1"],
]
drives = st.builds(
    lambda route, seed, period_s, sigma_m, doppler: drive(
        GRAPH, legs(*route), seed=seed, period_s=period_s, sigma_m=sigma_m, doppler=doppler
    ),
    st.sampled_from(ROUTES),
    st.integers(0, 10_000),
    st.sampled_from([1, 5, 10, 30]),
    st.sampled_from([0.0, 4.0, 8.0, 20.0]),
    st.booleans(),
)
few = settings(max_examples=40, deadline=None)


def facts(passes: list[LanePass], ids: tuple[str, ...], shift_s: float = 0.0) -> list[object]:
    return [
        (ids[p.lane], round(p.start_s - shift_s, 3), round(p.end_s - shift_s, 3), p.forward,
         p.driven_m, p.served_m, p.halts, p.gap)
        for p in passes
    ]  # fmt: skip


@few
@given(drives, st.sampled_from([-86_400.0, 3_600.0, 1e7]))
def test_time_may_be_shifted(track: Track, by_s: float) -> None:
    shifted = dataclasses.replace(track, t_s=track.t_s + by_s)
    assert facts(prove(shifted, GRAPH).passes, GRAPH.ids, by_s) == facts(
        prove(track, GRAPH).passes, GRAPH.ids
    )


@few
@given(drives, st.data())
def test_a_fix_said_twice_changes_nothing(track: Track, data: st.DataObject) -> None:
    n = len(track.t_s)
    again = data.draw(st.lists(st.integers(0, n - 1), min_size=1, max_size=5))
    order = np.sort(np.r_[np.arange(n), again])
    twice = Track(*(getattr(track, f.name)[order] for f in dataclasses.fields(Track)))
    assert facts(prove(twice, GRAPH).passes, GRAPH.ids) == facts(
        prove(track, GRAPH).passes, GRAPH.ids
    )


@few
@given(drives)
def test_a_fix_without_a_position_changes_nothing(track: Track) -> None:
    def with_hole(name: str, values: Floats) -> Floats:
        hole = track.t_s[3] + 0.5 if name == "t_s" else np.nan
        return np.insert(values, 4, hole)

    holed = Track(*(with_hole(f.name, getattr(track, f.name)) for f in dataclasses.fields(Track)))
    assert facts(prove(holed, GRAPH).passes, GRAPH.ids) == facts(
        prove(track, GRAPH).passes, GRAPH.ids
    )


@pytest.mark.parametrize("lane", ["main2", "cross1", "stub", "main4"])
@pytest.mark.parametrize("route", ROUTES)
def test_drawing_a_lane_the_other_way_turns_only_its_direction(lane: str, route: list[str]) -> None:
    turned = town(reversed_lane=lane)
    track = drive(GRAPH, legs(*route))
    ours = prove(track, GRAPH).passes
    theirs = {(turned.ids[p.lane], p.start_s): p for p in prove(track, turned).passes}
    assert len(theirs) == len(ours)
    for one in ours:
        name = GRAPH.ids[one.lane]
        other = theirs[name, one.start_s]
        length = float(GRAPH.length_m[one.lane])
        if name != lane:
            assert other.forward == one.forward
            assert np.allclose(other.served_m, one.served_m, atol=0.02)
        else:
            assert other.forward != one.forward
            mirrored = [(length - b, length - a) for a, b in reversed(one.served_m)]
            assert np.allclose(other.served_m, mirrored, atol=0.02)


@few
@given(drives)
def test_passes_are_sane(track: Track) -> None:
    proof = prove(track, GRAPH)
    assert [p.start_s for p in proof.passes] == sorted(p.start_s for p in proof.passes)
    assert len(proof.lane_of_fix) == len(proof.standing) == len(track.t_s)
    assert ((proof.p_serving >= 0) & (proof.p_serving <= 1)).all()
    for p in proof.passes:
        length = float(GRAPH.length_m[p.lane])
        assert track.t_s[0] <= p.start_s <= p.end_s <= track.t_s[-1]
        for pieces in (p.driven_m, p.served_m):
            flat = [m for piece in pieces for m in piece]
            assert flat == sorted(flat)
            assert all(0 <= m <= length + 0.01 for m in flat)
        assert p.service_s >= 0
        assert p.halts >= 0
        told = judge([p], length)
        assert 0 <= told.served_fraction <= 1
        assert 0 <= told.driven_fraction <= 1
        assert 0 <= told.p_served <= 1


def a_pass(served: list[tuple[float, float]], *, gap: bool, hidden: float) -> LanePass:
    service_s = sum(b - a for a, b in served) / DEFAULT.serve_mps
    return LanePass(
        0, 0.0, 300.0, True, ((0.0, 100.0),), tuple(served), service_s=service_s,
        slow_m=sum(b - a for a, b in served), halts=int(service_s / 25), gap=gap, hidden_m=hidden,
    )  # fmt: skip


@few
@given(
    st.floats(0, 100), st.floats(0, 100), st.floats(0, 40), st.booleans(), st.floats(1, 100),
    st.sampled_from([0.05, 0.2, 1.0, 4.0]),
)  # fmt: skip
def test_more_service_is_never_less(
    low: float, high: float, more: float, gap: bool, hidden: float, scale: float
) -> None:
    """On lanes of 5 to 400 m."""
    low, high = min(low, high), max(low, high)
    order = ["not_visited", "driven_through", "partly", "unknown", "served"]
    hidden = hidden if gap else 0.0
    low, high, longest, hidden = low * scale, high * scale, 100.0 * scale, hidden * scale
    more = min(longest, high + more * scale)
    little = judge([a_pass([(low, high)], gap=gap, hidden=hidden)], longest)
    longer = judge([a_pass([(low, more)], gap=gap, hidden=hidden)], longest)
    assert longer.served_fraction >= little.served_fraction
    assert longer.p_served >= little.p_served - 1e-3
    assert order.index(longer.state) >= order.index(little.state)


@few
@given(st.floats(0, 100), st.floats(0, 100), st.integers(1, 3))
def test_a_second_pass_takes_nothing_away(low: float, high: float, times: int) -> None:
    low, high = min(low, high), max(low, high)
    one = a_pass([(low, high)], gap=False, hidden=0.0)
    nothing = dataclasses.replace(one, served_m=(), service_s=0.0, slow_m=0.0, halts=0)
    alone = judge([one], 100.0)
    assert judge([one, *[nothing] * times], 100.0) == alone
    assert judge([*[nothing] * times, one], 100.0) == alone


def test_a_proof_is_the_same_after_pickling() -> None:
    import pickle

    copy: LaneGraph = pickle.loads(pickle.dumps(GRAPH))
    track = drive(GRAPH, legs(*ROUTES[0]))
    assert prove(track, copy).passes == prove(track, GRAPH).passes
