"""What a service date asks for, as a routing problem without travel times. Pure.

Lanes, bins and deferred stops become visits, vehicle shifts become vehicles, and wards are handed
to the vehicles that serve them. Positions are (lon, lat); seconds count from local midnight.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from fleet.org.policy import Policy
from routing.chambers import Chambers, chambers_of
from routing.problem import Compartment, Disposal, Pass, Problem, Vehicle, Visit

Point = tuple[float, float]
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
REQUEST_DROP_FACTOR = 2
"""A resident's stop was promised: leaving it out costs this many times an ordinary visit."""
DEGREE_M = 111_195.0


@dataclass(frozen=True, slots=True)
class LaneNeed:
    """A lane as the planner sees it. `stand` is where the vehicle waits when it does not enter."""

    id: str
    ward_id: str
    first: Point
    last: Point
    length_m: float
    oneway: bool
    households: float
    shops: float
    institutions: float
    bulk: float
    kg: Mapping[str, float]
    m3: Mapping[str, float]
    service_mode: str
    profiles: frozenset[str]
    """Vehicle classes that reach the lane, or the stand of one that nobody enters."""
    stand: Point | None = None
    walk_m: float = 0.0

    @property
    def on_foot(self) -> bool:
        return self.service_mode in ("feeder", "gate")

    @property
    def has_premises(self) -> bool:
        return self.households + self.shops + self.institutions + self.bulk > 0


@dataclass(frozen=True, slots=True)
class BinNeed:
    id: str
    ward_id: str
    at: Point
    kg: Mapping[str, float]
    m3: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class StopNeed:
    """A resident's stop. `profiles` None: any vehicle may go there."""

    request_id: str
    ward_id: str
    at: Point
    service_s: int
    kg: Mapping[str, float]
    m3: Mapping[str, float]
    profiles: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class VehicleShift:
    """One vehicle in one of its shifts."""

    vehicle_id: str
    shift: str
    profile: str
    depot: Point
    start_s: int
    end_s: int
    compartments: tuple[Compartment, ...]
    fixed_cost_s: int

    @property
    def key(self) -> str:
        """Id inside a problem: a vehicle may work two shifts of one date."""
        return vehicle_key(self.vehicle_id, self.shift)

    @property
    def capacity_kg(self) -> float:
        return sum(chamber.kg for chamber in self.compartments)


@dataclass(frozen=True, slots=True)
class Station:
    id: str
    at: Point
    service_s: int
    streams: frozenset[str]


@dataclass(frozen=True, slots=True)
class Territory:
    """Wards that are planned together, and who serves them."""

    ward_ids: tuple[str, ...]
    shifts: tuple[VehicleShift, ...]

    @property
    def name(self) -> str:
        return "+".join(self.ward_ids)


@dataclass
class Locations:
    """Unique points of a problem, to the tenth of a metre."""

    points: list[Point] = field(default_factory=list)
    _index: dict[Point, int] = field(default_factory=dict)

    def at(self, point: Point) -> int:
        key = (round(point[0], 6), round(point[1], 6))
        if key not in self._index:
            self._index[key] = len(self.points)
            self.points.append(key)
        return self._index[key]


def vehicle_key(vehicle_id: str, shift: str) -> str:
    return f"{vehicle_id}/{shift}"


def split_key(key: str) -> tuple[str, str]:
    """(vehicle, shift) of a problem's vehicle id."""
    vehicle_id, _, shift = key.rpartition("/")
    return vehicle_id, shift


def is_working_day(service_date: date, policy: Policy) -> bool:
    return WEEKDAYS[service_date.weekday()] in policy.working_days


def lane_service_s(lane: LaneNeed, policy: Policy) -> int:
    """Seconds from entering to leaving: standing, and driving or walking along the lane."""
    standing_s = (
        lane.households * policy.household_service_s
        + lane.shops * policy.shop_service_s
        + lane.institutions * policy.institution_service_s
        + lane.bulk * policy.bulk_service_s
        + lane.length_m * policy.metre_service_s
    )
    if lane.stand is None:
        standing_s += lane.length_m / policy.serving_speed_mps
    elif lane.on_foot:
        standing_s += 2 * (lane.walk_m + lane.length_m) / policy.walking_speed_mps
    return max(1, math.ceil(standing_s))


