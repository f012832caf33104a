"""Misses are drawn before the day: enough of them, of every kind, the same whatever the order."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from simulators.truth import Truth, TruthLog, draw_misses, read_truth


@given(count=st.integers(1, 400), seed=st.integers(0, 999))
def test_at_least_a_twentieth_of_the_lanes_is_missed(count: int, seed: int) -> None:
    misses = draw_misses(seed, "V1", [f"lane-{n}" for n in range(count)])
    assert 0.05 * count <= len(misses) <= 0.065 * count + 1


def test_half_is_skipped_a_quarter_driven_through_a_quarter_served_in_part() -> None:
    misses = draw_misses(3, "V1", [f"lane-{n}" for n in range(1600)])
    kinds = Counter(truth.kind for truth in misses.values())
    assert kinds == {"skipped": 52, "driven_through": 26, "partly": 26}
    shares = [truth.fraction for truth in misses.values() if truth.kind == "partly"]
    assert min(shares) >= 0.3
    assert max(shares) <= 0.6


@given(st.permutations([f"lane-{n}" for n in range(40)]))
def test_the_order_of_a_plan_changes_nothing(refs: list[str]) -> None:
    assert draw_misses(1, "V1", refs) == draw_misses(1, "V1", sorted(refs))


def test_vehicles_and_seeds_differ() -> None:
    refs = [f"lane-{n}" for n in range(100)]
    drawn = {frozenset(draw_misses(s, v, refs)) for s in (1, 2) for v in ("V1", "V2")}
    assert len(drawn) == 4


def test_the_log_is_read_back(tmp_path: Path) -> None:
    log = TruthLog(tmp_path / "truth.jsonl")
    log.record("V1", {"id": "a", "ref": "lane-1"}, Truth("skipped", 0.0), 12.0)
    log.record("V1", {"id": "b", "ref": "lane-2"}, Truth("served", 1.0), 13.0)
    log.close()
    assert read_truth(log.path) == {"a": "skipped", "b": "served"}
