"""`safai city`: what it prints, and with which exit code."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleet.main import cli_city

from . import town


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("SAFAI_DATA_DIR", str(tmp_path / "data"))
    return CliRunner()


def test_import_reports_and_repeats(run: CliRunner, tmp_path: Path) -> None:
    folder = str(town.write_town(tmp_path / "town"))
    first = run.invoke(cli_city.app, ["import", folder])
    assert first.exit_code == 0, first.output
    assert "Chhotapur: imported; 2 zones, 2 wards, 43 lanes" in first.output
    assert "Estimated, not measured: premises" in first.output
    assert "unchanged" in run.invoke(cli_city.app, ["import", folder]).output


def test_faults_end_it_with_one(run: CliRunner, tmp_path: Path) -> None:
    folder = town.write_town(tmp_path / "town", fleet_csv=town.FLEET.replace("V2,tipper", "V2,x"))
    result = run.invoke(cli_city.app, ["import", str(folder)])
    assert result.exit_code == 1
    assert "fault: fleet.csv:3 (class): x is unknown. Use one of" in result.output
    assert "1 faults; nothing was imported." in result.output


def test_a_bare_network_with_made_up_parts(run: CliRunner, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "network.osm").write_text(town.osm())
    result = run.invoke(
        cli_city.app, ["import", str(tmp_path / "bare"), "--complete", "--grid-wards", "2"]
    )
    assert result.exit_code == 0, result.output
    assert "2 wards" in result.output
    assert "fleet" in result.output.split("Estimated")[1]


def test_a_synthetic_city_imports(run: CliRunner, tmp_path: Path) -> None:
    folder = str(tmp_path / "synth")
    made = run.invoke(cli_city.app, ["synth", folder, "--wards", "1", "--seed", "3"])
    assert made.exit_code == 0, made.output
    result = run.invoke(cli_city.app, ["import", folder])
    assert result.exit_code == 0, result.output
    assert "1 wards" in result.output
    assert "Estimated" not in result.output
