"""From a day's demand to solved, checked and drawn routes; the solving part runs in a process.

`inputs` is pure, `solve_part` is what a spawned process runs: tables from the embedded road
engine, the solver, the independent checker, then the road between the stops.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from routing.checker import check
from routing.problem_json import dump_problem, dump_solution

from fleet.roads.embedded import EmbeddedEngine
from fleet.roads.engine import RoadEngine
from routing import demand
from routing.demand import Point, Territory
from routing.engine import solve
from routing.plans.load import Day
from routing.problem import Problem, Route, Solution, Travel


@dataclass(frozen=True, slots=True)
class PartInput:
    """One territory to solve. `datasets`: profile → road dataset."""

    name: str
    problem: Problem
    datasets: Mapping[str, Path]
    seed: int
    iterations: int


@dataclass(frozen=True, slots=True)
class Leg:
    """The road driven before a stop; empty where the vehicle is there already."""

    path: tuple[Point, ...]
    distance_m: float
    duration_s: int


@dataclass(frozen=True, slots=True)
class PartResult:
    """A solved part. `legs`: vehicle key → one leg per stop, and the last one to the end."""

    name: str
    problem: Problem
    """Without travel times; `problem_blob` has them."""
    solution: Solution
    legs: Mapping[str, tuple[Leg, ...]]
    problem_blob: bytes
    solution_blob: bytes


class PlanRejectedError(Exception):
    """The checker found a fault in what the solver returned; such a plan is never stored."""


def inputs(
    day: Day,
    territories: Sequence[Territory],
    datasets: Mapping[str, Path],
    *,
    seed: int,
    iterations: int,
) -> list[PartInput]:
    """One input per territory that has anything to serve."""
    parts = []
    for territory in territories:
        wards = set(territory.ward_ids)
        problem = demand.build(
            epoch=day.epoch,
            lanes=[lane for lane in day.lanes if lane.ward_id in wards],
            bins=[bin_ for bin_ in day.bins if bin_.ward_id in wards],
            stops=[stop for stop in day.stops if stop.ward_id in wards],
            shifts=territory.shifts,
            stations=day.stations,
            beats=day.beats,
            policy=day.policy,
        )
        if problem.visits:
            profiles = {vehicle.profile for vehicle in problem.vehicles}
            needed = {profile: datasets[profile] for profile in sorted(profiles)}
            parts.append(PartInput(territory.name, problem, needed, seed, iterations))
    return parts


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
