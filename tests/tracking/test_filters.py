"""Which fixes are set aside."""

from __future__ import annotations

from datetime import timedelta

from tests.tracking.conftest import T0
from tracking.filters import Filter

BBOX = [75.80, 22.68, 75.92, 22.76]


def marks(*fixes: tuple[float, float, float], hdop: float | None = None) -> list[str | None]:
    """Marks of (seconds, lon, lat) in order."""
    own = Filter(BBOX)
    return [own.mark(T0 + timedelta(seconds=s), lon, lat, hdop) for s, lon, lat in fixes]


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