def allowed(
    fleet: Sequence[tuple[Vehicle, Chambers]],
    profiles: frozenset[str] | None,
    kg: Mapping[str, float],
    m3: Mapping[str, float],
) -> frozenset[str]:
    """Vehicles that reach a visit and carry it.

    When some reach it and none carries it, those that reach it are returned: the engine then
    explains that it is too heavy, and not that nobody comes there.
    """
    reaching = [(v, c) for v, c in fleet if profiles is None or v.profile in profiles]
    carrying = [v for v, c in reaching if (load := c.load(kg, m3)) is not None and c.holds(load)]
    return frozenset(v.id for v in carrying or [v for v, _ in reaching])


def collected_streams(shifts: Iterable[VehicleShift]) -> frozenset[str]:
    """Streams that at least one of the vehicles takes; nothing else can be asked of them."""
    return frozenset(
        stream for s in shifts for chamber in s.compartments for stream in chamber.streams
    )


def _lane_passes(lane: LaneNeed, policy: Policy, locations: Locations) -> tuple[Pass, ...]:
    service_s = lane_service_s(lane, policy)
    if lane.stand is not None:
        stand = locations.at(lane.stand)
        return (Pass(stand, stand, service_s),)
    first, last = locations.at(lane.first), locations.at(lane.last)
    onward = Pass(first, last, service_s, lane.length_m)
    if lane.oneway:
        return (onward,)
    return (onward, Pass(last, first, service_s, lane.length_m, reversed=True))


def build(
    *,
    epoch: datetime,
    lanes: Iterable[LaneNeed],
    bins: Iterable[BinNeed],
    stops: Iterable[StopNeed],
    shifts: Sequence[VehicleShift],
    stations: Sequence[Station],
    beats: Mapping[str, str],
    policy: Policy,
) -> Problem:
    """The problem of one territory, `travel` still empty.

    Streams for which no vehicle has a chamber are left out (`collected_streams` tells).

    Args:
        epoch: UTC instant of the service date's local midnight.
        beats: lane id → vehicle key that serves it today; keys outside `shifts` are ignored.
    """
    locations = Locations()
    vehicles = tuple(
        Vehicle(
            id=s.key,
            profile=s.profile,
            start=locations.at(s.depot),
            end=locations.at(s.depot),
            shift_start_s=s.start_s,
            shift_end_s=s.end_s,
            compartments=s.compartments,
            fixed_cost_s=s.fixed_cost_s,
        )
        for s in sorted(shifts, key=lambda s: s.key)
    )
    keys = {vehicle.id for vehicle in vehicles}
    fleet = [(vehicle, chambers_of(vehicle)) for vehicle in vehicles]
    streams = collected_streams(shifts)

    def taken(amounts: Mapping[str, float]) -> dict[str, float]:
        return {s: amount for s, amount in amounts.items() if s in streams and amount > 0}

    disposals = tuple(Disposal(s.id, locations.at(s.at), s.service_s, s.streams) for s in stations)
    visits = [
        Visit(
            id=f"lane:{lane.id}",
            kind="lane",
            passes=_lane_passes(lane, policy, locations),
            demand_kg=taken(lane.kg),
            demand_m3=taken(lane.m3),
            vehicles=allowed(fleet, lane.profiles, taken(lane.kg), taken(lane.m3)),
            drop_cost_s=policy.drop_cost_s,
            preferred_vehicle=beats.get(lane.id) if beats.get(lane.id) in keys else None,
        )
        for lane in lanes
        if lane.has_premises
    ]
    for bin_ in bins:
        here = locations.at(bin_.at)
        visits.append(
            Visit(
                id=f"bin:{bin_.id}",
                kind="bin",
                passes=(Pass(here, here, policy.bin_service_s),),
                demand_kg=taken(bin_.kg),
                demand_m3=taken(bin_.m3),
                vehicles=allowed(fleet, None, taken(bin_.kg), taken(bin_.m3)),
                drop_cost_s=policy.drop_cost_s,
            )
        )
    for stop in stops:
        here = locations.at(stop.at)
        visits.append(
            Visit(
                id=f"request:{stop.request_id}",
                kind="request",
                passes=(Pass(here, here, stop.service_s),),
                demand_kg=taken(stop.kg),
                demand_m3=taken(stop.m3),
                vehicles=allowed(fleet, stop.profiles, taken(stop.kg), taken(stop.m3)),
                drop_cost_s=policy.drop_cost_s * REQUEST_DROP_FACTOR,
            )
        )
    return Problem(
        epoch=epoch,
        locations=tuple(locations.points),
        travel={},
        vehicles=vehicles,
        visits=tuple(visits),
        disposals=disposals,
        change_cost_s=policy.beat_change_cost_s,
    )


