"""Each minute of city time, after the sweep: what about running routes a dispatcher must hear.

Late against custom or plan, late at the station, off the route, stops passed by, a trip too long,
a unit that was never heard. What holds is measured anew each time, so that a restart forgets
nothing; rules with a minimum duration look back into the log of fixes instead of remembering.
A vehicle whose unit is silent is never said to be late: nobody knows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fleet.kit.timers import Timer, every
from fleet.kit.web import Kit
from routing.live import facts
from routing.live.alarms import about_route
from routing.live.custom import by_custom
from routing.live.off_route import off_way_m, remaining_way
from routing.live.progress import delay_s
from routing.live.sweep import open_routes
from routing.live.trip_norm import long_trips
from routing.models import WORK_KINDS, Route, RouteProgress, Visit, VisitKind, VisitStatus
from tracking.alarms import service
from tracking.alarms.models import Alarm
from tracking.alarms.rules import Rule, Rules
from tracking.alarms.voice import key_of
from tracking.facts.models import GeofencePass, Hearing
from tracking.fixes.log import FixLog
from tracking.fixes.opening import open_fixlog

EVERY_S = 60.0
KINDS = ("route_late", "station_late", "route_left", "visit_at_risk", "device_silent")
NOT_HEARD = timedelta(minutes=15)
"""A route's unit that was not heard for so long since its start is told of."""
MINUTES_STEP = 5
"""The words of an open alarm change when a delay has changed by this much."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a route's measure is now; it is raised, kept or cleared by its rule."""

    kind: str
    key: str
    route: Route
    value: float
    visit: Visit | None = None
    n: int = 1


def watch(kit: Kit, at: datetime) -> None:
    """The timer's run."""
    with kit.db.reading() as session:
        rules = service.city_rules(session)[1]
        running = open_routes(session, at)
        held = {key: row for kind in KINDS for key, row in service.holding(session, kind).items()}
        with closing(open_fixlog(kit.settings, kit.db)) as fixlog:
            hearing = _hearing(session, running)
            found = _findings(session, fixlog, running, hearing, rules, held, at)
        trips = long_trips(session, rules["route_km"], at)
    measured = {finding.key for finding in found}
    unknown = {r.id for r in running if (h := hearing.get(r.vehicle_id)) is None or h.silent}
    ended = [
        row.key
        for row in held.values()
        if row.route_id is not None
        and row.key not in measured
        and (row.kind == "device_silent" or row.route_id not in unknown)
    ]
    news = [f for f in found if _is_news(f, rules[f.kind], held.get(f.key), at)]
    if not (news or ended or trips):
        return
    with kit.db.unit_of_work() as session:
        for finding in news:
            _tell(session, finding, rules[finding.kind], held.get(finding.key), at)
        for key in ended:
            service.clear(session, key, at)
        for trip in trips:
            service.raise_alarm(
                session,
                key=f"route_km:{trip.id}",
                kind="route_km",
                at=trip.at,
                about=trip.about,
                words=service.said(
                    "routing.alarm.route_km",
                    vehicle=trip.about.vehicle_id,
                    km=trip.km,
                    norm=trip.norm,
                ),
            )


def _is_news(finding: Finding, rule: Rule, held: Alarm | None, at: datetime) -> bool:
    if held is None:
        return rule.enabled and finding.value >= rule.raise_at
    if _over(finding, rule) or finding.n != held.n:
        return True
    is_told_now = rule.actionable and not held.actionable and finding.value >= rule.told_at
    # An alarm that goes on is kept from running out of its time.
    is_old = at - held.seen_t >= timedelta(seconds=rule.expire_s / 2) and rule.expire_s > 0
    return held.is_open and (is_told_now or is_old)


def _over(finding: Finding, rule: Rule) -> bool:
    """Whether an alarm that holds has ended."""
    if rule.clear_at == rule.raise_at:
        return finding.value < rule.clear_at
    return finding.value <= rule.clear_at


def _tell(session: Session, finding: Finding, rule: Rule, held: Alarm | None, at: datetime) -> None:
    if held is not None and _over(finding, rule):
        service.clear(session, finding.key, at)
        return
    route, visit = finding.route, finding.visit
    service.raise_alarm(
        session,
        key=finding.key,
        kind=finding.kind,
        at=at,
        about=about_route(session, route, visit),
        words=service.said(
            f"routing.alarm.{finding.kind}",
            vehicle=route.vehicle_id,
            minutes=int(finding.value) // MINUTES_STEP * MINUTES_STEP,
            n=finding.n,
            name=visit.name if visit is not None else "",
        ),
        n=finding.n,
        actionable=finding.value >= rule.told_at,
    )


# --- measuring


