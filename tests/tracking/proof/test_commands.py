"""`safai track prove` and `safai track calibrate` on files."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleet.kit.web import Kit
from fleet.main.cli_track import app
from tests.tracking.conftest import KOLKATA, T0, fix, import_city
from tests.tracking.drives import EAST, NORTH, ORIGIN
from tests.tracking.drives import drive as generated_drive
from tests.tracking.drives import town as generated_town
from tests.tracking.proof.drives import LINES, degrees, drive, legs, town
from tracking.fixes.log_sqlite import SqliteFixLog
from tracking.proof import DEFAULT, Calibration, Track

GRAPH = town()
WAYS = {name: n + 1 for n, name in enumerate(LINES)}


@pytest.fixture
def osm(tmp_path: Path) -> Path:
    numbers: dict[tuple[float, float], int] = {}
    ways = []
    for name, line in LINES.items():
        refs = "".join(f'<nd ref="{numbers.setdefault(p, len(numbers) + 1)}"/>' for p in line)
        oneway = '<tag k="oneway" v="yes"/>' if name == "oneway" else ""
        ways.append(
            f'<way id="{WAYS[name]}">{refs}<tag k="highway" v="residential"/>{oneway}</way>'
        )
    nodes = [
        '<node id="{}" lon="{:.8f}" lat="{:.8f}"/>'.format(n, *degrees(*p))
        for p, n in numbers.items()
    ]
    path = tmp_path / "town.osm"
    path.write_text(f'<osm version="0.6">{"".join(nodes)}{"".join(ways)}</osm>', encoding="utf-8")
    return path


def written(folder: Path, tracks: Sequence[tuple[str, Track]]) -> Path:
    path = folder / "fixes.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["vehicle", "t", "lon", "lat"])
        for vehicle, track in tracks:
            for t, x, y in zip(track.t_s, track.x, track.y, strict=True):
                lon, lat = GRAPH.plane.to_degrees(float(x), float(y))
                rows.writerow([vehicle, int(t), f"{lon:.7f}", f"{lat:.7f}"])
    return path


def proven(osm: Path, fixes: Path, *more: str) -> list[dict[str, object]]:
    run = CliRunner().invoke(
        app, ["prove", "--osm", str(osm), "--fixes", str(fixes), "--json", *more]
    )
    assert run.exit_code == 0, run.output
    found: list[dict[str, object]] = json.loads(run.stdout)
    return found


def test_lanes_of_several_vehicles_and_days(osm: Path, tmp_path: Path) -> None:
    monday = drive(GRAPH, legs("main1", "+main2", "main3", "main4"))
    other = drive(GRAPH, legs("-main4", "+-main3", "-main2", "-main1"), seed=2)
    tuesday = drive(GRAPH, legs("main1", "main2", "+main3", "main4"), seed=3)
    later = Track(tuesday.t_s + 86_400, tuesday.x, tuesday.y, tuesday.speed_mps, tuesday.course_deg)
    found = {
        (lane["day"], lane["way"]): lane
        for lane in proven(osm, written(tmp_path, [("a", monday), ("b", other), ("a", later)]))
    }
    first = found["2025-11-24", WAYS["main2"]]
    assert first["state"] == "served"
    assert first["vehicles"] == ["a"]
    assert first["direction"] == "forward"
    assert {first["from_node"], first["to_node"]} == {2, 3}
    assert first["length_m"] == pytest.approx(120, abs=1)
    assert "2025-11-24T16:00:00Z" <= str(first["first_t"]) < str(first["last_t"])
    third = found["2025-11-24", WAYS["main3"]]
    assert (third["state"], third["vehicles"], third["direction"]) == ("served", ["b"], "backward")
    assert found["2025-11-25", WAYS["main2"]]["state"] == "driven_through"
    assert found["2025-11-25", WAYS["main3"]]["state"] == "served"


def test_days_are_local_dates_where_a_zone_is_given(osm: Path, tmp_path: Path) -> None:
    """21:30 in Indore is 16:00 in UTC; eight hours on it is the next day there, not here."""
    one = drive(GRAPH, legs("main1", "+main2", "main3"))
    late = Track(one.t_s + 3 * 3600 - 60, one.x, one.y, one.speed_mps, one.course_deg)
    fixes = written(tmp_path, [("a", late)])
    assert {lane["day"] for lane in proven(osm, fixes)} == {"2025-11-24"}
    assert {lane["day"] for lane in proven(osm, fixes, "--tz", "Asia/Kolkata")} == {"2025-11-25"}


def test_a_table_for_people(osm: Path, tmp_path: Path) -> None:
    fixes = written(tmp_path, [("a", drive(GRAPH, legs("main1", "+main2", "main3")))])
    run = CliRunner().invoke(
        app, ["prove", "--osm", str(osm), "--fixes", str(fixes)], env={"COLUMNS": "200"}
    )
    assert run.exit_code == 0
    assert "served" in run.stdout


def test_faults_name_line_and_column(osm: Path, tmp_path: Path) -> None:
    path = tmp_path / "fixes.csv"
    path.write_text("vehicle,t,lon,lat\na,1764000000,75.86,22.72\na,later,75.86,22.72\n")
    run = CliRunner().invoke(app, ["prove", "--osm", str(osm), "--fixes", str(path)])
    assert run.exit_code == 1
    assert "fixes.csv:3 (t)" in run.output


def test_fixes_elsewhere_are_said_so(osm: Path, tmp_path: Path) -> None:
    path = tmp_path / "fixes.csv"
    path.write_text("vehicle,t,lon,lat\na,1764000000,22.72,75.86\na,1764000005,22.72,75.86\n")
    run = CliRunner().invoke(app, ["prove", "--osm", str(osm), "--fixes", str(path), "--json"])
    assert run.exit_code == 0
    assert "swapped" in run.output


def test_a_calibration_is_learned_and_used(osm: Path, tmp_path: Path) -> None:
    day = legs("main1", "+main2", "+cross1", "-north1", "-cross0", "main2", "+main3", "main4",
               "-main4", "+cross2", "-north2", "-cross1", "-main2", "-main1")  # fmt: skip
    fixes = written(tmp_path, [(f"v{n}", drive(GRAPH, day, seed=n)) for n in range(6)])
    out = tmp_path / "tipper.json"
    run = CliRunner().invoke(
        app, ["calibrate", "--osm", str(osm), "--fixes", str(fixes), "--out", str(out)]
    )
    assert run.exit_code == 0, run.output
    learned = Calibration.from_json(out.read_text())
    assert learned.serve != DEFAULT.serve
    found = proven(osm, fixes, "--calibration", str(out))
    assert {lane["way"] for lane in found if lane["state"] == "served"} >= {
        WAYS["main2"],
        WAYS["main3"],
        WAYS["cross2"],
    }


def test_a_class_is_learned_from_a_stored_day(
    sqlite_kit: Kit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = generated_town(3, size=7)
    import_city(sqlite_kit, made)
    log = SqliteFixLog(sqlite_kit.settings.fixes_dir, KOLKATA)
    day = generated_drive(made, 5, planned=60).track
    log.append(
        [
            fix(float(t), lon=ORIGIN[0] + float(x) / EAST, lat=ORIGIN[1] + float(y) / NORTH)
            for t, x, y in zip(day.t_s, day.x, day.y, strict=True)
        ]
    )
    log.close()
    monkeypatch.setenv("SAFAI_DATA_DIR", str(tmp_path / "elsewhere"))
    run = CliRunner().invoke(
        app, ["calibrate", "--data-dir", str(tmp_path), "--service-date", str(T0.date())]
    )
    assert run.exit_code == 0, run.output
    (made_file,) = (tmp_path / "city" / "calibration").glob("*.json")
    assert Calibration.from_json(made_file.read_text()).serve != DEFAULT.serve
    assert made_file.stem in run.output


def test_calibrate_asks_for_one_source(osm: Path) -> None:
    run = CliRunner().invoke(app, ["calibrate", "--osm", str(osm)])
    assert run.exit_code == 2
