"""A service day's window holds exactly the moments that facts put on that day."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from tests.tracking.conftest import KOLKATA
from tracking.facts.service_day import service_day
from tracking.history.window import day_window

DAY = date(2026, 3, 2)
shift = st.tuples(st.integers(0, 86_399), st.integers(1, 50_000)).map(lambda s: (s[0], s[0] + s[1]))


@given(st.lists(shift, max_size=2), st.integers(-40, 40 * 3600))
@example([(0, 1), (36_402, 86_402)], 14_401)
def test_facts_and_history_agree_on_the_day(shifts, offset_s: int) -> None:
    """But at the one moment that is equally far from two shifts."""
    since, until = day_window(DAY, KOLKATA, shifts)
    t = datetime(2026, 3, 1, 20, tzinfo=KOLKATA) + timedelta(seconds=offset_s, milliseconds=1)
    if any(abs(t - edge) < timedelta(seconds=1) for edge in (since, until)):
        return
    assert (since <= t < until) == (service_day(t, KOLKATA, shifts) == DAY)


@given(st.lists(shift, max_size=2), st.dates(date(2026, 1, 1), date(2026, 12, 31)))
def test_one_day_ends_where_the_next_begins(shifts, day: date) -> None:
    for tz in (KOLKATA, ZoneInfo("Europe/Berlin")):
        _, until = day_window(day, tz, shifts)
        since, ends = day_window(day + timedelta(days=1), tz, shifts)
        assert until == since < ends
