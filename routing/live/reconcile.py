"""Holds tracking's facts against the published routes: handlers of the outbox.

Every fact leads to a fresh look at all facts of the visits that it may touch, so that an event
which comes twice, late or corrected gives the same result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from fleet.kit.outbox import Event, Handler
from fleet.kit.times import parse_iso
from fleet.org import queries as org
from fleet.org.policy import Policy
from routing.demand import distance_m
from routing.live import facts
from routing.live.outcomes import (
    Dwell,
    LanePass,
    LiftAt,
    Outcome,
    PointNeed,
    lane_outcome,
    lift_outcome,
    point_outcome,
    share_dwells,
    share_lifts,
)
from routing.models import PlanStatus, Route, RouteProgress, Visit, VisitKind, VisitStatus
from tracking import evidence as trails
from tracking.facts.lifts import lifts_of
from tracking.facts.models import Dwell as DwellRow
from tracking.facts.models import GeofencePass


def on_lanes_traversed(session: Session, event: Event) -> None:
    """Vehicles passed along lanes: look at every visit of those lanes in whose shift it was."""
    policy = org.policy(session)
    starts: dict[tuple[str, date], list[datetime]] = defaultdict(list)
    for found in event.data["passes"]:
        service_date = date.fromisoformat(found["service_date"])
        for day in facts.service_dates_around(service_date):
            starts[found["lane_id"], day].append(parse_iso(found["start_t"]))
    rows = session.execute(
        select(Visit, Route)
        .join(Route, Route.id == Visit.route_id)
        .where(
            Route.status == PlanStatus.PUBLISHED,
            Visit.lane_id.in_({lane_id for lane_id, _ in starts}),
            Visit.service_date.in_({day for _, day in starts}),
        )
        .order_by(Visit.id)
    ).all()
    concerned = [
        (visit, route)
        for visit, route in rows
        # A lane served from its mouth or on foot is proved by standing there.
        if not (visit.is_point and visit.kind == VisitKind.LANE)
        and _within(route, starts.get((visit.lane_id or "", visit.service_date), ()))
    ]
    passes = _passes_of(session, concerned)
    rhythms = _rhythms(session, {route.id for _, route in concerned})
    touched: dict[str, tuple[Route, list[Visit]]] = {}
    for visit, route in concerned:
        since, until = facts.window_of(route)
        since = max(since, visit.since_t or since)
        asked = visit.kind == VisitKind.REQUEST
        outcome = lane_outcome(
            [p for p in passes.get(visit.lane_id or "", ()) if since <= p.start_t <= until],
            policy,
            service_s=0.0 if asked else visit.service_s * rhythms.get(route.id, 1.0),
        )
        if asked and (outcome is None or outcome.status != VisitStatus.SERVED):
            continue  # a stop is proved by the lane or by standing there; one is enough
        if outcome is None:
            news = facts.withdraw(session, visit, event.at)
        else:
            news = facts.settle(session, visit, outcome, event.at)
        if news:
            touched.setdefault(route.id, (route, []))[1].append(visit)
    _announce(session, touched, event.at, policy)


def _within(route: Route, starts: Iterable[datetime]) -> bool:
    since, until = facts.window_of(route)
    return any(since <= t <= until for t in starts)


def _rhythms(session: Session, route_ids: Collection[str]) -> dict[str, float]:
    columns = (RouteProgress.route_id, RouteProgress.rhythm)
    rows = session.execute(select(*columns).where(RouteProgress.route_id.in_(route_ids)))
    return {row.route_id: row.rhythm for row in rows}


def _passes_of(
    session: Session, visits: Sequence[tuple[Visit, Route]]
) -> dict[str, list[LanePass]]:
    """Passes by lane on the visits' dates and the days after: a shift may end past midnight."""
    days = {visit.service_date for visit, _ in visits}
    lane_ids = {visit.lane_id or "" for visit, _ in visits}
    rows = trails.passes(session, lane_ids, days | {day + timedelta(days=1) for day in days})
    found: dict[str, list[LanePass]] = {}
    for row in rows:
        found.setdefault(row.lane_id, []).append(
            LanePass(
                row.vehicle_id,
                row.start_t,
                row.end_t,
                row.served_spans,
                row.driven_spans,
                row.gap,
                row.pace_mps,
                row.provisional,
            )
        )
    return found


