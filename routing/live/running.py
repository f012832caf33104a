"""A published route under way, as the pure insertion sees it, and the few road times it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleet.org.policy import Policy
from fleet.roads.engine import RoadEngine
from routing.demand import Locations, Point, distance_m, vehicle_key
from routing.insertion import RunningRoute, RunningStop
from routing.live import locking
from routing.models import Route, Visit, VisitKind
from routing.problem import Compartment, Disposal, Vehicle


@dataclass
class Map(Locations):
    """Locations that also know how far a detour is by the straight line."""

    def detour_m(self, origin: int, target: int, over: Point) -> float:
        a, b = self.points[origin], self.points[target]
        return distance_m(a, over) + distance_m(over, b) - distance_m(a, b)


@dataclass(frozen=True, slots=True)
class Running:
    """What remains of a route; `visit_ids` are those of its stops."""

    route: RunningRoute
    visit_ids: tuple[str, ...]
    end_id: str


def running_route(
    route: Route,
    visits: Sequence[Visit],
    late_s: int,
    place: Map,
    *,
    now: datetime,
    epoch: datetime,
    policy: Policy,
) -> Running | None:
    """The route from its last done visit on; None when it is back at its end.

    The vehicle reaches its next visit at the planned time and the present delay, or now when that
    is past; on board is what it collected since it was last emptied.
    """
    begin = max(1, locking.reached(visits))
    if begin >= len(visits):
        return None
    rest, end = visits[begin:-1], visits[-1]
    first = visits[begin]
    expected = max(first.planned_arrival + timedelta(seconds=late_s), now)
    vehicle = Vehicle(
        id=vehicle_key(route.vehicle_id, route.shift),
        profile=route.profile,
        start=place.at((visits[0].lon, visits[0].lat)),
        end=place.at((end.lon, end.lat)),
        shift_start_s=_second(route.start_t, epoch),
        shift_end_s=_second(route.shift_end_t, epoch),
        compartments=tuple(
            Compartment(tuple(c["streams"]), c["kg"], c["m3"]) for c in route.compartments
        ),
    )
    load = _on_board(visits[:begin])
    stops = tuple(
        RunningStop(
            kind="disposal" if visit.kind == VisitKind.DISPOSAL else "visit",
            ref=visit.ref,
            entry=place.at((visit.lon, visit.lat)),
            exit=place.at(visit.exit),
            service_s=visit.service_s,
            leg_s=visit.approach_s,
            demand_kg={} if visit.kind == VisitKind.DISPOSAL else visit.kg,
            demand_m3={} if visit.kind == VisitKind.DISPOSAL else policy.volume_m3(visit.kg),
        )
        for visit in rest
    )
    locked = locking.locked_until(visits, policy.locked_visits) - begin
    return Running(
        RunningRoute(
            vehicle=vehicle,
            ready_s=_second(expected, epoch) - first.approach_s,
            at=place.at(visits[begin - 1].exit),
            stops=stops,
            end_leg_s=end.approach_s,
            locked=max(0, locked),
            load_kg=load,
            load_m3=policy.volume_m3(load),
        ),
        tuple(visit.id for visit in rest),
        end.id,
    )


def _second(t: datetime, epoch: datetime) -> int:
    return int((t - epoch).total_seconds())


def _on_board(done: Sequence[Visit]) -> dict[str, float]:
    """kg by stream collected since the last unloading."""
    load: dict[str, float] = {}
    for visit in done:
        if visit.kind == VisitKind.DISPOSAL:
            load = {}
        elif visit.is_work:
            for stream, kg in visit.kg.items():
                load[stream] = load.get(stream, 0.0) + kg
    return load


@dataclass
class RoadTimes:
    """Travel times between a stop, unloading points and the legs to price: one small table a class.

    Only the pairs that `insertion` asks for are known: from a leg's origin, the stop or a station
    to the stop, a station or a leg's target.
    """

    place: Map
    roads: Mapping[str, RoadEngine]
    here: int
    disposals: Sequence[Disposal]
    routes: Sequence[RunningRoute]
    legs: frozenset[tuple[int, int]]
    _tables: dict[str, dict[tuple[int, int], int]] = field(default_factory=dict)

    def duration_s(self, profile: str, origin: int, destination: int) -> int:
        if origin == destination:
            return 0
        if profile not in self._tables:
            self._tables[profile] = self._table(profile)
        return self._tables[profile][origin, destination]

    def _table(self, profile: str) -> dict[tuple[int, int], int]:
        origins = {self.here, *(site.location for site in self.disposals)}
        targets = set(origins)
        for index, position in self.legs:
            route = self.routes[index]
            if route.vehicle.profile == profile:
                origins.add(route.stops[position - 1].exit if position else route.at)
                last = position == len(route.stops)
                targets.add(route.vehicle.end if last else route.stops[position].entry)
        rows, columns = sorted(origins), sorted(targets)
        table = self.roads[profile].table(
            [self.place.points[i] for i in rows], [self.place.points[i] for i in columns]
        )
        return {
            (origin, target): int(table.duration_s[i, j])
            for i, origin in enumerate(rows)
            for j, target in enumerate(columns)
        }
