"""Alarms of running routes: late, off the way, passed by, too long, never heard."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from fleet.kit.clock import SteppedClock
from fleet.kit.ids import new_id
from fleet.kit.times import local_midnight
from fleet.kit.web import Kit
from fleet.org.models import City, CustomaryTime
from fleet.org.queries import city_zone
from fleet.people.models import Role
from fleet.people.scope import Scope
from routing.live.sweep import sweep
from routing.live.watch import watch
from tests.conftest import START
from tests.routing.live.days import lanes, stay, told, traverse, west
from tests.routing.plans.town import DAY, POLICY
from tracking.alarms import service
from tracking.alarms.models import Alarm
from tracking.facts.models import Hearing
from tracking.fixes.fix import Fix
from tracking.fixes.opening import open_fixlog
from tracking.weights.models import Trip

LATE_S = POLICY.at_risk_s


@pytest.fixture
def heard(running: Kit) -> Kit:
    """Both units speak; T1's is looked at here."""
    for vehicle in ("T1", "T2"):
        hear(running, vehicle, START)
    return running


def hear(kit: Kit, vehicle: str, t: datetime, *, silent: bool = False) -> None:
    with kit.db.unit_of_work() as session:
        row = session.get(Hearing, vehicle)
        if row is None:
            row = Hearing(vehicle_id=vehicle, device_id=f"d{vehicle}", ignition=True)
            session.add(row)
        row.last_t, row.silent = t, silent


def look(kit: Kit, at: datetime) -> None:
    """A minute passes: the sweep judges, then the watch looks. Nothing is remembered between."""
    assert isinstance(kit.clock, SteppedClock)
    kit.clock.set(at)
    sweep(kit, at)
    watch(kit, at)


def alarms(kit: Kit, kind: str, vehicle: str = "T1") -> list[dict[str, Any]]:
    return [
        a for a in told(kit, "tracking.alarm") if a["kind"] == kind and a["vehicle_id"] == vehicle
    ]


def fixes(kit: Kit, since: datetime, seconds: int, lon: float, lat: float) -> None:
    log = open_fixlog(kit.settings, kit.db)
    log.append(
        [
            Fix(
                device_id="dT1",
                vehicle_id="T1",
                t=since + timedelta(seconds=s),
                received_t=since + timedelta(seconds=s),
                lon=lon,
                lat=lat,
            )
            for s in range(0, seconds, 20)
        ]
    )
    log.close()


def test_a_late_route_is_told_once_and_cleared_at_half_of_it(heard: Kit) -> None:
    first, second, *rest = lanes(heard)
    traverse(heard, first, late_s=LATE_S + 60)
    now = first.planned_departure + timedelta(seconds=LATE_S + 60)
    for s in (0, 20, 40):
        look(heard, now + timedelta(seconds=s))
    [alarm] = alarms(heard, "route_late")
    assert (alarm["severity"], alarm["state"], alarm["shift"]) == ("warning", "raised", "morning")
    assert (alarm["zone_id"], alarm["ward_ids"], alarm["beat"]) == ("z1", ["west"], "b1")
    assert "10 minutes" in alarm["text"]
    later = second.planned_departure + timedelta(seconds=LATE_S - 120)
    traverse(heard, second, late_s=LATE_S - 120)
    look(heard, max(later, now + timedelta(seconds=60)))
    assert len(alarms(heard, "route_late")) == 1  # below the limit, above half of it
    now += timedelta(seconds=90)
    for visit in rest:
        if visit.planned_departure <= now:
            traverse(heard, visit)
    look(heard, now)
    assert [a["state"] for a in alarms(heard, "route_late")] == ["raised", "cleared"]


def test_a_beat_is_late_against_its_custom_not_against_a_new_plan(heard: Kit) -> None:
    """The beat is customarily an hour later than the plan says: nobody waits for it yet."""
    with heard.db.unit_of_work() as session:
        midnight = local_midnight(DAY, city_zone(session))
        for visit in west(session)[1]:
            if visit.lane_id is not None:
                usual = (visit.planned_arrival - midnight).total_seconds() + 3600
                session.merge(
                    CustomaryTime(
                        lane_id=visit.lane_id,
                        shift="morning",
                        vehicle_id="T1",
                        usual_s=usual,
                        spread_s=60.0,
                        days=9,
                    )
                )
    first = lanes(heard)[0]
    traverse(heard, first, late_s=3000)
    look(heard, first.planned_departure + timedelta(seconds=3000))
    assert alarms(heard, "route_late") == []
    look(heard, first.planned_departure + timedelta(seconds=3600 + 2400))
    assert [a["state"] for a in alarms(heard, "route_late")] == ["raised"]


