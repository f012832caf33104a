"""A device that goes silent, or is heard again, as an alarm: handlers of the outbox."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from fleet.kit.outbox import Event, Handler
from fleet.kit.times import parse_iso
from fleet.kit.web import Kit
from tracking.alarms import service
from tracking.alarms.about import about_vehicle, duty_of
from tracking.alarms.voice import key_of
from tracking.facts.hearing import HEARD, SILENT

KIND = "device_silent"


def on_silent(session: Session, event: Event) -> None:
    """On duty it is somebody's business, once it lasts; until then it is a line in the log."""
    vehicle_id = event.data["vehicle_id"]
    since = parse_iso(event.data["t"])
    known = service.latest(session, key_of(KIND, vehicle_id))
    if known is None or known.seen_t <= event.at:  # else it was delivered late: heard since
        lasts = service.city_rules(session)[1][KIND].for_s == 0
        _tell(session, vehicle_id, event.data["device_id"], max(event.at, since), lasts=lasts)


def _tell(
    session: Session, vehicle_id: str, device_id: str | None, at: datetime, *, lasts: bool
) -> None:
    about = about_vehicle(session, vehicle_id, at, device_id=device_id)
    text = "alarms.say.device_silent" if about.shift else "alarms.say.device_silent_off"
    service.raise_alarm(
        session,
        key=key_of(KIND, vehicle_id),
        kind=KIND,
        at=at,
        about=about,
        words=service.said(text, who=vehicle_id),
        actionable=lasts and bool(about.shift),
    )


def told_late(kit: Kit, now: datetime) -> None:
    """The timer's run: a silence that was only logged is told once it has lasted `for_s`, and
    when a shift begins in it."""
    with kit.db.reading() as session:
        rule = service.city_rules(session)[1][KIND]
        if not (rule.enabled and rule.actionable):
            return
        lasting = [
            row
            for row in service.holding(session, KIND).values()
            if not row.actionable
            and row.is_open
            and row.vehicle_id is not None
            and row.raised_t <= now - timedelta(seconds=rule.for_s)
            and duty_of(session, row.vehicle_id, now).name
        ]
    for row in lasting:
        assert row.vehicle_id is not None
        with kit.db.unit_of_work() as session:
            known = service.latest(session, row.key)
            if known is not None and known.holding:  # else it was heard in between
                _tell(session, row.vehicle_id, row.device_id, now, lasts=True)


def on_heard(session: Session, event: Event) -> None:
    service.clear(session, key_of(KIND, event.data["vehicle_id"]), event.at)


handlers = [
    Handler("tracking.alarm_silent", frozenset({SILENT}), on_silent),
    Handler("tracking.alarm_heard", frozenset({HEARD}), on_heard),
]
