"""Every rule on synthetic fixes, as the follower hands them over: thresholds, durations, ends."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import numpy as np
import pytest

from fleet.kit.web import Kit
from fleet.org.models import Beat, City
from tests.tracking.alarms.conftest import CHIEF, at, kinds, shown, stored, told
from tests.tracking.conftest import DEPOT, T0, fix
from tests.tracking.drives import EAST, NORTH, ORIGIN, Town
from tracking.alarms import geofences, service
from tracking.alarms.models import FenceKind
from tracking.alarms.watch import Watch
from tracking.facts.follower import Follower
from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog

OFF_ROAD = (ORIGIN[0] - 0.005, ORIGIN[1] - 0.005)
"""Half a kilometre from every street, farther from depot and station."""


class Rig:
    """A watch, the log that it remembers from, and the city."""

    def __init__(self, kit: Kit, fixlog: FixLog, streets: Town) -> None:
        self.kit, self.fixlog, self.streets = kit, fixlog, streets
        self.watch = Watch(kit, fixlog)

    def restart(self) -> None:
        self.watch = Watch(self.kit, self.fixlog)

    def feed(self, *fixes: Fix, batch: int = 1000) -> None:
        for start in range(0, len(fixes), batch):
            part = fixes[start : start + batch]
            self.fixlog.append(part)
            with self.kit.db.unit_of_work() as session:
                self.watch.observe(session, part, part[-1].t)

    def lane(self, lane_id: str) -> tuple[float, float]:
        """The middle of a lane in degrees."""
        x, y = np.mean(self.streets.lanes[lane_id], axis=0)
        return ORIGIN[0] + float(x) / EAST, ORIGIN[1] + float(y) / NORTH

    def policy(self, **changes: Any) -> None:
        with self.kit.db.unit_of_work() as session:
            city = session.get_one(City, 1)
            city.policy = {**city.policy, **changes}
            city.fingerprint += "+"


@pytest.fixture
def rig(beats: Kit, fixlog: FixLog, streets: Town) -> Rig:
    return Rig(beats, fixlog, streets)


def say(s: float, where: tuple[float, float], vehicle: str | None = "v1", **more: Any) -> Fix:
    made = fix(s, vehicle=vehicle, lon=where[0], lat=where[1])
    return msgspec.structs.replace(made, **more)


def stay(where: tuple[float, float], since: float, until: float, **more: Any) -> list[Fix]:
    """A fix each 10 s at a place."""
    return [say(float(s), where, **more) for s in np.arange(since, until, 10.0)]


def drive(rig: Rig, kmh: float, since: float, until: float, **more: Any) -> list[Fix]:
    """Up and down within a street at a speed that the unit reports."""
    lon, lat = rig.lane("v1.0")
    return [
        say(float(s), (lon, lat + 0.00002 * (i % 2)), speed_mps=kmh / 3.6, **more)
        for i, s in enumerate(np.arange(since, until, 5.0))
    ]


# --- the unit


@pytest.mark.parametrize("mark", [None, "invalid", "duplicate"])
def test_a_call_for_help_counts_with_and_without_a_position(rig: Rig, mark: str | None) -> None:
    rig.feed(*drive(rig, 5, 0, 20))
    rig.feed(say(30, ORIGIN, event="sos", mark=mark), say(40, ORIGIN, event="sos", mark=mark))
    [item] = shown(rig.kit).values()
    assert (item["kind"], item["severity"], item["vehicle_id"]) == ("sos", "critical", "v1")
    assert (item["zone_id"], item["ward_ids"], item["beat"], item["shift"]) == (
        "z1",
        ["w1"],
        "b1",
        "morning",
    )
    assert (item["lon"] is None) == (mark == "invalid")
    rig.feed(say(50, ORIGIN, event="sos_end"))
    assert [item["state"] for item in shown(rig.kit).values()] == ["raised"]


def test_a_late_call_for_help_and_one_of_a_unit_in_no_vehicle(rig: Rig) -> None:
    rig.feed(*drive(rig, 5, 4000, 4020))
    rig.feed(say(100, ORIGIN, event="sos"))
    rig.feed(say(4030, ORIGIN, vehicle=None, device_id="d7", event="sos"))
    assert {(i["vehicle_id"], i["device_id"]) for i in shown(rig.kit).values()} == {
        ("v1", "d1"),
        (None, "d7"),
    }


def test_help_is_heard_before_there_is_a_city(kit: Kit, fixlog: FixLog) -> None:
    with kit.db.unit_of_work() as session:
        Watch(kit, fixlog).observe(session, [say(0, ORIGIN, event="sos")], T0)
    assert [i["kind"] for i in shown(kit).values()] == ["sos"]


def test_power_is_cut_and_comes_back(rig: Rig) -> None:
    rig.feed(*drive(rig, 5, 0, 30, mains=True))
    rig.feed(*drive(rig, 5, 30, 85, mains=False))
    assert kinds(rig.kit) == []
    rig.feed(*drive(rig, 5, 85, 200, mains=False))
    assert kinds(rig.kit) == [("mains_cut", "raised")]
    rig.feed(*drive(rig, 5, 200, 255, mains=True))
    assert kinds(rig.kit) == [("mains_cut", "raised")]
    rig.feed(*drive(rig, 5, 255, 280, mains=True))
    assert kinds(rig.kit) == [("mains_cut", "cleared")]
    rig.feed(say(300, ORIGIN, event="mains_cut"))  # said in so many words: at once, and again
    assert kinds(rig.kit) == [("mains_cut", "raised")]
    rig.feed(say(305, ORIGIN, event="mains_back"))
    assert kinds(rig.kit) == [("mains_cut", "cleared")]
    assert [d["times"] for d in told(rig.kit)][-1] == 2


@pytest.mark.parametrize(
    ("field", "well", "low", "between", "kind"),
    [
        ("battery_v", 12.6, 11.2, 11.7, "low_battery"),
        ("battery_v", 25.2, 22.4, 23.4, "low_battery"),
        ("backup_v", 4.1, 3.3, 3.5, "low_backup"),
    ],
)
def test_a_battery_is_low_until_it_is_well_again(
    rig: Rig, field: str, well: float, low: float, between: float, kind: str
) -> None:
    rig.feed(*drive(rig, 5, 0, 30, **{field: well}), *drive(rig, 5, 30, 60, **{field: low}))
    rig.feed(*drive(rig, 5, 60, 300, **{field: well}))
    assert kinds(rig.kit) == []
    rig.feed(*drive(rig, 5, 300, 430, **{field: low}))
    assert kinds(rig.kit) == [(kind, "raised")]
    rig.feed(*drive(rig, 5, 430, 900, **{field: between}))
    assert kinds(rig.kit) == [(kind, "raised")]
    rig.feed(*drive(rig, 5, 900, 1210, **{field: well}))
    assert kinds(rig.kit) == [(kind, "cleared")]


@pytest.mark.parametrize(
    ("event", "kind"), [("tamper", "tamper"), ("crash", "crash"), ("tilt", "crash")]
)
def test_what_a_unit_reports_is_raised_once(rig: Rig, event: str, kind: str) -> None:
    rig.feed(*(say(s, ORIGIN, event=event) for s in (0, 10, 20)))
    assert kinds(rig.kit) == [(kind, "raised")]


# --- driving


def test_too_fast_for_the_road_and_for_long_enough(rig: Rig) -> None:
    """30 km/h in a residential street: 45 for ten seconds is nothing, for twenty it is."""
    rig.feed(*drive(rig, 20, 0, 30), *drive(rig, 45, 30, 42), *drive(rig, 20, 42, 60))
    rig.feed(*drive(rig, 38, 60, 120))
    assert kinds(rig.kit) == []
    rig.feed(*drive(rig, 45, 120, 140))
    assert kinds(rig.kit) == [("overspeed", "raised")]
    assert "45" in told(rig.kit)[0]["text"]
    assert "30" in told(rig.kit)[0]["text"]
    rig.feed(*drive(rig, 35, 140, 200))  # between the thresholds
    assert kinds(rig.kit) == [("overspeed", "raised")]
    rig.feed(*drive(rig, 28, 200, 235))
    assert kinds(rig.kit) == [("overspeed", "cleared")]
    rig.feed(*drive(rig, 45, 235, 260))
    assert [d["times"] for d in told(rig.kit)][-1] == 2


def test_a_vehicle_class_may_have_a_lower_limit_and_a_road_a_higher(rig: Rig) -> None:
    rig.policy(speed_limit_kmh={"residential": 60.0}, class_limit_kmh={"tipper": 25.0})
    rig.feed(*drive(rig, 40, 0, 30))
    assert kinds(rig.kit) == [("overspeed", "raised")]


def test_off_every_road_nothing_is_too_fast(rig: Rig) -> None:
    rig.feed(*(say(s, OFF_ROAD, speed_mps=20.0) for s in range(0, 100, 5)))
    assert kinds(rig.kit) == []


def test_idling_is_standing_with_the_engine_on_elsewhere(rig: Rig) -> None:
    away = rig.lane("v3.2")
    rig.feed(*stay(away, 0, 890, ignition=True))
    assert kinds(rig.kit) == []
    rig.feed(*stay(away, 890, 960, ignition=True))
    assert kinds(rig.kit) == [("idling", "raised")]
    rig.feed(*drive(rig, 10, 960, 980, ignition=True))
    assert kinds(rig.kit) == [("idling", "cleared")]


@pytest.mark.parametrize("where", ["own", "depot", "off"])
def test_service_a_depot_and_a_stopped_engine_are_no_idling(rig: Rig, where: str) -> None:
    place = {"own": rig.lane("v1.0"), "depot": DEPOT, "off": rig.lane("v3.2")}[where]
    rig.feed(*stay(place, 0, 3000, ignition=where != "off"))
    assert kinds(rig.kit) == []


def test_who_moves_before_the_shift_is_told_of(rig: Rig) -> None:
    """v1 works from 06:00, with an hour and a half around it: 03:00 is not its time."""
    night = -3 * 3600.0
    here, there = rig.lane("v1.0"), (ORIGIN[0] + 0.01, ORIGIN[1])
    rig.feed(*stay(here, night, night + 300))
    rig.feed(*stay((here[0] + 0.001, here[1]), night + 300, night + 400))
    assert kinds(rig.kit) == []
    rig.feed(*stay(there, night + 400, night + 500))
    assert kinds(rig.kit) == [("off_shift", "raised")]
    assert [i["shift"] for i in shown(rig.kit).values()] == [""]
    rig.feed(*stay(there, night + 500, night + 1200))
    assert kinds(rig.kit) == [("off_shift", "raised")]
    rig.feed(*stay(there, night + 1200, night + 1400))
    assert kinds(rig.kit) == [("off_shift", "cleared")]


def test_a_vehicle_without_shifts_may_move_at_any_time(rig: Rig) -> None:
    rig.feed(
        *(
            say(s, (ORIGIN[0] + s / 2e6, ORIGIN[1]), vehicle="v2", speed_mps=3.0)
            for s in range(-9000, 0, 60)
        )
    )
    assert kinds(rig.kit) == []


def test_the_shift_ends_an_alarm_of_the_night(rig: Rig) -> None:
    night = -2 * 3600.0
    rig.feed(*stay(rig.lane("v1.0"), night, night + 60), say(night + 70, OFF_ROAD))
    assert kinds(rig.kit) == [("off_shift", "raised")]
    rig.feed(say(-5400 + 10, OFF_ROAD))
    assert kinds(rig.kit) == [("off_shift", "cleared")]


# --- places


def test_one_wild_fix_is_no_trip_out_of_the_city(rig: Rig) -> None:
    far = (ORIGIN[0] + 0.2, ORIGIN[1])
    inside = rig.lane("v1.0")
    rig.feed(say(0, inside), say(10, far, mark="outside"), say(20, inside))
    rig.feed(*(say(s, far, mark="outside", speed_mps=9.0) for s in range(200, 310, 10)))
    assert kinds(rig.kit) == []
    rig.feed(*(say(s, far, mark="outside", speed_mps=9.0) for s in range(310, 360, 10)))
    assert kinds(rig.kit) == [("outside_city", "raised")]
    rig.feed(*(say(s, inside, speed_mps=5.0) for s in range(400, 530, 10)))
    assert kinds(rig.kit) == [("outside_city", "cleared")]


def test_unloading_elsewhere_by_the_hoist(rig: Rig) -> None:
    rig.policy(hoist_input=2)
    rig.feed(*stay(rig.lane("v3.2"), 0, 50, inputs=1), *stay(rig.lane("v3.2"), 50, 90, inputs=3))
    assert kinds(rig.kit) == [("dumping", "raised")]


def test_tipping_at_the_station_is_what_it_is_for(rig: Rig) -> None:
    rig.policy(hoist_input=2)
    station = (DEPOT[0] + 0.04, DEPOT[1])
    rig.feed(*stay(station, 0, 400, inputs=2))
    assert kinds(rig.kit) == []


def test_unloading_elsewhere_by_weight(rig: Rig) -> None:
    away = rig.lane("v3.2")
    rig.feed(*stay(away, 0, 60, load_kg=420.0), *stay(away, 60, 200, load_kg=80.0))
    assert kinds(rig.kit) == [("dumping", "raised")]
    assert "340" in told(rig.kit)[0]["text"]


def test_without_sensors_only_a_stand_off_every_street_is_suspected(rig: Rig) -> None:
    rig.feed(*stay(rig.lane("v3.2"), 0, 600))
    rig.feed(*stay(DEPOT, 700, 1400))
    assert kinds(rig.kit) == []
    rig.feed(*stay(OFF_ROAD, 1500, 1700))
    assert kinds(rig.kit) == [("dumping", "raised")]
    assert told(rig.kit)[0]["severity"] == "info"


def fence(rig: Rig, kind: FenceKind, geometry: dict[str, Any], **rules: Any) -> str:
    with rig.kit.db.unit_of_work() as session:
        return geofences.draw(
            session,
            None,
            name="Lake",
            kind=kind,
            geometry=geometry,
            radius_m=50.0,
            dwell_s=30.0,
            rules=rules,
            now=at(0),
            lang="en",
        ).id


def geometry_of(kind: FenceKind, lon: float, lat: float) -> dict[str, Any]:
    d = 0.0006
    ring = [
        [lon - d, lat - d],
        [lon + d, lat - d],
        [lon + d, lat + d],
        [lon - d, lat + d],
        [lon - d, lat - d],
    ]
    return {
        FenceKind.CIRCLE: {"type": "Point", "coordinates": [lon, lat]},
        FenceKind.POLYGON: {"type": "Polygon", "coordinates": [ring]},
        FenceKind.CORRIDOR: {"type": "LineString", "coordinates": [[lon - d, lat], [lon + d, lat]]},
    }[kind]


@pytest.mark.parametrize("kind", list(FenceKind))
def test_dwell_before_a_geofence_counts(rig: Rig, kind: FenceKind) -> None:
    inside = rig.lane("v2.1")
    outside = (inside[0] + 0.003, inside[1])
    fence(rig, kind, geometry_of(kind, *inside), enter=True, leave=True, dwell_min=10)
    rig.feed(*stay(outside, 0, 50), *stay(inside, 50, 75), *stay(outside, 75, 200))
    assert kinds(rig.kit) == []
    rig.feed(*stay(inside, 200, 260))
    [item] = shown(rig.kit).values()
    assert (item["kind"], item["text"]) == ("geofence", "v1 entered Lake.")
    rig.feed(*stay(inside, 260, 830))
    assert "v1 has been in Lake for 10 minutes." in {i["text"] for i in shown(rig.kit).values()}
    rig.feed(*stay(outside, 830, 900))
    assert [i["text"] for i in shown(rig.kit).values()] == ["v1 left Lake."]


def test_a_geofence_for_other_vehicles_is_silent_and_a_deleted_one_takes_its_alarms(
    rig: Rig,
) -> None:
    inside = rig.lane("v2.1")
    circle = geometry_of(FenceKind.CIRCLE, *inside)
    fence(rig, FenceKind.CIRCLE, circle, enter=True, vehicles=["v2"])
    mine = fence(rig, FenceKind.CIRCLE, circle, enter=True)
    rig.feed(*stay(inside, 0, 60))
    [item] = shown(rig.kit).values()
    assert item["place_id"] == mine
    with rig.kit.db.unit_of_work() as session:
        geofences.erase(session, mine, now=at(100), lang="en")
    rig.feed(*stay(inside, 110, 200))
    assert shown(rig.kit) == {}


# --- rules as data


def test_a_city_may_switch_off_tune_and_only_log(rig: Rig) -> None:
    rig.policy(
        alarms={
            "overspeed": {"raise_at": 40.0},
            "tamper": {"enabled": False},
            "crash": {"actionable": False},
        }
    )
    rig.feed(
        *drive(rig, 60, 0, 60), say(70, ORIGIN, event="tamper"), say(80, ORIGIN, event="crash")
    )
    assert kinds(rig.kit) == [("crash", "raised")]
    assert told(rig.kit) == []
    rig.feed(*drive(rig, 72, 100, 160))
    assert [d["kind"] for d in told(rig.kit)] == ["overspeed"]


# --- memory


def everything(rig: Rig) -> list[Fix]:
    """A bad hour: each rule on, then off, in one stream of a vehicle."""
    away, own = rig.lane("v3.2"), rig.lane("v1.0")
    inside = rig.lane("v2.1")
    return [
        *drive(rig, 20, 0, 60, mains=True),
        *drive(rig, 45, 60, 120, mains=False, backup_v=3.0),
        *stay(away, 120, 1300, mains=False, ignition=True, backup_v=3.0),
        say(1310, own, event="sos", mark="invalid"),
        *stay(inside, 1320, 1500, mains=True, backup_v=4.0),
        *drive(rig, 20, 1500, 2000, mains=True, backup_v=4.0),
        *stay(OFF_ROAD, 2000, 2300, mains=True),
        say(2310, own, event="sos"),
    ]


def lives(rig: Rig) -> list[tuple[str, str, int, int, Any, Any]]:
    with rig.kit.db.reading() as session:
        return sorted(
            (a.kind, a.state, a.occurrence, a.times, a.t, a.cleared_t)
            for a in stored(session)
            if a.kind != "group"
        )


@pytest.mark.parametrize("every", [1, 7, 40])
def test_restarts_at_any_time_change_nothing(rig: Rig, every: int) -> None:
    """The same hour for v1 without and for v2 with restarts: the same alarms, at the same time."""
    fence(
        rig,
        FenceKind.CIRCLE,
        geometry_of(FenceKind.CIRCLE, *rig.lane("v2.1")),
        enter=True,
        dwell_min=2,
    )
    with rig.kit.db.unit_of_work() as session:
        session.add(
            Beat(id="b2", vehicle_id="v2", shift="morning", landmarks=[], lane_ids=["v1.0"])
        )
    rig.policy()
    fixes = everything(rig)
    rig.feed(*fixes)
    whole = lives(rig)
    assert {row[0] for row in whole} == {
        "overspeed",
        "mains_cut",
        "low_backup",
        "idling",
        "sos",
        "geofence",
        "dumping",
    }
    n = len(whole)
    others = [msgspec.structs.replace(f, device_id="d2", vehicle_id="v2") for f in fixes]
    for start in range(0, len(others), every):
        rig.restart()
        rig.feed(*others[start : start + every])
    with rig.kit.db.reading() as session:
        mine = {
            v: sorted(
                (a.kind, a.state, a.times, a.t, a.cleared_t)
                for a in stored(session)
                if a.vehicle_id == v and a.kind != "group"
            )
            for v in ("v1", "v2")
        }
    assert len(lives(rig)) == 2 * n
    assert mine["v1"] == mine["v2"]


def test_fixes_that_come_again_after_a_restart_raise_nothing_twice(rig: Rig) -> None:
    """The follower's stored place lags behind what the watch has seen."""
    fixes = everything(rig)
    rig.feed(*fixes, batch=30)
    before, n = lives(rig), len(told(rig.kit))
    for back in (10, 60, 150):
        rig.restart()
        with rig.kit.db.unit_of_work() as session:
            rig.watch.observe(session, fixes[-back:], at(2400))
    assert lives(rig) == before
    assert {d["id"] for d in told(rig.kit)[n:]} <= {d["id"] for d in told(rig.kit)[:n]}


