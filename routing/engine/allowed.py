"""Which vehicles could serve a visit if it were their only one, and why none could."""

from __future__ import annotations

from dataclasses import dataclass

from routing.chambers import chambers_of, takes
from routing.engine.steps import Serve, Unload, fits, opening_s, timed
from routing.insertion import unfit
from routing.problem import UNREACHABLE, Problem, Unplanned, Vehicle


@dataclass(frozen=True, slots=True)
class Possible:
    """Vehicles (indices) and passes by visit (index), and the visits that are hopeless."""

    vehicles: dict[int, tuple[int, ...]]
    choices: dict[int, tuple[int, ...]]
    unplanned: tuple[Unplanned, ...]


def possible(problem: Problem) -> Possible:
    """Try every visit alone on every vehicle."""
    vehicles: dict[int, tuple[int, ...]] = {}
    choices: dict[int, tuple[int, ...]] = {}
    unplanned: list[Unplanned] = []
    for i, visit in enumerate(problem.visits):
        allowed = [
            (v, vehicle)
            for v, vehicle in enumerate(problem.vehicles)
            if visit.vehicles is None or vehicle.id in visit.vehicles
        ]
        able: list[int] = []
        ways: set[int] = set()
        for v, vehicle in allowed:
            rooms = chambers_of(vehicle)
            demand = rooms.load(visit.demand_kg, visit.demand_m3)
            if demand is None or not rooms.holds(demand):
                continue
            good = {
                choice
                for choice in range(len(visit.passes))
                if any(
                    fits(problem, vehicle, (Serve(i, choice), Unload(d)))
                    for d in range(len(problem.disposals))
                )
            }
            if good:
                able.append(v)
                ways |= good
        if able:
            vehicles[i], choices[i] = tuple(able), tuple(sorted(ways))
        else:
            unplanned.append(_why(problem, i, [vehicle for _, vehicle in allowed]))
    return Possible(vehicles, choices, tuple(unplanned))


def _why(problem: Problem, i: int, allowed: list[Vehicle]) -> Unplanned:
    """The reason that comes nearest to a possibility."""
    visit = problem.visits[i]
    hopeless = unfit(visit, allowed, problem.disposals)
    if hopeless is not None:
        return Unplanned(visit.id, hopeless.code, hopeless.detail, hopeless.values)
    over: list[tuple[int, str]] = []
    late: list[tuple[int, str]] = []
    for vehicle in allowed:
        demand = chambers_of(vehicle).load(visit.demand_kg, visit.demand_m3)
        if demand is None or not chambers_of(vehicle).holds(demand):
            continue
        for choice in range(len(visit.passes)):
            for d, site in enumerate(problem.disposals):
                route = timed(problem, vehicle, (Serve(i, choice), Unload(d)))
                if not takes(site, vehicle) or route.travel_s >= UNREACHABLE:
                    continue
                arrival_s = route.stops[0].arrival_s
                if opening_s(visit.windows, arrival_s) is None:
                    closes_s = max(closes for _, closes in visit.windows)
                    late.append((arrival_s - closes_s, vehicle.id))
                else:
                    over.append((route.end_s - vehicle.shift_end_s, vehicle.id))
    if over:
        seconds, name = min(over)
        minutes = -(-seconds // 60)
        return Unplanned(
            visit.id,
            "shift_full",
            f"Alone it is too long for a shift: {name} would need {minutes} min more.",
            {"vehicle": name, "minutes": minutes},
        )
    if late:
        seconds, name = min(late)
        minutes = -(-seconds // 60)
        return Unplanned(
            visit.id,
            "window",
            f"No vehicle can be there in time: {name} would come {minutes} min too late. "
            "Widen the time window or start the shift earlier.",
            {"vehicle": name, "minutes": minutes},
        )
    return Unplanned(
        visit.id,
        "unreachable",
        "No allowed vehicle has a road from its depot there and on to an unloading point. "
        "Check the map, or serve it on foot from the nearest reachable lane.",
    )
