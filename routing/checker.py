"""The judge of every solution that leaves the room: plain Python, written apart from the engine.

It reads nothing but the problem and the solution, adds everything up again and lists what breaks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from routing.problem import UNREACHABLE, Cost, Disposal, Problem, Route, Solution, Vehicle, Visit

TOLERANCE = 1e-4
"""kg, m³ or metres that sums of floats may differ by, for each unit of the sum."""


@dataclass(frozen=True, slots=True)
class Violation:
    """One broken rule: `rule` is stable, `detail` says where and by how much."""

    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.detail}"


def check(problem: Problem, solution: Solution) -> list[Violation]:
    """Everything that is wrong with a solution; empty when it may be driven."""
    return list(_violations(problem, solution))


def _violations(problem: Problem, solution: Solution) -> Iterator[Violation]:
    visits = {visit.id: visit for visit in problem.visits}
    vehicles = {vehicle.id: vehicle for vehicle in problem.vehicles}
    yield from _each_visit_once(visits, solution)
    names = Counter(route.vehicle_id for route in solution.routes)
    known = []
    for name, times in names.items():
        if name not in vehicles:
            yield Violation("unknown_vehicle", name)
        elif times > 1:
            yield Violation("vehicle_twice", f"{name} has {times} routes")
    for route in solution.routes:
        if route.vehicle_id in vehicles and _refs_known(problem, visits, route):
            known.append(route)
            yield from _route(problem, visits, vehicles[route.vehicle_id], route)
        elif route.vehicle_id in vehicles:
            yield Violation("unknown_stop", f"{route.vehicle_id} stops at something unknown")
    if len(known) == len(solution.routes):
        yield from _costs(problem, visits, vehicles, solution)


def _each_visit_once(visits: Mapping[str, Visit], solution: Solution) -> Iterator[Violation]:
    served = Counter(
        stop.ref for route in solution.routes for stop in route.stops if stop.kind == "visit"
    )
    left_out = Counter(row.visit_id for row in solution.unplanned)
    for name in visits:
        times = served[name] + left_out[name]
        if times != 1:
            yield Violation(
                "once", f"{name} is served {served[name]} times, left out {left_out[name]} times"
            )
    for name in (served.keys() | left_out.keys()) - visits.keys():
        yield Violation("unknown_visit", name)
    for row in solution.unplanned:
        if not row.detail:
            yield Violation("no_reason", f"{row.visit_id} is left out without a reason")


def _refs_known(problem: Problem, visits: Mapping[str, Visit], route: Route) -> bool:
    sites = {site.id for site in problem.disposals}
    for stop in route.stops:
        if stop.kind == "disposal":
            if stop.ref not in sites:
                return False
        elif stop.ref not in visits or not 0 <= stop.pass_index < len(visits[stop.ref].passes):
            return False
    return True


def _route(
    problem: Problem, visits: Mapping[str, Visit], vehicle: Vehicle, route: Route
) -> Iterator[Violation]:
    name = vehicle.id
    if not route.stops or route.stops[-1].kind != "disposal":
        yield Violation("ends_loaded", f"{name} does not end at a disposal")
    for stop in route.stops:
        if stop.kind == "visit":
            allowed = visits[stop.ref].vehicles
            if allowed is not None and name not in allowed:
                yield Violation("not_allowed", f"{name} may not serve {stop.ref}")
    yield from _times(problem, visits, vehicle, route)
    yield from _loads(problem, visits, vehicle, route)


def _times(
    problem: Problem, visits: Mapping[str, Visit], vehicle: Vehicle, route: Route
) -> Iterator[Violation]:
    name, travel = vehicle.id, problem.travel[vehicle.profile]
    sites = {site.id: site for site in problem.disposals}
    at, clock_s, travel_s, distance_m = vehicle.start, route.start_s, 0, 0.0
    if route.start_s < vehicle.shift_start_s:
        yield Violation(
            "too_early", f"{name} starts {vehicle.shift_start_s - route.start_s} s early"
        )
    for stop in route.stops:
        entry, leave, service_s, length_m = _place(
            visits, sites, stop.kind, stop.ref, stop.pass_index
        )
        leg_s = int(travel.duration_s[at, entry])
        if leg_s >= UNREACHABLE:
            yield Violation("unreachable", f"{name} cannot reach {stop.ref}")
            return
        travel_s += leg_s
        distance_m += float(travel.distance_m[at, entry]) + length_m
        if stop.arrival_s < clock_s + leg_s:
            yield Violation(
                "too_fast",
                f"{name} is at {stop.ref} {clock_s + leg_s - stop.arrival_s} s before it can be",
            )
        if stop.arrival_s > clock_s + leg_s:
            yield Violation("too_slow", f"{name} is at {stop.ref} later than the roads say")
        if stop.departure_s < stop.arrival_s + service_s:
            yield Violation("too_short", f"{name} leaves {stop.ref} before it is served")
        windows = visits[stop.ref].windows if stop.kind == "visit" else ()
        start_s = stop.departure_s - service_s
        if not windows and start_s > stop.arrival_s:
            yield Violation("too_slow", f"{name} waits at {stop.ref}, which has no window")
        if windows and not any(opens <= start_s <= closes for opens, closes in windows):
            yield Violation("window", f"{name} serves {stop.ref} outside its windows")
        at, clock_s = leave, stop.departure_s
    leg_s = int(travel.duration_s[at, vehicle.end])
    if leg_s >= UNREACHABLE:
        yield Violation("unreachable", f"{name} cannot come home")
        return
    travel_s += leg_s
    distance_m += float(travel.distance_m[at, vehicle.end])
    if route.end_s < clock_s + leg_s:
        yield Violation("too_fast", f"{name} is home before it can be")
    if route.end_s > clock_s + leg_s:
        yield Violation("too_slow", f"{name} is home later than the roads say")
    if route.end_s > vehicle.shift_end_s:
        yield Violation("too_late", f"{name} ends {route.end_s - vehicle.shift_end_s} s late")
    if travel_s != route.travel_s:
        yield Violation("travel", f"{name} says {route.travel_s} s, the roads {travel_s} s")
    if abs(distance_m - route.distance_m) > 1 + TOLERANCE * distance_m:
        yield Violation("distance", f"{name} says {route.distance_m} m, the roads {distance_m} m")


def _place(
    visits: Mapping[str, Visit],
    sites: Mapping[str, Disposal],
    kind: str,
    ref: str,
    pass_index: int,
) -> tuple[int, int, int, float]:
    """Entry, exit, service seconds and metres driven inside a stop."""
    if kind == "disposal":
        site = sites[ref]
        return site.location, site.location, site.service_s, 0.0
    way = visits[ref].passes[pass_index]
    return way.entry, way.exit, way.service_s, way.length_m


def _loads(
    problem: Problem, visits: Mapping[str, Visit], vehicle: Vehicle, route: Route
) -> Iterator[Violation]:
    """No chamber is over its kg or m³ on any trip, and each unloading takes what is on board."""
    name = vehicle.id
    accepted = {site.id: site.streams for site in problem.disposals}
    kg: Counter[str] = Counter()
    m3: Counter[str] = Counter()
    taken = {stream for room in vehicle.compartments for stream in room.streams}
    for stop in route.stops:
        if stop.kind == "disposal":
            refused = [
                s
                for s, amount in kg.items()
                if amount > 0 and accepted[stop.ref] and s not in accepted[stop.ref]
            ]
            if refused:
                yield Violation("not_accepted", f"{stop.ref} does not take {', '.join(refused)}")
            kg.clear()
            m3.clear()
        else:
            kg.update(visits[stop.ref].demand_kg)
            m3.update(visits[stop.ref].demand_m3)
            homeless = [s for s, amount in kg.items() if amount > 0 and s not in taken]
            if homeless:
                yield Violation("no_chamber", f"{name} has no chamber for {', '.join(homeless)}")
            yield from _over(vehicle, kg, m3, stop.ref)
        said = Counter(stop.load_kg)
        for stream in said.keys() | kg.keys():
            if abs(said[stream] - kg[stream]) > 0.01 + TOLERANCE * kg[stream]:
                yield Violation(
                    "load",
                    f"{name} says {said[stream]} kg of {stream} after "
                    f"{stop.ref}, it is {kg[stream]} kg",
                )


def _over(
    vehicle: Vehicle, kg: Mapping[str, float], m3: Mapping[str, float], ref: str
) -> Iterator[Violation]:
    """Chambers that take the same streams share what they hold."""
    rooms: dict[frozenset[str], list[float]] = {}
    for room in vehicle.compartments:
        size = rooms.setdefault(frozenset(room.streams), [0.0, 0.0])
        size[0] += room.kg
        size[1] += room.m3
    for streams, (most_kg, most_m3) in rooms.items():
        for unit, held, most in (("kg", kg, most_kg), ("m3", m3, most_m3)):
            amount = sum(held.get(stream, 0.0) for stream in streams)
            if amount > most + TOLERANCE * max(1.0, most):
                yield Violation(
                    "overloaded",
                    f"{vehicle.id} holds {amount:.2f} {unit} of "
                    f"{'+'.join(sorted(streams))} after {ref}, at most "
                    f"{most:.2f}",
                )


def _costs(
    problem: Problem,
    visits: Mapping[str, Visit],
    vehicles: Mapping[str, Vehicle],
    solution: Solution,
) -> Iterator[Violation]:
    sites = {site.id: site for site in problem.disposals}
    stops = [
        (route.vehicle_id, stop)
        for route in solution.routes
        for stop in route.stops
        if stop.kind == "disposal" or stop.ref in visits
    ]
    changed = sum(
        1
        for name, stop in stops
        if stop.kind == "visit" and visits[stop.ref].preferred_vehicle not in (None, name)
    )
    true = Cost(
        travel_s=sum(route.travel_s for route in solution.routes),
        service_s=sum(_place(visits, sites, s.kind, s.ref, s.pass_index)[2] for _, s in stops),
        fixed_s=sum(vehicles[route.vehicle_id].fixed_cost_s for route in solution.routes),
        dropped_s=sum(
            visits[row.visit_id].drop_cost_s for row in solution.unplanned if row.visit_id in visits
        ),
        changed_s=changed * problem.change_cost_s,
    )
    if true != solution.cost:
        yield Violation("cost", f"says {solution.cost}, it is {true}")
