"""Counting tries: a window, a limit, a bound."""

from __future__ import annotations

from fleet.people.attempts import Attempts
from tests.conftest import HandMonotonic


def test_tries_beyond_the_limit_wait_for_the_oldest_to_be_forgotten(
    monotonic: HandMonotonic,
) -> None:
    attempts = Attempts(monotonic, window_s=100)
    waits = []
    for _ in range(3):
        waits.append(attempts.wait_s("a", limit=2))
        monotonic.advance(10)
    assert waits == [0, 0, 80]
    assert attempts.wait_s("b", limit=2) == 0
    monotonic.advance(70)
    assert attempts.wait_s("a", limit=2) == 0
    assert attempts.wait_s("a", limit=2) == 10


def test_a_success_clears_the_count(monotonic: HandMonotonic) -> None:
    attempts = Attempts(monotonic, window_s=100)
    attempts.wait_s("a", limit=1)
    attempts.clear("a")
    assert attempts.wait_s("a", limit=1) == 0


def test_only_so_many_keys_are_remembered(monotonic: HandMonotonic) -> None:
    attempts = Attempts(monotonic, window_s=100, most_keys=3)
    for key in "abcd":
        attempts.wait_s(key, limit=1)
    assert len(attempts) == 3
    assert attempts.wait_s("d", limit=1) > 0
    assert attempts.wait_s("a", limit=1) == 0
