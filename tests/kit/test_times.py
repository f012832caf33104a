"""Instants, their text, and the dates they belong to."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.kit.ids import new_id, public_code
from fleet.kit.times import iso, local_midnight, parse_iso, service_date_of

INDIA = ZoneInfo("Asia/Kolkata")
BERLIN = ZoneInfo("Europe/Berlin")

instants = st.datetimes(
    min_value=datetime(1980, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    max_value=datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(instants)
def test_text_and_back(t: datetime) -> None:
    assert parse_iso(iso(t)) == t


@given(instants, st.sampled_from([INDIA, BERLIN]))
def test_an_instant_lies_in_its_service_date(t: datetime, tz: ZoneInfo) -> None:
    day = service_date_of(t, tz)
    assert local_midnight(day, tz) <= t < local_midnight(day + timedelta(days=1), tz)


def test_indias_day_begins_in_utcs_evening() -> None:
    assert local_midnight(date(2026, 3, 2), INDIA) == datetime(2026, 3, 1, 18, 30, tzinfo=UTC)


def test_a_day_with_a_clock_change_is_shorter() -> None:
    day = date(2026, 3, 29)
    length = local_midnight(day + timedelta(days=1), BERLIN) - local_midnight(day, BERLIN)
    assert length == timedelta(hours=23)


@pytest.mark.parametrize("text", ["2026-03-02T06:00:00", "2026-03-02", "6:00", ""])
def test_texts_that_name_no_instant_are_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the reason depends on the text
        parse_iso(text)


def test_an_offset_becomes_utc() -> None:
    assert iso(parse_iso("2026-03-02T06:00:00.5+05:30")) == "2026-03-02T00:30:00.500000Z"


def test_ids_are_new_and_codes_are_readable() -> None:
    ids = {new_id("req") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(one.startswith("req_") and len(one) == 20 for one in ids)
    codes = {public_code() for _ in range(1000)}
    assert len(codes) == 1000
    assert not set("".join(codes)) & set("01OIL")
    assert {len(code) for code in codes} == {8}
