"""Make a request: locate it, hold it against the day's proof, store it.

The trails are read before the transaction opens: nothing waits for a file inside it.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from feedback.requests import service
from feedback.requests.evidence import LaneVisit, NearPass, NotYetDue, Verdict, judge
from feedback.requests.models import Request
from feedback.requests.schemas import RequestCreate
from fleet.kit.errors import Refused
from fleet.kit.times import iso, local_midnight, service_date_of
from fleet.kit.web import Kit
from fleet.org import queries as org
from routing.live import queries as live
from tracking import evidence as trails
from tracking.fixes.log import FixLog


def make(kit: Kit, fixlog: FixLog, body: RequestCreate, now: datetime) -> Request:
    """The stored request. Raises `Malformed` outside the city, `Refused` when not yet due."""
    category = service.category_of(body.service_code)
    with kit.db.reading() as session:
        if (before := service.repeated(session, body)) is not None:
            return before
        located = service.locate(session, body.lon, body.lat)
        policy = org.policy(session)
        midnight = local_midnight(
            service_date_of(now, org.city_zone(session)), org.city_zone(session)
        )
        visits = _lane_visits(session, located.lane_id, now)
    nearest = verdict = None
    if category.kind == "miss":
        found = trails.nearest_pass(fixlog, body.lon, body.lat, midnight, now, policy.near_pass_m)
        if found is not None:
            nearest = NearPass(found.vehicle_id, found.t, found.distance_m, found.speed_mps)
        judged = judge(visits, nearest, now=now, grace_s=policy.report_grace_s)
        if isinstance(judged, NotYetDue):
            raise _not_yet_due(judged)
        verdict = judged
    return _store(kit, body, located, verdict, nearest, now)


def _store(
    kit: Kit,
    body: RequestCreate,
    located: service.Located,
    verdict: Verdict | None,
    nearest: NearPass | None,
    now: datetime,
) -> Request:
    with kit.db.unit_of_work() as session:
        if (before := service.repeated(session, body)) is not None:
            return before
        return service.create(
            session, body, located=located, verdict=verdict, nearest=nearest, now=now
        )


def _lane_visits(session: Session, lane_id: str | None, now: datetime) -> list[LaneVisit]:
    if lane_id is None:
        return []
    service_date = service_date_of(now, org.city_zone(session))
    return [
        LaneVisit(
            status=visit.status,
            expected_at=visit.eta or visit.planned_arrival,
            ended_at=visit.proved_at,
            vehicle_id=visit.vehicle_id,
        )
        for visit in live.visits_of_lane(session, lane_id, service_date)
    ]


def _not_yet_due(judged: NotYetDue) -> Refused:
    return Refused(
        f"{judged.vehicle_id} is still to come; it is expected at {iso(judged.expected_at)}.",
        type="not-yet-due",
        field="service_code",
        remedy="Please put your waste out; report again if the vehicle has not come by then.",
    )
