"""A silent unit: an alarm on duty, a line in the log otherwise, over when it is heard."""

from __future__ import annotations

from datetime import datetime

from fleet.kit.clock import SteppedClock
from fleet.kit.outbox import Relay, emit, failures
from fleet.kit.times import iso
from fleet.kit.web import Kit
from fleet.org.models import City
from tests.tracking.alarms.conftest import at, kinds, shown, stored, told
from tracking.alarms.silence import handlers, told_late


def happens(kit: Kit, what: str, t: datetime, vehicle: str = "v1") -> None:
    assert isinstance(kit.clock, SteppedClock)
    kit.clock.set(max(t, kit.clock.now()))
    with kit.db.unit_of_work() as session:
        data = {"vehicle_id": vehicle, "device_id": "d1", "t": iso(t)}
        emit(session, f"tracking.device_{what}", vehicle, data)
    relay = Relay(kit.db, kit.hub, handlers, kit.monotonic)
    relay.pump()
    relay.release()
    with kit.db.reading() as session:
        assert failures(session) == []


def test_silence_on_duty_is_told_once_it_lasts_and_ends(beats: Kit) -> None:
    happens(beats, "silent", at(600))
    happens(beats, "silent", at(600))
    told_late(beats, at(660))
    assert told(beats) == []
    for s in (720, 780):
        told_late(beats, at(s))
    assert len(told(beats)) == 1
    [item] = shown(beats).values()
    assert (item["kind"], item["vehicle_id"], item["device_id"]) == ("device_silent", "v1", "d1")
    assert item["words"]["hi"].startswith("v1 काम पर")
    happens(beats, "heard", at(900))
    assert kinds(beats) == [("device_silent", "cleared")]
    happens(beats, "silent", at(1000))
    assert [d["times"] for d in told(beats)][-1] == 2


def test_a_short_silence_is_only_logged(beats: Kit) -> None:
    happens(beats, "silent", at(600))
    happens(beats, "heard", at(650))
    told_late(beats, at(720))
    assert (kinds(beats), told(beats)) == ([("device_silent", "cleared")], [])


def test_a_city_may_hear_of_silence_at_once(beats: Kit) -> None:
    with beats.db.unit_of_work() as session:
        city = session.get_one(City, 1)
        city.policy = {**city.policy, "alarms": {"device_silent": {"for_s": 0}}}
    happens(beats, "silent", at(600))
    assert [d["kind"] for d in told(beats)] == ["device_silent"]


def test_silence_off_duty_is_logged_and_told_when_the_shift_begins(beats: Kit) -> None:
    happens(beats, "silent", at(8 * 3600))
    assert kinds(beats) == [("device_silent", "raised")]
    assert told(beats) == []
    told_late(beats, at(9 * 3600))
    assert told(beats) == []
    next_morning = at(24 * 3600 + 120)
    told_late(beats, next_morning)
    told_late(beats, next_morning)
    [item] = told(beats)
    assert (item["actionable"], item["shift"], item["service_date"]) == (
        True,
        "morning",
        "2026-03-03",
    )
    with beats.db.reading() as session:
        assert len(stored(session)) == 1
