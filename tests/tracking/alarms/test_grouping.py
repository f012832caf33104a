"""A bad day: hundreds of events, twenty items a zone and shift, and every call for help."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from fleet.kit.web import Kit
from tests.tracking.alarms.conftest import CHIEF, about, at, shown, stored, told
from tracking.alarms import queries, service
from tracking.alarms.models import Alarm
from tracking.alarms.rules import Rule, defaults

NAMED = {kind: rule for kind, rule in defaults().items() if rule.actionable}


ROUTES = {"route_late", "station_late", "route_left", "visit_at_risk", "visit_missed"}


def raise_one(
    kit: Kit,
    vehicle: str,
    kind: str,
    s: float,
    *,
    is_told: bool = True,
    **where: str | None,
) -> None:
    with kit.db.unit_of_work() as session:
        service.raise_alarm(
            session,
            key=f"{kind}:{vehicle}",
            kind=kind,
            at=at(s),
            about=about(vehicle, **where),  # type: ignore[arg-type] - a test's own
            words=service.said("alarms.say.tamper", who=vehicle),
            actionable=is_told,
        )


def clear_one(kit: Kit, vehicle: str, kind: str, s: float) -> None:
    with kit.db.unit_of_work() as session:
        service.clear(session, f"{kind}:{vehicle}", at(s))


def counts(kit: Kit) -> Counter[tuple[str | None, str]]:
    """Items that were ever given to a dispatcher and still stand apart, by zone and shift."""
    with kit.db.reading() as session:
        return Counter(
            (row.zone_id, row.shift)
            for row in stored(session)
            if row.actionable and row.group_id is None and row.severity != "critical"
        )


def test_the_third_of_a_cause_on_a_beat_makes_a_group(kit: Kit) -> None:
    raise_one(kit, "v1", "mains_cut", 0)
    raise_one(kit, "v2", "mains_cut", 10)
    assert len(shown(kit)) == 2
    raise_one(kit, "v3", "low_battery", 20)
    [item] = shown(kit).values()
    assert (item["kind"], item["cause"], item["n"], item["beat"]) == ("group", "unit", 3, "b1")
    assert "power cut 2" in item["text"]
    assert item["vehicle_id"] is None
    clear_one(kit, "v1", "mains_cut", 30)
    [item] = shown(kit).values()
    assert item["n"] == 2
    clear_one(kit, "v2", "mains_cut", 40)
    clear_one(kit, "v3", "low_battery", 50)
    assert shown(kit) == {}
    raise_one(kit, "v1", "mains_cut", 60)
    [item] = shown(kit).values()
    assert (item["n"], item["times"]) == (1, 2)


def test_a_dead_station_is_one_item_for_all_beats(kit: Kit) -> None:
    for i in range(30):
        raise_one(kit, f"v{i}", "station_late", i, beat=f"b{i}")
    [item] = shown(kit).values()
    assert (item["cause"], item["n"], item["beat"]) == ("station", 30, None)
    with kit.db.reading() as session:
        members = queries.alarms(session, CHIEF, group_id=item["id"])
    assert len(members) == 30


def test_a_group_is_handled_as_one(kit: Kit) -> None:
    for i in range(3):
        raise_one(kit, f"v{i}", "mains_cut", i)
    [group_id] = shown(kit)
    with kit.db.unit_of_work() as session:
        service.acknowledge(session, group_id, CHIEF, at(10))
    raise_one(kit, "v3", "mains_cut", 20)
    assert (shown(kit)[group_id]["state"], shown(kit)[group_id]["n"]) == ("acknowledged", 4)
    for i in (4, 5):
        raise_one(kit, f"v{i}", "mains_cut", 20 + i)
    assert (shown(kit)[group_id]["state"], shown(kit)[group_id]["n"]) == ("raised", 6)
    with kit.db.unit_of_work() as session:
        service.dismiss(session, group_id, CHIEF, at(40))
    assert shown(kit) == {}
    with kit.db.reading() as session:
        assert {row.cleared_by for row in stored(session)} == {"Meera"}


def test_beats_keep_their_own_items_while_there_is_room(kit: Kit) -> None:
    """Twelve late beats are twelve items; the fullest cause makes room for another."""
    for i in range(12):
        raise_one(kit, f"v{i}", "route_late", i, beat=f"b{i}")
    assert len(shown(kit)) == 12
    for i in range(12):
        raise_one(kit, f"v{i}", "mains_cut", 100 + i, beat=f"b{i}")
    items = list(shown(kit).values())
    assert [(i["cause"], i["n"]) for i in items if i["kind"] == "group"] == [("delay", 12)]
    assert len(items) == 13


def test_zones_and_shifts_have_their_own_items(kit: Kit) -> None:
    for zone in ("z1", "z2"):
        for shift in ("morning", "night"):
            for i in range(3):
                raise_one(kit, f"{zone}{shift}{i}", "idling", i, zone=zone, shift=shift)
    assert [item["n"] for item in shown(kit).values()] == [3, 3, 3, 3]


def test_a_call_for_help_is_never_swallowed(kit: Kit) -> None:
    for i in range(40):
        raise_one(kit, f"v{i}", "mains_cut", i)
        raise_one(kit, f"v{i}", "sos", i)
    items = list(shown(kit).values())
    assert Counter(item["kind"] for item in items) == {"sos": 40, "group": 1}


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_bad_day_is_twenty_items(sqlite_kit: Kit, seed: int) -> None:
    """600 raw events of all kinds, units' and routes', of all vehicles, beats and times, many of
    them twice; some are logged first and told later."""
    assert NAMED.keys() >= ROUTES
    rng = np.random.default_rng(seed)
    choice: list[Rule] = list(NAMED.values())
    critical = set()
    for i in range(600):
        rule = choice[rng.integers(len(choice))]
        v, s = int(rng.integers(80)), i * 40.0
        if rng.random() < 0.3:
            clear_one(sqlite_kit, f"v{v}", rule.kind, s)
            continue
        is_told = rule.severity == "critical" or rng.random() < 0.8
        raise_one(
            sqlite_kit,
            f"v{v}",
            rule.kind,
            s,
            is_told=is_told,
            zone=f"z{v % 2}",
            beat=f"b{v // 2}",
        )
        if rule.severity == "critical":
            critical.add((rule.kind, f"v{v}"))
        if i % 20 == 0:
            assert max(counts(sqlite_kit).values(), default=0) <= 20
    assert max(counts(sqlite_kit).values()) <= 20
    loud = {(d["kind"], d["vehicle_id"]) for d in told(sqlite_kit) if d["severity"] == "critical"}
    assert loud == critical
    with sqlite_kit.db.reading() as session:
        items = queries.items(session, CHIEF)
    assert {item["id"] for item in items} == set(shown(sqlite_kit))


EVENTS = st.lists(
    st.tuples(
        st.sampled_from(sorted(NAMED)),
        st.integers(0, 8),
        st.sampled_from(["raise", "raise", "clear"]),
    ),
    max_size=60,
)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(events=EVENTS)
def test_what_is_told_is_what_is_stored(
    sqlite_kit: Kit, events: list[tuple[str, int, str]]
) -> None:
    """A client that hears every event shows what a fresh snapshot shows, and every open alarm
    that matters is an item or in an open group that counts it."""
    kit = sqlite_kit
    with kit.db.unit_of_work() as session:
        session.execute(delete(Alarm))
    for i, (kind, v, action) in enumerate(events):
        if action == "raise":
            raise_one(kit, f"v{v}", kind, i * 10, beat=f"b{v % 3}")
        else:
            clear_one(kit, f"v{v}", kind, i * 10)
    with kit.db.reading() as session:
        rows = {row.id: row for row in stored(session)}
        items = {item["id"]: item for item in queries.items(session, CHIEF)}
    mine = {key: data for key, data in shown(kit).items() if key in rows}
    assert {k: (d["n"], d["state"], d["text"]) for k, d in mine.items()} == {
        k: (d["n"], d["state"], d["text"]) for k, d in items.items()
    }
    for row in rows.values():
        if row.kind == "group":
            members = [m for m in rows.values() if m.group_id == row.id and m.kind != "group"]
            assert row.n == sum(m.is_open for m in members)
            assert row.is_open == (row.n > 0) or row.group_id is not None
        elif row.is_open and row.actionable:
            assert row.id in items or row.group_id in items
