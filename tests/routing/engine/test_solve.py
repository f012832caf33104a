"""The solver's plans: small towns whose best plan is known, and rules that hold for any."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.checker import check
from routing.engine import solve
from routing.problem import (
    UNREACHABLE,
    Compartment,
    Disposal,
    Pass,
    Problem,
    ProblemError,
    Solution,
    Travel,
    Visit,
)
from tests.routing.engine.instances import MIXED, WET_DRY, line, point, problems, tipper, town


def refs(solution: Solution) -> list[list[str]]:
    return [[stop.ref for stop in route.stops] for route in solution.routes]


def test_one_trip_by_hand() -> None:
    """Out 200 s, 60 s each, 10 s between, back over the station; then home empty."""
    solution = solve(town([point("a", 2), point("b", 3)]), seed=1, iterations=5)
    (route,) = solution.routes
    assert sorted(stop.ref for stop in route.stops[:2]) == ["a", "b"]
    assert route.stops[-1].ref == "station"
    assert (solution.cost.travel_s, solution.cost.service_s) == (420, 420)
    assert (route.start_s, route.end_s, route.distance_m) == (1_000, 1_840, 4_200)
    assert [stop.load_kg for stop in route.stops] == [{"wet": 10.0}, {"wet": 20.0}, {}]


def test_full_chamber_makes_a_second_trip() -> None:
    """Three visits of 50 kg wet do not share a 100 kg chamber, though dry is empty."""
    solution = solve(town([point(n, 2, 50.0) for n in "abc"]), seed=1, iterations=20)
    (route,) = solution.routes
    assert route.trips == 2
    assert solution.cost.fixed_s == 500


def test_mixed_fleet_loads_by_its_own_chambers() -> None:
    """150 kg of wet fill the mixed vehicle once, where the two-chamber one needs two trips."""
    vehicles = [tipper("split"), tipper("mixed", rooms=MIXED)]
    solution = solve(town([point(n, 2, 50.0) for n in "abc"], vehicles), seed=1, iterations=20)
    assert [(r.vehicle_id, r.trips) for r in solution.routes] == [("mixed", 1)]


def test_lane_is_driven_in_the_better_direction() -> None:
    """Entering at the far end costs the way there and back."""
    lane = Visit(
        "lane", "lane", (Pass(11, 2, 90), Pass(2, 11, 90, reversed=True)), {"wet": 1.0}, {}
    )
    one_way = replace(town([lane]), disposals=(Disposal("far", 11, 300, frozenset()),))
    (route,) = solve(one_way, seed=1, iterations=5).routes
    assert route.stops[0].pass_index == 1


def test_second_vehicle_where_one_shift_is_too_short() -> None:
    vehicles = [tipper("t1", 2_000), tipper("t2", 2_000)]
    slow = [replace(point(n, 2), passes=(Pass(2, 2, 150),)) for n in "abc"]
    solution = solve(town(slow, vehicles), seed=1, iterations=5)
    assert not solution.unplanned
    assert len(solution.routes) == 2


def test_window_makes_the_vehicle_wait() -> None:
    solution = solve(town([point("a", 2, windows=((3_000, 3_100),))]), seed=1, iterations=5)
    (route,) = solution.routes
    stop = route.stops[0]
    assert (stop.arrival_s, stop.departure_s) == (1_200, 3_060)
    assert solution.cost.total_s == 500 + 400 + 360  # waiting is no work


def test_beat_keeps_its_vehicle_when_the_change_costs_more() -> None:
    vehicles = [replace(tipper(name), fixed_cost_s=0) for name in ("t1", "t2")]
    visit = point("a", 2, preferred_vehicle="t2")
    assert solve(town([visit], vehicles), seed=1, iterations=5).routes[0].vehicle_id == "t2"


@pytest.mark.parametrize(
    ("visit", "code", "said"),
    [
        (point("x", 2, vehicles=frozenset()), "no_vehicle", "Allow one"),
        (replace(point("x", 2), demand_kg={"glass": 1.0}), "no_vehicle", "glass"),
        (point("x", 2, 101.0), "too_heavy", "101.0 kg"),
        (point("x", 2, windows=((0, 1_100),)), "window", "2 min too late"),
        (replace(point("x", 2), passes=(Pass(2, 2, 9_000),)), "shift_full", "12 min more"),
        (point("x", 2, drop_cost_s=100), "not_worth", "21 min"),
    ],
)
def test_reason_for_a_visit_left_out(visit: Visit, code: str, said: str) -> None:
    solution = solve(town([visit]), seed=1, iterations=5)
    (row,) = solution.unplanned
    assert (row.visit_id, row.code) == ("x", code)
    assert said in row.detail
    assert solution.cost.total_s == solution.cost.dropped_s == visit.drop_cost_s


def test_no_road_is_unreachable() -> None:
    problem = town([point("x", 2)])
    duration = problem.travel["tipper"].duration_s.copy()
    duration[2, :2] = UNREACHABLE
    travel = {"tipper": Travel(duration, problem.travel["tipper"].distance_m)}
    (row,) = solve(replace(problem, travel=travel), seed=1, iterations=5).unplanned
    assert row.code == "unreachable"


def test_station_that_refuses_a_stream_is_not_used() -> None:
    """The vehicle collects dry too: a station for wet alone cannot empty it."""
    problem = town([point("a", 2)])
    wet_only = Disposal("wet only", 1, 10, frozenset({"wet"}))
    either = replace(problem, disposals=(wet_only, replace(problem.disposals[0], location=0)))
    assert refs(solve(either, seed=1, iterations=5)) == [["a", "station"]]
    (row,) = solve(replace(problem, disposals=(wet_only,)), seed=1, iterations=5).unplanned
    assert row.code == "unreachable"


def test_full_shifts_drop_the_least_worth_and_name_the_missing_minutes() -> None:
    """Room for two of three visits of 250 s: 1,000 s of shift less 700 s of road and station."""
    cheap = [
        point(n, 2, drop_cost_s=cost) for n, cost in (("a", 9_000), ("b", 5_000), ("c", 9_000))
    ]
    visits = [replace(visit, passes=(Pass(2, 2, 150),)) for visit in cheap]
    solution = solve(town(visits, [tipper(end_s=2_000)]), seed=1, iterations=10)
    (row,) = solution.unplanned
    assert (row.visit_id, row.code) == ("b", "shift_full")
    assert row.values == {"vehicle": "t1", "minutes": 3}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems())
def test_every_solution_passes_the_checker(problem: Problem) -> None:
    solution = solve(problem, seed=1, iterations=3)
    assert check(problem, solution) == []


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), st.integers(0, 1_000))
def test_same_seed_and_iterations_give_the_same_plan(problem: Problem, seed: int) -> None:
    again = pickle.loads(pickle.dumps(problem))
    first = solve(problem, seed=seed, iterations=3)
    assert solve(again, seed=seed, iterations=3) == first
    assert pickle.loads(pickle.dumps(first)) == first


def test_progress_ends_at_one_with_the_plans_cost() -> None:
    told: list[tuple[float, int]] = []
    visits = [point(f"p{i}", 2 + i % 10, 30.0) for i in range(12)]
    solution = solve(
        town(visits), seed=1, iterations=20, progress=lambda part, cost: told.append((part, cost))
    )
    assert told[-1] == (1.0, solution.cost.total_s)
    assert [part for part, _ in told] == sorted(part for part, _ in told)
    assert len(told) > 5


def test_nothing_to_plan() -> None:
    solution = solve(town([], []), seed=1, iterations=1)
    assert (solution.routes, solution.unplanned, solution.cost.total_s) == ((), (), 0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"travel": line([0, 1])}, "travel['tipper'].duration_s"),
        ({"travel": {}}, "vehicles[0].profile"),
        ({"locations": ((float("nan"), 23.0),) * 12}, "locations[0]"),
        ({"vehicles": (tipper(), tipper())}, "vehicles"),
        ({"vehicles": (replace(tipper(), start=12),)}, "vehicles[0].start"),
        ({"vehicles": (tipper(end_s=900),)}, "vehicles[0].shift_end_s"),
        ({"vehicles": (tipper(rooms=()),)}, "vehicles[0].compartments"),
        (
            {"vehicles": (tipper(rooms=(*WET_DRY, Compartment(("wet", "dry"), 1.0, 1.0))),)},
            "vehicle t1: compartments",
        ),
        ({"visits": (point("a", 99),)}, "visits[0].passes[0].entry"),
        ({"visits": (point("a", 2, float("nan")),)}, "visits[0].demand_kg['wet']"),
        ({"visits": (replace(point("a", 2), passes=()),)}, "visits[0].passes"),
        ({"visits": (point("a", 2, windows=((5, 4),)),)}, "visits[0].windows[0]"),
        ({"disposals": (Disposal("d", -1, 0, frozenset()),)}, "disposals[0].location"),
        ({"change_cost_s": -1}, "change_cost_s"),
    ],
)
def test_faulty_problem_is_refused_by_field(change: dict[str, object], field: str) -> None:
    problem = replace(town([point("a", 2)]), **change)  # type: ignore[arg-type]  # real fields
    with pytest.raises(ProblemError) as caught:
        solve(problem, seed=1, iterations=1)
    assert caught.value.field == field
    assert caught.value.remedy
    assert pickle.loads(pickle.dumps(caught.value)).field == field


def test_negative_time_is_refused_by_its_place() -> None:
    problem = town([point("a", 2)])
    duration = problem.travel["tipper"].duration_s.copy()
    duration[3, 4] = -1
    travel = {"tipper": Travel(duration, np.abs(duration))}
    with pytest.raises(ProblemError, match=r"duration_s\[3, 4\]"):
        solve(replace(problem, travel=travel), seed=1, iterations=1)
