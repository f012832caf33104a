"""Reads what a plan needs from `org` into frozen values, so that solving needs no database."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.times import local_midnight
from fleet.org import assignments, queries
from fleet.org.models import Lane, Place
from fleet.org.policy import Policy
from routing.demand import (
    BinNeed,
    LaneNeed,
    Point,
    Station,
    StopNeed,
    VehicleShift,
    WardNeed,
    is_working_day,
    lane_service_s,
    vehicle_key,
)
from routing.models import DeferredStop
from routing.problem import Compartment


@dataclass(frozen=True, slots=True)
class Subject:
    """What a visit's row says about the thing it serves, beside the plan's own figures."""

    kind: str
    ref: str
    name: str
    name_hi: str | None
    ward_id: str | None
    at: Point
    path: tuple[Point, ...] = ()
    """Geometry of a lane that is entered, in its stored order."""
    lane_id: str | None = None
    service_mode: str | None = None
    on_foot: bool = False
    households: float = 0.0
    request_code: str | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A service date's demand and fleet."""

    service_date: date
    epoch: datetime
    policy: Policy
    lanes: tuple[LaneNeed, ...]
    bins: tuple[BinNeed, ...]
    stops: tuple[StopNeed, ...]
    shifts: tuple[VehicleShift, ...]
    stations: tuple[Station, ...]
    depots: Mapping[str, Subject]
    """vehicle id → its depot."""
    beats: Mapping[str, str]
    """lane id → vehicle key."""
    home: Mapping[str, str]
    """vehicle key → ward of most of its beat."""
    wards: tuple[WardNeed, ...]
    subjects: Mapping[str, Subject]
    """problem visit id or station id → what it is."""


def load_day(
    session: Session,
    service_date: date,
    now: datetime,
    *,
    wards: Collection[str] | None = None,
    shift: str | None = None,
    also: Collection[str] = (),
) -> Day:
    """Everything planned on a service date, of some wards (None: all) and one shift (None: all).

    `also` names spare vehicles that work although nobody gave them a beat.
    """
    city = queries.city(session)
    policy = queries.policy(session)
    subjects: dict[str, Subject] = {}
    works = is_working_day(service_date, policy)
    lane_rows = queries.lanes(session, wards=wards) if works else ()
    lanes = tuple(lane_need(lane) for lane in lane_rows)
    subjects.update((f"lane:{lane.id}", lane_subject(lane)) for lane in lane_rows)
    ward_rows = {ward.id: ward for ward in queries.wards(session)}
    bins = []
    for row in queries.bins(session, wards=wards) if works else ():
        at = (row.lon, row.lat)
        bins.append(BinNeed(row.id, row.ward_id, at, {row.stream: row.kg}, {row.stream: row.m3}))
        subjects[f"bin:{row.id}"] = Subject("bin", row.id, row.id, None, row.ward_id, at)
    stops = []
    for stop in deferred(session, service_date, wards):
        lane = session.get(Lane, stop.lane_id) if stop.lane_id else None
        at, profiles = stop_access(lane, (stop.lon, stop.lat))
        stops.append(
            StopNeed(
                stop.request_id,
                stop.ward_id,
                at,
                stop.service_s,
                stop.kg,
                policy.volume_m3(stop.kg),
                profiles,
            )
        )
        subjects[f"request:{stop.request_id}"] = request_subject(stop, lane, at)
    places = queries.places(session)
    stations = tuple(
        Station(p.id, (p.lon, p.lat), p.service_s, frozenset(p.streams))
        for p in places
        if p.kind != "depot"
    )
    subjects.update((p.id, place_subject(p, "disposal")) for p in places if p.kind != "depot")
    shifts, depots = load_shifts(session, now, policy, places, shift=shift, also=also)
    beats, home = load_beats(session, now, {lane.id: lane.ward_id for lane in lane_rows})
    centres = {ward.id: (ward.lon, ward.lat) for ward in ward_rows.values()}
    return Day(
        service_date=service_date,
        epoch=local_midnight(service_date, ZoneInfo(city.tz)),
        policy=policy,
        lanes=lanes,
        bins=tuple(bins),
        stops=tuple(stops),
        shifts=shifts,
        stations=stations,
        depots=depots,
        beats=beats,
        home=home,
        wards=ward_needs(lanes, bins, shifts, centres, policy),
        subjects=subjects,
    )


def lane_need(lane: Lane) -> LaneNeed:
    """A stored lane as demand."""
    stands = lane.service_mode != "enter" and lane.access_lon is not None
    first, last = lane.geometry[0], lane.geometry[-1]
    return LaneNeed(
        id=lane.id,
        ward_id=lane.ward_id,
        first=(first[0], first[1]),
        last=(last[0], last[1]),
        length_m=lane.length_m,
        oneway=lane.oneway,
        households=lane.households,
        shops=lane.shops,
        institutions=lane.institutions,
        bulk=lane.bulk,
        kg=lane.kg_day,
        m3=lane.m3_day,
        service_mode=lane.service_mode,
        profiles=frozenset(lane.access_profiles if stands else lane.profiles),
        stand=_access(lane) if stands else None,
        walk_m=lane.access_m or 0.0,
    )


def _access(lane: Lane) -> Point | None:
    if lane.access_lon is None or lane.access_lat is None:
        return None
    return (lane.access_lon, lane.access_lat)


