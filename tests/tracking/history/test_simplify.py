"""Fewer points, and the vehicle never far from where it was."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tests.tracking.conftest import fix
from tracking.fixes.columns import TrailColumns
from tracking.history.simplify import kept, seen_at, tolerance_m

metres = st.floats(-1000, 1000, allow_nan=False)


@st.composite
def trails(draw: st.DrawFn):
    count = draw(st.integers(0, 60))
    steps = draw(arrays(np.float64, count, elements=st.floats(0, 30)))
    x, y = (draw(arrays(np.float64, count, elements=metres)) for _ in range(2))
    return np.cumsum(steps), x, y


@given(trails(), st.floats(0.5, 100))
def test_every_point_is_within_tolerance_at_its_time(trail, tolerance: float) -> None:
    t, x, y = trail
    mask = kept(t, x, y, tolerance)
    if len(t) == 0:
        return
    assert mask[0]
    assert mask[-1]
    # Where several points share a time, a page may show any of them.
    alone = np.concatenate([[True], np.diff(t) > 0]) & np.concatenate([np.diff(t) > 0, [True]])
    off = np.hypot(np.interp(t, t[mask], x[mask]) - x, np.interp(t, t[mask], y[mask]) - y)
    assert (off[alone] <= tolerance * (1 + 1e-9) + 1e-6).all()


@given(trails(), st.floats(1, 50))
def test_what_is_simplified_stays_as_it_is(trail, tolerance: float) -> None:
    t, x, y = trail
    mask = kept(t, x, y, tolerance)
    assert kept(t[mask], x[mask], y[mask], tolerance).sum() <= mask.sum()


def test_a_halt_on_a_straight_line_is_kept() -> None:
    """In space it is a line; in time the vehicle stood for a minute half-way."""
    t = np.array([0.0, 10, 20, 80, 90, 100])
    x = np.array([0.0, 50, 100, 100, 150, 200])
    assert kept(t, x, np.zeros(6), 10).tolist() == [True, False, True, True, False, True]


def test_cuts_are_kept() -> None:
    line = np.arange(10.0)
    assert np.flatnonzero(kept(line, line, line, 50, np.array([4, 5]))).tolist() == [0, 4, 5, 9]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_points_are_all_kept(count: int) -> None:
    line = np.arange(float(count))
    assert kept(line, line, line, 1).all()


def test_a_pixel_grows_with_the_distance_of_the_view() -> None:
    assert tolerance_m(10, 22.7) == pytest.approx(64 * tolerance_m(16, 22.7))


def test_a_map_far_away_shows_few_points_of_a_trail() -> None:
    fixes = [fix(i, lon=75.86 + i * 1e-5, lat=22.72 + (i % 2) * 2e-5) for i in range(50)]
    trail = TrailColumns.of(
        list(
            zip(
                *[(int(f.t.timestamp() * 1000), f.lon, f.lat, None, -1, None) for f in fixes],
                strict=True,
            )
        )
    )
    assert len(seen_at(trail, 12)) == 2
    assert len(seen_at(trail, 20)) == 50
    assert len(seen_at(TrailColumns.of(()), 12)) == 0
