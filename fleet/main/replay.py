"""`GET /api/replay`: a day of the fleet, and how its lanes came to be served: two rooms' answer."""

from __future__ import annotations

import gzip
from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel

from fleet.kit.web import Reading
from fleet.people import Role, Scope, requires
from routing.live.replay import LaneOutcomes, lane_outcomes
from tracking.history.queries import ServiceDate
from tracking.history.replay import Reel, fleet

router = APIRouter(tags=["history"])

_LEVEL = 5


class Replay(BaseModel):
    """What a page needs to play a service day."""

    service_date: str
    vehicles: list[Reel]
    lanes: LaneOutcomes


@router.get("/api/replay", summary="The fleet's day and its lanes' outcomes", response_model=Replay)
def read_replay(
    service_date: ServiceDate,
    request: Request,
    session: Reading,
    scope: Annotated[Scope, Depends(requires(Role.DISPATCHER))],
    ward: str | None = None,
    accept_encoding: Annotated[str, Header(include_in_schema=False)] = "",
) -> Response:
    """Times are seconds since 1970. With `ward`: its lanes, and the vehicles that passed them."""
    state = request.app.state
    reels = fleet(session, state.fixlog, state.reels, scope, service_date=service_date, ward=ward)
    lanes = lane_outcomes(session, scope, service_date=service_date, ward=ward)
    body = b'{"service_date":"%s","vehicles":[%s],"lanes":%s}' % (
        service_date.isoformat().encode(),
        b",".join(reels),
        msgspec.json.encode(lanes),
    )
    headers = {"Vary": "Accept-Encoding"}
    if "gzip" in accept_encoding:
        body = gzip.compress(body, _LEVEL, mtime=0)
        headers["Content-Encoding"] = "gzip"
    return Response(body, media_type="application/json", headers=headers)
