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
    for day in (local + timedelta(days=1), local):
        if day_begins(day, tz, shifts) <= t:
            return day
    return local - timedelta(days=1)


def day_begins(day: date, tz: ZoneInfo, shifts: Sequence[tuple[int, int]]) -> datetime:
    """Half-way between the last shift of the day before and the first of the day."""
    midnight = local_midnight(day, tz)
    if not shifts:
        return midnight
    before = local_midnight(day - timedelta(days=1), tz)
    ended = before + timedelta(seconds=max(end for _, end in shifts))
    starts = midnight + timedelta(seconds=min(start for start, _ in shifts))
    # Where a night's shift reaches into the morning's, the morning's begins the new day.
    return starts if ended >= starts else ended + (starts - ended) / 2
