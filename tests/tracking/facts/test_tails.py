"""A tail holds what the log holds, in whatever order fixes arrive."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tracking.facts.tails import KEEP_S, Tail

times = st.lists(st.integers(0, 2_000).map(float), max_size=60)


def row(t: float) -> tuple[float, float, float, float, float]:
    return (t, 2 * t, -t, 1.0, float("nan"))


@given(times, times)
def test_rows_stand_by_time_and_the_first_of_equals_stays(first: list[float], later: list[float]):
    tail = Tail([row(t) for t in first])
    for t in later:
        tail.add(row(t))
    known = sorted({*first, *later})
    track = tail.track(-np.inf, np.inf)
    assert track.t_s.tolist() == known
    assert track.x.tolist() == [2 * t for t in known]
    assert tail.last_s == (known[-1] if known else -np.inf)


@given(times, st.integers(0, 2_000), st.integers(0, 2_000))
def test_a_window_holds_both_its_ends(given_s: list[float], since: int, until: int):
    track = Tail([row(t) for t in given_s]).track(since, until)
    assert track.t_s.tolist() == sorted({t for t in given_s if since <= t <= until})


def test_old_rows_make_room_and_the_tail_says_from_when_it_is_whole():
    tail = Tail(complete_from_s=0.0)
    for t in range(0, 30_000, 5):
        tail.add(row(float(t)))
    track = tail.track(-np.inf, np.inf)
    assert track.t_s[-1] == 29_995.0
    assert tail.complete_from_s == track.t_s[0] <= 29_995.0 - KEEP_S


def test_a_unit_that_speaks_each_second_keeps_the_whole_while():
    tail = Tail(complete_from_s=0.0)
    for t in range(5_000):
        tail.add(row(float(t)))
    assert len(tail.track(5_000 - KEEP_S, 5_000).t_s) >= KEEP_S