def lane_subject(lane: Lane) -> Subject:
    entered = lane.service_mode == "enter" or lane.access_lon is None
    path = tuple((lon, lat) for lon, lat in lane.geometry)
    return Subject(
        kind="lane",
        ref=lane.id,
        name=lane.name,
        name_hi=lane.name_hi,
        ward_id=lane.ward_id,
        at=path[0] if entered else (_access(lane) or path[0]),
        path=path if entered else (),
        lane_id=lane.id,
        service_mode=lane.service_mode,
        on_foot=lane.on_foot,
        households=lane.households,
    )


def place_subject(place: Place, kind: str) -> Subject:
    at = (place.lon, place.lat)
    return Subject(kind, place.id, place.name, place.name_hi, None, at)


def request_subject(stop: DeferredStop, lane: Lane | None, at: Point) -> Subject:
    return Subject(
        kind="request",
        ref=stop.request_id,
        name=lane.name if lane else stop.code,
        name_hi=lane.name_hi if lane else None,
        ward_id=stop.ward_id,
        at=at,
        lane_id=stop.lane_id,
        service_mode=lane.service_mode if lane else None,
        on_foot=lane.on_foot if lane else False,
        request_code=stop.code,
    )


def stop_access(lane: Lane | None, at: Point) -> tuple[Point, frozenset[str] | None]:
    """Where a vehicle stands for a stop on a lane, and the classes that come there (None: any)."""
    if lane is None:
        return at, None
    need = lane_need(lane)
    return need.stand or at, need.profiles


def deferred(
    session: Session, service_date: date, wards: Collection[str] | None
) -> Sequence[DeferredStop]:
    """Stops that wait for a plan of the date or an earlier one, and that none has taken up."""
    statement = select(DeferredStop).where(
        DeferredStop.service_date <= service_date, DeferredStop.planned_in.is_(None)
    )
    if wards is not None:
        statement = statement.where(DeferredStop.ward_id.in_(wards))
    return session.scalars(statement.order_by(DeferredStop.request_id)).all()


def load_shifts(
    session: Session,
    now: datetime,
    policy: Policy,
    places: Sequence[Place],
    *,
    shift: str | None = None,
    also: Collection[str] = (),
) -> tuple[tuple[VehicleShift, ...], dict[str, Subject]]:
    """Shifts of vehicles in service, and each vehicle's depot.

    A spare vehicle works only when somebody gave it a beat, or chose it (`also`).
    """
    by_place = {place.id: place for place in places}
    fixed = {c.id: c.fixed_cost_s for c in queries.vehicle_classes(session)}
    called = set(also) | {row.subject for row in assignments.held(session, "vehicle_beat", now)}
    vehicles = {v.id: v for v in queries.vehicles(session) if not v.spare or v.id in called}
    shifts, depots = [], {}
    for row in queries.shifts(session):
        vehicle = vehicles.get(row.vehicle_id)
        if vehicle is None or (shift is not None and row.name != shift):
            continue
        depot = by_place[vehicle.depot_id]
        depots[vehicle.id] = place_subject(depot, "start")
        shifts.append(
            VehicleShift(
                vehicle_id=vehicle.id,
                shift=row.name,
                profile=vehicle.class_id,
                depot=(depot.lon, depot.lat),
                start_s=row.start_s,
                end_s=row.end_s,
                compartments=tuple(
                    Compartment(tuple(c["streams"]), c["kg"], c["m3"]) for c in vehicle.compartments
                ),
                fixed_cost_s=fixed.get(vehicle.class_id, policy.vehicle_fixed_cost_s),
            )
        )
    return tuple(shifts), depots


def load_beats(
    session: Session, now: datetime, ward_of_lane: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """(lane → vehicle key, vehicle key → home ward) by today's beats."""
    given = {row.object: row.subject for row in assignments.held(session, "vehicle_beat", now)}
    beats: dict[str, str] = {}
    wards: dict[str, Counter[str]] = defaultdict(Counter)
    for beat in queries.beats(session):
        key = vehicle_key(given.get(beat.id, beat.vehicle_id), beat.shift)
        for lane_id in beat.lane_ids:
            if lane_id in ward_of_lane:
                beats.setdefault(lane_id, key)
                wards[key][ward_of_lane[lane_id]] += 1
    home = {key: min(count, key=lambda w: (-count[w], w)) for key, count in wards.items()}
    return beats, home


def ward_needs(
    lanes: Sequence[LaneNeed],
    bins: Sequence[BinNeed],
    shifts: Sequence[VehicleShift],
    centres: Mapping[str, Point],
    policy: Policy,
) -> tuple[WardNeed, ...]:
    """What each ward asks for, by ward id; wards without anything to serve are left out."""
    profiles = sorted({s.profile for s in shifts})
    service: dict[str, float] = defaultdict(float)
    kg: dict[str, float] = defaultdict(float)
    by_profile: dict[str, dict[str, float]] = defaultdict(lambda: dict.fromkeys(profiles, 0.0))
    for lane in lanes:
        if not lane.has_premises:
            continue
        seconds = lane_service_s(lane, policy)
        service[lane.ward_id] += seconds
        kg[lane.ward_id] += sum(lane.kg.values())
        for profile in profiles:
            by_profile[lane.ward_id][profile] += seconds if profile in lane.profiles else 0.0
    for bin_ in bins:
        service[bin_.ward_id] += policy.bin_service_s
        kg[bin_.ward_id] += sum(bin_.kg.values())
        for profile in profiles:
            by_profile[bin_.ward_id][profile] += policy.bin_service_s
    return tuple(
        WardNeed(ward, centres.get(ward, (0.0, 0.0)), service[ward], kg[ward], by_profile[ward])
        for ward in sorted(service)
    )
