"""Tickets and stays: minutes after 06:00, by hand and for any day."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import START
from tracking.weights.matching import Slip, Stop, Tie, TieRule, implausible, ties

RULE = TieRule(tolerance_s=900, far_s=7200)


def elsewhere(slip: Slip) -> bool:
    """Fixes of every vehicle, at all times."""
    return True


def m(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def stop(key: str, arrived: float, left: float, vehicle: str = "v1", station: str = "s") -> Stop:
    return Stop(key, vehicle, station, m(arrived), m(left))


def slip(
    key: str, at: float, vehicle: str = "v1", station: str = "s", stream: str | None = "wet"
) -> Slip:
    return Slip(key, vehicle, station, stream, m(at), m(at + 5))


def test_a_ticket_goes_to_the_stay_that_it_overlaps() -> None:
    found = ties(
        [stop("a", 100, 115), stop("b", 200, 215)],
        [slip("1", 105), slip("2", 203)],
        RULE,
        elsewhere,
    )
    assert found == {"1": Tie("a", "agrees"), "2": Tie("b", "agrees")}


def test_two_vehicles_at_one_bridge_at_once() -> None:
    stops = [stop("a", 100, 115), stop("b", 101, 116, vehicle="v2")]
    found = ties(stops, [slip("2", 104, vehicle="v2"), slip("1", 103)], RULE, elsewhere)
    assert found == {"1": Tie("a", "agrees"), "2": Tie("b", "agrees")}


def test_one_ticket_a_stream() -> None:
    slips = [slip("w", 102), slip("d", 108, stream="dry"), slip("again", 109)]
    found = ties([stop("a", 100, 115)], slips, RULE, elsewhere)
    assert found == {"w": Tie("a", "agrees"), "d": Tie("a", "agrees")}


def test_a_clock_wrong_by_minutes_is_within_the_tolerance() -> None:
    assert ties([stop("a", 100, 115)], [slip("1", 128)], RULE, elsewhere) == {
        "1": Tie("a", "agrees")
    }


def test_a_vehicle_that_was_at_another_station() -> None:
    found = ties([stop("a", 100, 115, station="s2")], [slip("1", 105)], RULE, elsewhere)
    assert found == {"1": Tie("a", "other_station")}


def test_a_ticket_of_another_time() -> None:
    assert ties([stop("a", 100, 115)], [slip("1", 160)], RULE, elsewhere) == {
        "1": Tie("a", "other_time")
    }
    assert ties([stop("a", 100, 115)], [slip("1", 300)], RULE, elsewhere) == {}


@pytest.mark.parametrize("ahead_min", [-45, -20, 0, 20, 45])
def test_a_clock_that_is_wrong_for_all_is_no_fault_of_anybody(ahead_min: int) -> None:
    """Ten vehicles, three trips each, and a bridge whose clock is off by three quarters."""
    draw = random.Random(7)
    stops, slips = [], []
    for vehicle in range(10):
        for trip in range(3):
            at = 60 + 150 * trip + draw.uniform(0, 20)
            key, plate = f"{vehicle}-{trip}", f"v{vehicle}"
            stops.append(stop(key, at, at + 14, vehicle=plate))
            slips.append(slip(key, at + draw.uniform(0, 6) + ahead_min, vehicle=plate))
    found = ties(stops, slips, RULE, elsewhere)
    assert found == {s.ticket_id: Tie(s.ticket_id, "agrees") for s in slips}


def test_a_vehicle_whose_fixes_leave_a_doubt_is_held_to_nothing() -> None:
    """Its ticket takes no trip of another time or station: it may have made one unseen."""
    stops = [stop("a", 100, 115), stop("b", 155, 160, station="s2")]
    assert ties(stops, [slip("1", 165)], RULE, lambda slip: False) == {}


def test_where_a_vehicle_was_is_asked_by_a_right_clock() -> None:
    stops = [stop(str(i), 100, 110, vehicle=f"v{i}") for i in range(6)]
    slips = [slip(str(i), 142, vehicle=f"v{i}") for i in range(6)]
    asked: list[Slip] = []
    ties(stops, [*slips, slip("x", 342, vehicle="v9")], RULE, lambda s: not asked.append(s))
    assert [(s.ticket_id, s.in_t) for s in asked] == [("x", m(302.5))]


def test_a_few_late_tickets_are_no_clock() -> None:
    stops = [stop(str(i), 100 * i, 100 * i + 10, vehicle=f"v{i}") for i in range(4)]
    slips = [slip(str(i), 100 * i + 40, vehicle=f"v{i}") for i in range(4)]
    assert {tie.how for tie in ties(stops, slips, RULE, elsewhere).values()} == {"other_time"}


places = st.sampled_from(["s", "s2"])
plates = st.sampled_from(["v1", "v2"])
stays = st.builds(
    lambda i, at, length, v, s: stop(f"t{i}", at, at + length, v, s),
    st.integers(0, 10**9), st.integers(0, 600), st.integers(2, 40), plates, places,
)  # fmt: skip
tickets = st.builds(
    lambda i, at, v, s, stream: slip(f"k{i}", at, v, s, stream),
    st.integers(0, 10**9), st.integers(0, 600), plates, places,
    st.sampled_from(["wet", "dry", None]),
)  # fmt: skip


@given(
    st.lists(stays, max_size=8, unique_by=lambda s: s.trip_id),
    st.lists(tickets, max_size=12, unique_by=lambda s: s.ticket_id),
    st.randoms(use_true_random=False),
)
def test_any_day(stops: list[Stop], slips: list[Slip], shuffle: random.Random) -> None:
    """One trip a ticket, one ticket a stream and trip, always the own vehicle, in any order."""
    found = ties(stops, slips, RULE, elsewhere)
    by_trip = {s.trip_id: s for s in stops}
    seen = set()
    for ticket in slips:
        if ticket.ticket_id in found:
            tie = found[ticket.ticket_id]
            there = by_trip[tie.trip_id]
            assert there.vehicle_id == ticket.vehicle_id
            assert (there.station_id != ticket.station_id) == (tie.how == "other_station")
            assert (tie.trip_id, ticket.stream) not in seen
            seen.add((tie.trip_id, ticket.stream))
    shuffled_stops, shuffled = list(stops), list(slips)
    shuffle.shuffle(shuffled_stops)
    shuffle.shuffle(shuffled)
    assert ties(shuffled_stops, shuffled, RULE, elsewhere) == found


PAYLOAD = [(frozenset({"wet"}), 350.0), (frozenset({"dry", "sanitary"}), 250.0)]


@pytest.mark.parametrize(
    ("net_kg", "payload", "expected"),
    [
        ({"wet": 300.0}, PAYLOAD, False),
        ({"wet": 500.0}, PAYLOAD, False),
        ({"wet": 530.0}, PAYLOAD, True),
        ({None: 700.0}, PAYLOAD, False),
        ({None: 950.0}, PAYLOAD, True),
        ({"wet": 12.0}, PAYLOAD, True),
        ({"wet": 12.0, "dry": 15.0}, PAYLOAD, False),
        ({"wet": 9000.0}, [], False),
    ],
)
def test_weights_that_cannot_be(net_kg, payload, expected) -> None:
    assert implausible(net_kg, payload, least_kg=20, most_share=1.5) is expected
