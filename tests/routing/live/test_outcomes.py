"""What passes and dwells prove."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.org.policy import Policy
from routing.live.outcomes import (
    Dwell,
    LanePass,
    LiftAt,
    PointNeed,
    lane_outcome,
    point_outcome,
    share_dwells,
    share_lifts,
)
from routing.models import VisitStatus

T = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
POLICY = Policy()
HERE = (75.85, 22.70)


def passed(
    served: float, driven: float = 1.0, *, gap: bool = False, vehicle: str = "T1", at_s: int = 0,
    from_end: bool = False,
) -> LanePass:  # fmt: skip
    """A pass of ninety seconds that served the first part of the lane, or the last."""
    start = T + timedelta(seconds=at_s)
    span = (1 - served, 1.0) if from_end else (0.0, served)
    return LanePass(
        vehicle,
        start,
        start + timedelta(seconds=90),
        [span] if served else [],
        [(0.0, driven)] if driven else [],
        gap,
        1.5,
        True,
    )


@pytest.mark.parametrize(
    ("passes", "status"),
    [
        ([passed(0.9)], "served"),
        ([passed(0.79)], "partly"),
        ([passed(0.5), passed(0.4, at_s=600, from_end=True)], "served"),
        ([passed(0.5), passed(0.4, vehicle="T2", at_s=600, from_end=True)], "served"),
        ([passed(0.5), passed(0.4, at_s=600)], "partly"),
        ([passed(0.05)], "driven_through"),
        ([passed(0.0, 0.1)], None),
        ([passed(0.0, 0.0, gap=True)], None),
        ([passed(0.9, gap=True)], "served"),
        ([passed(0.5, gap=True)], "partly"),
        ([], None),
    ],
    ids=[
        "slow all along",
        "just below the threshold",
        "two halves by one vehicle",
        "two halves by two vehicles",
        "the same half twice",
        "driven through",
        "only touched its end",
        "a silence only",
        "proved in spite of a silence",
        "part beside a silence",
        "nobody came",
    ],
)
def test_lane_outcome(passes: list[LanePass], status: str | None) -> None:
    outcome = lane_outcome(passes, POLICY)
    assert (outcome.status if outcome else None) == status


@pytest.mark.parametrize(
    ("passes", "service_s", "status", "reason"),
    [
        ([passed(0.9)], 100, "served", "covered"),
        ([passed(0.9)], 200, "partly", "left_early"),
        ([passed(0.5)], 110, "served", "covered_and_timed"),
        ([passed(0.5)], 200, "partly", "covered_in_part"),
        ([passed(0.1)], 60, "driven_through", "pace"),
        ([passed(0.9), passed(0.9, at_s=600)], 250, "served", "covered"),
    ],
    ids=[
        "all along, in time",
        "all along, gone too soon",
        "half seen, there long enough",
        "half seen, half the time",
        "a slow corner is no service",
        "twice there adds up",
    ],
)
def test_time_is_judged_with_length(
    passes: list[LanePass], service_s: int, status: str, reason: str
) -> None:
    outcome = lane_outcome(passes, POLICY, service_s=service_s)
    assert outcome is not None
    assert (outcome.status, outcome.reason) == (status, reason)


def test_slow_corners_of_many_departures_do_not_add_up() -> None:
    """A depot's street is left eight times a day without being served."""
    passes = [passed(0.15, at_s=600 * i) for i in range(8)]
    outcome = lane_outcome(passes, POLICY)
    assert outcome is not None
    assert outcome.status == VisitStatus.DRIVEN_THROUGH


@given(st.lists(st.floats(0, 1), min_size=1, max_size=5), st.floats(0, 1))
def test_another_pass_never_takes_proof_away(fractions: list[float], more: float) -> None:
    passes = [passed(f, at_s=600 * i) for i, f in enumerate(fractions)]
    before = lane_outcome(passes, POLICY)
    after = lane_outcome([*passes, passed(more, at_s=9000)], POLICY)
    rank = [None, "driven_through", "partly", "served"]
    assert after is not None or before is None
    assert rank.index(after.status if after else None) >= rank.index(
        before.status if before else None
    )


