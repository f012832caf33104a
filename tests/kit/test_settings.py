"""Settings: documented, helpful, and read from the environment."""

from __future__ import annotations

import re
import stat
from enum import Enum
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic.fields import FieldInfo

from fleet.kit.clock import ScaledClock, SteppedClock, WallClock
from fleet.kit.settings import ClockMode, Settings
from tests.conftest import START

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"


def row(name: str, field: FieldInfo) -> str:
    default = field.default.value if isinstance(field.default, Enum) else field.default
    if isinstance(default, bool):
        default = str(default).lower()
    shown = "empty" if default in ("", None) else f"`{default}`"
    return f"| `SAFAI_{name.upper()}` | {shown} | {field.description} |"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_has_a_default_help_and_a_row_on_the_page(name: str) -> None:
    field = Settings.model_fields[name]
    assert not field.is_required()
    assert field.description
    assert field.description.endswith(".")
    assert row(name, field) in PAGE.read_text("utf-8").splitlines()


def test_the_page_lists_no_setting_that_is_not() -> None:
    listed = re.findall(r"^\| `SAFAI_(\w+)`", PAGE.read_text("utf-8"), re.MULTILINE)
    assert listed == [name.upper() for name in Settings.model_fields]


def test_the_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAFAI_PORT", "8123")
    monkeypatch.setenv("SAFAI_CLOCK", "scaled")
    monkeypatch.setenv("SAFAI_CLOCK_START", "2026-03-02T06:00:00+05:30")
    settings = Settings()
    assert (settings.port, settings.clock) == (8123, ClockMode.SCALED)
    assert settings.clock_start == START


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SAFAI_PORT", "web"),
        ("SAFAI_CLOCK", "sundial"),
        ("SAFAI_CLOCK_RATE", "0"),
        ("SAFAI_CLOCK_START", "2026-03-02T06:00:00"),
        ("SAFAI_SECRET", "short"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError, match=name.removeprefix("SAFAI_").lower()):
        Settings()


def test_the_secret_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    secret = settings.load_secret()
    assert len(secret) >= 32
    assert settings.load_secret() == secret
    assert stat.S_IMODE((tmp_path / "data" / "secret").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["secret"]
    assert Settings(secret="x" * 32).load_secret() == b"x" * 32


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        (ClockMode.WALL, WallClock),
        (ClockMode.SCALED, ScaledClock),
        (ClockMode.STEPPED, SteppedClock),
    ],
)
def test_the_clock_is_the_one_that_is_set(tmp_path: Path, mode: ClockMode, kind: type) -> None:
    clock = Settings(data_dir=tmp_path, clock=mode, clock_start=START).open_clock()
    assert isinstance(clock, kind)
    if mode is not ClockMode.WALL:
        assert clock.now() == START
