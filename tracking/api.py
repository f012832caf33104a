"""Trails over HTTP."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from pydantic import AwareDatetime, BaseModel

from fleet.kit.web import Now, Reading
from fleet.people import Role, Scope, requires
from tracking.history.simplify import seen_at
from tracking.queries import trail

router = APIRouter(prefix="/api/vehicles", tags=["tracking"])

USUAL_TRAIL = timedelta(hours=2)


class Trail(BaseModel):
    vehicle_id: str
    fixes: list[tuple[float, float, float, float | None, str | None]]
    """[t in seconds since 1970, lon, lat, speed_mps, mark], by t."""


@router.get("/{vehicle_id}/trail", summary="All stored fixes of a vehicle in a time")
def read_trail(
    vehicle_id: str,
    request: Request,
    session: Reading,
    now: Now,
    scope: Annotated[Scope, Depends(requires(Role.DISPATCHER))],
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    zoom: Annotated[
        float | None,
        Query(ge=0, le=22, description="Only what a map shows at it: good fixes, simplified."),
    ] = None,
) -> Trail:
    """Without `until` up to the newest fix; without `since` the two hours before `until`."""
    end = until or now + timedelta(minutes=5)
    found = trail(
        session,
        request.app.state.fixlog,
        scope,
        vehicle_id=vehicle_id,
        since=since or end - USUAL_TRAIL,
        until=end,
    )
    if zoom is not None:
        found = seen_at(found.good(), zoom)
    speeds = [None if math.isnan(speed) else speed for speed in found.speed_mps.tolist()]
    columns = (found.t_ms / 1000).tolist(), found.lon.tolist(), found.lat.tolist()
    return Trail(
        vehicle_id=vehicle_id,
        fixes=list(zip(*columns, speeds, found.marks.tolist(), strict=True)),
    )
