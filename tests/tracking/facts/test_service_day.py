"""The service date of a moment, for day shifts, night shifts and vehicles without any."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from tests.tracking.conftest import KOLKATA
from tracking.facts.service_day import service_day

H = 3600


@pytest.mark.parametrize(
    ("local", "shifts", "expected"),
    [
        ("2026-03-02 09:00", [], date(2026, 3, 2)),
        ("2026-03-02 00:30", [], date(2026, 3, 2)),
        ("2026-03-02 23:00", [(22 * H, 30 * H)], date(2026, 3, 2)),
        ("2026-03-03 05:59", [(22 * H, 30 * H)], date(2026, 3, 2)),
        ("2026-03-03 07:00", [(22 * H, 30 * H)], date(2026, 3, 2)),
        ("2026-03-03 21:30", [(22 * H, 30 * H)], date(2026, 3, 3)),
        ("2026-03-03 00:20", [(17 * H, 24 * H)], date(2026, 3, 2)),
        ("2026-03-03 06:30", [(6 * H, 13 * H), (20 * H, 26 * H)], date(2026, 3, 3)),
        ("2026-03-03 01:30", [(6 * H, 13 * H), (20 * H, 26 * H)], date(2026, 3, 2)),
        ("2026-03-02 23:50", [(0, 6 * H)], date(2026, 3, 3)),
    ],
)
def test_service_day(local: str, shifts: list[tuple[int, int]], expected: date) -> None:
    t = datetime.fromisoformat(local).replace(tzinfo=KOLKATA).astimezone(UTC)
    assert service_day(t, KOLKATA, shifts) == expected
