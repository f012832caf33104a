"""Reads of alarms, for those whose zones and role they concern."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.errors import NotFound
from fleet.kit.i18n import t
from fleet.org.queries import wards
from fleet.people.models import Role
from fleet.people.scope import Scope
from tracking.alarms.models import OPEN, Alarm, AlarmState
from tracking.alarms.views import alarm_view

MOST = 500
"""Alarms of one answer; the newest come first."""


def alarm(session: Session, scope: Scope, alarm_id: str) -> Alarm:
    """An alarm of the caller's zones.

    Raises:
        NotFound: there is none, or it is not the caller's.
    """
    found = session.get(Alarm, alarm_id)
    if found is None or not _sees(scope, _wards(session, scope), found):
        raise NotFound(
            t(scope.lang, "alarms.no_alarm", id=alarm_id),
            field="id",
            remedy=t(scope.lang, "alarms.no_alarm_remedy"),
        )
    return found


def items(session: Session, scope: Scope) -> list[dict[str, Any]]:
    """What a dispatcher has before them: open alarms and groups, the newest first."""
    statement = select(Alarm).where(
        Alarm.state.in_(OPEN), Alarm.actionable, Alarm.group_id.is_(None)
    )
    return [alarm_view(row, scope.lang) for row in _seen(session, scope, statement)]


def alarms(
    session: Session,
    scope: Scope,
    *,
    service_date: date | None = None,
    state: AlarmState | None = None,
    group_id: str | None = None,
    logged: bool = False,
) -> list[dict[str, Any]]:
    """Items, the newest first; the members of a group; or (`logged`) every alarm there is."""
    statement = select(Alarm)
    if service_date is not None:
        statement = statement.where(Alarm.service_date == service_date)
    if state is not None:
        statement = statement.where(Alarm.state == state)
    if group_id is not None:
        statement = statement.where(Alarm.group_id == group_id, Alarm.kind != "group")
    elif not logged:
        statement = statement.where(Alarm.actionable, Alarm.group_id.is_(None))
    return [alarm_view(row, scope.lang) for row in _seen(session, scope, statement)]


def _seen(session: Session, scope: Scope, statement: Any) -> Sequence[Alarm]:
    own = _wards(session, scope)
    ordered = statement.order_by(Alarm.raised_t.desc(), Alarm.id)
    rows = session.scalars(ordered.execution_options(yield_per=MOST))
    found: list[Alarm] = []
    for row in rows:
        if _sees(scope, own, row):
            found.append(row)
            if len(found) == MOST:
                break
    return found


def _wards(session: Session, scope: Scope) -> frozenset[str] | None:
    """Wards of the caller's zones; None: all."""
    if scope.zones is None:
        return None
    return frozenset(ward.id for ward in wards(session, zones=scope.zones))


def _sees(scope: Scope, own: Collection[str] | None, row: Alarm) -> bool:
    """One without a place of its own, such as an unassigned unit's, concerns everybody."""
    if row.seen_by == "admin" and scope.role is not Role.ADMIN:
        return False
    if own is None or scope.sees_zone(row.zone_id):
        return True
    if not row.ward_ids:
        return row.zone_id is None
    return not frozenset(own).isdisjoint(row.ward_ids)