def test_of_a_silent_unit_nobody_knows_whether_it_is_late(heard: Kit) -> None:
    hear(heard, "T1", START, silent=True)
    look(heard, START + timedelta(hours=2))
    assert alarms(heard, "route_late") == []
    assert alarms(heard, "station_late") == []


def test_a_unit_that_was_not_heard_since_before_the_route_is_told_of_until_it_speaks(
    running: Kit,
) -> None:
    look(running, START + timedelta(minutes=14))
    assert alarms(running, "device_silent") == []
    look(running, START + timedelta(minutes=16))
    look(running, START + timedelta(minutes=17))
    assert [a["state"] for a in alarms(running, "device_silent")] == ["raised"]
    # Tracking may tell of the same silence: it is one alarm.
    [at_start] = alarms(running, "device_silent")
    with running.db.reading() as session:
        row = service.latest(session, "device_silent:T1")
        assert row is not None
        assert row.id == at_start["id"]
    hear(running, "T1", START + timedelta(minutes=18))
    look(running, START + timedelta(minutes=19))
    assert [a["state"] for a in alarms(running, "device_silent")] == ["raised", "cleared"]


def test_late_at_the_station_until_it_arrives(heard: Kit) -> None:
    with heard.db.reading() as session:
        unloading = next(v for v in west(session)[1] if v.kind == "disposal")
    due = unloading.planned_arrival
    look(heard, due + timedelta(minutes=14))
    assert alarms(heard, "station_late") == []
    look(heard, due + timedelta(minutes=16))
    [alarm] = alarms(heard, "station_late")
    assert (alarm["cause"], alarm["visit_id"]) == ("station", unloading.id)
    assert "Station" in alarm["text"]
    stay(heard, "station", "transfer_station", due + timedelta(minutes=17))
    look(heard, due + timedelta(minutes=18))
    assert [a["state"] for a in alarms(heard, "station_late")] == ["raised", "cleared"]


@pytest.mark.parametrize("told_at", [1, 5])
def test_stops_passed_by_can_still_be_reached(heard: Kit, told_at: int) -> None:
    """A few are only logged: the vehicle still comes round."""
    with heard.db.unit_of_work() as session:
        city = session.get_one(City, 1)
        city.policy = {**city.policy, "alarms": {"visit_at_risk": {"told_at": told_at}}}
    first, skipped, *rest = lanes(heard)
    for visit in (first, *rest[:3]):
        traverse(heard, visit)
    look(heard, rest[2].planned_departure + timedelta(seconds=30))
    n, state, is_told = passed_by(heard)
    assert (1 <= n < 5, state, is_told) == (True, "raised", told_at == 1)
    traverse(heard, skipped, late_s=600)
    look(heard, rest[2].planned_departure + timedelta(seconds=90))
    assert passed_by(heard)[:2] in ((n, "cleared"), (n - 1, "raised"))
    assert bool(alarms(heard, "visit_at_risk")) == is_told


def passed_by(kit: Kit) -> tuple[int, str, bool]:
    """How many stops are at risk, the alarm's state, and whether somebody was told."""
    with kit.db.reading() as session:
        [row] = session.scalars(select(Alarm).where(Alarm.kind == "visit_at_risk"))
        return row.n, row.state, row.actionable


def test_what_was_only_logged_is_told_when_there_are_many(heard: Kit) -> None:
    first, *skipped = lanes(heard)
    assert len(skipped) > 8
    traverse(heard, first)
    for visit in skipped[1:4]:
        traverse(heard, visit)
    look(heard, skipped[3].planned_departure + timedelta(seconds=30))
    assert passed_by(heard)[2] is False
    with heard.db.unit_of_work() as session:
        city = session.get_one(City, 1)
        city.policy = {**city.policy, "alarms": {"visit_at_risk": {"told_at": 1}}}
    for s in (90, 150):
        look(heard, skipped[3].planned_departure + timedelta(seconds=s))
    assert [a["state"] for a in alarms(heard, "visit_at_risk")] == ["raised"]


