"""The checker passes true plans and names each way to spoil one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from routing.checker import check
from routing.engine import solve
from routing.problem import Problem, Route, Solution, Stop, Unplanned
from tests.routing.engine.instances import point, problems, tipper, town

PROBLEM = town(
    [point(name, 2 + i, 45.0, preferred_vehicle="t2") for i, name in enumerate("abcd")]
    + [point("heavy", 2, 500.0)],
    [tipper("t1"), tipper("t2")],
)
SOLUTION = solve(PROBLEM, seed=1, iterations=20)


def in_route(change: Callable[[Route], Route]) -> Callable[[Solution], Solution]:
    return lambda s: replace(s, routes=(change(s.routes[0]), *s.routes[1:]))


def at_stop(index: int, change: Callable[[Stop], Stop]) -> Callable[[Solution], Solution]:
    def changed(route: Route) -> Route:
        stops = list(route.stops)
        stops[index] = change(stops[index])
        return replace(route, stops=tuple(stops))

    return in_route(changed)


def test_a_true_plan_has_no_violation() -> None:
    assert [route.trips for route in SOLUTION.routes] == [2]
    assert [row.code for row in SOLUTION.unplanned] == ["too_heavy"]
    assert check(PROBLEM, SOLUTION) == []


@pytest.mark.parametrize(
    ("spoil", "rule"),
    [
        (lambda s: replace(s, routes=()), "once"),
        (lambda s: replace(s, unplanned=()), "once"),
        (lambda s: replace(s, unplanned=(*s.unplanned, s.unplanned[0])), "once"),
        (
            lambda s: replace(s, unplanned=(*s.unplanned, Unplanned("ghost", "window", "late"))),
            "unknown_visit",
        ),
        (lambda s: replace(s, unplanned=(replace(s.unplanned[0], detail=""),)), "no_reason"),
        (lambda s: replace(s, routes=(s.routes[0], s.routes[0])), "vehicle_twice"),
        (in_route(lambda r: replace(r, vehicle_id="ghost")), "unknown_vehicle"),
        (in_route(lambda r: replace(r, stops=r.stops[:-1])), "ends_loaded"),
        (in_route(lambda r: replace(r, end_s=r.end_s - 1)), "too_fast"),
        (in_route(lambda r: replace(r, end_s=r.end_s + 1)), "too_slow"),
        (in_route(lambda r: replace(r, end_s=10_001)), "too_late"),
        (in_route(lambda r: replace(r, start_s=999)), "too_early"),
        (in_route(lambda r: replace(r, travel_s=r.travel_s - 1)), "travel"),
        (in_route(lambda r: replace(r, distance_m=r.distance_m - 5)), "distance"),
        (at_stop(0, lambda stop: replace(stop, arrival_s=stop.arrival_s - 1)), "too_fast"),
        (at_stop(0, lambda stop: replace(stop, arrival_s=stop.arrival_s + 1)), "too_slow"),
        (at_stop(0, lambda stop: replace(stop, departure_s=stop.departure_s - 1)), "too_short"),
        (at_stop(0, lambda stop: replace(stop, departure_s=stop.departure_s + 1)), "too_slow"),
        (at_stop(0, lambda stop: replace(stop, pass_index=1)), "unknown_stop"),
        (at_stop(0, lambda stop: replace(stop, ref="b", load_kg={"wet": 1.0})), "load"),
        (at_stop(2, lambda stop: replace(stop, kind="visit", ref="heavy")), "overloaded"),
        (lambda s: replace(s, cost=replace(s.cost, travel_s=0)), "cost"),
        (lambda s: replace(s, cost=replace(s.cost, dropped_s=0)), "cost"),
    ],
)
def test_a_spoilt_plan_is_named(spoil: Callable[[Solution], Solution], rule: str) -> None:
    assert rule in {violation.rule for violation in check(PROBLEM, spoil(SOLUTION))}


def test_a_vehicle_that_may_not_serve_is_named() -> None:
    barred = tuple(replace(visit, vehicles=frozenset()) for visit in PROBLEM.visits)
    rules = {v.rule for v in check(replace(PROBLEM, visits=barred), SOLUTION)}
    assert rules == {"not_allowed"}


def test_a_closed_window_is_named() -> None:
    shut = tuple(replace(visit, windows=((0, 1),)) for visit in PROBLEM.visits)
    assert {v.rule for v in check(replace(PROBLEM, visits=shut), SOLUTION)} == {"window"}


def test_change_of_vehicle_is_charged() -> None:
    moved = tuple(replace(visit, preferred_vehicle="t1") for visit in PROBLEM.visits)
    assert {v.rule for v in check(replace(PROBLEM, visits=moved), SOLUTION)} == {"cost"}


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems())
def test_any_visit_taken_out_or_doubled_is_found(problem: Problem) -> None:
    solution = solve(problem, seed=1, iterations=2)
    for r, route in enumerate(solution.routes):
        for i, stop in enumerate(route.stops):
            for kept in (i + 1, i) if stop.kind == "visit" else ():
                stops = route.stops[:kept] + route.stops[2 * i + 1 - kept :]
                spoilt = (
                    *solution.routes[:r],
                    replace(route, stops=stops),
                    *solution.routes[r + 1 :],
                )
                assert "once" in {v.rule for v in check(problem, replace(solution, routes=spoilt))}
