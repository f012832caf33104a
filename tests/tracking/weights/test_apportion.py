"""Sharing a trip's kilograms out: by hand, and for any lanes to the gram."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.weights.apportion import ServedLane, apportion, covered


def lane(lane_id: str, wet: float, dry: float = 0.0, fraction: float = 1.0) -> ServedLane:
    return ServedLane(lane_id, {"wet": wet, "dry": dry}, fraction)


def test_by_expected_kilograms_of_the_stream_times_the_served_share() -> None:
    shares = apportion(90.0, "wet", [lane("a", 20, dry=99), lane("b", 20, fraction=0.5)])
    assert shares == {"a": 60.0, "b": 30.0}


def test_mixed_waste_goes_by_all_streams() -> None:
    assert apportion(40.0, None, [lane("a", 10, dry=20), lane("b", 5, dry=5)]) == {
        "a": 30.0,
        "b": 10.0,
    }


def test_where_no_lane_expects_the_stream() -> None:
    """By all that is expected, and where nothing is, by the share served."""
    assert apportion(30.0, "special", [lane("a", 10), lane("b", 20)]) == {"a": 10.0, "b": 20.0}
    assert apportion(30.0, "wet", [lane("a", 0), lane("b", 0, fraction=0.5)]) == {
        "a": 20.0,
        "b": 10.0,
    }


@pytest.mark.parametrize("lanes", [[], [lane("a", 10, fraction=0.0)]])
def test_without_a_served_lane_nothing_is_shared_out(lanes: list[ServedLane]) -> None:
    assert apportion(30.0, "wet", lanes) == {}


lanes = st.lists(
    st.builds(
        ServedLane,
        st.uuids().map(str),
        st.dictionaries(st.sampled_from(["wet", "dry"]), st.floats(0, 1e4)),
        st.floats(0, 1),
    ),
    max_size=30,
)


@given(st.integers(0, 30_000_000), st.sampled_from(["wet", "dry", "special", None]), lanes)
def test_every_gram_is_in_one_lane(
    grams: int, stream: str | None, served: list[ServedLane]
) -> None:
    shares = apportion(grams / 1000, stream, served)
    assert all(kg >= 0 for kg in shares.values())
    if any(lane.fraction > 0 for lane in served):
        assert sum(round(kg * 1000) for kg in shares.values()) == grams
        assert set(shares) == {lane.lane_id for lane in served if lane.fraction > 0}
    else:
        assert shares == {}


spans = st.tuples(st.floats(0, 1), st.floats(0, 1))


@given(st.lists(spans, max_size=8))
def test_what_stretches_cover_together(stretches: list[tuple[float, float]]) -> None:
    whole = covered(stretches)
    assert 0 <= whole <= 1
    for low, high in stretches:
        assert whole >= abs(high - low) - 1e-9
    assert whole <= sum(abs(high - low) for low, high in stretches) + 1e-9
