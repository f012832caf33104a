"""Cheapest feasible insertion of one visit into running routes, behind a locked prefix.

A move puts the visit before the stop at `position` (or at the route's end), optionally with one
more unloading right before or right after it. Moves are ranked by the seconds they add; the first
one that keeps chambers, windows, shift end and the empty end is taken. No search: about a
microsecond a move.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple, Protocol

from routing.chambers import Chambers, Load, chambers_of, takes
from routing.problem import (
    UNREACHABLE,
    Disposal,
    Travel,
    UnplannedCode,
    Vehicle,
    Visit,
)


class TravelTimes(Protocol):
    """Seconds between two locations by the roads of a profile; `UNREACHABLE` or more: no road."""

    def duration_s(self, profile: str, origin: int, destination: int) -> int: ...


@dataclass(frozen=True, slots=True)
class TableTimes:
    """Travel times from square tables.

    `place` maps a location to its row where a table holds only some of the locations.
    """

    travel: Mapping[str, Travel]
    place: Mapping[int, int] | None = None

    def duration_s(self, profile: str, origin: int, destination: int) -> int:
        if self.place is not None:
            origin, destination = self.place[origin], self.place[destination]
        return int(self.travel[profile].duration_s[origin, destination])


@dataclass(frozen=True, slots=True)
class RunningStop:
    """A stop still to come. `leg_s` is the travel from the stop before, or from the vehicle."""

    kind: Literal["visit", "disposal"]
    ref: str
    entry: int
    exit: int
    service_s: int
    leg_s: int
    demand_kg: Mapping[str, float] = field(default_factory=dict)
    demand_m3: Mapping[str, float] = field(default_factory=dict)
    windows: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class RunningRoute:
    """What remains of a vehicle's shift.

    The vehicle is free to leave location `at` at `ready_s`. The first `locked` stops stay first.
    """

    vehicle: Vehicle
    ready_s: int
    at: int
    stops: tuple[RunningStop, ...]
    end_leg_s: int
    """Travel from the last stop (or the vehicle) to `vehicle.end`; 0 where it rests there."""
    locked: int = 0
    load_kg: Mapping[str, float] = field(default_factory=dict)
    load_m3: Mapping[str, float] = field(default_factory=dict)
    surcharge_s: int = 0
    """Price of choosing this route, beside the time added: another beat, a vehicle not yet out."""


@dataclass(frozen=True, slots=True)
class Insertion:
    """The visit goes before `stops[position]` of the route."""

    route_index: int
    position: int
    pass_index: int
    added_s: int
    """Travel, service and unloading added to the shift."""
    price_s: int
    """`added_s` and the route's surcharge."""
    arrival_s: int
    extra_unload: str | None = None
    """Disposal to add beside the visit."""
    unload_first: bool = False
    """The added unloading stands before the visit, not after it."""

    @property
    def with_extra_unload(self) -> bool:
        return self.extra_unload is not None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Why no route can take the visit; `values` names the nearest possibility."""

    code: UnplannedCode
    detail: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)


class _Move(NamedTuple):
    price_s: int
    added_s: int
    route: int
    position: int
    pass_index: int
    disposal: int
    """-1: none."""
    unload_first: bool


def insert(
    times: TravelTimes,
    routes: Sequence[RunningRoute],
    visit: Visit,
    disposals: Sequence[Disposal],
    legs: frozenset[tuple[int, int]] | None = None,
) -> Insertion | Rejected:
    """The cheapest feasible insertion, or the reason why there is none.

    Parameters:
        times: Knows every pair that the legs to price need.
        legs: (route index, position) to price, where `times` knows only some pairs; None: all.
    """
    moves: list[_Move] = []
    for i, route in enumerate(routes):
        if visit.vehicles is None or route.vehicle.id in visit.vehicles:
            moves += _moves(times, i, route, visit, disposals, legs)
    moves.sort()
    full: set[int] = set()
    late: tuple[int, _Move] | None = None
    shut: _Move | None = None
    for move in moves:
        route = routes[move.route]
        rigid = not visit.windows and not any(stop.windows for stop in route.stops)
        if rigid and move.route in full:
            continue
        arrival_s, over_s, on_time = _after(times, route, visit, disposals, move)
        if on_time and over_s <= 0:
            return Insertion(
                move.route,
                move.position,
                move.pass_index,
                move.added_s,
                move.price_s,
                arrival_s,
                disposals[move.disposal].id if move.disposal >= 0 else None,
                move.unload_first,
            )
        if rigid:
            full.add(move.route)
        if not on_time:
            shut = shut or move
        elif late is None or over_s < late[0]:
            late = (over_s, move)
    return _rejection(routes, visit, disposals, late, shut)


def extended(
    times: TravelTimes,
    route: RunningRoute,
    visit: Visit,
    disposals: Sequence[Disposal],
    insertion: Insertion,
) -> tuple[tuple[RunningStop, ...], int]:
    """The route's stops with the insertion made, and the new last leg in seconds."""
    unload = next((i for i, d in enumerate(disposals) if d.id == insertion.extra_unload), -1)
    move = _Move(0, 0, 0, insertion.position, insertion.pass_index, unload, insertion.unload_first)
    return _extended(times, route, visit, disposals, move)


