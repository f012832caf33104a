"""Trips from stays: minutes after 06:00, by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import START
from tracking.weights.trips import Round, Stay, UnloadingRule, rounds, way_km

RULE = UnloadingRule(least_s=120, return_s=300)
KINDS = {"d": "depot", "s": "transfer_station", "s2": "transfer_station", "p": "plant"}


def m(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def stay(place: str, entered: float, left: float | None) -> Stay:
    return Stay(
        f"{place}{entered}", place, KINDS[place], m(entered), None if left is None else m(left)
    )


def trips(stays: list[Stay], served: list[float] = [], now: float = 600) -> list[Round]:  # noqa: B006 - read only
    lanes = [(m(at), m(at + 2)) for at in served]
    return rounds(stays, lanes, [m(0)], RULE, m(now))


def told(found: list[Round]) -> list[tuple[str | None, float, str, float, float | None]]:
    def minutes(t: datetime | None) -> float | None:
        return None if t is None else (t - START).total_seconds() / 60

    return [
        (r.from_place_id, minutes(r.start_t), r.station_id, minutes(r.arrived_t), minutes(r.left_t))
        for r in found
    ]  # type: ignore[misc]


def test_two_trips_of_a_morning() -> None:
    day = [stay("d", -600, 10), stay("s", 100, 115), stay("s", 200, 212), stay("d", 230, None)]
    assert told(trips(day, [20, 90, 130, 190])) == [
        ("d", 10, "s", 100, 115),
        ("s", 115, "s", 200, 212),
    ]


def test_without_a_depot_the_trip_begins_with_the_shift() -> None:
    assert told(trips([stay("s", 100, 115)], [20])) == [(None, 0, "s", 100, 115)]


def test_a_lane_before_the_shift_begins_the_trip() -> None:
    assert told(trips([stay("s", 100, 115)], [-15])) == [(None, -15, "s", 100, 115)]


def test_passing_a_station_is_no_trip() -> None:
    assert trips([stay("s", 100, 101)]) == []


def test_a_vehicle_in_the_queue_comes_and_goes_in_one_stay() -> None:
    day = [stay("d", -60, 0), stay("s", 100, 101), stay("s", 103, 115)]
    assert told(trips(day, [20])) == [("d", 0, "s", 100, 115)]


def test_lanes_served_between_two_stays_make_two_trips() -> None:
    day = [stay("d", -60, 0), stay("s", 100, 110), stay("s", 114, 120)]
    assert len(trips(day, [20, 111])) == 2


def test_a_break_at_the_depot_with_waste_on_board_does_not_cut_the_trip() -> None:
    """The lanes before the break are unloaded with those after it."""
    day = [stay("d", -60, 0), stay("d", 60, 80), stay("s", 150, 160)]
    assert told(trips(day, [20, 100])) == [("d", 0, "s", 150, 160)]


def test_a_rest_at_the_depot_between_trips_is_left_out() -> None:
    day = [stay("d", -60, 0), stay("s", 100, 110), stay("d", 120, 300), stay("s", 400, 410)]
    assert told(trips(day, [20, 320]))[1] == ("d", 300, "s", 400, 410)


def test_a_station_where_it_still_stands_has_no_end() -> None:
    day = [stay("d", -60, 0), stay("s", 100, None)]
    assert told(trips(day, [20], now=103)) == [("d", 0, "s", 100, None)]
    assert trips(day, [20], now=101) == []


def test_a_plant_takes_waste_too() -> None:
    assert told(trips([stay("d", -60, 0), stay("p", 100, 110)]))[0][2] == "p"


minutes = st.integers(0, 1400)


@given(
    st.lists(st.tuples(st.sampled_from(sorted(KINDS)), minutes, st.integers(1, 60)), max_size=12),
    st.lists(minutes, max_size=20),
)
def test_trips_follow_each_other(stays: list[tuple[str, int, int]], served: list[int]) -> None:
    """By arrival, each after the end of the one before, and no stay ends two trips."""
    day, until = [], 0
    for place, entered, length in sorted(stays, key=lambda s: s[1]):
        if entered >= until:
            day.append(stay(place, entered, entered + length))
            until = entered + length
    found = trips(day, sorted(map(float, served)), now=2000)
    for one, other in pairwise(found):
        assert one.left_t is not None
        assert one.left_t <= other.start_t
    assert all(r.start_t <= r.arrived_t for r in found)
    assert len({r.pass_id for r in found}) == len(found)


def test_a_standing_unit_drives_no_kilometres() -> None:
    drifting = [(75.86 + (i % 3) * 5e-5, 22.72) for i in range(1000)]
    assert way_km(drifting) == 0.0
    assert way_km([]) is None


@pytest.mark.parametrize("steps", [10, 100])
def test_kilometres_of_a_street(steps: int) -> None:
    line = [(75.86, 22.72 + i * 0.01 / steps) for i in range(steps + 1)]
    assert way_km(line) == pytest.approx(1.113, abs=0.03)
