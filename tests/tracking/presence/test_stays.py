"""Stays by hand, and what holds for all of them."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.presence.stays import BLINK_S, GAP_S, LEAST_S, Stay, stays


def walk(*parts: tuple[str | None, int], each_s: int = 30) -> list[tuple[float, str | None]]:
    """Positions each 30 s: so many of each area."""
    areas = [area for area, n in parts for _ in range(n)]
    return [(float(i * each_s), area) for i, area in enumerate(areas)]


@pytest.mark.parametrize(
    ("positions", "expected"),
    [
        ([], []),
        (walk((None, 50)), []),
        (walk(("a", 11)), [Stay("a", 0, 300)]),
        # A step aside into no beat, and one into the neighbour's, break nothing.
        (walk(("a", 10), (None, 3), ("a", 10)), [Stay("a", 0, 660)]),
        (walk(("a", 10), ("b", 3), ("a", 10)), [Stay("a", 0, 660)]),
        # A tea break does.
        (walk(("a", 10), (None, 30), ("a", 10)), [Stay("a", 0, 270), Stay("a", 1200, 1470)]),
        (walk(("a", 10), ("b", 10)), [Stay("a", 0, 270), Stay("b", 300, 570)]),
        # What the phone did not tell is not told.
        (
            [(0, "a"), (100, "a"), (100 + GAP_S + 1, "a"), (900, "a")],
            [Stay("a", 0, 100), Stay("a", 701, 900)],
        ),
        # Passing by is no stay.
        (walk((None, 5), ("a", 2), (None, 20)), []),
    ],
)
def test_stays_by_hand(positions: list[tuple[float, str | None]], expected: list[Stay]) -> None:
    assert stays(positions) == expected


POSITIONS = st.lists(
    st.tuples(st.floats(0, 40_000).map(round), st.sampled_from(["a", "b", None])), max_size=60
).map(lambda rows: sorted(rows, key=lambda row: row[0]))


@given(POSITIONS)
def test_stays_are_ordered_apart_and_seen(positions: list[tuple[float, str | None]]) -> None:
    found = stays(positions)
    seen = set(positions)
    for stay in found:
        assert stay.end_s - stay.start_s >= LEAST_S
        assert (stay.start_s, stay.area) in seen
        assert (stay.end_s, stay.area) in seen
        inside = [t for t, _ in positions if stay.start_s <= t <= stay.end_s]
        assert all(b - a <= max(GAP_S, BLINK_S) for a, b in pairwise(inside))
    for before, after in pairwise(found):
        assert before.end_s <= after.start_s
