"""Files of fixes from anywhere."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from fleet.roads.faults import FaultyInputError
from tracking.proof.fixes_csv import read_trails


def written(folder: Path, text: str) -> Path:
    path = folder / "fixes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_rows_in_any_order_with_times_of_both_kinds(tmp_path: Path) -> None:
    trails = read_trails(
        written(
            tmp_path,
            "\ufefft,vehicle,lat,lon,speed_mps,note\n"
            "1764000010,b,22.7,75.8,1.5,x\n"
            "2025-11-24T16:00:05Z,b,22.8,75.9,,\n"
            "\n"
            "2025-11-24T21:30:00+05:30,a,22.7,75.8,0,\n",
        )
    )
    assert list(trails) == ["a", "b"]
    assert trails["a"].t_s.tolist() == [1764000000.0]
    assert trails["b"].t_s.tolist() == [1764000005.0, 1764000010.0]
    assert trails["b"].lon.tolist() == [75.9, 75.8]
    assert math.isnan(trails["b"].speed_mps[0])
    assert trails["b"].speed_mps[1] == 1.5
    assert math.isnan(trails["b"].course_deg[1])


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (",1764000000,75,22", "vehicle"),
        ("a,soon,75,22", "t"),
        ("a,2025-11-24T16:00:00,75,22", "t"),
        ("a,1764000000000,75,22", "t"),
        ("a,nan,75,22", "t"),
        ("a,1764000000,east,22", "lon"),
        ("a,1764000000,75,92", "lat"),
        ("a,1764000000,75", "lat"),
        ("a,1764000000,75,22,-3", "speed_mps"),
        ("a,1764000000,75,22,3,north", "course_deg"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, row: str, field: str) -> None:
    path = written(
        tmp_path, f"vehicle,t,lon,lat,speed_mps,course_deg\na,1764000000,75,22,,\n{row}\n"
    )
    with pytest.raises(FaultyInputError) as caught:
        read_trails(path)
    (fault,) = caught.value.faults
    assert (fault.file, fault.row, fault.field) == ("fixes.csv", 3, field)
    assert fault.remedy


@pytest.mark.parametrize(
    ("text", "field"),
    [("", "vehicle"), ("vehicle,t,lon\n", "lat"), ("vehicle,t,lon,lat\n", None)],
    ids=["empty", "column-missing", "no-rows"],
)
def test_a_file_without_fixes_is_refused(tmp_path: Path, text: str, field: str | None) -> None:
    with pytest.raises(FaultyInputError) as caught:
        read_trails(written(tmp_path, text))
    assert caught.value.faults[0].field == field


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "fixes.csv"
    path.write_bytes(b"\xff\xfe\x00vehicle")
    with pytest.raises(FaultyInputError):
        read_trails(path)
    with pytest.raises(FaultyInputError):
        read_trails(tmp_path / "absent.csv")
