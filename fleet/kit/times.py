"""Instants and service dates. Every instant is an aware UTC datetime."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo


def service_date_of(t: datetime, tz: ZoneInfo) -> date:
    """The local calendar date of an instant."""
    return aware(t).astimezone(tz).date()


def local_midnight(d: date, tz: ZoneInfo) -> datetime:
    """The UTC instant that opens a local date."""
    return datetime.combine(d, time.min, tzinfo=tz).astimezone(UTC)


def iso(t: datetime) -> str:
    """RFC 3339 with ``Z``; fractions of a second only where there are any.

    >>> iso(datetime(2026, 3, 1, 6, 30, tzinfo=UTC))
    '2026-03-01T06:30:00Z'
    """
    return aware(t).astimezone(UTC).isoformat().replace("+00:00", "Z")


def parse_iso(text: str) -> datetime:
    """The UTC instant that an RFC 3339 text names.

    Raises:
        ValueError: the text is no RFC 3339 date-time, or carries no offset.
    """
    return aware(datetime.fromisoformat(text)).astimezone(UTC)


def aware(t: datetime) -> datetime:
    """The same instant; a naive one is refused.

    Raises:
        ValueError: the datetime has no offset.
    """
    if t.utcoffset() is None:
        raise ValueError(f"Expected a time with an offset (such as Z), got {t.isoformat()!r}.")
    return t
