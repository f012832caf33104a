"""Demand → problem, on the smallest instances."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from fleet.org.policy import Policy
from routing.demand import (
    BinNeed,
    LaneNeed,
    Station,
    StopNeed,
    VehicleShift,
    WardNeed,
    build,
    is_working_day,
    lane_service_s,
    territories,
)
from routing.problem import Compartment, Problem

EPOCH = datetime(2026, 3, 1, 18, 30, tzinfo=UTC)
POLICY = Policy()
A, B, C = (75.850, 22.700), (75.851, 22.700), (75.852, 22.700)
LANE = LaneNeed(
    id="l1",
    ward_id="w1",
    first=A,
    last=B,
    length_m=100.0,
    oneway=False,
    households=10,
    shops=2,
    institutions=0,
    bulk=0,
    kg={"wet": 16.0, "dry": 8.0},
    m3={"wet": 0.03, "dry": 0.06},
    service_mode="enter",
    profiles=frozenset({"tipper"}),
)
TIPPER = VehicleShift(
    vehicle_id="T1",
    shift="morning",
    profile="tipper",
    depot=C,
    start_s=21_600,
    end_s=50_400,
    compartments=(Compartment(("wet",), 300.0, 1.0), Compartment(("dry",), 200.0, 1.5)),
    fixed_cost_s=3600,
)
LORRY = replace(
    TIPPER,
    vehicle_id="L1",
    profile="lorry",
    compartments=(Compartment(("wet",), 3000.0, 8.0), Compartment(("dry",), 1000.0, 8.0)),
)
STATION = Station("s1", C, 300, frozenset({"wet", "dry"}))


def problem(
    *lanes: LaneNeed,
    shifts: tuple[VehicleShift, ...] = (TIPPER,),
    bins: tuple[BinNeed, ...] = (),
    stops: tuple[StopNeed, ...] = (),
    beats: dict[str, str] | None = None,
) -> Problem:
    return build(
        epoch=EPOCH,
        lanes=lanes,
        bins=bins,
        stops=stops,
        shifts=shifts,
        stations=[STATION],
        beats=beats or {},
        policy=POLICY,
    )


def test_two_way_lane_has_a_pass_each_way() -> None:
    (visit,) = problem(LANE).visits
    onward, back = visit.passes
    assert (onward.entry, onward.exit, onward.reversed) == (back.exit, back.entry, False)
    assert back.reversed
    assert onward.service_s == 70 + 20 + 50  # households, shops, 100 m at 2 m/s
    assert visit.vehicles == frozenset({"T1/morning"})


def test_oneway_lane_has_one_pass() -> None:
    (visit,) = problem(replace(LANE, oneway=True)).visits
    assert len(visit.passes) == 1


def test_feeder_lane_is_a_point_with_the_walk_in_its_time() -> None:
    feeder = replace(LANE, service_mode="feeder", stand=C, walk_m=20.0)
    (visit,) = problem(feeder).visits
    (stand,) = visit.passes
    assert stand.entry == stand.exit
    assert stand.service_s == 70 + 20 + 2 * 120  # in and out at 1 m/s


def test_mouth_lane_is_a_point_without_walk() -> None:
    assert lane_service_s(replace(LANE, service_mode="mouth", stand=A), POLICY) == 90


def test_lane_without_premises_is_not_visited() -> None:
    assert problem(replace(LANE, households=0, shops=0)).visits == ()


def test_equal_points_are_one_location() -> None:
    chained = replace(LANE, id="l2", first=B, last=C)
    assert len(problem(LANE, chained).locations) == 3  # A, B, and C with depot and station


def test_heavy_lane_goes_to_the_class_that_carries_it() -> None:
    heavy = replace(
        LANE, kg={"wet": 900.0}, m3={"wet": 2.0}, profiles=frozenset({"tipper", "lorry"})
    )
    (visit,) = problem(heavy, shifts=(TIPPER, LORRY)).visits
    assert visit.vehicles == frozenset({"L1/morning"})


def test_too_heavy_lane_keeps_those_that_reach_it() -> None:
    """So that the engine explains the weight, and not that nobody comes there."""
    (visit,) = problem(replace(LANE, kg={"wet": 900.0}, m3={"wet": 2.0})).visits
    assert visit.vehicles == frozenset({"T1/morning"})


def test_narrow_lane_without_fitting_class_has_no_vehicle() -> None:
    (visit,) = problem(replace(LANE, profiles=frozenset({"rickshaw"}))).visits
    assert visit.vehicles == frozenset()


def test_streams_without_a_chamber_are_not_asked_for() -> None:
    (visit,) = problem(replace(LANE, kg={"wet": 10.0, "special": 1.0})).visits
    assert visit.demand_kg == {"wet": 10.0}


def test_bins_and_stops_are_points() -> None:
    bin_ = BinNeed("b1", "w1", A, {"dry": 30.0}, {"dry": 0.2})
    stop = StopNeed("r1", "w1", B, 180, {"wet": 5.0}, {"wet": 0.01}, None)
    first, second = problem(bins=(bin_,), stops=(stop,)).visits
    assert (first.id, first.kind, first.passes[0].service_s) == ("bin:b1", "bin", 90)
    assert (second.id, second.kind, second.passes[0].service_s) == ("request:r1", "request", 180)
    assert second.drop_cost_s > first.drop_cost_s


@pytest.mark.parametrize(("key", "preferred"), [("T1/morning", "T1/morning"), ("T9/night", None)])
def test_beat_prefers_its_vehicle_when_it_works(key: str, preferred: str | None) -> None:
    (visit,) = problem(LANE, beats={"l1": key}).visits
    assert visit.preferred_vehicle == preferred


def test_working_days() -> None:
    sundays_off = Policy(working_days=("mon", "tue", "wed", "thu", "fri", "sat"))
    assert is_working_day(date(2026, 3, 7), sundays_off)
    assert not is_working_day(date(2026, 3, 8), sundays_off)


def ward(ward_id: str, centre: tuple[float, float], hours: float, lorry: float = 1.0) -> WardNeed:
    seconds = hours * 3600
    return WardNeed(
        ward_id, centre, seconds, hours * 200, {"tipper": seconds, "lorry": seconds * lorry}
    )


def shifts(n: int) -> list[VehicleShift]:
    return [replace(TIPPER, vehicle_id=f"T{i}") for i in range(n)]


def test_vehicles_go_where_the_work_is() -> None:
    shared = territories([ward("big", A, 20), ward("small", C, 5)], shifts(5), {})
    assert {t.ward_ids: len(t.shifts) for t in shared} == {("big",): 4, ("small",): 1}


def test_beats_keep_their_vehicle_at_home() -> None:
    shared = territories(
        [ward("big", A, 20), ward("small", C, 5)], shifts(2), {"T0/morning": "small"}
    )
    crews = {t.ward_ids: [s.vehicle_id for s in t.shifts] for t in shared}
    assert crews == {("big",): ["T1"], ("small",): ["T0"]}


def test_ward_without_vehicle_joins_its_neighbour() -> None:
    shared = territories(
        [ward("far", (76.0, 22.7), 9), ward("a", A, 9), ward("b", B, 9)], shifts(2), {}
    )
    assert sorted(len(t.ward_ids) for t in shared) == [1, 2]
    assert {w for t in shared for w in t.ward_ids} == {"far", "a", "b"}


def test_class_goes_where_it_can_work() -> None:
    narrow, wide = ward("narrow", A, 20, lorry=0.0), ward("wide", C, 10)
    (only,) = [t for t in territories([narrow, wide], [LORRY], {}) if t.shifts]
    assert only.ward_ids[0] == "wide"


def test_without_vehicles_everything_is_one_territory() -> None:
    """It is planned all the same, so that the plan says why nothing is served."""
    (one,) = territories([ward("a", A, 9), ward("b", B, 9)], [], {})
    assert (one.ward_ids, one.shifts) == (("a", "b"), ())