def stood(seconds: int, at_s: int = 0, lon: float = HERE[0]) -> Dwell:
    start = T + timedelta(seconds=at_s)
    return Dwell(lon, HERE[1], start, start + timedelta(seconds=seconds))


def need(visit_id: str, service_s: int, lon: float = HERE[0], planned_s: int = 0) -> PointNeed:
    return PointNeed(visit_id, (lon, HERE[1]), service_s, T + timedelta(seconds=planned_s))


@pytest.mark.parametrize(
    ("dwells", "status"),
    [
        ([stood(60)], "served"),
        ([stood(19)], None),
        ([stood(30), stood(25, 300)], "served"),
        ([stood(30)], "partly"),
        ([stood(60, lon=75.8503)], None),
    ],
    ids=["half the time", "too short", "twice there", "a third of the time", "30 m away"],
)
def test_point_outcome(dwells: list[Dwell], status: str | None) -> None:
    """A stop of 100 s within 25 m."""
    point = need("v", 100)
    shares = share_dwells(dwells, [point], POLICY)
    outcome = point_outcome(shares.get("v", ()), point, "T1", POLICY)
    assert (outcome.status if outcome else None) == status


def test_one_stand_is_not_counted_twice() -> None:
    """Three gallis from one access point, and the crew stood for one of them."""
    points = [need(name, 100, planned_s=i) for i, name in enumerate("abc")]
    shares = share_dwells([stood(110)], points, POLICY)
    assert {v: sum(s for _, s in parts) for v, parts in shares.items()} == {"a": 100.0, "b": 10.0}


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(0, 5000)), max_size=6),
    st.lists(st.integers(1, 300), min_size=1, max_size=4),
)
def test_no_more_is_shared_out_than_was_stood(
    dwells: list[tuple[int, int]], services: list[int]
) -> None:
    points = [need(f"v{i}", s, planned_s=i) for i, s in enumerate(services)]
    shares = share_dwells([stood(d, at) for d, at in dwells], points, POLICY)
    given_s = {v: sum(s for _, s in parts) for v, parts in shares.items()}
    assert sum(given_s.values()) <= sum(d for d, _ in dwells)
    assert all(given_s.get(p.visit_id, 0) <= p.service_s for p in points)


def test_proved_by_standing_is_only_probable() -> None:
    point = need("v", 60)
    outcome = point_outcome([(stood(60), 60.0)], point, "T1", POLICY)
    assert outcome is not None
    assert outcome.status is VisitStatus.SERVED
    assert outcome.provisional


def lift(n: int, east_m: float, at_s: int = 0) -> LiftAt:
    return LiftAt(f"l{n}", HERE[0] + east_m / 102_700, HERE[1], T + timedelta(seconds=at_s))


def bin_at(n: int, east_m: float) -> PointNeed:
    return PointNeed(f"b{n}", (HERE[0] + east_m / 102_700, HERE[1]), 90, T)


def test_two_bins_side_by_side_need_two_lifts() -> None:
    bins = [bin_at(1, 0), bin_at(2, 8)]
    assert set(share_lifts([lift(1, 3)], bins, 30)) == {"b1"}
    both = share_lifts([lift(1, 3), lift(2, 3, 60)], bins, 30)
    assert {visit: found.lift_id for visit, found in both.items()} == {"b1": "l1", "b2": "l2"}


def test_a_lift_far_from_every_bin_proves_none() -> None:
    assert share_lifts([lift(1, 45)], [bin_at(1, 0)], 30) == {}


metres = st.lists(st.floats(0, 200), max_size=6)


@given(metres, metres)
def test_no_lift_empties_two_bins(lifted: list[float], standing: list[float]) -> None:
    lifts = [lift(n, m, n) for n, m in enumerate(lifted)]
    bins = [bin_at(n, m) for n, m in enumerate(standing)]
    found = share_lifts(lifts, bins, 30)
    used = [one.lift_id for one in found.values()]
    assert len(used) == len(set(used)) <= min(len(lifts), len(bins))
