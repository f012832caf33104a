"""What people brings to the composition."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter

from fleet.kit.jobs import JobKind
from fleet.kit.outbox import Handler
from fleet.kit.timers import Timer, every
from fleet.kit.web import Kit
from fleet.people.accounts import end_expired
from fleet.people.api import router


def _forget_expired(kit: Kit, at: datetime) -> None:
    with kit.db.unit_of_work() as session:
        end_expired(session, at)


routers: list[APIRouter] = [router]
handlers: list[Handler] = []
job_kinds: list[JobKind] = []
timers: list[Timer] = [Timer("people.forget_expired_sign_ins", every(3600), _forget_expired)]
