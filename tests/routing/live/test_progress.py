"""When a visit is missed, unknown or at risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fleet.org.policy import Policy
from routing.live.progress import (
    Assessment,
    Mark,
    Silence,
    Step,
    assess,
    came_to,
    delay_s,
)
from routing.models import VisitStatus
from tests.conftest import START

T = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
POLICY = Policy(missed_grace_s=600, at_risk_s=600)
SHIFT_END = T + timedelta(hours=6)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


def route(n: int, *, proved: Sequence[int] = (), late_min: float = 0) -> list[Step]:
    """Visits of four minutes each, planned every five; those `proved` are served."""
    return [
        Step(
            visit_id=f"v{i}",
            work=True,
            planned_arrival=T + minutes(5 * i),
            planned_departure=T + minutes(5 * i + 4),
            status=VisitStatus.SERVED if i in proved else VisitStatus.PENDING,
            proved_t=T + minutes(5 * i + 4 + late_min) if i in proved else None,
            began_t=T + minutes(5 * i + late_min) if i in proved else None,
            spent_s=240.0 if i in proved else 0.0,
            service_s=240.0,
            covered=1.0 if i in proved else 0.0,
        )
        for i in range(n)
    ]


def look(steps: Sequence[Step], now: datetime, *silences: Silence) -> Assessment:
    return assess(steps, now=now, shift_end_t=SHIFT_END, silences=silences, policy=POLICY)


def test_on_time() -> None:
    judged = look(route(5, proved=[0, 1]), T + minutes(10))
    assert judged == Assessment({}, frozenset(), 0, "v2", False)


def test_skipped_visit_is_at_risk_then_missed() -> None:
    """Two later visits are proved: the route moved on at minute 19; the grace is ten minutes."""
    steps = route(8, proved=[0, 2, 3])
    assert look(steps, T + minutes(20)).at_risk == {"v1"}
    assert look(steps, T + minutes(28)).outcomes == {}
    assert look(steps, T + minutes(29)).outcomes == {"v1": VisitStatus.MISSED}


def test_one_later_visit_is_not_enough() -> None:
    """A driver may take a lane out of turn."""
    assert look(route(8, proved=[0, 2]), T + minutes(60)).outcomes == {}


def test_silence_while_it_was_due_makes_it_unknown() -> None:
    steps = route(8, proved=[0, 2, 3, 4])
    silent = Silence(T + minutes(5), T + minutes(9))
    elsewhere = Silence(T + minutes(20), T + minutes(23))
    assert look(steps, T + minutes(34), silent).outcomes == {"v1": VisitStatus.UNKNOWN}
    assert look(steps, T + minutes(34), elsewhere).outcomes == {"v1": VisitStatus.MISSED}


def test_short_silence_hides_no_service() -> None:
    """Two minutes of silence are less than what the four minutes of work may shrink to."""
    silent = Silence(T + minutes(6), T + minutes(8))
    judged = look(route(8, proved=[0, 2, 3, 4]), T + minutes(34), silent)
    assert judged.outcomes == {"v1": VisitStatus.MISSED}


def test_what_was_seen_becomes_the_outcome() -> None:
    steps = route(8, proved=[0, 2, 3, 4])
    steps[1] = replace(steps[1], seen=VisitStatus.DRIVEN_THROUGH)
    assert look(steps, T + minutes(34)).outcomes == {"v1": VisitStatus.DRIVEN_THROUGH}


def test_shift_over_settles_everything() -> None:
    steps = route(4, proved=[0, 1, 2])
    before = look(steps, SHIFT_END + minutes(9))
    assert (before.outcomes, before.closed) == ({}, False)
    after = look(steps, SHIFT_END + minutes(10))
    assert (after.outcomes, after.closed) == ({"v3": VisitStatus.MISSED}, True)
    assert after.next_visit_id is None


def test_dead_unit_leaves_its_lanes_unknown() -> None:
    whole = Silence(T, SHIFT_END)
    judged = look(route(4), SHIFT_END + minutes(10), whole)
    assert set(judged.outcomes.values()) == {VisitStatus.UNKNOWN}


def test_late_route_puts_what_is_left_at_risk() -> None:
    judged = look(route(4, proved=[0, 1], late_min=10), T + minutes(19))
    assert judged.late_s == 600
    assert judged.at_risk == {"v2", "v3"}


def test_standing_still_makes_late_without_any_fact() -> None:
    assert delay_s(route(4, proved=[0]), T + minutes(30)) == 21 * 60
    assert delay_s(route(4), T + minutes(20)) == 16 * 60


def test_start_end_and_unloading_are_never_missed() -> None:
    steps = [replace(step, work=False) for step in route(3)]
    assert look(steps, SHIFT_END + minutes(10)).outcomes == {}


@pytest.mark.parametrize(
    ("marks", "at"),
    [
        ([], -1),
        ([(0, 1), (1, 2), (2, 3)], 3),
        ([(0, 1), (1, 12)], 1),
        ([(0, 1), (1, 12), (2, 2)], 2),
        ([(0, 1), (1, 12), (2, 14)], 14),
        ([(0, 1), (1, 12), (2, 2), (3, 30), (4, 3)], 3),
        ([(0, 5)], -1),
        ([(0, 2), (1, 1)], 2),
    ],
    ids=[
        "not begun",
        "in order",
        "one far ahead is doubted",
        "and forgotten when the order goes on",
        "two together are believed",
        "two apart are not",
        "a first one far ahead",
        "the order of a few may change",
    ],
)
def test_came_to(marks: list[tuple[int, int]], at: int) -> None:
    assert came_to(Mark(START + timedelta(minutes=m), i) for m, i in marks) == at


def test_a_tap_is_believed_wherever_it_is() -> None:
    marks = [Mark(START, 1), Mark(START + timedelta(minutes=1), 20, True)]
    assert came_to(marks) == 20


def test_home_settles_everything_before_the_shift_is_over() -> None:
    home = replace(route(4)[3], work=False, status=VisitStatus.SERVED, proved_t=T + minutes(30))
    steps = [*route(3, proved=[0, 2]), home]
    assert not look(steps, T + minutes(39)).closed
    judged = look(steps, T + minutes(40))
    assert (judged.closed, judged.outcomes) == (True, {"v1": VisitStatus.MISSED})


def test_what_others_need_of_a_silence_does_not_excuse_a_visit() -> None:
    """Five minutes of silence: three are the next lane's, of which one minute was seen."""
    steps = route(8, proved=[0, 3, 4])
    steps[2] = replace(
        steps[2], seen=VisitStatus.PARTLY, spent_s=60.0, began_t=T + minutes(13), covered=0.3
    )
    silent = Silence(T + minutes(8), T + minutes(13))
    judged = look(steps, T + minutes(60), silent)
    assert judged.outcomes == {"v1": VisitStatus.MISSED, "v2": VisitStatus.UNKNOWN}


