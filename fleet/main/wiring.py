"""The one place where the rooms' parts meet: routers, event handlers, kinds of job, timers."""

from __future__ import annotations

from fastapi import APIRouter

from feedback import wiring as feedback
from fleet.kit import photos_api
from fleet.kit import wiring as kit
from fleet.kit.jobs import JobKind
from fleet.kit.outbox import Handler
from fleet.kit.timers import Timer
from fleet.org import wiring as org
from fleet.people import wiring as people
from routing import wiring as routing
from tracking import wiring as tracking


def routers() -> list[APIRouter]:
    return [
        photos_api.router,
        *people.routers,
        *org.routers,
        *tracking.routers,
        *routing.routers,
        *feedback.routers,
    ]


def handlers() -> list[Handler]:
    """Run by the relay in the web process."""
    return [*tracking.handlers, *routing.handlers, *feedback.handlers]


def job_kinds() -> list[JobKind]:
    """Run by the worker process."""
    return [*tracking.job_kinds, *routing.job_kinds, *feedback.job_kinds]


def timers() -> list[Timer]:
    """Fired by the web process at city times."""
    return [*kit.timers, *people.timers, *tracking.timers, *routing.timers]
