"""Guided local search on the OR-Tools model, bounded by accepted moves or by seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2

from routing.engine.model import Model
from routing.engine.steps import Step

Progress = Callable[[float, int], None]
"""Called with the fraction done and the best cost in seconds of work so far."""


def search(
    model: Model,
    *,
    seed: int,
    iterations: int | None,
    time_s: float | None,
    progress: Progress | None,
    start: list[list[Step]] | None = None,
) -> list[list[Step]] | None:
    """The best routes found, one list of steps for each vehicle of the model.

    The last unloading of a route is not among its steps: it is part of the way home.
    """
    routing = model.routing
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = (
        routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    )
    parameters.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    if iterations is not None:
        parameters.solution_limit = max(1, iterations)
    if time_s is not None:
        parameters.time_limit.FromMilliseconds(max(1, int(time_s * 1000)))
    routing.CloseModelWithParameters(parameters)
    routing.solver().ReSeed(seed)
    if progress is not None:
        routing.AddAtSolutionCallback(_reporter(routing, iterations, time_s, progress))
    found = routing.SolveWithParameters(parameters)
    if found is None:
        return None
    return [_steps(model, found, v) for v in range(len(model.cars))]


def _reporter(
    routing: Any, iterations: int | None, time_s: float | None, progress: Progress
) -> Callable[[], None]:
    solver = routing.solver()
    began_ms, best, seen, told = solver.WallTime(), None, 0, -1

    def report() -> None:
        nonlocal best, seen, told
        seen += 1
        cost = routing.CostVar().Min()
        best = cost if best is None else min(best, cost)
        by_count = seen / iterations if iterations else 0.0
        by_time = (solver.WallTime() - began_ms) / 1000 / time_s if time_s else 0.0
        fraction = min(1.0, max(by_count, by_time))
        if int(fraction * 50) > told:
            told = int(fraction * 50)
            progress(fraction, int(best))

    return report


def _steps(model: Model, found: Any, v: int) -> list[Step]:
    routing, steps = model.routing, []
    index = found.Value(routing.NextVar(routing.Start(v)))
    while not routing.IsEnd(index):
        steps.append(model.steps[model.manager.IndexToNode(index)])
        index = found.Value(routing.NextVar(index))
    return steps
