"""City time: scaled, stepped, shared by processes, kept over restarts, never backwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fleet.kit.clock import LEASE_S, ScaledClock, SteppedClock
from tests.conftest import START, HandMonotonic


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "clock.json"


def scaled(path: Path, monotonic: HandMonotonic, rate: float = 30.0) -> ScaledClock:
    return ScaledClock(path, rate, START, monotonic)


def test_scaled_time_stands_until_its_owner_resumes_it(
    path: Path, monotonic: HandMonotonic
) -> None:
    clock = scaled(path, monotonic)
    monotonic.advance(100)
    assert clock.now() == START
    clock.resume()
    monotonic.advance(1)
    assert clock.now() == after(30)


def test_processes_agree_on_scaled_time(path: Path, monotonic: HandMonotonic) -> None:
    owner = scaled(path, monotonic)
    owner.resume()
    reader = scaled(path, monotonic, rate=1.0)  # the owner's rate counts
    for _ in range(10):
        monotonic.advance(0.9)
        owner.keep()
        assert reader.now() == owner.now()
    assert reader.now() == after(9 * 30)


def test_scaled_time_stops_when_its_owner_dies_and_resumes_there(
    path: Path, monotonic: HandMonotonic
) -> None:
    scaled(path, monotonic).resume()
    reader = scaled(path, monotonic)
    monotonic.advance(3600)
    stopped = reader.now()
    assert stopped == after(LEASE_S * 30)
    restarted = scaled(path, monotonic)
    restarted.resume()
    assert restarted.now() == stopped
    monotonic.advance(1)
    assert reader.now() == restarted.now() == stopped + timedelta(seconds=30)


def test_a_pause_loses_no_time_and_another_rate_continues(
    path: Path, monotonic: HandMonotonic
) -> None:
    clock = scaled(path, monotonic)
    clock.resume()
    monotonic.advance(2)
    clock.pause()
    monotonic.advance(3600)
    later = scaled(path, monotonic, rate=2.0)
    later.resume()
    monotonic.advance(1)
    assert later.now() == after(2 * 30 + 2)


def test_scaled_time_never_goes_back_after_a_reboot(path: Path, monotonic: HandMonotonic) -> None:
    clock = scaled(path, monotonic)
    clock.resume()
    monotonic.advance(1)
    before = clock.now()
    monotonic.at_s = 5.0  # the machine's monotonic clock begins anew
    assert clock.now() == before
    assert scaled(path, monotonic).now() == START


def test_stepped_time_stands_and_is_seen_by_others(path: Path) -> None:
    clock, other = SteppedClock(path, START), SteppedClock(path, START)
    assert other.now() == START
    clock.set(after(60))
    assert other.now() == after(60)
    assert SteppedClock(path, START).now() == after(60)


def test_stepped_time_refuses_to_go_back_or_naive(path: Path) -> None:
    clock = SteppedClock(path, START)
    with pytest.raises(ValueError, match="Expected a time not before 2026-03-02T00:30:00Z"):
        clock.set(after(-1))
    with pytest.raises(ValueError, match="offset"):
        clock.set(START.replace(tzinfo=None))
    assert clock.now() == START


def test_a_folder_may_change_its_kind_of_clock(path: Path, monotonic: HandMonotonic) -> None:
    running = scaled(path, monotonic)
    running.resume()
    monotonic.advance(2)
    running.pause()
    stepped = SteppedClock(path, START)
    assert stepped.now() == after(60)
    stepped.set(after(90))
    again = scaled(path, monotonic)
    again.resume()
    monotonic.advance(1)
    assert again.now() == after(120)


def test_no_parts_of_files_are_left(path: Path) -> None:
    SteppedClock(path, START).set(after(1))
    assert [entry.name for entry in path.parent.iterdir()] == ["clock.json"]


def test_a_rate_must_be_above_zero(path: Path) -> None:
    with pytest.raises(ValueError, match="rate"):
        ScaledClock(path, 0.0, START)
