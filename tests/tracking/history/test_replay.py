"""Reels: a track as differences, by area and ward, from fixes or from what was kept."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from fleet.kit.web import Kit
from fleet.org.models import Beat, City
from fleet.people import Role, Scope
from tests.conftest import START, HandMonotonic
from tests.tracking.conftest import fix
from tests.tracking.drives import Town
from tests.tracking.history.days import driven, fixes_of
from tracking.fixes import open_fixlog
from tracking.fixes.log import FixLog
from tracking.history import keep
from tracking.history.replay import FRESH_S, Reels, fleet

DAY = date(2026, 3, 2)
LEGS = [(300, 1500, 0), (300, 1500, 0), (300, 0, 0)]


def scope(*zones: str) -> Scope:
    return Scope("u1", "chief", Role.DISPATCHER, frozenset(zones) if zones else None, "en")


@pytest.fixture
def log(kit: Kit, streets: Town) -> Iterator[FixLog]:
    opened = open_fixlog(kit.settings, kit.db)
    heard = [p for p in driven(LEGS) if not 400 < p[0] < 500]
    opened.append([*fixes_of(heard), *fixes_of(driven(LEGS[:1]), vehicle="v2")])
    opened.append([fix(20, mark="jump")])
    yield opened
    opened.close()


def played(kit: Kit, log: FixLog, reels: Reels, who: Scope | None = None, **more):
    with kit.db.reading() as session:
        found = fleet(session, log, reels, who or scope(), service_date=DAY, **more)
    return {reel["vehicle_id"]: reel for reel in map(json.loads, found)}


def test_a_reel_runs_through_the_day(kit: Kit, log: FixLog, monotonic: HandMonotonic) -> None:
    reel = played(kit, log, Reels(monotonic))["v1"]
    t, lon, lat = (list(itertools.accumulate(reel[key])) for key in ("t", "lon", "lat"))
    start = round(START.timestamp())
    assert [s - start for s in t] == [0, 300, 400, 500, 600, 900]
    assert reel["gaps"] == [3]
    assert lon[0] == pytest.approx(75.86e5)
    assert lon[-1] == lon[0]
    assert len(set(lat)) == 1


def test_a_day_that_goes_on_is_read_again(kit: Kit, log: FixLog, monotonic: HandMonotonic) -> None:
    reels = Reels(monotonic)
    ends = sum(played(kit, log, reels)["v1"]["t"])
    log.append([fix(950)])
    assert sum(played(kit, log, reels)["v1"]["t"]) == ends
    monotonic.advance(FRESH_S + 1)
    assert sum(played(kit, log, reels)["v1"]["t"]) == ends + 50


def test_a_kept_day_is_played_from_its_track(
    kit: Kit, log: FixLog, monotonic: HandMonotonic
) -> None:
    """Also after its fixes have gone, and it says so."""
    reels = Reels(monotonic)
    before = played(kit, log, reels)["v1"]
    keep.keep(kit.db, log, START + timedelta(days=1))
    assert played(kit, log, reels)["v1"] == before
    with kit.db.unit_of_work() as session:
        session.get_one(City, 1).policy = {"retention_fixes_days": 30}
    keep.keep(kit.db, log, START + timedelta(days=40))
    assert log.stored_days() == []
    assert played(kit, log, Reels(monotonic))["v1"] == before | {"resolution": "compact"}


def test_vehicles_of_the_callers_zones_are_played(
    kit: Kit, log: FixLog, monotonic: HandMonotonic
) -> None:
    """v2 has no beat and may be sent anywhere; v1 serves zone z1."""
    with kit.db.unit_of_work() as session:
        session.add(
            Beat(id="b1", vehicle_id="v1", shift="morning", landmarks=[], lane_ids=["v1.0"])
        )
    reels = Reels(monotonic)
    assert set(played(kit, log, reels)) == {"v1", "v2"}
    assert set(played(kit, log, reels, scope("z1"))) == {"v1", "v2"}
    assert set(played(kit, log, reels, scope("z9"))) == {"v2"}
    assert played(kit, log, reels, ward="w1") == {}, "nobody passed a lane of it"
