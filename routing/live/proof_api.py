"""Proof of service over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request

from fleet.kit.web import Reading
from fleet.people.models import Role
from fleet.people.scope import Scope, requires
from routing.live import proof

router = APIRouter(prefix="/api", tags=["proof"])

Dispatcher = Annotated[Scope, Depends(requires(Role.DISPATCHER))]


@router.get("/proof", summary="What is held of each visit of a date, and what was held before")
def proof_of_day(
    service_date: date, scope: Dispatcher, session: Reading, ward: str | None = None
) -> list[dict[str, Any]]:
    return proof.of_day(session, scope, service_date, ward)


@router.get("/visits/{visit_id}/proof", summary="One visit with its passes and its fixes")
def proof_of_visit(
    visit_id: str, request: Request, scope: Dispatcher, session: Reading
) -> dict[str, Any]:
    return proof.of_visit(session, request.app.state.fixlog, scope, visit_id)
