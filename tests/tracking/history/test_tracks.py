"""A track comes back from its bytes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.drives import drive, noisy, town
from tests.tracking.history.days import columns_of
from tracking.history.day import day_of
from tracking.history.tracks import COMPACT_M, Track, pack, track_of, unpack

point = st.tuples(
    st.floats(0, 900),
    st.floats(-180, 180),
    st.floats(-90, 90),
    st.one_of(st.just(float("nan")), st.floats(0, 60)),
    st.booleans(),
)


@given(st.lists(point, max_size=40), st.integers(0, 4_000_000_000))
def test_a_packed_track_comes_back(points, start: int) -> None:
    columns = [np.array(c) for c in zip(*points, strict=True)] or [np.zeros(0)] * 5
    step, lon, lat, speed, gap = columns
    track = Track(start + np.cumsum(step), lon, lat, speed, gap.astype(bool))
    back = unpack(pack(track))
    assert np.allclose(back.t_s, track.t_s, atol=0.051, rtol=0)
    assert np.allclose(back.lon, lon, atol=6e-7)
    assert np.allclose(back.lat, lat, atol=6e-7)
    assert np.allclose(back.speed_mps, speed, atol=0.051, equal_nan=True)
    assert back.gap.tolist() == gap.tolist()


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(ValueError, match="got 9"):
        unpack(np.array([9, 0, 0], "<i8").tobytes())


def test_a_day_of_service_is_a_few_kilobytes() -> None:
    """Two hours at 5 s with the noise of a usual unit: 1,400 fixes of 150 bytes each."""
    track = noisy(drive(town(1), 1, planned=120).track, 2, sigma_m=4, correlation=0.95, speed=True)
    day = day_of(columns_of(track), [], gap_s=45, radius_m=60)
    made = track_of(day.good, day.x, day.y, tolerance_m=COMPACT_M, gap_s=45)
    assert len(made) < len(track.t_s) * 0.6
    assert len(pack(made)) < len(track.t_s) * 6
