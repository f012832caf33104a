"""Each minute of city time: which visits of running routes are missed, unknown or at risk.

Trails are read before the transaction opens. What was judged is applied only where the visit is
still pending, so that a fact which arrives in between wins.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.timers import Timer, every
from fleet.kit.times import iso, parse_iso
from fleet.kit.web import Kit
from fleet.org import queries as org
from fleet.org.policy import Policy
from routing.live import facts
from routing.live.alarms import tell_missed
from routing.live.progress import DONE, Assessment, Silence, Step, assess
from routing.models import PlanStatus, Route, RouteProgress, Visit, VisitStatus
from tracking.fixes.log import FixLog
from tracking.fixes.opening import open_fixlog

EVERY_S = 60.0
RHYTHM_STEP = 0.05
LATE_STEP_S = 60
"""The wire hears of a delay again when it has changed by this much."""


def sweep(kit: Kit, at: datetime) -> None:
    """Judge every open route, then write one route per unit of work."""
    with kit.db.reading() as session:
        policy = org.policy(session)
        running = open_routes(session, at)
        steps = facts.steps_of(session, [route.id for route in running])
        progress = {route.id: session.get_one(RouteProgress, route.id) for route in running}
    judged = {
        route.id: assess(
            steps[route.id], now=at, shift_end_t=route.shift_end_t, silences=(), policy=policy
        )
        for route in running
    }
    doubtful = [r for r in running if set(judged[r.id].outcomes.values()) - {VisitStatus.SERVED}]
    if doubtful:
        with closing(open_fixlog(kit.settings, kit.db)) as fixlog:
            for route in doubtful:
                judged[route.id] = assess(
                    steps[route.id],
                    now=at,
                    shift_end_t=route.shift_end_t,
                    silences=silences_of(fixlog, route, at, policy),
                    policy=policy,
                )
    for route in running:
        if is_news(judged[route.id], steps[route.id], progress[route.id]):
            with kit.db.unit_of_work() as session:
                apply(session, route.id, judged[route.id], at)


def is_news(judged: Assessment, steps: Sequence[Step], progress: RouteProgress) -> bool:
    """Whether there is anything to write or to announce."""
    return bool(
        judged.outcomes
        or judged.at_risk != {step.visit_id for step in steps if step.at_risk}
        or _moved(progress, judged)
        or judged.closed
        or abs(judged.rhythm - progress.rhythm) >= RHYTHM_STEP
    )


def _moved(progress: RouteProgress, judged: Assessment) -> bool:
    return (
        abs(progress.late_s - judged.late_s) >= LATE_STEP_S
        or progress.next_visit_id != judged.next_visit_id
    )


def open_routes(session: Session, now: datetime) -> list[Route]:
    """Published routes that have begun and whose visits do not all have an outcome."""
    return list(
        session.scalars(
            select(Route)
            .join(RouteProgress, RouteProgress.route_id == Route.id)
            .where(
                Route.status == PlanStatus.PUBLISHED,
                Route.start_t <= now,
                RouteProgress.closed.is_(False),
            )
            .order_by(Route.id)
        )
    )


def silences_of(fixlog: FixLog, route: Route, now: datetime, policy: Policy) -> list[Silence]:
    """Times of the shift, up to now, in which no fix of the vehicle was stored."""
    until = min(now, route.shift_end_t)
    times = [fix.t for fix in fixlog.window(route.vehicle_id, route.start_t, until)]
    marks = [route.start_t, *times, until]
    longest = timedelta(seconds=policy.gap_s)
    return [Silence(a, b) for a, b in pairwise(marks) if b - a > longest]


def apply(session: Session, route_id: str, judged: Assessment, now: datetime) -> None:
    """Write what was found about one route; emits only what changed."""
    route = session.get(Route, route_id)
    progress = session.get(RouteProgress, route_id)
    if route is None or progress is None or route.status != PlanStatus.PUBLISHED:
        return
    changed: dict[str, Visit] = {}
    for visit in _waiting(session, route.id, judged):
        status = judged.outcomes.get(visit.id)
        if status is not None:
            _take(session, visit, status, now)
            changed[visit.id] = visit
        elif visit.at_risk != (visit.id in judged.at_risk):
            visit.at_risk = not visit.at_risk
            changed[visit.id] = visit
    progress.rhythm = judged.rhythm
    moved = _moved(progress, judged)
    if moved:
        progress.late_s = judged.late_s
        progress.next_visit_id = judged.next_visit_id
    progress.closed = judged.closed
    if changed or moved:
        facts.announce_visits(session, route, changed.values())
        facts.announce_route(session, route)
    _alarms(session, route, list(changed.values()), now)


def _take(session: Session, visit: Visit, status: VisitStatus, now: datetime) -> None:
    """Brings a judgement into the row."""
    evidence = {**facts.NO_EVIDENCE, **(visit.evidence or {})}
    if status == VisitStatus.UNKNOWN:
        evidence["reason"] = "silent"
    elif status == VisitStatus.MISSED:
        evidence["reason"] = "no_time" if visit.status in DONE else "never_there"
    elif status == VisitStatus.SERVED and visit.status != VisitStatus.SERVED:
        evidence["reason"] = "covered"
    visit.at_risk = visit.recheck = False
    if status == VisitStatus.SERVED:
        visit.seen = None
        visit.proved_t = parse_iso(evidence["end_t"]) if evidence["end_t"] else now
    elif status not in DONE:
        visit.proved_t = None
    facts.judge(session, visit, status, {**evidence, "judged_t": iso(now)}, now)


def _waiting(session: Session, route_id: str, judged: Assessment) -> list[Visit]:
    """Visits that an outcome or a change of risk may touch; facts may have come in between."""
    wanted = [*judged.outcomes, *judged.at_risk]
    rows = session.scalars(
        select(Visit)
        .where(
            Visit.route_id == route_id,
            (Visit.status == VisitStatus.PENDING) | Visit.recheck,
            Visit.at_risk.is_(True) | Visit.id.in_(wanted),
        )
        .order_by(Visit.seq)
    )
    return list(rows)


def _alarms(session: Session, route: Route, changed: Sequence[Visit], now: datetime) -> None:
    if any(visit.status != VisitStatus.PENDING for visit in changed):
        missed = session.scalars(
            select(Visit)
            .where(Visit.route_id == route.id, Visit.status == VisitStatus.MISSED)
            .order_by(Visit.seq)
        ).all()
        tell_missed(session, route, missed, now)


timer = Timer("routing.sweep", every(EVERY_S), sweep)
