"""Sentences for residents and dispatchers, from a stored key and its values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fleet.kit.i18n import t
from fleet.kit.times import iso, parse_iso


def storable(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as JSON keeps them: instants as RFC 3339, dates as ISO 8601."""
    return {key: _text(value) for key, value in values.items()}


def sentence(lang: str, tz: ZoneInfo, key: str, values: Mapping[str, Any]) -> str:
    """The sentence in the reader's language; instants (keys ending in `at`) as local HH:MM."""
    shown = {
        name: parse_iso(value).astimezone(tz).strftime("%H:%M") if name.endswith("at") else value
        for name, value in values.items()
    }
    text = t(lang, f"feedback.{key}", **shown)
    if "pass_at" in shown and key in WITH_PASS:
        text = f"{text} {t(lang, 'feedback.evidence.nearest', **shown)}"
    return text


WITH_PASS = frozenset(
    {"evidence.late", "evidence.partly", "evidence.silent", "evidence.driven_through"}
)


def _text(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, date):
        return value.isoformat()
    return value
