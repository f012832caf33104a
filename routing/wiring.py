"""What routing brings to the composition."""

from __future__ import annotations

from fastapi import APIRouter

from fleet.kit.jobs import JobKind
from fleet.kit.outbox import Handler
from fleet.kit.timers import Timer
from routing.live import api as live_api
from routing.live import proof_api, reconcile, sweep, watch
from routing.plans import api as plans_api
from routing.plans import job, night

routers: list[APIRouter] = [plans_api.router, live_api.router, proof_api.router]
handlers: list[Handler] = [*reconcile.handlers]
job_kinds: list[JobKind] = [*job.job_kinds]
timers: list[Timer] = [night.timer, sweep.timer, watch.timer]