def on_stood(session: Session, event: Event) -> None:
    """A vehicle stood or lifted a bin: look at its points (bins, mouths, feeders, requests)."""
    vehicle_id = event.data["vehicle_id"]
    here = (event.data["lon"], event.data["lat"])
    policy = org.policy(session)
    within_m = max(policy.stop_within_m, policy.lift_within_m)
    touched: dict[str, tuple[Route, list[Visit]]] = {}
    for route in facts.routes_at(session, vehicle_id, _begin_t(event)):
        points = [v for v in _points(session, route) if v.kind in POINT_KINDS]
        if not any(distance_m((v.lon, v.lat), here) <= within_m for v in points):
            continue
        changed = [
            visit
            for visit, outcome in _point_outcomes(session, route, points, policy)
            if facts.settle(session, visit, outcome, event.at)
        ]
        if changed:
            touched[route.id] = (route, changed)
    _announce(session, touched, event.at, policy)


def _begin_t(event: Event) -> datetime:
    return parse_iso(event.data.get("start_t") or event.data["t"])


POINT_KINDS = (VisitKind.LANE, VisitKind.BIN, VisitKind.REQUEST)


def _points(session: Session, route: Route) -> list[Visit]:
    rows = session.scalars(select(Visit).where(Visit.route_id == route.id).order_by(Visit.seq))
    return [visit for visit in rows if visit.is_point]


def _dwells(session: Session, route: Route) -> list[Dwell]:
    since, until = facts.window_of(route)
    rows = session.scalars(
        select(DwellRow)
        .where(
            DwellRow.vehicle_id == route.vehicle_id,
            DwellRow.end_t >= since,
            DwellRow.start_t <= until,
        )
        .order_by(DwellRow.start_t)
    )
    return [Dwell(row.lon, row.lat, row.start_t, row.end_t) for row in rows]


def _lifts(session: Session, route: Route) -> list[LiftAt]:
    rows = lifts_of(session, route.vehicle_id, *facts.window_of(route))
    return [LiftAt(row.id, row.lon, row.lat, row.t) for row in rows]


def _point_outcomes(
    session: Session, route: Route, points: Sequence[Visit], policy: Policy
) -> list[tuple[Visit, Outcome]]:
    """Outcomes of a route's points; a stop that was ordered later counts only later facts.

    A vehicle that tells of its lifts proves bins by them alone: standing beside one is no lift.
    """
    dwells, lifts = _dwells(session, route), _lifts(session, route)
    groups: dict[datetime | None, list[Visit]] = defaultdict(list)
    for visit in points:
        groups[visit.since_t].append(visit)
    found = []
    for since, visits in groups.items():
        needs = {
            v.id: PointNeed(v.id, (v.lon, v.lat), float(v.service_s), v.planned_arrival)
            for v in visits
        }
        bins = {v.id for v in visits if v.kind == VisitKind.BIN and lifts}
        lifted = share_lifts(
            [lift for lift in lifts if since is None or lift.t > since],
            [needs[visit_id] for visit_id in sorted(bins)],
            policy.lift_within_m,
        )
        shares = share_dwells(
            [d for d in dwells if since is None or d.end_t > since],
            [need for visit_id, need in needs.items() if visit_id not in bins],
            policy,
        )
        for visit in visits:
            if visit.id in lifted:
                found.append((visit, lift_outcome(lifted[visit.id], route.vehicle_id)))
                continue
            outcome = point_outcome(
                shares.get(visit.id, ()), needs[visit.id], route.vehicle_id, policy
            )
            if outcome is not None:
                found.append((visit, outcome))
    return found