def _findings(
    session: Session,
    fixlog: FixLog,
    running: Sequence[Route],
    hearing: Mapping[str, Hearing],
    rules: Rules,
    held: Mapping[str, Alarm],
    at: datetime,
) -> list[Finding]:
    ids = [route.id for route in running]
    progress = {
        row.route_id: row
        for row in session.scalars(select(RouteProgress).where(RouteProgress.route_id.in_(ids)))
    }
    late = _late_min(session, running, progress, at)
    stations = _stations_due(session, ids, at)
    places = _inside(session, [route.vehicle_id for route in running])
    risk = _at_risk(session, ids)
    found: list[Finding] = []
    for route in running:
        heard = hearing.get(route.vehicle_id)
        if heard is None or heard.last_t < route.start_t - NOT_HEARD:
            silent_min = (at - route.start_t).total_seconds() / 60
            if silent_min * 60 >= NOT_HEARD.total_seconds():
                key = key_of("device_silent", route.vehicle_id)  # as tracking would tell of it
                found.append(Finding("device_silent", key, route, silent_min))
        if heard is None or heard.silent:
            continue
        where = places.get(route.vehicle_id, frozenset())
        found.append(Finding("route_late", f"route_late:{route.id}", route, late[route.id]))
        due = stations.get(route.id)
        if due is not None and not where & {"transfer_station", "plant"}:
            minutes = (at - due.planned_arrival).total_seconds() / 60
            found.append(Finding("station_late", f"station_late:{route.id}", route, minutes, due))
        skipped = risk.get(route.id, 0)
        if skipped and late[route.id] < rules["route_late"].raise_at:
            key = f"visit_at_risk:{route.id}"
            found.append(Finding("visit_at_risk", key, route, skipped, n=skipped))
        key = f"route_left:{route.id}"
        off_m = _off_m(
            session, fixlog, route, progress.get(route.id), rules, key in held, where, at
        )
        if off_m is not None:
            found.append(Finding("route_left", key, route, off_m))
    return found


def _hearing(session: Session, running: Sequence[Route]) -> dict[str, Hearing]:
    ids = [route.vehicle_id for route in running]
    rows = session.scalars(select(Hearing).where(Hearing.vehicle_id.in_(ids)))
    return {row.vehicle_id: row for row in rows}


def _late_min(
    session: Session,
    running: Sequence[Route],
    progress: Mapping[str, RouteProgress],
    at: datetime,
) -> dict[str, float]:
    """Minutes behind the beat's custom where it is known, else behind the plan."""
    late = {
        route.id: progress[route.id].late_s / 60 if route.id in progress else 0.0
        for route in running
    }
    customs = by_custom(session, running)
    if customs:
        for route_id, steps in facts.steps_of(session, list(customs)).items():
            late[route_id] = delay_s(customs[route_id](steps), at) / 60
    return late


def _stations_due(session: Session, ids: Sequence[str], at: datetime) -> dict[str, Visit]:
    """The first unloading of each route that is overdue."""
    rows = session.scalars(
        select(Visit)
        .where(
            Visit.route_id.in_(ids),
            Visit.kind == VisitKind.DISPOSAL,
            Visit.status == VisitStatus.PENDING,
            Visit.planned_arrival < at,
        )
        .order_by(Visit.route_id, Visit.seq)
    )
    found: dict[str, Visit] = {}
    for row in rows:
        found.setdefault(row.route_id, row)
    return found


def _inside(session: Session, vehicle_ids: Sequence[str]) -> dict[str, frozenset[str]]:
    """Kinds of place in which each vehicle is."""
    rows = session.execute(
        select(GeofencePass.vehicle_id, GeofencePass.place_kind).where(
            GeofencePass.vehicle_id.in_(vehicle_ids), GeofencePass.left_t.is_(None)
        )
    )
    found: dict[str, frozenset[str]] = {}
    for vehicle_id, kind in rows:
        found[vehicle_id] = found.get(vehicle_id, frozenset()) | {kind}
    return found


def _at_risk(session: Session, ids: Sequence[str]) -> dict[str, int]:
    rows = session.execute(
        select(Visit.route_id, func.count())
        .where(
            Visit.route_id.in_(ids),
            Visit.at_risk,
            Visit.status == VisitStatus.PENDING,
            Visit.kind.in_(WORK_KINDS),
        )
        .group_by(Visit.route_id)
    )
    return {row[0]: row[1] for row in rows}


def _off_m(
    session: Session,
    fixlog: FixLog,
    route: Route,
    progress: RouteProgress | None,
    rules: Rules,
    held: bool,
    where: frozenset[str],
    at: datetime,
) -> float | None:
    """Least distance from the route's way over the rule's time; None: it is on it, or nobody
    knows. A vehicle that lately served a lane of its own, or is at a place, is not looked at."""
    rule = rules["route_left"]
    wait = timedelta(seconds=rule.clear_for_s if held else rule.for_s)
    since = at - wait
    if where or at < route.start_t + wait:
        return None
    if not held and progress is not None and (progress.last_fact_t or since) > since:
        return None
    fixes = fixlog.window(route.vehicle_id, since, at + timedelta(seconds=1))
    if len(fixes) < 2 or fixes[0].t > since + wait / 3:
        return rule.raise_at if held else None
    return off_way_m(fixes, remaining_way(session, route.id))


timer = Timer("routing.watch", every(EVERY_S), watch)