def test_a_transaction_that_fails_is_not_remembered(rig: Rig) -> None:
    fixes = drive(rig, 45, 0, 60)
    rig.fixlog.append(fixes)
    with rig.kit.db.unit_of_work() as session:
        rig.watch.observe(session, fixes, at(60))
        session.rollback()
    assert kinds(rig.kit) == []
    with rig.kit.db.unit_of_work() as session:
        rig.watch.observe(session, fixes, at(60))
    assert kinds(rig.kit) == [("overspeed", "raised")]


def test_what_a_dispatcher_cleared_stays_away_through_a_restart(rig: Rig) -> None:
    away = rig.lane("v3.2")
    rig.feed(*stay(away, 0, 1000, ignition=True))
    [alarm_id] = shown(rig.kit)
    with rig.kit.db.unit_of_work() as session:
        service.dismiss(session, alarm_id, CHIEF, at(1010))
    rig.restart()
    rig.feed(*stay(away, 1010, 4000, ignition=True))
    assert shown(rig.kit) == {}


def test_late_fixes_change_nothing(rig: Rig) -> None:
    rig.feed(*drive(rig, 10, 1000, 1100, mains=True))
    rig.feed(*drive(rig, 60, 0, 200, mains=False, ignition=True))
    assert kinds(rig.kit) == []


def test_the_real_follower_hands_every_fix_over(rig: Rig) -> None:
    rig.fixlog.append([*drive(rig, 45, 0, 60), say(70, ORIGIN, event="sos", mark="invalid")])
    Follower(rig.kit, rig.fixlog, rig.watch).run_to(T0 + timedelta(seconds=80))
    assert sorted(kinds(rig.kit)) == [("overspeed", "raised"), ("sos", "raised")]
