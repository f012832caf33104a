"""Both languages say the same, and every refusal has its words."""

from __future__ import annotations

import json
from pathlib import Path
from string import Formatter

import pytest

import tracking.weights

LOCALES = Path(tracking.weights.__file__).parent / "locales"
EN, HI = (json.loads((LOCALES / f"{lang}.json").read_text("utf-8")) for lang in ("en", "hi"))


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def test_the_same_keys() -> None:
    assert EN.keys() == HI.keys()


@pytest.mark.parametrize("key", EN)
def test_the_same_placeholders(key: str) -> None:
    assert placeholders(EN[key]) == placeholders(HI[key])
    assert HI[key].strip()


@pytest.mark.parametrize("key", [key for key in EN if key.startswith("weights.wrong_")])
def test_a_reason_has_a_remedy(key: str) -> None:
    assert key.endswith("_remedy") or f"{key}_remedy" in EN
