"""The engine against cheapest insertion, on a ward of a real town: run by name.

    uv run python -m tests.benchmarks.bench_engine --lanes 300 --vehicles 9

Campo Grande's lanes around the middle of its network, demand drawn from a seed, two transfer
stations, tippers of two chambers. Every row is measured in this run on the same tables; the
ratio is its cost to that of cheapest insertion, one visit after the other.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from fleet.roads.build import build_dataset
from fleet.roads.embedded import EmbeddedEngine
from fleet.roads.lanes import LaneSegment, lanes_of
from fleet.roads.osm import read_network
from fleet.roads.profile import VehicleProfile
from routing.checker import check
from routing.engine import solve
from routing.engine.explain import fit_in
from routing.engine.solve import solution_of
from routing.problem import Compartment, Disposal, Pass, Problem, Solution, Travel, Vehicle, Visit

NETWORK = Path(__file__).parents[3] / "shared" / "data" / "osm" / "campo-grande.osm.gz"
HOUR_S = 3600


def ward(lanes: list[LaneSegment], count: int, vehicles: int, seed: int) -> Problem:
    """The `count` lanes nearest the middle, without travel times."""
    rng = np.random.default_rng(seed)
    lon, lat = np.median([lane.geometry[0] for lane in lanes], axis=0)
    lanes = sorted(lanes, key=lambda lane: math.dist(lane.geometry[0], (lon, lat)))[:count]
    places = [(lon - 0.03, lat - 0.02), (lon + 0.035, lat + 0.01), (lon - 0.025, lat + 0.03)]
    visits: list[Visit] = []
    for lane in lanes:
        a, b = len(places), len(places) + 1
        places += [lane.geometry[0], lane.geometry[-1]]
        service_s = int(lane.length_m / 1.4 + rng.integers(20, 90))
        ways = [Pass(a, b, service_s, lane.length_m)]
        if not lane.oneway:
            ways.append(Pass(b, a, service_s, lane.length_m, reversed=True))
        kg = float(rng.integers(20, 70))
        demand = {"wet": 0.55 * kg, "dry": 0.4 * kg, "sanitary": 0.05 * kg}
        volume = {"wet": demand["wet"] / 400, "dry": demand["dry"] / 120}
        visits.append(Visit(f"lane {len(visits)}", "lane", tuple(ways), demand, volume))
    rooms = (Compartment(("wet",), 360, 1.2), Compartment(("dry", "sanitary"), 290, 2.6))
    return Problem(
        datetime(2026, 11, 24, tzinfo=UTC),
        tuple((float(x), float(y)) for x, y in places),
        {},
        tuple(
            Vehicle(f"t{i}", "tipper", 0, 0, 6 * HOUR_S, 13 * HOUR_S, rooms)
            for i in range(vehicles)
        ),
        tuple(visits),
        tuple(Disposal(f"station {i}", i, 480, frozenset()) for i in (1, 2)),
    )


def row(name: str, problem: Problem, solution: Solution, floor: int, seconds: float) -> None:
    faults = check(problem, solution)
    cost = solution.cost.total_s
    print(
        f"{name:<22}{seconds:>8.1f} s{cost:>10}{cost / floor:>8.3f}"
        f"{len(solution.routes):>5} vehicles{sum(r.trips for r in solution.routes):>4} trips"
        f"{len(solution.unplanned):>5} left out{len(faults):>4} faults",
        flush=True,
    )


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--lanes", type=int, default=300)
    options.add_argument("--vehicles", type=int, default=9)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--seconds", type=float, nargs="*", default=[2, 10, 60])
    options.add_argument("--iterations", type=int, nargs="*", default=[200])
    given = options.parse_args()
    if not NETWORK.exists():
        print("needs ../shared/data/osm/campo-grande.osm.gz beside the repository")
        return 2
    with tempfile.TemporaryDirectory() as folder:
        dataset = build_dataset(
            NETWORK, VehicleProfile("tipper", 1.6), Path(folder) / "tipper", lambda part, step: None
        )
        problem = ward(lanes_of(read_network(NETWORK)), given.lanes, given.vehicles, given.seed)
        table = EmbeddedEngine(dataset).table(list(problem.locations))
    travel = {"tipper": Travel(table.duration_s, table.distance_m)}
    problem = replace(problem, travel=travel)
    began = time.perf_counter()
    routes, left_out = fit_in(problem, [[] for _ in problem.vehicles], range(given.lanes))
    greedy = solution_of(problem, routes, left_out)
    floor = greedy.cost.total_s
    row("cheapest insertion", problem, greedy, floor, time.perf_counter() - began)
    for seconds in given.seconds:
        found = solve(problem, seed=given.seed, time_s=seconds)
        row(f"solve, {seconds:g} s", problem, found, floor, found.solver_s)
    for iterations in given.iterations:
        found = solve(problem, seed=given.seed, iterations=iterations)
        row(f"solve, {iterations} iterations", problem, found, floor, found.solver_s)
    return 0


if __name__ == "__main__":
    sys.exit(main())
