"""The judgement over a complaint: which proof decides, and when the vehicle is still to come."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.requests.evidence import LaneVisit, NearPass, NotYetDue, Verdict, judge

NOW = datetime(2026, 3, 2, 5, 0, tzinfo=UTC)
GRACE_S = 1800


def visit(status: str, minutes_ago: int = 120) -> LaneVisit:
    expected_at = NOW - timedelta(minutes=minutes_ago)
    proved = status in {"served", "partly", "driven_through"}
    return LaneVisit(status, expected_at, expected_at if proved else None, "MP09-1")


PASS = NearPass("MP09-7", NOW - timedelta(minutes=30), 12.4, 6.0)


@pytest.mark.parametrize(
    ("visits", "nearest", "code", "key"),
    [
        ([visit("served")], PASS, "served", "evidence.served"),
        ([visit("missed"), visit("served")], None, "served", "evidence.served"),
        ([visit("partly")], PASS, "partly", "evidence.partly"),
        ([visit("unknown")], None, "cannot_tell", "evidence.silent"),
        ([visit("driven_through")], PASS, "confirmed_missed", "evidence.driven_through"),
        ([visit("missed")], PASS, "confirmed_missed", "evidence.passed"),
        ([visit("missed")], None, "confirmed_missed", "evidence.no_pass"),
        ([visit("pending", 31)], None, "cannot_tell", "evidence.late"),
        ([], PASS, "cannot_tell", "evidence.unplanned_passed"),
        ([], None, "confirmed_missed", "evidence.no_pass"),
    ],
)
def test_the_strongest_proof_decides(visits, nearest, code, key):
    verdict = judge(visits, nearest, now=NOW, grace_s=GRACE_S)
    assert isinstance(verdict, Verdict)
    assert (verdict.code, verdict.key) == (code, key)


@pytest.mark.parametrize("minutes_ago", [-240, -1, 0, 29])
def test_a_collection_still_to_come_is_not_a_miss(minutes_ago):
    """Within the grace after its expected time the answer is when the vehicle comes."""
    coming = visit("pending", minutes_ago)
    assert judge([coming], None, now=NOW, grace_s=GRACE_S) == NotYetDue(
        coming.expected_at, "MP09-1"
    )


def test_the_nearest_pass_is_told_beside_a_miss():
    verdict = judge([visit("missed")], PASS, now=NOW, grace_s=GRACE_S)
    assert isinstance(verdict, Verdict)
    assert verdict.values == {
        "pass_vehicle": "MP09-7",
        "pass_at": PASS.at,
        "pass_distance_m": 12,
    }


STATUSES = st.sampled_from(["served", "partly", "driven_through", "missed", "unknown"])


@given(st.lists(STATUSES, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_order_of_visits_does_not_change_the_verdict(statuses, shuffle):
    visits = [visit(status) for status in statuses]
    before = judge(visits, PASS, now=NOW, grace_s=GRACE_S)
    shuffle.shuffle(visits)
    assert judge(visits, PASS, now=NOW, grace_s=GRACE_S) == before
