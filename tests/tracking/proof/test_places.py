"""Standing and being at places, against the rules written out plainly."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tracking.proof.places import Stand, Stay, stands, stays
from tracking.proof.track import Track

steps = st.lists(
    st.tuples(
        st.sampled_from([5.0, 10.0, 60.0]),
        st.floats(-30, 30),
        st.floats(-30, 30),
        st.sampled_from([math.nan, 0.0, 0.4, 1.0, 6.0]),
    ),
    max_size=40,
)


def a_track(given_: list[tuple[float, float, float, float]]) -> Track:
    table = np.array(given_, np.float64).reshape(-1, 4)
    t, x, y = (np.cumsum(table[:, i]) for i in range(3))
    return Track(t, x, y, table[:, 3].copy(), np.full(len(t), np.nan))


def plainly(track: Track, least_s: float) -> list[Stand]:
    found: list[Stand] = []
    group: list[int] = []

    def close(ended: bool) -> None:
        if group and track.t_s[group[-1]] - track.t_s[group[0]] >= least_s:
            x, y = (float(np.mean(v[group])) for v in (track.x, track.y))
            start, end = float(track.t_s[group[0]]), float(track.t_s[group[-1]])
            found.append(Stand(start, end, round(x, 6), round(y, 6), ended))

    for i in range(len(track.t_s)):
        moves = track.speed_mps[i] >= 1.0
        near = not group or (
            math.hypot(track.x[i] - track.x[group].mean(), track.y[i] - track.y[group].mean())
            <= 15.0
        )
        if moves or not near:
            close(True)
            group = [] if moves else [i]
        else:
            group.append(i)
    close(False)
    return found


@settings(deadline=None)
@given(steps, st.sampled_from([0.0, 20.0, 90.0]))
def test_stands_are_as_the_rules_say(given_: list[tuple[float, ...]], least_s: float) -> None:
    track = a_track(given_)  # type: ignore[arg-type]
    found = [
        Stand(s.start_s, s.end_s, round(s.x, 6), round(s.y, 6), s.ended)
        for s in stands(track, least_s)
    ]
    assert found == plainly(track, least_s)


def test_stays_at_two_places() -> None:
    """In and out of the first; at the second from the start, and still there."""
    x = np.array([100.0, 60.0, 45.0, 55.0, 70.0, 40.0, 100.0])
    track = Track(np.arange(7.0), x, np.zeros(7), np.full(7, np.nan), np.full(7, np.nan))
    found = stays(track, np.array([0.0, 75.0]), np.zeros(2), 50.0, inside={1})
    assert found == [Stay(0, 2.0, 4.0), Stay(0, 5.0, 6.0), Stay(1, 0.0, None)]


def test_no_fix_is_nowhere() -> None:
    nothing = Track(*(np.zeros(0) for _ in range(5)))
    assert stands(nothing, 0.0) == []
    assert stays(nothing, np.zeros(1), np.zeros(1), 50.0, inside={0}) == []
    one = Track(*(np.zeros(1) for _ in range(5)))
    assert stays(one, np.zeros(0), np.zeros(0), 50.0, inside=()) == []
