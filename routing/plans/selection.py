"""What a re-plan of some wards or vehicles covers, read from the published plan."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy import select as sql_select
from sqlalchemy.orm import Session

from fleet.kit.errors import Refused
from fleet.org.models import Lane
from routing.demand import StopNeed, Territory, territories
from routing.models import Route, Visit, VisitKind
from routing.plans import load, queries
from routing.plans.load import Day, Subject

Pairs = set[tuple[str, str]]


def select(
    session: Session,
    service_date: date,
    now: datetime,
    *,
    wards: Collection[str],
    vehicles: Collection[str],
    shift: str | None,
) -> tuple[Day, list[Territory]]:
    """The day's demand and the territories of a selection.

    Wards bring the vehicles that serve them by the published plan, and the other wards of those
    vehicles; without a published plan, those that a night plan would send. Vehicles bring what
    their published routes serve.

    Raises:
        Refused: a route that the selection would replace is under way, or nothing is selected.
    """
    published = [
        r for r in queries.published(session, service_date) if shift is None or r.shift == shift
    ]
    if vehicles:
        return _of_vehicles(session, service_date, now, published, vehicles, shift)
    chosen, routes = closure(published, set(wards))
    refuse_running(routes, now)
    day = load.load_day(session, service_date, now, shift=shift)
    if routes:
        pairs = {(r.vehicle_id, r.shift) for r in routes}
        shifts = tuple(s for s in day.shifts if (s.vehicle_id, s.shift) in pairs)
        spread = [Territory(tuple(sorted(chosen)), shifts)]
    else:
        shared = territories(day.wards, day.shifts, day.home)
        spread = [t for t in shared if chosen.intersection(t.ward_ids)]
        pairs = {(s.vehicle_id, s.shift) for t in spread for s in t.shifts}
    return with_requests(session, day, pairs), spread


def closure(published: Sequence[Route], wards: set[str]) -> tuple[set[str], list[Route]]:
    """Routes that serve the wards, and all wards that those routes serve, and so on."""
    chosen = set(wards)
    while True:
        routes = [route for route in published if chosen.intersection(route.ward_ids)]
        wider = chosen.union(*(route.ward_ids for route in routes))
        if wider == chosen:
            return chosen, routes
        chosen = wider


def with_requests(session: Session, day: Day, pairs: Pairs) -> Day:
    """The day with residents' stops that the routes to be replaced still have to serve."""
    stops, subjects = list(day.stops), dict(day.subjects)
    known = {stop.request_id for stop in stops}
    routes = [
        r for r in queries.published(session, day.service_date) if (r.vehicle_id, r.shift) in pairs
    ]
    for visit in _visits(session, routes):
        if visit.kind == VisitKind.REQUEST and visit.ref not in known:
            stop, subject = _stop(session, visit, day)
            stops.append(stop)
            subjects[f"request:{visit.ref}"] = subject
    return replace(day, stops=tuple(stops), subjects=subjects)


def _of_vehicles(
    session: Session,
    service_date: date,
    now: datetime,
    published: Sequence[Route],
    vehicles: Collection[str],
    shift: str | None,
) -> tuple[Day, list[Territory]]:
    routes = [route for route in published if route.vehicle_id in vehicles]
    refuse_running(routes, now)
    day = load.load_day(session, service_date, now, shift=shift, also=vehicles)
    visits = [visit for visit in _visits(session, routes) if visit.is_work]
    lanes = {visit.ref for visit in visits if visit.kind == VisitKind.LANE}
    bins = {visit.ref for visit in visits if visit.kind == VisitKind.BIN}
    if not visits:
        raise Refused(
            "The chosen vehicles have nothing to do in the published plan.",
            type="nothing-selected",
            field="vehicles",
            remedy="Choose a vehicle with a route, or choose wards.",
        )
    day = replace(
        day,
        lanes=tuple(lane for lane in day.lanes if lane.id in lanes),
        bins=tuple(bin_ for bin_ in day.bins if bin_.id in bins),
        stops=(),
    )
    shifts = tuple(s for s in day.shifts if s.vehicle_id in vehicles)
    wards = sorted({visit.ward_id for visit in visits if visit.ward_id})
    day = with_requests(session, day, {(s.vehicle_id, s.shift) for s in shifts})
    return day, [Territory(tuple(wards), shifts)]


def refuse_running(routes: Sequence[Route], now: datetime, shift: str | None = None) -> None:
    """Only single stops change what is being driven already.

    Raises:
        Refused: a route (of the shift; None: of any) has started.
    """
    running = sorted(
        {r.vehicle_id for r in routes if r.start_t <= now and shift in (None, r.shift)}
    )
    if running:
        raise Refused(
            f"Already under way: {', '.join(running)}.",
            type="route-running",
            field="vehicles",
            remedy="Insert single stops into running routes, or plan the next service date.",
        )


def _visits(session: Session, routes: Sequence[Route]) -> Sequence[Visit]:
    return session.scalars(
        sql_select(Visit)
        .where(Visit.route_id.in_([route.id for route in routes]))
        .order_by(Visit.route_id, Visit.seq)
    ).all()


def _stop(session: Session, visit: Visit, day: Day) -> tuple[StopNeed, Subject]:
    lane = session.get(Lane, visit.lane_id) if visit.lane_id else None
    _, profiles = load.stop_access(lane, (visit.lon, visit.lat))
    stop = StopNeed(
        visit.ref,
        visit.ward_id or "",
        (visit.lon, visit.lat),
        visit.service_s,
        visit.kg,
        day.policy.volume_m3(visit.kg),
        profiles,
    )
    subject = Subject(
        kind="request",
        ref=visit.ref,
        name=visit.name,
        name_hi=visit.name_hi,
        ward_id=visit.ward_id,
        at=(visit.lon, visit.lat),
        lane_id=visit.lane_id,
        service_mode=visit.service_mode,
        on_foot=visit.on_foot,
        request_code=visit.request_code,
    )
    return stop, subject