def test_a_quick_crew_is_held_to_its_own_rhythm() -> None:
    """All lanes take it sixty per cent of the plan: the one that took as long is served too."""
    steps = [replace(step, spent_s=144.0) for step in route(12, proved=[*range(9), 10, 11])]
    steps[9] = replace(
        steps[9], seen=VisitStatus.PARTLY, spent_s=140.0, began_t=T + minutes(45), covered=0.95
    )
    judged = look(steps, T + minutes(90))
    assert judged.rhythm == pytest.approx(0.6)
    assert judged.outcomes == {"v9": VisitStatus.SERVED}
    early = [*steps[:9], replace(steps[9], spent_s=80.0), *steps[10:]]
    early[10] = replace(early[10], began_t=T + minutes(47))
    assert look(early, T + minutes(90)).outcomes == {"v9": VisitStatus.PARTLY}


def test_halts_matched_to_the_next_street_count_when_no_other_visit_had_the_time() -> None:
    steps = route(8, proved=[0, 2, 3])
    steps[1] = replace(
        steps[1], seen=VisitStatus.PARTLY, spent_s=120.0, began_t=T + minutes(5), covered=1.0
    )
    assert look(steps, T + minutes(40)).outcomes == {"v1": VisitStatus.SERVED}
    steps[2] = replace(steps[2], began_t=T + minutes(7))
    assert look(steps, T + minutes(40)).outcomes == {"v1": VisitStatus.PARTLY}


def test_standing_at_a_point_proves_nothing_where_neighbours_took_all_the_time() -> None:
    steps = route(8, proved=[0, 1, 2, 3])
    steps[1] = replace(steps[1], point=True, recheck=True)
    assert look(steps, T + minutes(40)).outcomes == {"v1": VisitStatus.SERVED}
    steps[2] = replace(steps[2], began_t=T + minutes(5))
    assert look(steps, T + minutes(40)).outcomes == {"v1": VisitStatus.MISSED}
