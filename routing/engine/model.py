"""The OR-Tools routing model of a problem.

Each pass of a lane is a node, and the passes of one lane are alternatives. Unloading in the middle
of a shift is an optional node of demand minus the capacity, with as much slack; the last unloading
is folded into the arc to the vehicle's end, so that every route ends empty by construction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from ortools.constraint_solver import pywrapcp

from routing.chambers import chambers_of, takes
from routing.engine.steps import Place, Serve, Step, Unload, place_of
from routing.problem import UNREACHABLE, Problem, Vehicle

IntMatrix = npt.NDArray[np.int64]
_GRAMS = 1000
_CM3 = 1_000_000


@dataclass(frozen=True, slots=True)
class Model:
    """A closed-over OR-Tools model, and the way back from its nodes to steps."""

    routing: Any
    manager: Any
    steps: tuple[Step, ...]
    """Step of each node below `len(steps)`; start and end nodes follow."""
    cars: tuple[int, ...]
    """Index in `problem.vehicles` of each vehicle of the model."""


def build(
    problem: Problem,
    allowed: Mapping[int, Sequence[int]],
    choices: Mapping[int, Sequence[int]],
    order: Sequence[int],
) -> Model:
    """Build the model.

    Parameters:
        allowed: Vehicles (indices) by visit (index): only these visits are in the model.
        choices: Passes to consider, by visit.
        order: The visits in the order in which their nodes are numbered (ties follow it).
    """
    cars = tuple(sorted({v for vehicles in allowed.values() for v in vehicles}))
    vehicles = [problem.vehicles[v] for v in cars]
    serves = [Serve(visit, choice) for visit in order for choice in choices[visit]]
    unloads = [
        Unload(d)
        for d, site in enumerate(problem.disposals)
        if any(takes(site, vehicle) for vehicle in vehicles)
        for _ in range(_unloadings(problem, vehicles, allowed))
    ]
    steps: tuple[Step, ...] = (*serves, *unloads)
    starts = sorted({vehicle.start for vehicle in vehicles})
    ends = sorted({vehicle.end for vehicle in vehicles})
    nodes = len(steps) + len(starts) + len(ends)
    manager = pywrapcp.RoutingIndexManager(
        nodes,
        len(vehicles),
        [len(steps) + starts.index(vehicle.start) for vehicle in vehicles],
        [len(steps) + len(starts) + ends.index(vehicle.end) for vehicle in vehicles],
    )
    routing = pywrapcp.RoutingModel(manager)
    model = Model(routing, manager, steps, cars)
    places = [place_of(problem, step) for step in steps]
    _add_time(model, problem, vehicles, places, starts, ends)
    _add_chambers(model, problem, vehicles)
    _add_visits(model, problem, allowed)
    return model


def _unloadings(
    problem: Problem, vehicles: Sequence[Vehicle], allowed: Mapping[int, Sequence[int]]
) -> int:
    """How many unloadings within shifts one site may see."""
    trips = 0.0
    for streams in {rooms for vehicle in vehicles for rooms in chambers_of(vehicle).streams}:
        rooms = [
            (kg, m3)
            for vehicle in vehicles
            for taken, kg, m3 in zip(*_rooms(vehicle), strict=True)
            if taken == streams
        ]
        for unit, name in ((0, "demand_kg"), (1, "demand_m3")):
            total = sum(
                getattr(problem.visits[visit], name).get(stream, 0.0)
                for visit in allowed
                for stream in streams
            )
            least = min((room[unit] for room in rooms if room[unit] > 0), default=0.0)
            trips = max(trips, total / least if least else 0.0)
    longest_s = max((v.shift_end_s - v.shift_start_s for v in vehicles), default=0)
    quickest_s = max(900, min((d.service_s for d in problem.disposals), default=900))
    by_time = len(vehicles) * (longest_s // quickest_s)
    return int(min(np.ceil(1.25 * trips) + 1, by_time, len(allowed)))


def _rooms(
    vehicle: Vehicle,
) -> tuple[Sequence[frozenset[str]], Sequence[float], Sequence[float]]:
    rooms = chambers_of(vehicle)
    return rooms.streams, rooms.kg, rooms.m3


def arcs(
    problem: Problem,
    vehicle: Vehicle,
    places: Sequence[Place],
    steps: Sequence[Step],
    starts: Sequence[int],
    ends: Sequence[int],
) -> IntMatrix:
    """Service at the origin and travel to the destination, in seconds, for one kind of vehicle."""
    duration = problem.travel[vehicle.profile].duration_s.astype(np.int64)
    n, m = len(places), len(places) + len(starts)
    leave = np.array([*(place.exit for place in places), *starts], dtype=np.int64)
    enter = np.array([place.entry for place in places], dtype=np.int64)
    service = np.array([place.service_s for place in places], dtype=np.int64)
    sites = [d for d, site in enumerate(problem.disposals) if takes(site, vehicle)]
    full = np.full((m + len(ends), m + len(ends)), UNREACHABLE, dtype=np.int64)
    full[:m, :n] = duration[np.ix_(leave, enter)]
    for k, end in enumerate(ends):
        home = [
            duration[leave[:n], problem.disposals[d].location]
            + problem.disposals[d].service_s
            + duration[problem.disposals[d].location, end]
            for d in sites
        ]
        if home:
            full[:n, m + k] = np.min(home, axis=0)
        empty = [i for i, step in enumerate(steps) if isinstance(step, Unload)]
        full[empty, m + k] = duration[leave[empty], end]
        full[n:m, m + k] = 0  # start to end: the vehicle stays at home
    closed = [
        i for i, s in enumerate(steps) if isinstance(s, Unload) and s.disposal not in set(sites)
    ]
    full[:, closed] = UNREACHABLE
    full[:n] += service[:, None]
    np.minimum(full, UNREACHABLE, out=full)
    np.fill_diagonal(full, 0)
    return full


def _add_time(
    model: Model,
    problem: Problem,
    vehicles: Sequence[Vehicle],
    places: Sequence[Place],
    starts: Sequence[int],
    ends: Sequence[int],
) -> None:
    routing = model.routing
    times: dict[tuple[str, frozenset[int]], tuple[int, IntMatrix]] = {}
    costs: dict[tuple[int, str | None], int] = {}
    preferred = {visit.preferred_vehicle for visit in problem.visits} - {None}
    evaluators = []
    for v, vehicle in enumerate(vehicles):
        sites = frozenset(d for d, s in enumerate(problem.disposals) if takes(s, vehicle))
        key = (vehicle.profile, sites)
        if key not in times:
            matrix = arcs(problem, vehicle, places, model.steps, starts, ends)
            times[key] = routing.RegisterTransitMatrix(matrix.tolist()), matrix
        evaluator, matrix = times[key]
        evaluators.append(evaluator)
        cost = evaluator
        if problem.change_cost_s and preferred:
            mine = vehicle.id if vehicle.id in preferred else None
            if (evaluator, mine) not in costs:
                costly = matrix + _changes(problem, model.steps, mine, len(matrix))[:, None]
                costs[evaluator, mine] = routing.RegisterTransitMatrix(costly.tolist())
            cost = costs[evaluator, mine]
        routing.SetArcCostEvaluatorOfVehicle(cost, v)
        routing.SetFixedCostOfVehicle(vehicle.fixed_cost_s, v)
    latest_s = max((vehicle.shift_end_s for vehicle in vehicles), default=0)
    waits = any(
        problem.visits[step.visit].windows for step in model.steps if isinstance(step, Serve)
    )
    routing.AddDimensionWithVehicleTransits(
        evaluators, latest_s if waits else 0, latest_s, False, "time"
    )
    clock = routing.GetDimensionOrDie("time")
    for v, vehicle in enumerate(vehicles):
        clock.CumulVar(routing.Start(v)).SetRange(vehicle.shift_start_s, vehicle.shift_start_s)
        clock.CumulVar(routing.End(v)).SetMax(vehicle.shift_end_s)
    for node, step in enumerate(model.steps):
        if isinstance(step, Serve) and problem.visits[step.visit].windows:
            windows = sorted(problem.visits[step.visit].windows)
            begin = clock.CumulVar(model.manager.NodeToIndex(node))
            begin.SetRange(windows[0][0], max(closes for _, closes in windows))
            closed_from = windows[0][1] + 1
            for opens, closes in windows[1:]:
                if opens > closed_from:
                    begin.RemoveInterval(closed_from, opens - 1)
                closed_from = max(closed_from, closes + 1)


def _changes(
    problem: Problem, steps: Sequence[Step], vehicle_id: str | None, nodes: int
) -> npt.NDArray[np.int64]:
    """What serving each node with the vehicle costs more than with its beat's vehicle."""
    costs = np.zeros(nodes, dtype=np.int64)
    for node, step in enumerate(steps):
        if isinstance(step, Serve):
            preferred = problem.visits[step.visit].preferred_vehicle
            if preferred is not None and preferred != vehicle_id:
                costs[node] = problem.change_cost_s
    return costs


