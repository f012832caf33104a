"""Whole days, minutes each: `uv run pytest tests/faults`. Every day is killed once at half time."""

from __future__ import annotations

from typing import Any

import pytest

from simulators.day import run_day


def day(**options: Any) -> dict[str, Any]:
    """One ward's report."""
    return run_day(wards=1, seed=1, **options).as_dict()


@pytest.fixture(scope="module")
def usual() -> dict[str, Any]:
    return day()


@pytest.mark.timeout(900)
def test_nothing_acknowledged_is_lost_and_every_visit_has_an_outcome(usual):
    visits = usual["visits"]
    assert usual["lost"] == 0
    assert usual["fixes"]["stored"] == usual["fixes"]["acknowledged"] == usual["fixes"]["sent"]
    assert visits["pending"] == 0
    outcomes = ("served", "partly", "driven_through", "missed", "unknown")
    assert sum(visits[name] for name in outcomes) == visits["planned"]
    assert visits["truly_missed"] >= 0.05 * visits["planned"]


@pytest.mark.timeout(900)
def test_misses_are_found_before_somebody_complains_and_by_no_luck(usual):
    """One ward is few misses; `safai day` over five seeds is what the figures are read from."""
    proof, luck = usual["proof"], usual["proof_shuffled"]
    assert proof["found_share"] >= 0.9
    assert proof["false_share"] <= 0.03
    assert luck["found_share"] <= 0.3


@pytest.mark.timeout(900)
def test_outcomes_do_not_hang_on_taps(usual):
    """Drivers who never tap change nothing that is proved: outcomes come from stored fixes."""
    silent = day(taps=False)
    assert silent["events"]["acknowledged"] == 0 < usual["events"]["acknowledged"]
    assert silent["visits"] == usual["visits"]


@pytest.mark.timeout(900)
def test_a_shift_across_midnight_counts_the_same(usual):
    moved = day(shift_by=16)
    assert moved["lost"] == 0
    assert moved["visits"] == usual["visits"]
