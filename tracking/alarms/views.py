"""The wire shape of an alarm."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fleet.kit.times import iso
from tracking.alarms.models import Alarm


def alarm_view(alarm: Alarm, lang: str = "en") -> dict[str, Any]:
    """`Alarm` of docs/architecture.md; events carry the text in every language."""
    return {
        "id": alarm.id,
        "version": alarm.version,
        "kind": alarm.kind,
        "cause": alarm.cause,
        "severity": alarm.severity,
        "actionable": alarm.actionable,
        "seen_by": alarm.seen_by,
        "state": alarm.state,
        "service_date": alarm.service_date.isoformat(),
        "shift": alarm.shift,
        "zone_id": alarm.zone_id,
        "ward_ids": alarm.ward_ids,
        "beat": alarm.beat,
        "vehicle_id": alarm.vehicle_id,
        "device_id": alarm.device_id,
        "route_id": alarm.route_id,
        "visit_id": alarm.visit_id,
        "lane_id": alarm.lane_id,
        "place_id": alarm.place_id,
        "lon": alarm.lon,
        "lat": alarm.lat,
        "n": alarm.n,
        "times": alarm.times,
        "t": iso(alarm.t),
        "raised_t": iso(alarm.raised_t),
        "acknowledged_by": alarm.acknowledged_by,
        "acknowledged_t": _iso(alarm.acknowledged_t),
        "cleared_by": alarm.cleared_by,
        "cleared_t": _iso(alarm.cleared_t),
        "group_id": alarm.group_id,
        "text": alarm.words.get(lang, alarm.text),
        "words": alarm.words,
    }


def _iso(t: datetime | None) -> str | None:
    return None if t is None else iso(t)