def _add_chambers(model: Model, problem: Problem, vehicles: Sequence[Vehicle]) -> None:
    """Two dimensions, kg and m³, for each set of streams that some vehicle keeps together."""
    routing = model.routing
    rooms = [chambers_of(vehicle) for vehicle in vehicles]
    kinds = sorted({taken for room in rooms for taken in room.streams}, key=sorted)
    for kind in kinds:
        for unit, scale in (("kg", _GRAMS), ("m3", _CM3)):
            demand = [
                0
                if isinstance(step, Unload)
                else sum(
                    # Ceiling here and floor below: the model never allows what does not fit.
                    int(np.ceil(amount * scale - 1e-6))
                    for stream, amount in getattr(
                        problem.visits[step.visit], f"demand_{unit}"
                    ).items()
                    if stream in kind
                )
                for step in model.steps
            ]
            total = sum(demand)
            if not total:
                continue
            room = [
                min(total, int(getattr(r, unit)[r.streams.index(kind)] * scale + 1e-6))
                if kind in r.streams
                else total
                for r in rooms
            ]
            most = max(room)
            demand = [
                -most if isinstance(step, Unload) else amount
                for step, amount in zip(model.steps, demand, strict=True)
            ]
            demand += [0] * (model.manager.GetNumberOfNodes() - len(demand))
            evaluator = routing.RegisterUnaryTransitVector(demand)
            name = f"{unit} {'+'.join(sorted(kind))}"
            routing.AddDimensionWithVehicleCapacity(evaluator, most, room, True, name)
            load = routing.GetDimensionOrDie(name)
            for node, step in enumerate(model.steps):
                if isinstance(step, Serve):
                    load.SlackVar(model.manager.NodeToIndex(node)).SetValue(0)
            for v in range(len(vehicles)):
                load.SlackVar(routing.Start(v)).SetValue(0)


def _add_visits(model: Model, problem: Problem, allowed: Mapping[int, Sequence[int]]) -> None:
    routing, manager = model.routing, model.manager
    nodes: dict[int, list[int]] = {}
    car = {vehicle: v for v, vehicle in enumerate(model.cars)}
    for node, step in enumerate(model.steps):
        index = manager.NodeToIndex(node)
        if isinstance(step, Unload):
            routing.AddDisjunction([index], 0)
            continue
        nodes.setdefault(step.visit, []).append(index)
        vehicles = [car[v] for v in allowed[step.visit]]
        if len(vehicles) < len(model.cars):
            routing.VehicleVar(index).SetValues([-1, *vehicles])
    for visit, indices in nodes.items():
        routing.AddDisjunction(indices, problem.visits[visit].drop_cost_s)