def on_geofence(session: Session, event: Event) -> None:
    """A vehicle came to or left a depot or station: start, unloading and end of its route."""
    t = parse_iso(event.data["t"])
    entered = event.topic == "tracking.geofence_entered"
    depot = event.data["place_kind"] == "depot"
    policy = org.policy(session)
    touched: dict[str, tuple[Route, list[Visit]]] = {}
    for route in facts.routes_at(session, event.data["vehicle_id"], t):
        visits = session.scalars(
            select(Visit)
            .where(
                Visit.route_id == route.id,
                or_(
                    Visit.kind == VisitKind.DISPOSAL,
                    Visit.kind == VisitKind.START,
                    Visit.kind == VisitKind.END,
                ),
            )
            .order_by(Visit.seq)
        ).all()
        if depot:
            visit = _end(visits, t) if entered else _start(visits)
            since = t
        elif entered:
            continue
        else:
            since = _entered_t(session, event)
            long_enough = t - since >= timedelta(seconds=policy.stop_dwell_s)
            visit = _unloading(visits, event.data["place_id"]) if long_enough else None
        if visit is not None and facts.settle(session, visit, _at_place(route, since, t), event.at):
            touched[route.id] = (route, [visit])
            break  # one arrival belongs to one route
    _announce(session, touched, event.at, policy)


def _start(visits: Sequence[Visit]) -> Visit | None:
    return next(
        (v for v in visits if v.kind == VisitKind.START and v.status == VisitStatus.PENDING), None
    )


def _end(visits: Sequence[Visit], t: datetime) -> Visit | None:
    """The end, when all unloading is done or it is late enough not to be a visit in between."""
    end = next((v for v in visits if v.kind == VisitKind.END), None)
    if end is None or end.status != VisitStatus.PENDING:
        return None
    unloaded = all(v.status != VisitStatus.PENDING for v in visits if v.kind == VisitKind.DISPOSAL)
    return end if unloaded or t >= end.planned_arrival - timedelta(minutes=30) else None


def _unloading(visits: Sequence[Visit], place_id: str) -> Visit | None:
    """The next unloading, rather one at this place."""
    waiting = [
        v for v in visits if v.kind == VisitKind.DISPOSAL and v.status == VisitStatus.PENDING
    ]
    return next((v for v in waiting if v.ref == place_id), waiting[0] if waiting else None)


def _entered_t(session: Session, event: Event) -> datetime:
    t = parse_iso(event.data["t"])
    entered = session.scalar(
        select(GeofencePass.entered_t)
        .where(
            GeofencePass.vehicle_id == event.data["vehicle_id"],
            GeofencePass.place_id == event.data["place_id"],
            GeofencePass.entered_t <= t,
        )
        .order_by(GeofencePass.entered_t.desc())
        .limit(1)
    )
    return entered or t


def _at_place(route: Route, since: datetime, until: datetime) -> Outcome:
    return Outcome(
        status=VisitStatus.SERVED,
        reason="at_place",
        start_t=since,
        end_t=until,
        vehicle_id=route.vehicle_id,
        served_fraction=1.0,
        driven_fraction=1.0,
        pace_mps=0.0,
        provisional=False,
    )


def _announce(
    session: Session,
    touched: dict[str, tuple[Route, list[Visit]]],
    now: datetime,
    policy: Policy,
) -> None:
    for route, visits in touched.values():
        facts.refresh(session, route, now, policy)
        facts.announce_visits(session, route, visits)


handlers = [
    Handler("routing.lanes_traversed", frozenset({"tracking.lanes_traversed"}), on_lanes_traversed),
    Handler("routing.stood", frozenset({"tracking.dwelled", "tracking.lifted"}), on_stood),
    Handler(
        "routing.geofence",
        frozenset({"tracking.geofence_entered", "tracking.geofence_left"}),
        on_geofence,
    ),
]
