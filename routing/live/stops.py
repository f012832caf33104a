"""A resident's stop on a running route: propose outside a transaction, apply inside one.

`propose` reads the running routes and asks the road engine; `apply` writes, and raises
`RouteChanged` when the route is not as it was proposed for: propose again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.db import now_of
from fleet.kit.errors import Conflict
from fleet.kit.i18n import t
from fleet.kit.ids import new_id
from fleet.kit.times import local_midnight
from fleet.kit.web import Kit
from fleet.org import queries as org
from fleet.org.models import Lane
from fleet.roads.engine import RoadEngine
from routing import insertion
from routing.demand import Point
from routing.insertion import Insertion, RunningRoute
from routing.live import facts, locking
from routing.live.running import Map, RoadTimes, Running, running_route
from routing.models import (
    DeferredStop,
    PlanStatus,
    Route,
    RouteProgress,
    Visit,
    VisitKind,
    VisitStatus,
)
from routing.plans import load, queries
from routing.plans.build import Leg
from routing.plans.store import driven_km
from routing.problem import Disposal, Pass
from routing.problem import Visit as ProblemVisit

NEAREST_LEGS = 40
"""Places to insert at that are priced on the roads, nearest by the straight line first."""


class RouteChanged(Conflict):
    """The route moved on between the proposal and its application."""

    default_type = "route-changed"
    default_title = "The route has changed meanwhile"


@dataclass(frozen=True, slots=True)
class StopRequest:
    """A place where a resident asks for a vehicle. `kg` by stream."""

    request_id: str
    code: str
    lon: float
    lat: float
    service_s: int
    kg: Mapping[str, float]
    lane_id: str | None
    ward_id: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class NewVisit:
    """A visit to write, with the road to it."""

    kind: VisitKind
    ref: str
    at: Point
    service_s: int
    kg: Mapping[str, float]
    leg: Leg
    name: str
    name_hi: str | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """Where a stop costs least: before the visit `before_id` of a route at a version."""

    stop: StopRequest
    route_id: str
    route_version: int
    vehicle_id: str
    before_id: str
    new: tuple[NewVisit, ...]
    """The stop, and perhaps an unloading beside it, in order."""
    onward: Leg
    """The road to the visit that comes after them."""
    added_s: int
    arrival: datetime
    """When the vehicle is expected at the stop."""


@dataclass(frozen=True, slots=True)
class Deferred:
    """No running route can take the stop: why, and the service date that will."""

    reason: str
    code: str
    service_date: date


@dataclass(frozen=True, slots=True)
class PlacedVisit:
    visit_id: str
    route_id: str
    vehicle_id: str
    planned_arrival: datetime
    """When the vehicle is expected there, the route's present delay included."""


