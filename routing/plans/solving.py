"""Solves one part of a plan: what a spawned process runs.

Tables from the embedded road engine, the solver, the independent checker, then the road between
the stops. Import it in job processes only: it loads `osrm` and OR-Tools.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import replace

from fleet.roads.embedded import EmbeddedEngine
from fleet.roads.engine import RoadEngine
from routing.checker import check
from routing.demand import Point
from routing.engine import solve
from routing.plans.build import Leg, PartInput, PartResult
from routing.problem import Problem, Route, Travel
from routing.problem_json import dump_problem, dump_solution


class PlanRejectedError(Exception):
    """The checker found a fault in what the solver returned; such a plan is never stored."""


def solve_part(given: PartInput) -> PartResult:
    """Solve one territory with embedded road engines. Runs in a process of its own."""
    return solve_with(given, {p: EmbeddedEngine(path) for p, path in given.datasets.items()})


def solve_with(given: PartInput, engines: Mapping[str, RoadEngine]) -> PartResult:
    """Solve one territory with these road engines.

    Raises:
        PlanRejectedError: the solution breaks a rule of the problem.
    """
    travel = {}
    for profile in given.datasets:
        table = engines[profile].table(given.problem.locations)
        travel[profile] = Travel(table.duration_s, table.distance_m)
    problem = replace(given.problem, travel=travel)
    solution = solve(problem, seed=given.seed, iterations=given.iterations)
    violations = check(problem, solution)
    if violations:
        raise PlanRejectedError(
            f"The plan of {given.name} breaks {len(violations)} rules; first: {violations[0]}"
        )
    return PartResult(
        name=given.name,
        problem=given.problem,
        solution=solution,
        legs={route.vehicle_id: _legs(problem, route, engines) for route in solution.routes},
        problem_blob=zlib.compress(dump_problem(problem)),
        solution_blob=zlib.compress(dump_solution(solution)),
    )


def _legs(problem: Problem, route: Route, engines: Mapping[str, RoadEngine]) -> tuple[Leg, ...]:
    vehicle = next(v for v in problem.vehicles if v.id == route.vehicle_id)
    passes = {visit.id: visit.passes for visit in problem.visits}
    sites = {site.id: site.location for site in problem.disposals}
    engine = engines[vehicle.profile]
    at = vehicle.start
    legs = []
    for stop in route.stops:
        if stop.kind == "visit":
            way = passes[stop.ref][stop.pass_index]
            entry, leave = way.entry, way.exit
        else:
            entry = leave = sites[stop.ref]
        legs.append(leg(engine, problem.locations[at], problem.locations[entry]))
        at = leave
    legs.append(leg(engine, problem.locations[at], problem.locations[vehicle.end]))
    return tuple(legs)


def leg(engine: RoadEngine, origin: Point, destination: Point) -> Leg:
    """The road from one point to another, asked alone, as the travel tables asked it."""
    if origin == destination:
        return Leg((), 0.0, 0)
    road = engine.route([origin, destination])
    path = tuple((round(lon, 6), round(lat, 6)) for lon, lat in road.coordinates)
    return Leg(path, round(float(road.distance_m), 1), round(road.duration_s))
