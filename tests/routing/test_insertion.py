"""Live insertion: by hand on a line, and against brute force on any small problem."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.engine import solve
from routing.engine.steps import Serve, Step, Unload, fits, place_of, timed
from routing.insertion import (
    Insertion,
    Rejected,
    RunningRoute,
    RunningStop,
    TableTimes,
    extended,
    insert,
    timetable,
)
from routing.problem import Problem, Solution, Vehicle, Visit
from tests.routing.engine.instances import point, problems, tipper, town

TOWN = town([])
TIMES = TableTimes(TOWN.travel)
STATION = RunningStop("disposal", "station", 1, 1, 300, 0)


def running(
    *visits: Visit, vehicle: Vehicle | None = None, locked: int = 0, wet_kg: float = 0.0
) -> RunningRoute:
    """A vehicle at the depot at 1,000 s that serves the visits and unloads."""
    vehicle = vehicle or tipper()
    stops = [
        RunningStop(
            "visit",
            visit.id,
            visit.passes[0].entry,
            visit.passes[0].exit,
            visit.passes[0].service_s,
            0,
            visit.demand_kg,
            visit.demand_m3,
            visit.windows,
        )
        for visit in visits
    ]
    stops.append(STATION)
    at, legged = 0, []
    for stop in stops:
        legged.append(replace(stop, leg_s=TIMES.duration_s("tipper", at, stop.entry)))
        at = stop.exit
    home_s = TIMES.duration_s("tipper", at, 0)
    return RunningRoute(vehicle, 1_000, 0, tuple(legged), home_s, locked, {"wet": wet_kg}, {})


def put(route: RunningRoute, visit: Visit) -> Insertion | Rejected:
    return insert(TIMES, [route], visit, TOWN.disposals)


def test_on_the_way_costs_its_service_alone() -> None:
    """2,100 m lies on the way out to 2,200 m (and back: the earlier place wins a tie)."""
    found = put(running(point("a", 4), point("b", 2)), point("x", 3))
    assert found == Insertion(0, 0, 0, 60, 60, 1_210)


def test_never_before_the_locked_prefix() -> None:
    """With both visits locked it goes between the last of them and the station."""
    found = put(running(point("a", 4), point("b", 2), locked=2), point("x", 3))
    assert found == Insertion(0, 2, 0, 80, 80, 1_370)


def test_full_trip_gets_one_more_unloading() -> None:
    """60 kg on board and 30 kg to come leave no room for 20 kg: unload on the way out."""
    found = put(running(point("a", 2, 30.0), wet_kg=60.0), point("x", 2, 20.0))
    assert isinstance(found, Insertion)
    assert found.with_extra_unload
    stops, end_leg_s = extended(
        TIMES, running(point("a", 2, 30.0)), point("x", 2, 20.0), TOWN.disposals, found
    )
    assert [stop.ref for stop in stops] == ["station", "x", "a", "station"]
    assert end_leg_s == 100


def test_after_the_last_unloading_it_unloads_again() -> None:
    found = put(running(locked=1), point("x", 2))
    assert found == Insertion(0, 1, 0, 560, 560, 1_500, "station")


def test_the_cheaper_route_wins_and_a_surcharge_turns_it() -> None:
    near = running(point("a", 3), vehicle=tipper("near"))
    far = running(vehicle=tipper("far"))
    found = insert(TIMES, [far, near], point("x", 2), TOWN.disposals)
    assert isinstance(found, Insertion)
    assert found.route_index == 1
    found = insert(TIMES, [far, replace(near, surcharge_s=900)], point("x", 2), TOWN.disposals)
    assert isinstance(found, Insertion)
    assert found.route_index == 0


def test_only_the_legs_asked_for_are_priced() -> None:
    found = insert(
        TIMES,
        [running(point("a", 4), point("b", 2))],
        point("x", 3),
        TOWN.disposals,
        frozenset({(0, 2)}),
    )
    assert isinstance(found, Insertion)
    assert found.position == 2


def test_table_of_some_locations_is_enough() -> None:
    """Rows 0, 1 and 2 of the table are locations 0, 1 and 5."""
    small = town([]).travel["tipper"]
    rows = [0, 1, 5]
    some = TableTimes(
        {
            "tipper": replace(
                small,
                duration_s=small.duration_s[rows][:, rows],
                distance_m=small.distance_m[rows][:, rows],
            )
        },
        {location: row for row, location in enumerate(rows)},
    )
    visit = point("x", 5)
    assert insert(some, [running()], visit, TOWN.disposals) == put(running(), visit)


@pytest.mark.parametrize(
    ("visit", "route", "code", "said"),
    [
        (point("x", 2, vehicles=frozenset({"t9"})), running(), "no_vehicle", "Allow one"),
        (point("x", 2, 101.0), running(), "too_heavy", "101.0 kg"),
        (point("x", 2, windows=((0, 1_150),)), running(), "window", "t1"),
        (
            point("x", 2),
            running(point("a", 2), vehicle=tipper(end_s=1_780)),
            "shift_full",
            "t1, 1 min over",
        ),
    ],
)
def test_refusal_names_the_nearest_possibility(
    visit: Visit, route: RunningRoute, code: str, said: str
) -> None:
    found = put(route, visit)
    assert isinstance(found, Rejected)
    assert found.code == code
    assert said in found.detail


def test_without_a_station_it_is_unreachable() -> None:
    found = insert(TIMES, [replace(running(), stops=())], point("x", 2), ())
    assert isinstance(found, Rejected)
    assert found.code == "unreachable"


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems(), st.integers(0, 3))
def test_as_cheap_as_brute_force(problem: Problem, locked: int) -> None:
    """Every position, pass and unloading tried with the engine's own timetable."""
    if not problem.visits:
        return
    new = len(problem.visits) - 1
    visit = problem.visits[new]
    plan = _plans(
        problem, solve(replace(problem, visits=problem.visits[:-1]), seed=1, iterations=1)
    )
    routes = [
        _running(problem, vehicle, steps, min(locked, len(steps)))
        for vehicle, steps in zip(problem.vehicles, plan, strict=True)
    ]
    times = TableTimes(problem.travel)
    found = insert(times, routes, visit, problem.disposals)
    options = {
        _work_s(problem, vehicle, after) - (_work_s(problem, vehicle, before) if before else 0)
        for vehicle, before, route in zip(problem.vehicles, plan, routes, strict=True)
        if visit.vehicles is None or vehicle.id in visit.vehicles
        for after in _all(problem, before, route.locked, new)
        if fits(problem, vehicle, after)
    }
    if isinstance(found, Rejected):
        assert not options
        assert found.detail
        return
    assert found.added_s == min(options)
    route = routes[found.route_index]
    stops, end_leg_s = extended(times, route, visit, problem.disposals, found)
    assert stops[: route.locked] == route.stops[: route.locked]
    rows, end_s, on_time = timetable(route, stops, end_leg_s)
    assert on_time
    assert end_s <= route.vehicle.shift_end_s
    at = next(i for i, stop in enumerate(stops) if stop.ref == visit.id)
    assert rows[at][0] == found.arrival_s


