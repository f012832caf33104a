"""What org brings to the composition."""

from __future__ import annotations

from fastapi import APIRouter

from fleet.kit.jobs import JobKind
from fleet.kit.outbox import Handler
from fleet.kit.timers import Timer
from fleet.org import api, fleet_api, staff_api

routers: list[APIRouter] = [api.router, fleet_api.router, staff_api.router]
handlers: list[Handler] = []
job_kinds: list[JobKind] = []
timers: list[Timer] = []
