"""How each lane of a day came to its outcome, for a replay of the day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fleet.kit.times import parse_iso
from fleet.org import queries as org
from fleet.people.scope import Scope
from routing.models import Judgement, PlanStatus, Route, Visit, VisitKind, VisitStatus
from routing.plans.queries import sees, wards_of


class LaneOutcomes(BaseModel):
    """Equally long columns, one entry for each planned visit of a lane, by the time of knowing."""

    lane_id: list[str]
    vehicle_id: list[str]
    status: list[str]
    """pending | served | partly | driven_through | missed | unknown."""
    began: list[int | None]
    """Seconds since 1970 at which its evidence begins."""
    known: list[int | None]
    """Seconds since 1970 from which its status was true; None while it is pending."""
    probable: list[bool]
    """The proof is provisional: standing at the lane's mouth, or a day that is not over."""


def lane_outcomes(
    session: Session, scope: Scope, *, service_date: date, ward: str | None = None
) -> dict[str, list[Any]]:
    """`LaneOutcomes` of the published routes in the caller's wards.

    An outcome with evidence was true when the evidence ended; one without, such as a miss, when it
    was first judged so, or for days from before judgements were kept, when the policy's grace after
    the visit's planned end was over.
    """
    wards = wards_of(session, scope)
    grace = timedelta(seconds=org.policy(session).missed_grace_s)
    first = session.execute(
        select(Judgement.visit_id, func.min(Judgement.made_t))
        .join(Visit, Visit.id == Judgement.visit_id)
        .where(Visit.service_date == service_date, Judgement.status == Visit.status)
        .group_by(Judgement.visit_id)
    )
    judged = {visit_id: made_t for visit_id, made_t in first}  # noqa: C416 - rows are no tuples
    rows = session.execute(
        select(
            Visit.id,
            Visit.ref,
            Visit.ward_id,
            Visit.status,
            Visit.evidence,
            Visit.planned_departure,
            Route.vehicle_id,
        )
        .join(Route, Route.id == Visit.route_id)
        .where(
            Route.status == PlanStatus.PUBLISHED,
            Route.service_date == service_date,
            Visit.kind == VisitKind.LANE,
        )
    )
    entries = []
    for visit_id, lane_id, ward_id, status, evidence, departs, vehicle_id in rows:
        if not sees(wards, [ward_id or ""]) or (ward is not None and ward_id != ward):
            continue
        said = evidence or {}
        known: datetime | None = None
        if status != VisitStatus.PENDING:
            proved = status not in (VisitStatus.MISSED, VisitStatus.UNKNOWN) and said.get("end_t")
            known = parse_iso(proved) if proved else judged.get(visit_id, departs + grace)
        entries.append(
            (
                lane_id,
                said.get("vehicle_id") or vehicle_id,
                str(status),
                _second(parse_iso(said["start_t"]) if said.get("start_t") else None),
                _second(known),
                bool(said.get("provisional")),
            )
        )
    entries.sort(key=lambda entry: (entry[4] is None, entry[4] or 0, entry[0]))
    columns = zip(*entries, strict=True) if entries else ((),) * 6
    return dict(zip(LaneOutcomes.model_fields, map(list, columns), strict=True))


def _second(t: datetime | None) -> int | None:
    return None if t is None else round(t.timestamp())
