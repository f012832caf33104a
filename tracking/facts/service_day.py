"""The service date of a moment: the local date on which the vehicle's shift began."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from fleet.kit.times import local_midnight, service_date_of


def service_day(t: datetime, tz: ZoneInfo, shifts: Sequence[tuple[int, int]]) -> date:
    """The date of the shift that holds the moment, else of the nearest one.

    Args:
        shifts: (start, end) of each of the vehicle's shifts in seconds after local midnight; an
            end past 86,400 is on the next day. None at all: the local date.
    """
    local = service_date_of(t, tz)

    def apart_s(day: date) -> float:
        after_s = (t - local_midnight(day, tz)).total_seconds()
        return min(max(start - after_s, after_s - end, 0.0) for start, end in shifts)

    if not shifts:
        return local
    days = [local, local - timedelta(days=1), local + timedelta(days=1)]
    return min(days, key=apart_s)
