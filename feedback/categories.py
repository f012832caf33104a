"""Categories of requests: data, read once from `categories.toml` beside this module."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Category:
    """One kind of request, and the stop that it becomes."""

    service_code: str
    name: str
    name_hi: str
    kind: Literal["miss", "task", "message"]
    sla_h: int
    """Hours until the promised time."""
    photo: Literal["optional", "wanted"]
    service_s: int = 0
    kg: Mapping[str, float] = field(default_factory=dict)
    """kg per stream that the stop adds to a vehicle."""

    def public(self) -> dict[str, Any]:
        """The fields that residents' pages read."""
        keys = ("service_code", "name", "name_hi", "sla_h", "kind", "photo")
        return {key: getattr(self, key) for key in keys}


@cache
def categories() -> Mapping[str, Category]:
    """All categories by service code, in the order of the file."""
    table = tomllib.loads(files("feedback").joinpath("categories.toml").read_text("utf-8"))
    return {code: Category(service_code=code, **row) for code, row in table.items()}
