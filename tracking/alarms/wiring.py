"""What alarms bring to the composition."""

from __future__ import annotations

from fastapi import APIRouter

from fleet.kit.outbox import Handler
from fleet.kit.timers import Timer, every
from tracking.alarms import api, service, silence

routers: list[APIRouter] = [api.router]
handlers: list[Handler] = [*silence.handlers]
timers: list[Timer] = [
    Timer("tracking.alarms_expire", every(600), service.expire_old),
    Timer("tracking.alarms_silence", every(60), silence.told_late),
]
