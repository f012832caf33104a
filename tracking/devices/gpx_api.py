"""A vehicle's track from a file, for days on which its unit was dead or it had none."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from fleet.kit.errors import Malformed, NotFound, TooLarge
from fleet.kit.i18n import t
from fleet.kit.web import Kit, KitDep
from fleet.org.models import Vehicle
from fleet.people import Role, Scope, requires
from tracking.ingest import Ingest
from tracking.protocols import gpx
from tracking.protocols.lenient import Unreadable
from tracking.protocols.reading import Limits, Reading, Refusal, check

router = APIRouter(prefix="/api/vehicles", tags=["tracking"])

MOST_BYTES: Final = 16 * 1024 * 1024
"""A day of one fix a second."""
CHUNK: Final = 1_000
"""So many fixes wait for a commit at once, so that units in the street are not held up."""
MOST_TOLD: Final = 100


class RefusedPoint(BaseModel):
    i: int
    field: str
    reason: str
    remedy: str


class Imported(BaseModel):
    """`stored` fixes are new, `duplicate` ones were there; `reasons` of the first refused ones."""

    source: str
    stored: int
    duplicate: int
    refused: int
    reasons: list[RefusedPoint]


def source_of(vehicle_id: str) -> str:
    """What stands where a device's id does; no device can have it."""
    return f"gpx:{vehicle_id}"


@router.post("/{vehicle_id}/gpx", summary="Store a GPX file as a vehicle's fixes")
async def import_gpx(
    vehicle_id: str,
    request: Request,
    kit: KitDep,
    scope: Annotated[Scope, Depends(requires(Role.ADMIN))],
) -> Imported:
    """The body is the file. The same file again stores nothing twice."""
    body = await _body(request, scope.lang)
    await run_in_threadpool(_check_vehicle, kit, vehicle_id, scope.lang)
    ingest: Ingest = request.app.state.ingest
    good, refused = await run_in_threadpool(
        _readings, body, kit.clock.now(), ingest.limits, scope.lang
    )
    new: list[bool] = []
    for at in range(0, len(good), CHUNK):
        new += await ingest.submit_file(source_of(vehicle_id), vehicle_id, good[at : at + CHUNK])
    return Imported(
        source=source_of(vehicle_id),
        stored=sum(new),
        duplicate=len(new) - sum(new),
        refused=len(refused),
        reasons=[
            RefusedPoint(i=r.i, field=r.field, reason=r.reason, remedy=r.remedy)
            for r in refused[:MOST_TOLD]
        ],
    )


async def _body(request: Request, lang: str) -> bytes:
    gathered = bytearray()
    async for part in request.stream():
        gathered += part
        if len(gathered) > MOST_BYTES:
            raise TooLarge(
                t(lang, "devices.gpx_large", mib=MOST_BYTES // 1024**2),
                field="body",
                remedy=t(lang, "devices.gpx_large_remedy"),
                headers={"Connection": "close"},
            )
    return bytes(gathered)


def _check_vehicle(kit: Kit, vehicle_id: str, lang: str) -> None:
    with kit.db.reading() as session:
        if session.get(Vehicle, vehicle_id) is None:
            raise NotFound(
                t(lang, "tracking.no_vehicle", id=vehicle_id),
                remedy=t(lang, "tracking.no_vehicle_remedy"),
            )


def _readings(
    body: bytes, now: datetime, limits: Limits, lang: str
) -> tuple[list[tuple[datetime, Reading]], list[Refusal]]:
    """What can be stored, by time, and why the rest cannot.

    A unit's wrong clock is ingest's to mark; a file's time is what it says, or of no use.
    """
    try:
        contents = gpx.read(body)
    except Unreadable as fault:
        raise Malformed(
            fault.reason, field=fault.field, remedy=t(lang, "devices.gpx_remedy")
        ) from fault
    first = now - timedelta(days=limits.retention_days)
    last = now + timedelta(seconds=limits.future_s)
    good: list[tuple[datetime, Reading]] = []
    refused = list(contents.refused)
    for i, reading in contents.readings:
        checked = check(i, reading)
        if isinstance(checked, Refusal):
            refused.append(checked)
        elif not first <= checked[0] <= last:
            reason = t(lang, "devices.gpx_time", days=limits.retention_days)
            refused.append(Refusal(i, "time", reason, t(lang, "devices.gpx_time_remedy")))
        else:
            good.append(checked)
    return sorted(good, key=lambda one: one[0]), sorted(refused, key=lambda r: r.i)
