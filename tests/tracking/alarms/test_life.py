"""raised → acknowledged → cleared, and raised again: the life of one alarm."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from fleet.kit.errors import Conflict, NotFound
from fleet.kit.web import Kit
from fleet.people.models import Role
from fleet.people.scope import Scope
from tests.tracking.alarms.conftest import CHIEF, about, at, shown, stored, told
from tracking.alarms import service
from tracking.alarms.models import Alarm, AlarmState
from tracking.alarms.rules import defaults

KEY = "idling:v1"
QUIET_S = defaults()["idling"].quiet_s


def raise_it(kit: Kit, t: datetime, *, key: str = KEY, kind: str = "idling", **more: object) -> str:
    with kit.db.unit_of_work() as session:
        words = service.said("alarms.say.idling", who="v1", minutes=15)
        made = service.raise_alarm(
            session, key=key, kind=kind, at=t, about=about(), words=words, **more
        )
        assert made is not None
        return made.id


def clear_it(kit: Kit, t: datetime, key: str = KEY) -> None:
    with kit.db.unit_of_work() as session:
        service.clear(session, key, t)


def acknowledge(kit: Kit, alarm_id: str, t: datetime, scope: Scope = CHIEF) -> None:
    with kit.db.unit_of_work() as session:
        service.acknowledge(session, alarm_id, scope, t)


def dismiss(kit: Kit, alarm_id: str, t: datetime) -> None:
    with kit.db.unit_of_work() as session:
        service.dismiss(session, alarm_id, CHIEF, t)


def test_the_same_occasion_is_told_once(kit: Kit) -> None:
    first = raise_it(kit, at(0))
    assert raise_it(kit, at(60)) == first
    [data] = told(kit)
    assert (data["state"], data["t"], data["acknowledged_by"]) == (
        "raised",
        "2026-03-02T00:30:00Z",
        None,
    )
    assert data["words"]["hi"] != data["words"]["en"]


def test_who_acknowledged_it_stays_and_the_rule_clears_it(kit: Kit) -> None:
    alarm_id = raise_it(kit, at(0))
    acknowledge(kit, alarm_id, at(30))
    acknowledge(kit, alarm_id, at(40), Scope("usr_2", "Ravi", Role.DISPATCHER, None, "en"))
    raise_it(kit, at(60))
    clear_it(kit, at(90))
    with kit.db.reading() as session:
        [row] = stored(session)
    assert (row.state, row.acknowledged_by, row.acknowledged_t) == ("cleared", "Meera", at(30))
    assert (row.cleared_by, row.cleared_t) == (None, at(90))
    assert [data["state"] for data in told(kit)] == ["raised", "acknowledged", "cleared"]
    with pytest.raises(Conflict):
        acknowledge(kit, alarm_id, at(100))


def test_a_flapping_rule_opens_the_same_alarm_again(kit: Kit) -> None:
    first = raise_it(kit, at(0))
    clear_it(kit, at(60))
    assert raise_it(kit, at(60 + QUIET_S - 1)) == first
    clear_it(kit, at(1000))
    later = raise_it(kit, at(1000 + QUIET_S))
    assert later != first
    with kit.db.reading() as session:
        assert [(a.occurrence, a.times) for a in stored(session)] == [(1, 2), (2, 1)]


def test_what_a_person_cleared_is_not_raised_before_it_has_ended(kit: Kit) -> None:
    alarm_id = raise_it(kit, at(0))
    dismiss(kit, alarm_id, at(30))
    dismiss(kit, alarm_id, at(31))
    for s in (60, 5000, 20_000):
        raise_it(kit, at(s))
    assert shown(kit) == {}
    clear_it(kit, at(20_060))
    assert raise_it(kit, at(20_070)) == alarm_id
    assert list(shown(kit)) == [alarm_id]
    assert shown(kit)[alarm_id]["cleared_by"] is None


def test_a_graver_word_raises_an_acknowledged_alarm_again(kit: Kit) -> None:
    alarm_id = raise_it(kit, at(0))
    acknowledge(kit, alarm_id, at(10))
    raise_it(kit, at(20), severity="critical")
    assert (shown(kit)[alarm_id]["state"], shown(kit)[alarm_id]["severity"]) == (
        "raised",
        "critical",
    )


def test_no_rule_clears_a_call_for_help(kit: Kit) -> None:
    alarm_id = raise_it(kit, at(0), key="sos:v1", kind="sos")
    clear_it(kit, at(60), "sos:v1")
    with kit.db.unit_of_work() as session:
        assert service.expire(session, at(10_000_000)) == 0
    assert shown(kit)[alarm_id]["state"] == "raised"
    dismiss(kit, alarm_id, at(100))
    assert raise_it(kit, at(130), key="sos:v1", kind="sos") == alarm_id  # the button is still down
    assert shown(kit) == {}
    assert raise_it(kit, at(500), key="sos:v1", kind="sos") != alarm_id
    assert len(shown(kit)) == 1


def test_an_alarm_that_nobody_speaks_of_ends_by_itself(kit: Kit) -> None:
    raise_it(kit, at(0))
    with kit.db.unit_of_work() as session:
        assert service.expire(session, at(defaults()["idling"].expire_s)) == 0
        assert service.expire(session, at(defaults()["idling"].expire_s + 1)) == 1
    assert shown(kit) == {}


def test_another_zone_sees_nothing(kit: Kit) -> None:
    alarm_id = raise_it(kit, at(0))
    stranger = Scope("usr_9", "Far", Role.DISPATCHER, frozenset({"z9"}), "en")
    with pytest.raises(NotFound):
        acknowledge(kit, alarm_id, at(10), stranger)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["raise", "clear", "acknowledge", "dismiss", "expire"]),
        st.sampled_from([1, 60, 1000, 40_000]),
        st.sampled_from(["idling", "sos"]),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=STEPS)
def test_any_sequence_keeps_the_life_consistent(
    sqlite_kit: Kit, steps: list[tuple[str, int, str]]
) -> None:
    """Whatever happens in whatever order: one open occurrence an occasion, who and when agree
    with the state, and a call for help is ended by nobody but a person."""
    kit, t = sqlite_kit, 0
    with kit.db.unit_of_work() as session:
        session.execute(delete(Alarm))
    for action, wait, kind in steps:
        t += wait
        key = f"{kind}:v1"
        with kit.db.reading() as session:
            last = service.latest(session, key)
        if action == "raise":
            raise_it(kit, at(t), key=key, kind=kind)
        elif action == "clear":
            clear_it(kit, at(t), key)
        elif action == "expire":
            with kit.db.unit_of_work() as session:
                service.expire(session, at(t))
        elif last is not None and action == "dismiss":
            dismiss(kit, last.id, at(t))
        elif last is not None and last.is_open:
            acknowledge(kit, last.id, at(t))
        with kit.db.reading() as session:
            rows = stored(session)
        for kind_rows in ([r for r in rows if r.kind == k] for k in ("idling", "sos")):
            assert sum(row.is_open for row in kind_rows) <= 1
            assert [r.occurrence for r in kind_rows] == list(range(1, len(kind_rows) + 1))
            assert all(not row.holding for row in kind_rows[:-1])
        for row in rows:
            assert row.t <= row.raised_t <= row.seen_t or row.cleared_by is not None
            assert (row.state == AlarmState.CLEARED) == (row.cleared_t is not None)
            if row.state == "acknowledged":
                assert row.acknowledged_by == "Meera"
                assert row.acknowledged_t is not None
                assert row.acknowledged_t >= row.raised_t
            if row.kind == "sos" and row.state == "cleared":
                assert row.cleared_by == "Meera"
            assert row.times >= 1
