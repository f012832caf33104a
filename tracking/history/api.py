"""A vehicle's day over HTTP: to look at, and as a file."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from fleet.kit.times import iso
from fleet.kit.web import Reading
from fleet.people import Role, Scope, requires
from tracking.history import coverage, export
from tracking.history.queries import ServiceDate, passes, stored_day
from tracking.history.schemas import DayView

router = APIRouter(tags=["history"])

Dispatcher = Annotated[Scope, Depends(requires(Role.DISPATCHER))]
JSON = "application/json"


@router.get(
    "/api/vehicles/{vehicle_id}/day",
    summary="A vehicle's service day: track, stops, trips, silences, passes",
    response_model=DayView,
)
def read_day(
    vehicle_id: str,
    service_date: ServiceDate,
    request: Request,
    session: Reading,
    scope: Dispatcher,
    zoom: Annotated[
        float, Query(ge=0, le=22, description="The track is true to a pixel of the map at it.")
    ] = 14,
) -> Response:
    found = stored_day(
        session,
        request.app.state.fixlog,
        scope,
        vehicle_id=vehicle_id,
        service_date=service_date,
        zoom=zoom,
    )
    track = found.track
    columns = (track.t_s.round(1), track.lon.round(6), track.lat.round(6))
    body = {
        "vehicle_id": vehicle_id,
        "service_date": service_date,
        "since": iso(found.window[0]),
        "until": iso(found.window[1]),
        "resolution": found.resolution,
        "track": np.column_stack(columns).tolist(),
        **msgspec.structs.asdict(found.summary),
        "passes": passes(session, vehicle_id, service_date, found.window),
    }
    # Encoded here: checking a thousand points against the description would cost what they took.
    return Response(msgspec.json.encode(body), media_type=JSON)


@router.get(
    "/api/vehicles/{vehicle_id}/export",
    summary="A vehicle's service day as a file",
    response_class=StreamingResponse,
    responses={
        200: {"content": {media: {"schema": {"type": "string"}} for media in export.MEDIA.values()}}
    },
)
def export_day(
    vehicle_id: str,
    service_date: ServiceDate,
    request: Request,
    session: Reading,
    scope: Dispatcher,
    format: export.Format = "csv",
    marked: Annotated[bool, Query(description="Also the fixes that were set aside.")] = False,
) -> Response:
    """Every fix of the day; after its fixes have gone, the compact track's points."""
    exported = export.of_day(
        session,
        request.app.state.fixlog,
        scope,
        vehicle_id=vehicle_id,
        service_date=service_date,
        marked=marked,
    )
    return StreamingResponse(
        export.written(exported, format),
        media_type=export.MEDIA[format],
        headers={"Content-Disposition": export.disposition(vehicle_id, service_date, format)},
    )


@router.get(
    "/api/coverage",
    summary="How often each lane was passed and served",
    response_model=coverage.Coverage,
)
def read_coverage(
    service_date: ServiceDate,
    session: Reading,
    scope: Dispatcher,
    days: Annotated[int, Query(ge=1, le=92, description="So many days up to the date.")] = 7,
    ward: str | None = None,
) -> Response:
    """Only what vehicles drove and how, whatever was planned."""
    found = coverage.coverage(session, scope, service_date=service_date, days=days, ward=ward)
    return Response(msgspec.json.encode(found), media_type=JSON)
