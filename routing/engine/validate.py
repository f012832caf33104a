"""Refuses a problem that is wrong in itself, naming the field and the remedy."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import numpy as np

from routing.chambers import chambers_of
from routing.problem import Problem, ProblemError, Travel, Vehicle, Visit


def validate(problem: Problem) -> None:
    """Check shapes, indices, signs and names.

    Raises:
        ProblemError: The first fault found.
    """
    if problem.epoch.tzinfo is None:
        raise ProblemError("epoch", "Expected an aware datetime.", "Give it in UTC.")
    n = len(problem.locations)
    for i, (lon, lat) in enumerate(problem.locations):
        if not (math.isfinite(lon) and math.isfinite(lat)):
            raise ProblemError(
                f"locations[{i}]", "Expected finite lon and lat.", "Leave the point out."
            )
    for profile, travel in problem.travel.items():
        _validate_travel(profile, travel, n)
    _unique("vehicles", (vehicle.id for vehicle in problem.vehicles))
    _unique("visits", (visit.id for visit in problem.visits))
    _unique("disposals", (disposal.id for disposal in problem.disposals))
    for i, vehicle in enumerate(problem.vehicles):
        _validate_vehicle(f"vehicles[{i}]", vehicle, problem.travel, n)
    for i, visit in enumerate(problem.visits):
        _validate_visit(f"visits[{i}]", visit, n)
    for i, disposal in enumerate(problem.disposals):
        _index(f"disposals[{i}].location", disposal.location, n)
        _seconds(f"disposals[{i}].service_s", disposal.service_s)
    _seconds("change_cost_s", problem.change_cost_s)


def _validate_travel(profile: str, travel: Travel, n: int) -> None:
    for name, matrix in (("duration_s", travel.duration_s), ("distance_m", travel.distance_m)):
        where = f"travel[{profile!r}].{name}"
        if matrix.shape != (n, n):
            raise ProblemError(
                where,
                f"Expected shape ({n}, {n}) but got {matrix.shape}.",
                "Ask the road engine for a square table over all locations.",
            )
        if not np.issubdtype(matrix.dtype, np.integer):
            raise ProblemError(
                where,
                f"Expected integers but got {matrix.dtype}.",
                "Round the table; 10**8 stands for an unreachable point.",
            )
        if n and int(matrix.min()) < 0:
            i, j = divmod(int(matrix.argmin()), n)
            raise ProblemError(
                f"{where}[{i}, {j}]", "Expected no negative value.", "Unreachable is 10**8."
            )


def _validate_vehicle(where: str, vehicle: Vehicle, travel: Mapping[str, Travel], n: int) -> None:
    if vehicle.profile not in travel:
        raise ProblemError(
            f"{where}.profile",
            f"There is no travel table for {vehicle.profile!r}.",
            f"Known profiles: {', '.join(sorted(travel)) or 'none'}.",
        )
    _index(f"{where}.start", vehicle.start, n)
    _index(f"{where}.end", vehicle.end, n)
    _seconds(f"{where}.shift_start_s", vehicle.shift_start_s)
    _seconds(f"{where}.fixed_cost_s", vehicle.fixed_cost_s)
    if vehicle.shift_end_s <= vehicle.shift_start_s:
        raise ProblemError(
            f"{where}.shift_end_s",
            "Expected an end after the start.",
            "A shift past midnight counts on past 86,400.",
        )
    if not vehicle.compartments:
        raise ProblemError(f"{where}.compartments", "Expected one or more.", "Add its chambers.")
    for i, room in enumerate(vehicle.compartments):
        _amount(f"{where}.compartments[{i}].kg", room.kg)
        _amount(f"{where}.compartments[{i}].m3", room.m3)
        if not room.streams:
            raise ProblemError(
                f"{where}.compartments[{i}].streams", "Expected one or more.", "Name its streams."
            )
    chambers_of(vehicle)


def _validate_visit(where: str, visit: Visit, n: int) -> None:
    if not 1 <= len(visit.passes) <= 2:
        raise ProblemError(
            f"{where}.passes", f"Expected one or two but got {len(visit.passes)}.", "See Visit."
        )
    for i, way in enumerate(visit.passes):
        _index(f"{where}.passes[{i}].entry", way.entry, n)
        _index(f"{where}.passes[{i}].exit", way.exit, n)
        _seconds(f"{where}.passes[{i}].service_s", way.service_s)
        _amount(f"{where}.passes[{i}].length_m", way.length_m)
    for name, demand in (("demand_kg", visit.demand_kg), ("demand_m3", visit.demand_m3)):
        for stream, amount in demand.items():
            _amount(f"{where}.{name}[{stream!r}]", amount)
    for i, (opens_s, closes_s) in enumerate(visit.windows):
        _seconds(f"{where}.windows[{i}]", opens_s)
        if closes_s < opens_s:
            raise ProblemError(
                f"{where}.windows[{i}]", "Expected an end after the start.", "Swap the two times."
            )
    _seconds(f"{where}.drop_cost_s", visit.drop_cost_s)


def _unique(where: str, ids: Iterable[str]) -> None:
    for name, count in Counter(ids).items():
        if count > 1:
            raise ProblemError(
                where, f"The id {name!r} occurs {count} times.", "Give each its own id."
            )


def _index(where: str, value: int, n: int) -> None:
    if not 0 <= value < n:
        raise ProblemError(where, f"Expected 0 to {n - 1} but got {value}.", "Index `locations`.")


def _seconds(where: str, value: int) -> None:
    if not 0 <= value < 10**8:
        raise ProblemError(
            where, f"Expected 0 to 10**8 seconds but got {value}.", "Give whole seconds."
        )


def _amount(where: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ProblemError(
            where, f"Expected a finite number from 0 on but got {value}.", "Correct the number."
        )
