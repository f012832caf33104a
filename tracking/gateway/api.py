"""What nobody understood, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from fleet.kit.i18n import t
from fleet.kit.web import Reading
from fleet.people import Role, Scope, requires
from tracking.gateway.unknown import readable, recent
from tracking.protocols.layouts import Layouts

router = APIRouter(prefix="/api/devices", tags=["tracking"])


class UnknownFrameView(BaseModel):
    """The newest of the frames that are alike."""

    id: int
    at: datetime
    peer: str
    protocol: str | None
    """None: it began like none."""
    external_id: str | None
    """Who it says that it is, such as an IMEI."""
    device_id: str | None
    reason: str
    why: str
    """The reason in words, with what to do."""
    detail: str
    n: int
    """How many like it have come."""
    bytes_hex: str
    text: str


class LayoutNames(BaseModel):
    """The layouts that a device may be given, by protocol."""

    ais140: list[str]
    gt06: list[str]


@router.get("/unknown-frames", summary="Frames of units that were not understood, newest first")
def list_unknown_frames(
    session: Reading, scope: Annotated[Scope, Depends(requires(Role.ADMIN))]
) -> list[UnknownFrameView]:
    return [
        UnknownFrameView(
            id=row.id,
            at=row.at,
            peer=row.peer,
            protocol=row.protocol or None,
            external_id=row.external_id or None,
            device_id=row.device_id,
            reason=row.reason,
            why=t(scope.lang, f"gateway.{row.reason}"),
            detail=row.detail,
            n=row.n,
            bytes_hex=row.frame.hex(),
            text=readable(row.frame),
        )
        for row in recent(session)
    ]


@router.get("/layouts", summary="The frame layouts that a device may be given")
def list_layouts(
    request: Request, scope: Annotated[Scope, Depends(requires(Role.DISPATCHER))]
) -> LayoutNames:
    layouts: Layouts = request.app.state.layouts
    return LayoutNames(ais140=layouts.names("ais140"), gt06=layouts.names("gt06"))
