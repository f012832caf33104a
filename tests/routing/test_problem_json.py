"""Stored problems and solutions come back as they were."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from routing.engine import solve
from routing.problem import Problem, ProblemError
from routing.problem_json import dump_problem, dump_solution, load_problem, load_solution
from tests.routing.engine.instances import point, problems, town


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(problems())
def test_round_trip_and_replay(problem: Problem) -> None:
    again = load_problem(dump_problem(problem))
    assert dump_problem(again) == dump_problem(problem)
    for profile, travel in problem.travel.items():
        np.testing.assert_array_equal(again.travel[profile].duration_s, travel.duration_s)
        np.testing.assert_array_equal(again.travel[profile].distance_m, travel.distance_m)
    assert (again.epoch, again.locations) == (problem.epoch, problem.locations)
    assert (again.vehicles, again.visits) == (problem.vehicles, problem.visits)
    assert (again.disposals, again.change_cost_s) == (problem.disposals, problem.change_cost_s)
    solution = solve(problem, seed=1, iterations=1)
    assert solve(again, seed=1, iterations=1) == solution
    assert load_solution(dump_solution(solution)) == solution


@pytest.mark.parametrize(
    ("damage", "field"),
    [
        (lambda text: text[:-9], "json"),
        (lambda text: b"[]", "json"),
        (lambda text: _changed(text, version=99), "version"),
        (lambda text: _changed(text, vehicles=None), "json"),
        (
            lambda text: _changed(
                text, travel={"tipper": {"size": 3, "duration_s": "AAAA", "distance_m": "AAAA"}}
            ),
            "travel.tipper",
        ),
    ],
)
def test_damaged_text_is_refused(damage, field) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ProblemError) as caught:
        load_problem(damage(dump_problem(town([point("a", 2)]))))
    assert caught.value.field == field


def _changed(text: bytes, **fields: object) -> bytes:
    return json.dumps(json.loads(text) | fields).encode()
