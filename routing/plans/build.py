"""A day's demand as parts that can be solved apart, and what comes back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from routing import demand
from routing.demand import Point, Territory
from routing.plans.load import Day
from routing.problem import Problem, Solution


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
