"""A route as a list of steps, and the timetable that follows from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from routing.chambers import chambers_of, takes
from routing.problem import Problem, Route, Stop, Vehicle


@dataclass(frozen=True, slots=True)
class Serve:
    """Serve `problem.visits[visit]` by one of its passes."""

    visit: int
    choice: int


@dataclass(frozen=True, slots=True)
class Unload:
    """Empty every chamber at `problem.disposals[disposal]`."""

    disposal: int


Step = Serve | Unload


@dataclass(frozen=True, slots=True)
class Place:
    """Where a step begins and ends, and how long it takes."""

    entry: int
    exit: int
    service_s: int


def place_of(problem: Problem, step: Step) -> Place:
    if isinstance(step, Unload):
        site = problem.disposals[step.disposal]
        return Place(site.location, site.location, site.service_s)
    way = problem.visits[step.visit].passes[step.choice]
    return Place(way.entry, way.exit, way.service_s)


def timed(problem: Problem, vehicle: Vehicle, steps: Sequence[Step]) -> Route:
    """The earliest timetable of the steps from the shift's start on.

    It may break a limit: ask `fits`.
    """
    travel = problem.travel[vehicle.profile]
    now_s, at, travel_s, metres = vehicle.shift_start_s, vehicle.start, 0, 0
    load: dict[str, float] = {}
    stops: list[Stop] = []
    for step in steps:
        place = place_of(problem, step)
        travel_s += int(travel.duration_s[at, place.entry])
        metres += int(travel.distance_m[at, place.entry])
        arrival_s = now_s + int(travel.duration_s[at, place.entry])
        if isinstance(step, Serve):
            visit = problem.visits[step.visit]
            begin_s = opening_s(visit.windows, arrival_s)
            now_s = (arrival_s if begin_s is None else begin_s) + place.service_s
            load = dict(load)
            for stream, kg in visit.demand_kg.items():
                load[stream] = load.get(stream, 0.0) + kg
            stops.append(Stop("visit", visit.id, step.choice, arrival_s, now_s, load))
        else:
            load = {}
            now_s = arrival_s + place.service_s
            site = problem.disposals[step.disposal]
            stops.append(Stop("disposal", site.id, 0, arrival_s, now_s, load))
        at = place.exit
    travel_s += int(travel.duration_s[at, vehicle.end])
    metres += int(travel.distance_m[at, vehicle.end])
    lanes_m = sum(
        problem.visits[step.visit].passes[step.choice].length_m
        for step in steps
        if isinstance(step, Serve)
    )
    return Route(
        vehicle.id,
        vehicle.shift_start_s,
        now_s + int(travel.duration_s[at, vehicle.end]),
        metres + lanes_m,
        travel_s,
        tuple(stops),
    )


def fits(problem: Problem, vehicle: Vehicle, steps: Sequence[Step]) -> bool:
    """Whether the steps keep shift, windows, chambers and the empty end."""
    route = timed(problem, vehicle, steps)
    if not steps or not isinstance(steps[-1], Unload) or route.end_s > vehicle.shift_end_s:
        return False
    rooms = chambers_of(vehicle)
    load = [0.0] * len(rooms.capacity)
    for step, stop in zip(steps, route.stops, strict=True):
        if isinstance(step, Unload):
            if not takes(problem.disposals[step.disposal], vehicle):
                return False
            load = [0.0] * len(load)
            continue
        visit = problem.visits[step.visit]
        if visit.windows and opening_s(visit.windows, stop.arrival_s) is None:
            return False
        demand = rooms.load(visit.demand_kg, visit.demand_m3)
        if demand is None or not rooms.holds(load, demand):
            return False
        load = [a + b for a, b in zip(load, demand, strict=True)]
    return True


def opening_s(windows: Sequence[tuple[int, int]], arrival_s: int) -> int | None:
    """When service may begin on arrival; None when every window has closed."""
    if not windows:
        return arrival_s
    return min((max(a, arrival_s) for a, b in windows if b >= arrival_s), default=None)
