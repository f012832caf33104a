"""When a folder's day begins, and a day that is moved."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from simulators.shifts import first_start_min, moved, start_of_day

DAY = date(2026, 11, 3)
HALF_HOUR = timedelta(minutes=30)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "city"
    made.mkdir()
    (made / "city.toml").write_text('tz = "Asia/Kolkata"\n', encoding="utf-8")
    (made / "shifts.csv").write_text(
        "vehicle,shift,start,end\nV1,morning,06:00,14:00\nV2,late,07:30,15:30\n", encoding="utf-8"
    )
    return made


def test_the_day_begins_before_the_first_shift(folder: Path) -> None:
    assert start_of_day(folder, DAY, HALF_HOUR) == datetime(2026, 11, 3, 0, 0, tzinfo=UTC)


def test_moved_shifts_run_past_midnight(folder: Path, tmp_path: Path) -> None:
    night = moved(folder, tmp_path / "night", 12)
    text = (night / "shifts.csv").read_text(encoding="utf-8")
    assert text.splitlines()[1:] == ["V1,morning,18:00,26:00", "V2,late,19:30,27:30"]
    assert first_start_min(night) == 18 * 60
    assert (night / "city.toml").exists()


def test_without_a_zone_the_longitude_places_the_day(tmp_path: Path) -> None:
    place = {"geometry": {"type": "Point", "coordinates": [-54.6, -20.4]}}
    (tmp_path / "places.geojson").write_text(json.dumps({"features": [place]}), encoding="utf-8")
    assert start_of_day(tmp_path, DAY, HALF_HOUR) == datetime(2026, 11, 3, 8, 30, tzinfo=UTC)


def test_a_folder_that_lies_nowhere_says_what_to_add(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Expected tz in"):
        start_of_day(tmp_path, DAY, HALF_HOUR)


def test_without_shifts_there_is_nothing_to_move(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(ValueError, match=r"Expected shifts\.csv"):
        moved(tmp_path / "a", tmp_path / "b", 12)
