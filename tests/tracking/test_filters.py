"""Which fixes are set aside."""

from __future__ import annotations

import pytest

from tests.tracking.conftest import T0
from tracking.filters import DAY_MS, ERA_MS, Filter, Times
from tracking.fixes.fix import to_ms

BBOX = [75.80, 22.68, 75.92, 22.76]


def at(s: float) -> int:
    return to_ms(T0) + round(s * 1000)


def marks(*fixes: tuple[float, float, float], hdop: float | None = None) -> list[str | None]:
    """Marks of (seconds, lon, lat) in order."""
    own = Filter(BBOX)
    return [own.mark(at(s), lon, lat, hdop) for s, lon, lat in fixes]


def test_a_drive_is_good() -> None:
    assert marks((0, 75.860, 22.72), (5, 75.8605, 22.72), (10, 75.861, 22.72)) == [None] * 3


def test_a_single_jump_is_marked_and_what_follows_is_good() -> None:
    assert marks((0, 75.86, 22.72), (5, 75.90, 22.72), (10, 75.8602, 22.72)) == [None, "jump", None]


def test_a_first_fix_that_was_wrong_does_not_condemn_the_rest() -> None:
    """The third fix that agrees with its neighbours is taken for the truth."""
    drive = [(5 * i, 75.86 + i * 2e-4, 22.72) for i in range(1, 6)]
    assert marks((0, 75.91, 22.75), *drive) == [None, "jump", "jump", None, None, None]


def test_a_late_fix_is_held_against_its_own_time() -> None:
    """It left the last good fix at 60 s, and 50 s earlier may well have been 1.1 km away."""
    assert marks((60, 75.86, 22.72), (10, 75.87, 22.72), (65, 75.8602, 22.72)) == [None] * 3


def test_a_kilometre_outside_is_good_and_ten_are_not() -> None:
    assert marks((0, 75.93, 22.72)) == [None]
    assert marks((0, 76.02, 22.72)) == ["outside"]
    assert marks((0, 75.86, 52.5)) == ["outside"]


def test_a_poor_position_by_the_units_own_word() -> None:
    assert marks((0, 75.86, 22.72), hdop=25.0) == ["hdop"]


def test_a_repetition_with_something_else_beside_it_is_marked() -> None:
    drive = [(5.0 * i, 75.86 + i * 2e-4, 22.72) for i in range(4)]
    assert marks(*drive, drive[2], drive[3], (20, 75.8608, 22.72)) == [
        *[None] * 4, "duplicate", "duplicate", None,
    ]  # fmt: skip


def test_a_stuck_clock_is_no_repetition() -> None:
    assert marks((0, 75.86, 22.72), (0, 75.8601, 22.72)) == [None, None]


def test_a_jump_that_is_repeated_does_not_become_the_truth() -> None:
    far = (5.0, 75.90, 22.72)
    assert marks((0, 75.86, 22.72), far, far, far, (10, 75.8602, 22.72)) == [
        None, "jump", "duplicate", "duplicate", None,
    ]  # fmt: skip


MINUTE_S = 60.0
DAY_S = DAY_MS / 1000
TO_MIDNIGHT_S = 23.5 * 3600
"""Midnight of universal time, by which units count, comes so long after T0."""


def timed(
    said_s: float, now_s: float = 0.0, heard_s: float | None = None
) -> tuple[float, str | None]:
    """What becomes of a time; seconds after T0."""
    own = Filter(BBOX)
    if heard_s is not None:
        own.anchor(at(heard_s), 75.86, 22.72)
    times = Times(at(now_s), at(now_s) - 30 * DAY_MS, at(now_s) + 120_000)
    t, mark = own.time(at(said_s), times)
    return (t - at(0)) / 1000, mark


@pytest.mark.parametrize("said_s", [0, 119, -5, -86_400, -29 * 86_400])
def test_a_plausible_time_is_taken_as_it_is(said_s: float) -> None:
    assert timed(said_s) == (said_s, None)


@pytest.mark.parametrize(
    ("said_s", "mark"),
    [(121, "future"), (3 * DAY_S, "future"), (54 * 365 * DAY_S, "future"),
     (-31 * DAY_S, "stale"), (-56 * 365 * DAY_S, "stale"), (-ERA_MS / 1000 + 121, "stale")],
)  # fmt: skip
def test_an_impossible_time_gives_way_to_that_of_receipt(said_s: float, mark: str) -> None:
    assert timed(said_s) == (0, mark)


@pytest.mark.parametrize("eras", [1, 2])
@pytest.mark.parametrize("true_s", [0, -5, -3 * DAY_S])
def test_a_week_number_that_began_again_is_put_right(eras: int, true_s: float) -> None:
    assert timed(true_s - eras * ERA_MS / 1000) == (true_s, None)


def test_a_date_that_went_on_too_early_is_put_right() -> None:
    assert timed(TO_MIDNIGHT_S - 5 + DAY_S, TO_MIDNIGHT_S) == (TO_MIDNIGHT_S - 5, None)
    # Further from its receipt it may be anything.
    assert timed(TO_MIDNIGHT_S + DAY_S - 11 * MINUTE_S, TO_MIDNIGHT_S)[1] == "future"


def test_a_date_that_did_not_go_on_is_put_right_when_the_unit_was_heard_just_now() -> None:
    now_s = TO_MIDNIGHT_S + 10
    assert timed(now_s - DAY_S, now_s, heard_s=now_s - 5) == (now_s, None)
    # Without that, and at another time of day, it is history of yesterday.
    assert timed(now_s - DAY_S, now_s) == (now_s - DAY_S, None)
    assert timed(now_s - DAY_S, now_s, heard_s=now_s - DAY_S - 5) == (now_s - DAY_S, None)
    noon_s = TO_MIDNIGHT_S + 12 * 3600
    assert timed(noon_s - DAY_S, noon_s, heard_s=noon_s - 5) == (noon_s - DAY_S, None)
