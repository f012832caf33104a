"""How often each lane was passed and served over some days."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fleet.org import queries as org
from fleet.people import Scope
from tracking.facts.models import LaneTraversal


class LaneCoverage(BaseModel):
    id: str
    ward_id: str
    name: str
    passes: int
    days_passed: int
    days_served: int
    """Days on which the passes together served the share of its length that proves it."""
    days: int
    """How many days were asked for."""


class Line(BaseModel):
    type: Literal["LineString"]
    coordinates: list[list[float]]


class LaneFeature(BaseModel):
    type: Literal["Feature"]
    geometry: Line
    properties: LaneCoverage


class Coverage(BaseModel):
    """GeoJSON lines of every lane in the caller's area, those never passed included."""

    type: Literal["FeatureCollection"]
    features: list[LaneFeature]


def coverage(
    session: Session, scope: Scope, *, service_date: date, days: int, ward: str | None
) -> dict[str, Any]:
    """`Coverage` of the `days` service days that end with a date."""
    seen = {row.id for row in org.wards(session, zones=scope.zones)}
    wards = seen if ward is None else seen & {ward}
    share = org.policy(session).served_fraction
    passed: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    rows = session.execute(
        select(
            LaneTraversal.lane_id,
            func.count(),
            func.sum(LaneTraversal.served_fraction),
        )
        .where(LaneTraversal.service_date.between(service_date - timedelta(days - 1), service_date))
        .group_by(LaneTraversal.service_date, LaneTraversal.lane_id)
    )
    for lane_id, count, served in rows:
        counts = passed[lane_id]
        counts[0] += count
        counts[1] += 1
        counts[2] += served >= share
    features = []
    for lane in org.lane_rows(session, wards=wards):
        passes, days_passed, days_served = passed.get(lane.id, (0, 0, 0))
        features.append(
            {
                "type": "Feature",
                "geometry": {"type": "LineString", "coordinates": lane.geometry},
                "properties": {
                    "id": lane.id,
                    "ward_id": lane.ward_id,
                    "name": lane.name,
                    "passes": passes,
                    "days_passed": days_passed,
                    "days_served": days_served,
                    "days": days,
                },
            }
        )
    return {"type": "FeatureCollection", "features": features}
