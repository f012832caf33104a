"""Solve a problem: presolve, a greedy floor, OR-Tools, then what it left out."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from routing.chambers import takes
from routing.engine.allowed import Possible, possible
from routing.engine.explain import fit_in
from routing.engine.model import build
from routing.engine.search import Progress, search
from routing.engine.steps import Serve, Step, Unload, fits, place_of, timed
from routing.engine.validate import validate
from routing.problem import Cost, Problem, Solution, Unplanned, Vehicle

DEFAULT_ITERATIONS = 200
"""When neither limit is given: about ten seconds for a ward of 300 lanes."""


def solve(
    problem: Problem,
    *,
    seed: int,
    iterations: int | None = None,
    time_s: float | None = None,
    progress: Progress | None = None,
) -> Solution:
    """Plan the routes of all vehicles.

    Bounded by `iterations` alone (see `search.CHECKS_PER_NODE`) the answer is a function of the
    problem and the seed; with `time_s` it also depends on the machine.

    Raises:
        ProblemError: The problem is wrong in itself.
    """
    began = time.perf_counter()
    validate(problem)
    if iterations is None and time_s is None:
        iterations = DEFAULT_ITERATIONS
    can = possible(problem)
    order = [int(i) for i in np.random.default_rng(seed).permutation(sorted(can.vehicles))]
    solution = _filled(problem, can, [[] for _ in problem.vehicles])
    if can.vehicles:
        if time_s is not None:
            time_s = max(0.001, time_s - (time.perf_counter() - began))
        found = _searched(problem, can, order, seed, iterations, time_s, progress)
        if found is not None:
            # A search cut short may end above the greedy plan, and the greedy plan is there.
            rival = _filled(problem, can, found)
            solution = min(rival, solution, key=lambda plan: plan.cost.total_s)
    if progress is not None:
        progress(1.0, solution.cost.total_s)
    return replace(solution, solver_s=time.perf_counter() - began)


def _filled(problem: Problem, can: Possible, routes: Sequence[Sequence[Step]]) -> Solution:
    """The routes with every visit that still fits in, and the reason for each that does not."""
    served = {step.visit for steps in routes for step in steps if isinstance(step, Serve)}
    filled, left_out = fit_in(problem, routes, [i for i in can.vehicles if i not in served])
    return solution_of(problem, filled, (*can.unplanned, *left_out))


def _searched(
    problem: Problem,
    can: Possible,
    order: Sequence[int],
    seed: int,
    iterations: int | None,
    time_s: float | None,
    progress: Progress | None,
) -> list[list[Step]] | None:
    """OR-Tools' routes, by vehicle of the problem, with the last unloading written out."""
    model = build(problem, can.vehicles, can.choices, order)
    found = search(model, seed=seed, iterations=iterations, time_s=time_s, progress=progress)
    if found is None:
        return None
    better: list[list[Step]] = [[] for _ in problem.vehicles]
    for v, steps in zip(model.cars, found, strict=True):
        vehicle = problem.vehicles[v]
        better[v] = _closed(problem, vehicle, steps)
        if better[v] and not fits(problem, vehicle, better[v]):
            raise RuntimeError(f"OR-Tools broke a limit of vehicle {vehicle.id}.")
    return better


def _closed(problem: Problem, vehicle: Vehicle, steps: Sequence[Step]) -> list[Step]:
    """The steps with their last unloading written out.

    The model may unload an empty vehicle. That is left out, unless its detour over the station is
    quicker than the table's straight way (tables need not keep the triangle inequality).
    """
    if not any(isinstance(step, Serve) for step in steps):
        return []
    lean: list[Step] = []
    for step in steps:
        if isinstance(step, Serve) or (lean and isinstance(lean[-1], Serve)):
            lean.append(step)
    lean = _emptied(problem, vehicle, lean)
    return lean if fits(problem, vehicle, lean) else _emptied(problem, vehicle, steps)


def _emptied(problem: Problem, vehicle: Vehicle, steps: Sequence[Step]) -> list[Step]:
    """The steps, and a last unloading where the way home over it is shortest."""
    if isinstance(steps[-1], Unload):
        return list(steps)
    duration = problem.travel[vehicle.profile].duration_s
    last = place_of(problem, steps[-1]).exit

    def home_s(d: int) -> int:
        site = problem.disposals[d]
        there, back = duration[last, site.location], duration[site.location, vehicle.end]
        return int(there) + site.service_s + int(back)

    sites = [d for d, site in enumerate(problem.disposals) if takes(site, vehicle)]
    return [*steps, Unload(min(sites, key=home_s))]


def solution_of(
    problem: Problem, routes: Sequence[Sequence[Step]], unplanned: Sequence[Unplanned]
) -> Solution:
    """Timed routes and their cost. `routes` has the steps of each vehicle of the problem."""
    used = [
        (vehicle, steps, timed(problem, vehicle, steps))
        for vehicle, steps in zip(problem.vehicles, routes, strict=True)
        if steps
    ]
    changed = sum(
        problem.visits[step.visit].preferred_vehicle not in (None, vehicle.id)
        for vehicle, steps, _ in used
        for step in steps
        if isinstance(step, Serve)
    )
    order = {visit.id: i for i, visit in enumerate(problem.visits)}
    left_out = sorted(unplanned, key=lambda row: order[row.visit_id])
    cost = Cost(
        travel_s=sum(route.travel_s for _, _, route in used),
        service_s=sum(place_of(problem, step).service_s for _, steps, _ in used for step in steps),
        fixed_s=sum(vehicle.fixed_cost_s for vehicle, _, _ in used),
        dropped_s=sum(problem.visits[order[row.visit_id]].drop_cost_s for row in left_out),
        changed_s=changed * problem.change_cost_s,
    )
    return Solution(tuple(route for _, _, route in used), tuple(left_out), cost, 0.0)