def propose(
    kit: Kit, roads: Mapping[str, RoadEngine], stop: StopRequest, now: datetime
) -> Proposal | Deferred:
    """The cheapest place for a stop on today's running routes, behind what drivers know.

    Call it outside any transaction: it reads a snapshot, then asks the road engine.
    """
    with kit.db.reading() as session:
        policy = org.policy(session)
        tz = org.city_zone(session)
        lane = session.get(Lane, stop.lane_id) if stop.lane_id else None
        at, profiles = load.stop_access(lane, (stop.lon, stop.lat))
        stations = tuple(p for p in org.places(session) if p.kind != "depot")
        routes = _running(session, now, profiles, roads)
        visits = {route.id: queries.visits(session, route.id) for route in routes}
        delays = {
            row.route_id: row.late_s
            for row in session.scalars(
                select(RouteProgress).where(RouteProgress.route_id.in_(list(visits)))
            )
        }
    tomorrow = now.astimezone(tz).date() + timedelta(days=1)
    place = Map()
    here = place.at(at)
    disposals = tuple(
        Disposal(p.id, place.at((p.lon, p.lat)), p.service_s, frozenset(p.streams))
        for p in stations
    )
    running: list[tuple[Route, Running, datetime]] = []
    for route in routes:
        epoch = local_midnight(route.service_date, tz)
        late_s = delays.get(route.id, 0)
        rest = running_route(
            route, visits[route.id], late_s, place, now=now, epoch=epoch, policy=policy
        )
        if rest is not None:
            running.append((route, rest, epoch))
    kg = _carried(stop.kg, routes)
    wanted = ProblemVisit(
        id=f"request:{stop.request_id}",
        kind="request",
        passes=(Pass(here, here, stop.service_s),),
        demand_kg=kg,
        demand_m3=policy.volume_m3(kg),
    )
    remaining = [rest.route for _, rest, _ in running]
    legs = nearest_legs(place, remaining, at)
    times = RoadTimes(place, roads, here, disposals, remaining, legs)
    found = insertion.insert(times, remaining, wanted, disposals, legs)
    if not isinstance(found, Insertion):
        code = found.code if running else "none_running"
        return Deferred(t("en", f"routing.deferred.{code}"), code, tomorrow)
    route, chosen, epoch = running[found.route_index]
    extended, _ = insertion.extended(times, chosen.route, wanted, disposals, found)
    first = found.position
    count = 1 + found.with_extra_unload
    engine = roads[route.profile]
    origin = chosen.route.stops[first - 1].exit if first else chosen.route.at
    new = []
    for added in extended[first : first + count]:
        leg = _leg(engine, place.points[origin], place.points[added.entry])
        origin = added.exit
        if added.kind == "disposal":
            site = next(p for p in stations if p.id == added.ref)
            new.append(
                NewVisit(
                    VisitKind.DISPOSAL,
                    site.id,
                    (site.lon, site.lat),
                    added.service_s,
                    {},
                    leg,
                    site.name,
                    site.name_hi,
                )
            )
        else:
            new.append(
                NewVisit(
                    VisitKind.REQUEST,
                    stop.request_id,
                    at,
                    added.service_s,
                    kg,
                    leg,
                    lane.name if lane and lane.name else stop.code,
                    lane.name_hi if lane else None,
                )
            )
    last = first + count == len(extended)
    target = chosen.route.vehicle.end if last else extended[first + count].entry
    return Proposal(
        stop=stop,
        route_id=route.id,
        route_version=route.version,
        vehicle_id=route.vehicle_id,
        before_id=chosen.visit_ids[first] if first < len(chosen.visit_ids) else chosen.end_id,
        new=tuple(new),
        onward=_leg(engine, place.points[origin], place.points[target]),
        added_s=found.added_s,
        arrival=epoch + timedelta(seconds=found.arrival_s),
    )


def _running(
    session: Session,
    now: datetime,
    profiles: frozenset[str] | None,
    roads: Mapping[str, RoadEngine],
) -> list[Route]:
    """Published routes whose shift is not over, of classes that come to the place."""
    rows = session.scalars(
        select(Route)
        .where(
            Route.status == PlanStatus.PUBLISHED,
            Route.shift_end_t > now,
            Route.start_t <= now + timedelta(hours=12),
        )
        .order_by(Route.id)
    )
    return [
        row
        for row in rows
        if row.profile in roads and (profiles is None or row.profile in profiles)
    ]


def _carried(kg: Mapping[str, float], routes: Sequence[Route]) -> dict[str, float]:
    """What of the stop's load any running vehicle has a chamber for."""
    streams = {
        stream
        for route in routes
        for chamber in route.compartments
        for stream in chamber["streams"]
    }
    return {stream: amount for stream, amount in kg.items() if stream in streams and amount > 0}


def nearest_legs(
    place: Map, routes: Sequence[RunningRoute], at: Point
) -> frozenset[tuple[int, int]]:
    """(route, position) pairs whose detour by the straight line is smallest."""
    priced = []
    for index, route in enumerate(routes):
        for position in range(route.locked, len(route.stops) + 1):
            origin = route.stops[position - 1].exit if position else route.at
            last = position == len(route.stops)
            target = route.vehicle.end if last else route.stops[position].entry
            priced.append((place.detour_m(origin, target, at), index, position))
    priced.sort()
    return frozenset((index, position) for _, index, position in priced[:NEAREST_LEGS])


def _leg(engine: RoadEngine, origin: Point, destination: Point) -> Leg:
    if origin == destination:
        return Leg((), 0.0, 0)
    road = engine.route([origin, destination])
    path = tuple((round(lon, 6), round(lat, 6)) for lon, lat in road.coordinates)
    return Leg(path, round(float(road.distance_m), 1), round(road.duration_s))


