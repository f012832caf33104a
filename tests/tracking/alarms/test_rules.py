"""Rules as data: what ships, what a city may change, and that each is written up."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from fleet.kit.i18n import LANGS, t
from fleet.org.policy import AlarmKind, Policy, parse
from tracking.alarms.rules import actionable_causes, defaults, rules_of

DOCS = Path(__file__).parents[3] / "docs" / "alarms.md"


def test_a_city_may_tune_every_kind_that_there_is() -> None:
    assert set(get_args(AlarmKind.__value__ if hasattr(AlarmKind, "__value__") else AlarmKind)) == (
        set(defaults())
    )


def test_a_change_touches_only_what_it_names() -> None:
    policy, faults = parse('at_risk_s = 900\n[alarms.idling]\nraise_at = 20.0\nseverity = "info"\n')
    assert faults == []
    rules = rules_of(policy)
    assert (rules["idling"].raise_at, rules["idling"].severity) == (20.0, "info")
    assert rules["idling"].quiet_s == defaults()["idling"].quiet_s
    assert (rules["route_late"].raise_at, rules["route_late"].clear_at) == (15, 7.5)
    assert rules["sos"] == defaults()["sos"]


def test_an_unknown_kind_or_entry_is_a_fault() -> None:
    for text in ("[alarms.idlin]\nraise_at = 1.0", "[alarms.idling]\nraise = 1.0"):
        policy, [fault] = parse(text)
        assert policy == Policy()
        assert fault.field is not None
        assert fault.field.startswith("alarms.idl")


def test_a_zone_has_room_for_a_group_of_every_cause() -> None:
    assert len(actionable_causes(defaults())) < Policy.model_fields["alarm_items"].default / 2


def test_kinds_and_causes_have_names() -> None:
    for rule in defaults().values():
        for lang in LANGS:
            assert t(lang, f"alarms.kind.{rule.kind}")
            assert t(lang, f"alarms.cause.{rule.cause}")


def test_the_page_says_what_the_rules_are() -> None:
    rows = re.findall(
        r"^\| `(\w+)` \| (\w+) \| (\w+) \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|",
        DOCS.read_text("utf-8"),
        re.MULTILINE,
    )
    assert {row[0]: tuple(row[1:]) for row in rows} == {
        rule.kind: (
            rule.cause,
            rule.severity if rule.actionable else "logged",
            f"{rule.raise_at:g}",
            f"{rule.clear_at:g}",
            f"{rule.for_s:g}",
            f"{rule.quiet_s:g}",
        )
        for rule in defaults().values()
    }
