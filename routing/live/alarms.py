"""Alarms: stored once per occasion, announced when they change."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from fleet.kit.i18n import LANGS, t
from fleet.kit.ids import new_id
from fleet.kit.outbox import Event, Handler, emit
from fleet.kit.times import iso, parse_iso
from routing.models import Alarm, PlanStatus, Route


def raise_alarm(
    session: Session,
    *,
    key: str,
    kind: str,
    severity: str,
    at: datetime,
    service_date: date,
    ward_ids: Collection[str],
    vehicle_id: str | None = None,
    route: Route | None = None,
    visit_id: str | None = None,
    **values: object,
) -> Alarm:
    """Store the alarm of an occasion, or bring its words up to date; same words say nothing.

    `values` fill the text `routing.alarm.{kind}` of the catalogue.
    """
    words: dict[str, Any] = {lang: t(lang, f"routing.alarm.{kind}", **values) for lang in LANGS}
    alarm = session.scalar(select(Alarm).where(Alarm.key == key))
    if alarm is not None and alarm.words == words:
        return alarm
    if alarm is None:
        alarm = Alarm(id=new_id("alm"), key=key, kind=kind, t=at)
        session.add(alarm)
    alarm.severity = severity
    alarm.service_date = service_date
    alarm.ward_ids = sorted(ward_ids)
    alarm.vehicle_id = vehicle_id
    alarm.route_id = route.id if route else None
    alarm.visit_id = visit_id
    alarm.text = words["en"]
    alarm.words = words
    session.flush()
    emit(session, "routing.alarm", alarm.id, view(alarm))
    return alarm


def view(alarm: Alarm, lang: str = "en") -> dict[str, Any]:
    return {
        "id": alarm.id,
        "kind": alarm.kind,
        "severity": alarm.severity,
        "vehicle_id": alarm.vehicle_id,
        "route_id": alarm.route_id,
        "visit_id": alarm.visit_id,
        "ward_ids": alarm.ward_ids,
        "t": iso(alarm.t),
        "text": alarm.words.get(lang, alarm.text),
        "words": alarm.words,
    }


def on_device_silent(session: Session, event: Event) -> None:
    """A device went silent: an alarm when its vehicle is on a route."""
    vehicle_id = event.data["vehicle_id"]
    since = parse_iso(event.data["t"])
    route = session.scalar(
        select(Route)
        .where(
            Route.vehicle_id == vehicle_id,
            Route.status == PlanStatus.PUBLISHED,
            Route.start_t <= event.at,
            Route.end_t >= event.at,
        )
        .limit(1)
    )
    if route is not None:
        raise_alarm(
            session,
            key=f"device_silent:{vehicle_id}:{iso(since)}",
            kind="device_silent",
            severity="warning",
            at=event.at,
            service_date=route.service_date,
            ward_ids=route.ward_ids,
            vehicle_id=vehicle_id,
            route=route,
            vehicle=vehicle_id,
        )


handlers = [
    Handler("routing.device_silent", frozenset({"tracking.device_silent"}), on_device_silent)
]