def apply(session: Session, proposal: Proposal, now: datetime) -> PlacedVisit:
    """Write a proposal: the new visit, the order and times behind it, the route's version.

    Raises:
        RouteChanged: the route's version moved, it was replaced, or the driver has come so far
            that the place is now among what they have been told to do.
    """
    stop = proposal.stop
    route = session.get(Route, proposal.route_id, with_for_update=True)
    if (
        route is None
        or route.version != proposal.route_version
        or route.status != PlanStatus.PUBLISHED
    ):
        raise RouteChanged(remedy="Propose the stop again.")
    policy = org.policy(session)
    visits = list(queries.visits(session, route.id))
    index = next((i for i, v in enumerate(visits) if v.id == proposal.before_id), -1)
    if index < locking.locked_until(visits, policy.locked_visits):
        raise RouteChanged(remedy="Propose the stop again.")
    rows = [_row(session, route, stop, new, now) for new in proposal.new]
    session.add_all(rows)
    following = visits[index]
    following.approach = [list(point) for point in proposal.onward.path]
    following.approach_m = proposal.onward.distance_m
    following.approach_s = proposal.onward.duration_s
    visits[index:index] = rows
    left_t = visits[index - 1].planned_departure
    for row in rows:
        row.planned_arrival = left_t + timedelta(seconds=row.approach_s)
        left_t = row.planned_departure = row.planned_arrival + timedelta(seconds=row.service_s)
    for seq, visit in enumerate(visits):
        visit.seq = seq
        if seq >= index + len(rows):
            visit.planned_arrival += timedelta(seconds=proposal.added_s)
            visit.planned_departure += timedelta(seconds=proposal.added_s)
    _bring_up_to_date(route, visits)
    session.flush()
    facts.refresh(session, route, now, policy)
    facts.announce_visits(session, route, visits[index:])
    placed = next(row for row in rows if row.kind == VisitKind.REQUEST)
    return PlacedVisit(placed.id, route.id, route.vehicle_id, proposal.arrival)


def _row(session: Session, route: Route, stop: StopRequest, new: NewVisit, now: datetime) -> Visit:
    asked = new.kind == VisitKind.REQUEST
    lane = session.get(Lane, stop.lane_id) if asked and stop.lane_id else None
    return Visit(
        id=new_id("vis"),
        route_id=route.id,
        service_date=route.service_date,
        seq=0,
        kind=new.kind,
        ref=new.ref,
        lane_id=stop.lane_id if asked else None,
        name=new.name,
        name_hi=new.name_hi,
        ward_id=stop.ward_id if asked else None,
        lon=new.at[0],
        lat=new.at[1],
        path=[list(new.at)],
        approach=[list(point) for point in new.leg.path],
        approach_m=new.leg.distance_m,
        approach_s=new.leg.duration_s,
        planned_arrival=now,
        planned_departure=now,
        service_s=new.service_s,
        kg=dict(new.kg),
        service_mode=lane.service_mode if lane else None,
        on_foot=lane.on_foot if lane else False,
        households=0,
        status=VisitStatus.PENDING,
        at_risk=False,
        since_t=now if asked else None,
        request_id=stop.request_id if asked else None,
        request_code=stop.code if asked else None,
    )


def _bring_up_to_date(route: Route, visits: Sequence[Visit]) -> None:
    """The route's own figures after its visits changed."""
    route.end_t = visits[-1].planned_arrival
    route.hours = round((route.end_t - route.start_t).total_seconds() / 3600, 2)
    route.km = driven_km(visits)
    route.trips = sum(visit.kind == VisitKind.DISPOSAL for visit in visits)
    kg: dict[str, float] = {}
    for visit in visits:
        for stream, amount in visit.kg.items() if visit.is_work else ():
            kg[stream] = round(kg.get(stream, 0.0) + amount, 1)
    route.kg = kg
    route.ward_ids = sorted({visit.ward_id for visit in visits if visit.ward_id})


def defer(session: Session, stop: StopRequest, service_date: date) -> None:
    """Let the stop wait for the plan of a service date."""
    row = session.get(DeferredStop, stop.request_id)
    if row is None:
        row = DeferredStop(request_id=stop.request_id)
        session.add(row)
    row.code = stop.code
    row.service_date = service_date
    row.lon, row.lat = stop.lon, stop.lat
    row.service_s = stop.service_s
    row.kg = dict(stop.kg)
    row.lane_id = stop.lane_id
    row.ward_id = stop.ward_id
    row.words = stop.words
    row.planned_in = None
    row.created_at = now_of(session)
    session.flush()
