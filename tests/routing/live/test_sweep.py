"""The look each minute at what is missed, unknown, at risk and late."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from fleet.kit.web import Kit
from routing.live.sweep import sweep
from routing.models import RouteProgress, VisitStatus
from tests.conftest import START
from tests.routing.live.days import advance, judgements, lanes, read, told, traverse, west
from tests.routing.plans.town import POLICY
from tracking.fixes.fix import Fix
from tracking.fixes.opening import open_fixlog

GRACE = timedelta(seconds=POLICY.missed_grace_s)


def missed_alarms(kit: Kit) -> list[dict[str, Any]]:
    return [alarm for alarm in told(kit, "tracking.alarm") if alarm["kind"] == "visit_missed"]


def heard(
    kit: Kit, since: datetime, until: datetime, *, except_s: tuple[int, int] = (0, 0)
) -> None:
    """T1 sends a fix each 20 s, but for a silence in seconds after `since`."""
    fixes = [
        Fix(
            device_id="d1",
            vehicle_id="T1",
            t=since + timedelta(seconds=s),
            received_t=since + timedelta(seconds=s),
            lon=75.85,
            lat=22.70,
        )
        for s in range(0, int((until - since).total_seconds()) + 1, 20)
        if not except_s[0] < s < except_s[1]
    ]
    log = open_fixlog(kit.settings, kit.db)
    log.append(fixes)
    log.close()


def test_skipped_lane_is_missed_after_grace_and_heals(running: Kit) -> None:
    first, second, *rest = lanes(running)
    traverse(running, first)
    for visit in rest[:3]:
        traverse(running, visit)
    moved_on = rest[2].planned_departure
    heard(running, START, moved_on + GRACE)
    advance(running, moved_on)
    assert (read(running, second).status, read(running, second).at_risk) == ("pending", True)
    advance(running, moved_on + GRACE)
    visit = read(running, second)
    assert (visit.status, visit.at_risk) == (VisitStatus.MISSED, False)
    (alarm,) = missed_alarms(running)
    assert (alarm["kind"], alarm["vehicle_id"], alarm["ward_ids"]) == (
        "visit_missed",
        "T1",
        ["west"],
    )
    traverse(running, second, late_s=7200)
    healed = read(running, second)
    assert healed.status == VisitStatus.SERVED
    assert judgements(running, second) == [("missed", "never_there"), ("served", "covered")]


def test_silent_while_due_is_unknown(running: Kit) -> None:
    first, second, *rest = lanes(running)
    traverse(running, first)
    for visit in rest[:3]:
        traverse(running, visit)
    moved_on = rest[2].planned_departure
    gone_s = int((second.planned_arrival - START).total_seconds())
    heard(running, START, moved_on + GRACE, except_s=(gone_s - 5, gone_s + second.service_s + 5))
    advance(running, moved_on + GRACE)
    assert read(running, second).status == VisitStatus.UNKNOWN
    assert missed_alarms(running) == []


def test_dead_unit_calls_nothing_missed(running: Kit) -> None:
    with running.db.reading() as session:
        route, visits = west(session)
    advance(running, route.shift_end_t + GRACE)
    assert {read(running, v).status for v in visits if v.is_work} == {VisitStatus.UNKNOWN}
    with running.db.reading() as session:
        assert session.get_one(RouteProgress, route.id).closed


def test_shift_over_without_coming_is_missed(running: Kit) -> None:
    with running.db.reading() as session:
        route, visits = west(session)
    heard(running, route.start_t, route.shift_end_t)
    traverse(running, lanes(running)[0], 0.0)
    advance(running, route.shift_end_t + GRACE)
    outcomes = [read(running, v).status for v in visits if v.is_work]
    assert sorted(set(outcomes)) == ["driven_through", "missed"]
    (alarm,) = missed_alarms(running)
    assert f"missed by T1: {outcomes.count(VisitStatus.MISSED)}," in alarm["text"]


def test_late_route_puts_its_visits_at_risk_once(running: Kit) -> None:
    first = lanes(running)[0]
    traverse(running, first, late_s=POLICY.at_risk_s)
    now = first.planned_departure + timedelta(seconds=POLICY.at_risk_s)
    advance(running, now)
    assert read(running, lanes(running)[5]).at_risk
    n = len(told(running, "routing.visit_changed"))
    sweep(running, now)
    assert len(told(running, "routing.visit_changed")) == n


def test_nothing_new_writes_nothing(running: Kit) -> None:
    sweep(running, START)
    n = len(told(running, "routing.route_changed"))
    sweep(running, START)
    assert len(told(running, "routing.route_changed")) == n
