"""What dispatchers read of a visit's proof: why, since when, and what was held before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleet.kit.errors import NotFound
from fleet.kit.web import Kit
from fleet.people.models import Role
from fleet.people.scope import Scope
from routing.live import proof
from tests.conftest import START
from tests.routing.live.days import advance, correct, lanes, traverse
from tests.routing.live.test_sweep import heard
from tests.routing.plans.town import DAY
from tracking.fixes.opening import open_fixlog

ALL = Scope("u1", "All", Role.DISPATCHER, None, "en")
EAST = Scope("u2", "East", Role.DISPATCHER, frozenset({"z2"}), "hi")
GRACE = timedelta(minutes=10)


@pytest.fixture
def told_missed(running: Kit) -> Kit:
    """The second lane was left out, and served two hours later."""
    first, second, *rest = lanes(running)
    fact = traverse(running, first)
    for visit in rest[:3]:
        traverse(running, visit)
    heard(running, START, rest[2].planned_departure + GRACE)
    advance(running, rest[2].planned_departure + GRACE)
    traverse(running, second, late_s=7200)
    correct(running, fact, 1.0)
    return running


def test_a_later_judgement_stands_before_the_earlier_and_erases_nothing(told_missed: Kit) -> None:
    second = lanes(told_missed)[1]
    with told_missed.db.reading() as session:
        day = proof.of_day(session, ALL, DAY, None)
    [visit] = [v for v in day if v["visit_id"] == second.id]
    assert (visit["status"], visit["reason"]) == ("served", "covered")
    assert [(j["status"], j["reason"]) for j in visit["history"]] == [
        ("served", "covered"),
        ("missed", "never_there"),
    ]
    assert visit["history"][0]["made_t"] >= visit["history"][1]["made_t"]
    assert "100 %" in visit["text"]


def test_one_visit_comes_with_its_passes_and_its_vehicles_fixes(told_missed: Kit) -> None:
    first = lanes(told_missed)[0]
    fixlog = open_fixlog(told_missed.settings, told_missed.db)
    with told_missed.db.reading() as session:
        view = proof.of_visit(session, fixlog, ALL, first.id)
    fixlog.close()
    assert [p["lane_id"] for p in view["passes"]] == [first.lane_id]
    assert view["passes"][0]["served_spans"] == [[0.0, 1.0]]
    start = (first.planned_arrival - proof.AROUND).timestamp()
    end = (first.planned_departure + proof.AROUND).timestamp()
    assert view["fixes"]
    assert all(start <= t < end for t, *_ in view["fixes"])


def test_a_dispatcher_of_another_zone_sees_nothing_of_it(told_missed: Kit) -> None:
    first = lanes(told_missed)[0]
    fixlog = open_fixlog(told_missed.settings, told_missed.db)
    with told_missed.db.reading() as session:
        assert first.id not in {v["visit_id"] for v in proof.of_day(session, EAST, DAY, None)}
        with pytest.raises(NotFound, match="विज़िट"):
            proof.of_visit(session, fixlog, EAST, first.id)
    fixlog.close()


@pytest.mark.parametrize("lang", ["en", "hi"])
def test_every_reason_has_a_sentence(lang: str) -> None:
    from routing.live.outcomes import Reason

    for reason in Reason.__value__.__args__:
        assert proof.reason_text(lang, reason, {"served_fraction": 0.5})
