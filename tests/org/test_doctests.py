"""The examples in the docstrings hold."""

from __future__ import annotations

import doctest
from importlib import import_module

import pytest


@pytest.mark.parametrize(
    "module", ["names", "cityfiles.city", "derive.plane", "derive.areas", "derive.demand",
               "derive.lineage"],
)  # fmt: skip
def test_examples(module: str) -> None:
    result = doctest.testmod(import_module(f"fleet.org.{module}"))
    assert result.attempted > 0
    assert result.failed == 0