@dataclass(frozen=True, slots=True)
class WardNeed:
    """What a ward asks for in one day, for sharing out vehicles."""

    ward_id: str
    centre: Point
    service_s: float
    """Standing and serving, without driving in between."""
    kg: float
    service_by_profile: Mapping[str, float]
    """Seconds of that work which vehicles of a class can do."""


def distance_m(a: Point, b: Point) -> float:
    """Metres between two near (lon, lat) points, on a plane.

    >>> round(distance_m((75.85, 22.70), (75.85, 22.701)))
    111
    """
    east = (a[0] - b[0]) * math.cos(math.radians((a[1] + b[1]) / 2))
    return math.hypot(east, a[1] - b[1]) * DEGREE_M


def territories(
    wards: Sequence[WardNeed],
    shifts: Sequence[VehicleShift],
    home: Mapping[str, str],
    *,
    turnaround_s: float = 2400.0,
) -> list[Territory]:
    """Share vehicles out over wards.

    A vehicle with a beat stays in its ward (`home`: vehicle key → ward). Each other one, largest
    first, goes where the most work that it can do is still uncovered, near its depot when equal.
    A vehicle's day covers its shift less one `turnaround_s` per load. Wards that got nobody join
    the nearest ward that did.
    """
    left = {ward.ward_id: dict(ward.service_by_profile) for ward in wards}
    by_id = {ward.ward_id: ward for ward in wards}
    crews: dict[str, list[VehicleShift]] = {ward.ward_id: [] for ward in wards}

    def take(shift: VehicleShift, ward: WardNeed) -> None:
        load_s = ward.service_s * shift.capacity_kg / ward.kg if ward.kg > 0 else math.inf
        span_s = shift.end_s - shift.start_s
        done_s = span_s * load_s / (load_s + turnaround_s) if math.isfinite(load_s) else span_s
        for profile in left[ward.ward_id]:
            left[ward.ward_id][profile] -= done_s
        crews[ward.ward_id].append(shift)

    free = []
    for shift in sorted(shifts, key=lambda s: (-s.capacity_kg, s.key)):
        ward_id = home.get(shift.key)
        if ward_id in by_id:
            take(shift, by_id[ward_id])
        else:
            free.append(shift)
    for shift in free:
        if by_id:
            take(
                shift,
                max(
                    wards,
                    key=lambda w, s=shift: (  # type: ignore[misc]  # bound for this turn
                        round(left[w.ward_id].get(s.profile, 0.0) / 600),
                        -distance_m(w.centre, s.depot),
                        w.ward_id,
                    ),
                ),
            )
    staffed = [ward for ward in wards if crews[ward.ward_id]]
    joined: dict[str, list[str]] = {ward.ward_id: [ward.ward_id] for ward in staffed}
    for ward in wards:
        if not crews[ward.ward_id] and staffed:
            host = min(staffed, key=lambda s, w=ward: distance_m(s.centre, w.centre))  # type: ignore[misc]
            joined[host.ward_id].append(ward.ward_id)
    return [
        Territory(tuple(joined[ward.ward_id]), tuple(crews[ward.ward_id])) for ward in staffed
    ] or [Territory(tuple(ward.ward_id for ward in wards), ())]
