"""The hour of the night plan: each day, at the city's local time in its policy."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select

from fleet.kit.timers import Timer, every
from fleet.kit.web import Kit
from fleet.org import queries as org
from fleet.org.models import City
from routing.models import Plan, PlanKind, PlanStatus
from routing.plans import service

EVERY_S = 60.0
NOON = time(12)
STILL_WORTH_H = 6
"""A server that was down at the hour still plans up to so many hours later."""


def due_date(now: datetime, at: time, tz: ZoneInfo) -> date | None:
    """The service date whose night plan should exist by now, None outside the hours after `at`.

    Before noon the plan is for the day that has begun, after noon for the coming one.
    """
    local = now.astimezone(tz)
    last = datetime.combine(local.date(), at, tzinfo=tz)
    if last > local:
        last = datetime.combine(local.date() - timedelta(days=1), at, tzinfo=tz)
    if local - last > timedelta(hours=STILL_WORTH_H):
        return None
    return last.date() if at < NOON else last.date() + timedelta(days=1)


def plan_when_due(kit: Kit, at: datetime) -> None:
    """Order and publish the night plan at its hour, unless the date has a published plan."""
    with kit.db.unit_of_work() as session:
        if session.get(City, 1) is None:
            return
        policy = org.policy(session)
        service_date = due_date(
            at, time.fromisoformat(policy.night_plan_at), org.city_zone(session)
        )
        if service_date is None:
            return
        planned = session.scalar(
            select(Plan.id).where(
                Plan.service_date == service_date,
                Plan.kind == PlanKind.NIGHT,
                Plan.status == PlanStatus.PUBLISHED,
            )
        )
        if planned is None:
            service.order_night(session, service_date, at)


timer = Timer("routing.night_plan", every(EVERY_S), plan_when_due)
