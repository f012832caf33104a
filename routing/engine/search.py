"""Guided local search on the OR-Tools model, bounded by neighbours tried or by seconds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ortools.constraint_solver import pywrapcp, routing_enums_pb2
from ortools.util import optional_boolean_pb2

from routing.engine.model import Model
from routing.engine.steps import Step

Progress = Callable[[float, int], None]
"""Called with the fraction done and the best cost in seconds of work so far."""

CHECKS_PER_NODE = 30
"""Limit checks of the solver, for each node of the model, that make one iteration.

The solver checks its limits at a steady pace while it tries neighbours, whatever the wall clock
does, so that a budget in checks gives the same plan on a slow machine and on a fast one. Accepted
moves would not do as a budget: on a plateau they stop coming and the search would not end.
"""


def search(
    model: Model,
    *,
    seed: int,
    iterations: int | None,
    time_s: float | None,
    progress: Progress | None,
) -> list[list[Step]] | None:
    """The best routes found, one list of steps for each vehicle of the model.

    The last unloading of a route is not among its steps: it is part of the way home. None when
    `time_s` ended before a first solution.
    """
    routing = model.routing
    parameters = _parameters()
    # Without any limit OR-Tools warns on standard error: a day is none.
    limit_s = 86_400.0 if time_s is None else time_s
    parameters.time_limit.FromMilliseconds(max(1, int(limit_s * 1000)))
    routing.CloseModelWithParameters(parameters)
    routing.solver().ReSeed(seed)
    budget = _Budget(
        routing, iterations and iterations * CHECKS_PER_NODE * len(model.steps), time_s, progress
    )
    routing.AddAtSolutionCallback(budget.at_solution)
    if iterations is not None or progress is not None:
        routing.AddSearchMonitor(routing.solver().CustomLimit(budget.spent))
    found = routing.SolveWithParameters(parameters)
    if found is None:
        return None
    return [_steps(model, found, v) for v in range(len(model.cars))]


def _parameters() -> Any:
    parameters = pywrapcp.DefaultRoutingSearchParameters()
    parameters.first_solution_strategy = (
        routing_enums_pb2.FirstSolutionStrategy.PARALLEL_CHEAPEST_INSERTION
    )
    parameters.local_search_metaheuristic = (
        routing_enums_pb2.LocalSearchMetaheuristic.GUIDED_LOCAL_SEARCH
    )
    # Its chains pass over every optional node: without it a ward of 300 lanes reaches the same
    # cost in half the time.
    parameters.local_search_operators.use_swap_active_chain = optional_boolean_pb2.BOOL_FALSE
    return parameters


class _Budget:
    """Counts limit checks from the first solution on, and reports progress every fiftieth."""

    def __init__(
        self, routing: Any, checks: int | None, time_s: float | None, progress: Progress | None
    ) -> None:
        self._routing, self._solver = routing, routing.solver()
        self._checks, self._time_s, self._progress = checks, time_s, progress
        self._began_ms = self._solver.WallTime()
        self._best: int | None = None
        self._seen, self._told = 0, -1

    def at_solution(self) -> None:
        cost = int(self._routing.CostVar().Min())
        self._best = cost if self._best is None else min(self._best, cost)
        self._tell(self._best)

    def spent(self) -> bool:
        if self._best is None:
            return False
        self._seen += 1
        if self._seen % 1000 == 0:
            self._tell(self._best)
        return self._checks is not None and self._seen > self._checks

    def _tell(self, best: int) -> None:
        if self._progress is None:
            return
        by_count = self._seen / self._checks if self._checks else 0.0
        elapsed_s = (self._solver.WallTime() - self._began_ms) / 1000
        by_time = elapsed_s / self._time_s if self._time_s else 0.0
        fraction = min(1.0, max(by_count, by_time))
        if int(fraction * 50) > self._told:
            self._told = int(fraction * 50)
            self._progress(fraction, best)


def _steps(model: Model, found: Any, v: int) -> list[Step]:
    routing, steps = model.routing, []
    index = found.Value(routing.NextVar(routing.Start(v)))
    while not routing.IsEnd(index):
        steps.append(model.steps[model.manager.IndexToNode(index)])
        index = found.Value(routing.NextVar(index))
    return steps
