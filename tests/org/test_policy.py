"""The policy file: defaults, overrides, and faults that name the entry."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from fleet.org.policy import STREAMS, Policy, parse

DOCS = Path(__file__).parents[2] / "docs" / "policy.md"


def test_an_empty_file_gives_the_defaults() -> None:
    assert parse("") == (Policy(), [])


def test_a_file_changes_only_what_it_names() -> None:
    policy, faults = parse('at_risk_s = 900\nworking_days = ["mon"]\n[sla_h]\nmissed_pickup = 6\n')
    assert faults == []
    assert (policy.at_risk_s, policy.working_days) == (900, ("mon",))
    assert (policy.sla_hours("missed_pickup"), policy.sla_hours("dead_animal")) == (6, 24)
    assert policy.gap_s == Policy().gap_s


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("at_rsk_s = 1", "at_rsk_s"),
        ('at_risk_s = "ten"', "at_risk_s"),
        ("at_risk_s = true", "at_risk_s"),
        ("gap_s = -1", "gap_s"),
        ("served_fraction = 1.5", "served_fraction"),
        ("household_kg_day = nan", "household_kg_day"),
        ('night_plan_at = "25:00"', "night_plan_at"),
        ('working_days = ["monday"]', "working_days.0"),
        ("density_kg_m3 = {wet = 0}", "density_kg_m3.wet"),
        ("stream_share = {wet = 0.9}", None),
        ("density_kg_m3 = {plastic = 90}", None),
        ("served_fraction = 0.1", None),
        ("working_days = []", None),
        ("at_risk_s =", None),
    ],
)
def test_a_fault_names_file_field_and_remedy(text: str, field: str | None) -> None:
    policy, [fault] = parse(text)
    assert policy == Policy()
    assert (fault.file, fault.field) == ("policy.toml", field)
    assert fault.fatal
    assert fault.reason.endswith(".")
    assert fault.remedy


def test_it_survives_the_database() -> None:
    stored = json.loads(Policy(at_risk_s=77, working_days=("sat",)).model_dump_json())
    assert Policy.model_validate(stored, strict=False).at_risk_s == 77


def test_every_entry_has_help_and_is_documented() -> None:
    documented = dict(re.findall(r"^\| `(\w+)` \| .* \| (.*) \|$", DOCS.read_text(), re.MULTILINE))
    described = {name: field.description for name, field in Policy.model_fields.items()}
    assert documented == described


def test_weight_splits_into_streams_and_fills_by_density() -> None:
    policy = Policy()
    by_stream = policy.by_stream(policy.kg_day(households=100, shops=10, institutions=0, bulk=0))
    assert by_stream == {"wet": 110.2, "dry": 66.5, "sanitary": 9.5, "special": 3.8}
    volume = policy.volume_m3(by_stream)
    assert volume["wet"] == pytest.approx(110.2 / 500, abs=1e-4)
    assert list(volume) == list(STREAMS)
    assert volume["dry"] > volume["wet"]