def timetable(
    route: RunningRoute, stops: Sequence[RunningStop], end_leg_s: int
) -> tuple[list[tuple[int, int]], int, bool]:
    """Earliest (arrival, departure) at each stop, arrival at the end, and whether windows hold."""
    now_s, on_time = route.ready_s, True
    rows: list[tuple[int, int]] = []
    for stop in stops:
        arrival_s = start_s = now_s + stop.leg_s
        if stop.windows:
            begins = [max(a, arrival_s) for a, b in stop.windows if b >= arrival_s]
            on_time = on_time and bool(begins)
            start_s = min(begins, default=arrival_s)
        now_s = start_s + stop.service_s
        rows.append((arrival_s, now_s))
    return rows, now_s + end_leg_s, on_time


def _moves(
    times: TravelTimes,
    index: int,
    route: RunningRoute,
    visit: Visit,
    disposals: Sequence[Disposal],
    legs: frozenset[tuple[int, int]] | None,
) -> Iterator[_Move]:
    """Every move into the route that keeps its chambers, whatever the time."""
    vehicle = route.vehicle
    rooms = chambers_of(vehicle)
    demand = rooms.load(visit.demand_kg, visit.demand_m3)
    if demand is None or not rooms.holds(demand):
        return
    sites = [i for i, disposal in enumerate(disposals) if takes(disposal, vehicle)]
    before, after = _trip_loads(rooms, route)

    def go(origin: int, destination: int) -> int:
        return times.duration_s(vehicle.profile, origin, destination)

    for position in range(route.locked, len(route.stops) + 1):
        if legs is not None and (index, position) not in legs:
            continue
        origin = route.stops[position - 1].exit if position else route.at
        last = position == len(route.stops)
        target = vehicle.end if last else route.stops[position].entry
        leg_s = route.end_leg_s if last else route.stops[position].leg_s
        rest = after[position]
        plain = rest is not None and rooms.holds(before[position], demand, rest)
        first = rest is not None and rooms.holds(demand, rest)
        then = rooms.holds(before[position], demand) and (rest is not None or last)
        for k, way in enumerate(visit.passes):
            to_s, from_s = go(origin, way.entry), go(way.exit, target)
            ways: list[tuple[int, int, bool]] = []
            if plain:
                ways.append((-1, to_s + from_s, False))
            for d in sites:
                site = disposals[d]
                if first:
                    there_s = go(origin, site.location) + go(site.location, way.entry)
                    ways.append((d, there_s + site.service_s + from_s, True))
                if then:
                    there_s = go(way.exit, site.location) + go(site.location, target)
                    ways.append((d, to_s + site.service_s + there_s, False))
            for d, travel_s, unload_first in ways:
                if travel_s < UNREACHABLE:
                    added_s = travel_s + way.service_s - leg_s
                    price_s = added_s + route.surcharge_s
                    yield _Move(price_s, added_s, index, position, k, d, unload_first)


def _trip_loads(rooms: Chambers, route: RunningRoute) -> tuple[list[Load], list[Load | None]]:
    """For each position: what is on board there, and what its trip still collects.

    The second is None where no unloading follows.
    """
    nothing = (0.0,) * len(rooms.capacity)
    loads = [
        nothing
        if stop.kind == "disposal"
        else rooms.load(stop.demand_kg, stop.demand_m3) or nothing
        for stop in route.stops
    ]
    before = [rooms.load(route.load_kg, route.load_m3) or nothing]
    for stop, load in zip(route.stops, loads, strict=True):
        before.append(nothing if stop.kind == "disposal" else _plus(before[-1], load))
    after: list[Load | None] = [None]
    for stop, load in zip(reversed(route.stops), reversed(loads), strict=True):
        rest = after[-1]
        if stop.kind == "disposal":
            after.append(nothing)
        else:
            after.append(None if rest is None else _plus(rest, load))
    return before, after[::-1]


