"""How the pulling of vendors' services goes, over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel

from fleet.kit.web import KitDep
from fleet.people import Role, Scope, requires
from tracking.pull.puller import Puller, views

router = APIRouter(prefix="/api/devices", tags=["tracking"])


class FeedView(BaseModel):
    """A source of `pull.toml`; `fault`: why it cannot be asked at all."""

    name: str
    fault: str | None
    host: str | None = None
    interval_s: float | None = None
    since: datetime | None = None
    """Time of its newest stored fix."""
    last_ok_t: datetime | None = None
    last_fixes: int = 0
    failures: int = 0
    """Since the last answer that could be used."""
    last_error: str | None = None
    last_error_t: datetime | None = None
    unknown_units: list[str] = []
    """Units of its last answer for which no device is registered."""


@router.get("/feeds", summary="The services that positions are pulled from, and how it goes")
def read_feeds(
    request: Request, kit: KitDep, scope: Annotated[Scope, Depends(requires(Role.ADMIN))]
) -> list[FeedView]:
    puller: Puller = request.app.state.puller
    return [FeedView(**view) for view in views(kit, puller.sources)]
