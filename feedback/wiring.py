"""What main composes of this room."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter

from feedback.requests import api, auto, follow, holds
from fleet.kit.i18n import register
from fleet.kit.jobs import JobKind
from fleet.kit.outbox import Handler
from tracking.history import holds as retention

register(Path(__file__).parent / "locales")

routers: list[APIRouter] = [api.router]
handlers: list[Handler] = [*follow.handlers, *auto.handlers]
job_kinds: list[JobKind] = auto.job_kinds

retention.register(holds.held)