def test_an_alarm_that_goes_on_does_not_run_out(heard: Kit) -> None:
    """Nobody moves: the same alarm stays, and who saw it is not asked again."""
    with heard.db.unit_of_work() as session:
        city = session.get_one(City, 1)
        city.policy = {**city.policy, "alarms": {"route_late": {"expire_s": 1200}}}
    now = START + timedelta(minutes=30)
    look(heard, now)
    [alarm] = alarms(heard, "route_late")
    with heard.db.unit_of_work() as session:
        service.acknowledge(session, alarm["id"], Scope("u", "M", Role.DISPATCHER, None, "en"), now)
    for minutes in range(5, 50, 5):
        later = now + timedelta(minutes=minutes)
        look(heard, later)
        with heard.db.unit_of_work() as session:
            service.expire(session, later)
    with heard.db.reading() as session:
        row = session.get_one(Alarm, alarm["id"])
    assert (row.state, row.times, row.acknowledged_by) == ("acknowledged", 1, "M")


def test_off_the_way_for_long_enough_and_back(heard: Kit) -> None:
    far, at = (75.88, 22.73), START + timedelta(minutes=30)
    fixes(heard, START, 1800, 75.8505, 22.70)
    fixes(heard, at, 2400, *far)
    look(heard, at + timedelta(minutes=8))
    assert alarms(heard, "route_left") == []
    look(heard, at + timedelta(minutes=11))
    look(heard, at + timedelta(minutes=12))
    assert [a["state"] for a in alarms(heard, "route_left")] == ["raised"]
    back = at + timedelta(minutes=40)
    fixes(heard, back, 300, 75.8505, 22.70)
    look(heard, back + timedelta(minutes=4))
    assert [a["state"] for a in alarms(heard, "route_left")] == ["raised", "cleared"]


def test_a_way_to_the_depot_or_a_served_lane_is_no_leaving(heard: Kit) -> None:
    at = START + timedelta(minutes=5)
    fixes(heard, at, 2400, 75.88, 22.73)
    stay(heard, "depot", "depot", at)
    look(heard, at + timedelta(minutes=20))
    assert alarms(heard, "route_left") == []


def trip(kit: Kit, km: float, days_ago: int, left_t: datetime) -> str:
    with kit.db.unit_of_work() as session:
        row = Trip(
            id=new_id("trp"),
            version=1,
            vehicle_id="T1",
            service_date=DAY - timedelta(days=days_ago),
            pass_id=new_id("gfp"),
            from_place_id="depot",
            start_t=left_t - timedelta(hours=1),
            station_id="station",
            arrived_t=left_t - timedelta(minutes=10),
            left_t=left_t,
            km=km,
            measured_t=left_t,
            settled=False,
            superseded_t=None,
        )
        session.add(row)
        return row.id


def test_a_trip_is_long_against_the_beats_own_trips(heard: Kit) -> None:
    for days_ago in range(1, 7):
        trip(heard, 10.0, days_ago, START - timedelta(days=days_ago))
    now = START + timedelta(hours=1)
    trip(heard, 14.0, 0, now)
    long = trip(heard, 16.0, 0, now)
    for minute in (1, 2):
        look(heard, now + timedelta(minutes=minute))
    with heard.db.reading() as session:
        row = service.latest(session, f"route_km:{long}")
        assert row is not None
        assert (row.text, row.actionable) == (
            "T1 drove 16.0 km on a trip that usually takes 10.0 km.",
            False,
        )
    assert alarms(heard, "route_km") == []  # only logged


def test_alarms_of_a_route_end_with_it(heard: Kit) -> None:
    with heard.db.reading() as session:
        route, _ = west(session)
    look(heard, START + timedelta(hours=1))
    assert [a["state"] for a in alarms(heard, "route_late")] == ["raised"]
    look(heard, route.shift_end_t + timedelta(seconds=POLICY.missed_grace_s))
    look(heard, route.shift_end_t + timedelta(seconds=POLICY.missed_grace_s + 60))
    assert [a["state"] for a in alarms(heard, "route_late")][-1] == "cleared"


def test_what_a_dispatcher_cleared_is_not_raised_again_each_minute(heard: Kit) -> None:
    look(heard, START + timedelta(hours=1))
    [alarm] = alarms(heard, "route_late")
    scope = Scope("u", "Meera", Role.DISPATCHER, None, "en")
    with heard.db.unit_of_work() as session:
        service.dismiss(session, alarm["id"], scope, START + timedelta(hours=1))
    for minute in (61, 62, 90):
        look(heard, START + timedelta(minutes=minute))
    assert [a["state"] for a in alarms(heard, "route_late")] == ["raised", "cleared"]
