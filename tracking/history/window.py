"""From when to when a vehicle's service day lasts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tracking.facts.service_day import day_begins


def day_window(
    day: date, tz: ZoneInfo, shifts: Sequence[tuple[int, int]]
) -> tuple[datetime, datetime]:
    """since ≤ t < until of all moments that `service_day` puts on a date.

    Args:
        shifts: (start, end) of the vehicle's shifts in seconds after local midnight; an end past
            86,400 is on the next day. None at all: the local date.

    >>> from datetime import date
    >>> night = day_window(date(2026, 3, 2), ZoneInfo("Asia/Kolkata"), [(79_200, 108_000)])
    >>> [t.astimezone(ZoneInfo("Asia/Kolkata")).strftime("%d %H:%M") for t in night]
    ['02 14:00', '03 14:00']
    """
    return day_begins(day, tz, shifts), day_begins(day + timedelta(days=1), tz, shifts)