def _plans(problem: Problem, solution: Solution) -> list[list[Step]]:
    visit = {v.id: i for i, v in enumerate(problem.visits)}
    site = {d.id: i for i, d in enumerate(problem.disposals)}
    steps: dict[str, list[Step]] = {
        route.vehicle_id: [
            Serve(visit[stop.ref], stop.pass_index)
            if stop.kind == "visit"
            else Unload(site[stop.ref])
            for stop in route.stops
        ]
        for route in solution.routes
    }
    return [steps.get(vehicle.id, []) for vehicle in problem.vehicles]


def _running(
    problem: Problem, vehicle: Vehicle, steps: Sequence[Step], locked: int
) -> RunningRoute:
    duration = problem.travel[vehicle.profile].duration_s
    at, stops = vehicle.start, []
    for step in steps:
        place = place_of(problem, step)
        leg_s, at = int(duration[at, place.entry]), place.exit
        if isinstance(step, Unload):
            ref = problem.disposals[step.disposal].id
            stops.append(
                RunningStop("disposal", ref, place.entry, place.exit, place.service_s, leg_s)
            )
        else:
            visit = problem.visits[step.visit]
            stops.append(
                RunningStop(
                    "visit",
                    visit.id,
                    place.entry,
                    place.exit,
                    place.service_s,
                    leg_s,
                    visit.demand_kg,
                    visit.demand_m3,
                    visit.windows,
                )
            )
    home_s = int(duration[at, vehicle.end]) if steps else 0
    return RunningRoute(vehicle, vehicle.shift_start_s, vehicle.start, tuple(stops), home_s, locked)


def _all(problem: Problem, before: list[Step], locked: int, new: int) -> Iterator[list[Step]]:
    for position in range(locked, len(before) + 1):
        for choice in range(len(problem.visits[new].passes)):
            serve = Serve(new, choice)
            middles: list[list[Step]] = [[serve]]
            for d in range(len(problem.disposals)):
                middles += [[Unload(d), serve], [serve, Unload(d)]]
            for middle in middles:
                yield before[:position] + middle + before[position:]


def _work_s(problem: Problem, vehicle: Vehicle, steps: Sequence[Step]) -> int:
    service_s = sum(place_of(problem, step).service_s for step in steps)
    return timed(problem, vehicle, steps).travel_s + service_s
