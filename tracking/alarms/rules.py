"""Rules as data: what ships in `alarms.toml`, as a city's policy changes it."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal

from fleet.org.policy import Policy

type Severity = Literal["info", "warning", "critical"]

SEVERITIES: tuple[str, ...] = ("info", "warning", "critical")
"""The gravest last."""
GROUP = "group"
"""Kind of an alarm that stands for several."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When a kind of alarm is raised and cleared, and who is told. Units: see `unit`."""

    kind: str
    cause: str
    severity: Severity
    unit: str = ""
    enabled: bool = True
    actionable: bool = True
    seen_by: Literal["dispatcher", "admin"] = "dispatcher"
    momentary: bool = False
    raise_at: float = 0.0
    clear_at: float = 0.0
    told_at: float = 0.0
    """Value from which somebody is told; below it the alarm is only logged."""
    for_s: float = 0.0
    clear_for_s: float = 0.0
    quiet_s: float = 0.0
    expire_s: float = 0.0
    margin_s: float = 0.0
    """Time before and after a shift that still belongs to it."""


type Rules = Mapping[str, Rule]


@cache
def defaults() -> dict[str, Rule]:
    """The rules as shipped, by kind."""
    text = files("tracking.alarms").joinpath("alarms.toml").read_text("utf-8")
    return {kind: Rule(kind=kind, **entry) for kind, entry in tomllib.loads(text).items()}


def rules_of(policy: Policy) -> Rules:
    """The rules of a city. The limit of `route_late` is `at_risk_s`, unless its own is set."""
    late = policy.at_risk_s / 60
    rules = dict(defaults())
    rules["route_late"] = replace(rules["route_late"], raise_at=late, clear_at=late / 2)
    for kind, change in policy.alarms.items():
        rules[kind] = replace(rules[kind], **change.model_dump(exclude_none=True))
    return rules


def actionable_causes(rules: Rules) -> frozenset[str]:
    """Causes of alarms that somebody is told about and that may be grouped."""
    return frozenset(
        rule.cause
        for rule in rules.values()
        if rule.enabled and rule.actionable and rule.severity != "critical"
    )