def _plus(a: Load, b: Load) -> Load:
    return tuple(x + y for x, y in zip(a, b, strict=True))


def _extended(
    times: TravelTimes,
    route: RunningRoute,
    visit: Visit,
    disposals: Sequence[Disposal],
    move: _Move,
) -> tuple[tuple[RunningStop, ...], int]:
    way = visit.passes[move.pass_index]
    new = [
        RunningStop(
            "visit",
            visit.id,
            way.entry,
            way.exit,
            way.service_s,
            0,
            visit.demand_kg,
            visit.demand_m3,
            visit.windows,
        )
    ]
    if move.disposal >= 0:
        site = disposals[move.disposal]
        unload = RunningStop("disposal", site.id, site.location, site.location, site.service_s, 0)
        new.insert(0 if move.unload_first else 1, unload)
    stops = [*route.stops[: move.position], *new, *route.stops[move.position :]]
    end_leg_s = route.end_leg_s
    for i in range(move.position, move.position + len(new) + 1):
        origin = stops[i - 1].exit if i else route.at
        target = stops[i].entry if i < len(stops) else route.vehicle.end
        leg_s = times.duration_s(route.vehicle.profile, origin, target)
        if i < len(stops):
            stops[i] = replace(stops[i], leg_s=leg_s)
        else:
            end_leg_s = leg_s
    return tuple(stops), end_leg_s


def _after(
    times: TravelTimes,
    route: RunningRoute,
    visit: Visit,
    disposals: Sequence[Disposal],
    move: _Move,
) -> tuple[int, int, bool]:
    """The visit's arrival, seconds over the shift, and whether the windows hold."""
    stops, end_leg_s = _extended(times, route, visit, disposals, move)
    rows, end_s, on_time = timetable(route, stops, end_leg_s)
    at = move.position + (move.disposal >= 0 and move.unload_first)
    return rows[at][0], end_s - route.vehicle.shift_end_s, on_time


def _rejection(
    routes: Sequence[RunningRoute],
    visit: Visit,
    disposals: Sequence[Disposal],
    late: tuple[int, _Move] | None,
    shut: _Move | None,
) -> Rejected:
    """The reason of the route that comes nearest to taking the visit."""
    if late is not None:
        over_s, move = late
        vehicle = routes[move.route].vehicle.id
        minutes = -(-over_s // 60)
        return Rejected(
            "shift_full",
            f"No shift has room. Nearest: {vehicle}, {minutes} min over its shift.",
            {"vehicle": vehicle, "minutes": minutes},
        )
    if shut is not None:
        vehicle = routes[shut.route].vehicle.id
        return Rejected(
            "window",
            f"No vehicle can be there inside the time window. Nearest: {vehicle}.",
            {"vehicle": vehicle},
        )
    allowed = [
        r.vehicle for r in routes if visit.vehicles is None or r.vehicle.id in visit.vehicles
    ]
    return unfit(visit, allowed, disposals) or Rejected(
        "unreachable",
        "No allowed vehicle has a road there and on to an unloading point.",
    )


def unfit(
    visit: Visit, allowed: Sequence[Vehicle], disposals: Sequence[Disposal]
) -> Rejected | None:
    """Why none of the allowed vehicles could take the visit even alone, the roads aside."""
    if not allowed:
        return Rejected("no_vehicle", "No vehicle may serve it. Allow one, or serve it on foot.")
    rooms = [(v, chambers_of(v)) for v in allowed]
    loads = [(v, room, room.load(visit.demand_kg, visit.demand_m3)) for v, room in rooms]
    if all(load is None for _, _, load in loads):
        streams = sorted(s for s, kg in visit.demand_kg.items() if kg > 0)
        return Rejected(
            "no_vehicle",
            f"No allowed vehicle has a chamber for each of: {', '.join(streams)}.",
            {"streams": ", ".join(streams)},
        )
    if not any(load is not None and room.holds(load) for _, room, load in loads):
        kg = round(sum(visit.demand_kg.values()), 1)
        best = max(loads, key=lambda row: sum(row[1].kg))[0].id
        return Rejected(
            "too_heavy",
            f"Its {kg} kg exceed a chamber of every allowed vehicle, also of {best}. "
            "Split it into several visits, or allow a larger vehicle.",
            {"kg": kg, "vehicle": best},
        )
    if not any(takes(site, v) for site in disposals for v in allowed):
        return Rejected(
            "unreachable",
            "No unloading point takes all the streams that an allowed vehicle collects.",
        )
    return None
