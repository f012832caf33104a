"""Retention: a day becomes a track, its fixes go, what is held stays; no kill loses anything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import select

from fleet.kit.jobs import Job
from fleet.kit.web import Kit
from fleet.org.models import City
from fleet.people import Role, Scope
from tests.conftest import START
from tests.tracking.conftest import KOLKATA, fix
from tests.tracking.drives import Town
from tests.tracking.history.days import after, driven, fixes_of
from tracking.fixes import open_fixlog
from tracking.fixes.log import FixLog
from tracking.history import holds, keep, queries
from tracking.history.holds import Hold
from tracking.history.models import DayTrack
from tracking.history.tracks import COMPACT_M

CHIEF = Scope("u1", "chief", Role.DISPATCHER, None, "en")
DAY = date(2026, 3, 2)
FIXES_DAYS = 30
MORNING = [(600, 0, 0), (900, 3000, 500), (300, 3000, 500), (900, 0, 0)]
LATER = START + timedelta(days=FIXES_DAYS + 3)
"""When the fixes of DAY are to go."""


@pytest.fixture
def log(kit: Kit, streets: Town) -> Iterator[FixLog]:
    """A morning of v1 (with two fixes set aside) and of v2; a policy that keeps fixes 30 days."""
    with kit.db.unit_of_work() as session:
        session.get_one(City, 1).policy = {"retention_fixes_days": FIXES_DAYS}
    opened = open_fixlog(kit.settings, kit.db)
    opened.append(fixes_of(driven(MORNING)))
    opened.append(fixes_of(driven(MORNING[:2]), vehicle="v2"))
    opened.append([fix(33, mark="jump"), fix(44, mark="hdop"), fix(50, vehicle=None)])
    yield opened
    opened.close()


def told(kit: Kit, log: FixLog, vehicle: str = "v1", day: date = DAY, **more: Any):
    with kit.db.reading() as session:
        return queries.stored_day(
            session, log, CHIEF, vehicle_id=vehicle, service_date=day, **{"within_m": 0.0} | more
        )


def test_a_day_that_is_over_is_kept_beside_its_fixes(kit: Kit, log: FixLog) -> None:
    now = START + timedelta(days=1)
    assert keep.keep(kit.db, log, now) == {"kept": 2, "forgotten": [], "held": []}
    assert keep.keep(kit.db, log, now)["kept"] == 0
    assert told(kit, log).resolution == "raw"
    with kit.db.reading() as session:
        row = session.get_one(DayTrack, ("v1", DAY))
        assert (row.fixes, row.sealed) == (len(driven(MORNING)) + 2, False)


def test_a_day_that_goes_on_is_not_kept_yet(kit: Kit, log: FixLog) -> None:
    """The day of v1 lasts until 21:30, half-way between two morning shifts."""
    assert keep.keep(kit.db, log, START + timedelta(hours=3))["kept"] == 0


def test_late_fixes_are_taken_into_a_kept_day(kit: Kit, log: FixLog) -> None:
    now = START + timedelta(days=1)
    keep.keep(kit.db, log, now)
    log.append([fix(4000)])
    assert keep.keep(kit.db, log, now)["kept"] == 1


def test_when_its_fixes_go_a_day_says_the_same(kit: Kit, log: FixLog) -> None:
    """The figures are the same, the track within five metres at every moment."""
    before = told(kit, log)
    assert keep.keep(kit.db, log, LATER)["forgotten"] == ["2026-03-02"]
    assert log.stored_days() == []
    found = told(kit, log)
    assert found.resolution == "compact"
    assert found.summary == before.summary
    assert found.summary.marks == {"hdop": 1, "jump": 1}
    moments = before.track.t_s
    for was, is_, metres in (
        (before.track.lon, found.track.lon, 102_700),
        (before.track.lat, found.track.lat, 111_320),
    ):
        off_m = np.abs(np.interp(moments, found.track.t_s, is_) - was) * metres
        assert off_m.max() <= COMPACT_M + 1
    assert len(found.track) < len(before.track) / 10
    # A track that was kept can be seen from far away too.
    assert len(told(kit, log, within_m=None, zoom=10).track) <= len(found.track)


def test_fixes_stay_as_long_as_the_policy_says(kit: Kit, log: FixLog) -> None:
    keep.keep(kit.db, log, START + timedelta(days=FIXES_DAYS + 1))
    assert log.stored_days() == ["2026-03-02"]


def test_what_is_held_outlives_its_day_until_nobody_holds_it(
    kit: Kit, log: FixLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [Hold("v1", after(600), after(700))]
    monkeypatch.setattr(holds, "holders", [lambda session: held])
    assert keep.keep(kit.db, log, LATER)["held"] == ["2026-03-02"]
    stay = log.window("v1", after(0), after(9000))
    assert [f.t for f in stay] == [after(s) for s in range(600, 700, 5)]
    assert log.window("v2", after(0), after(9000)) == []
    assert told(kit, log).resolution == "compact"
    before = told(kit, log).summary
    held.clear()
    assert keep.keep(kit.db, log, LATER)["forgotten"] == ["2026-03-02"]
    assert log.stored_days() == []
    assert told(kit, log).summary == before, "a day is never worked out from what is left of it"


def test_no_fix_goes_without_its_track(kit: Kit, log: FixLog) -> None:
    with pytest.raises(RuntimeError, match="tracks of all fixes of v1"):
        keep.forget_day(kit.db, log, DAY, KOLKATA)
    assert log.stored_days() == ["2026-03-02"]


def test_a_night_across_midnight_goes_in_two_steps_and_is_one_day(kit: Kit, log: FixLog) -> None:
    """Fixes of v1 after 21:30 are of the next service day, though filed under this one."""
    evening = 16 * 3600
    night = fixes_of(driven([(7200, 5000, 0)], start_s=evening))
    log.append(night)
    before = told(kit, log, day=date(2026, 3, 3))
    assert before.summary.fixes == len(night)
    done = keep.keep(kit.db, log, LATER - timedelta(days=1))
    assert done["forgotten"] == ["2026-03-02"]
    assert log.stored_days() == ["2026-03-03"]
    assert told(kit, log, day=date(2026, 3, 3)).summary == before.summary
    keep.keep(kit.db, log, LATER)
    assert log.stored_days() == []
    assert told(kit, log, day=date(2026, 3, 3)).summary == before.summary


def test_tracks_go_when_the_policy_says(kit: Kit, log: FixLog) -> None:
    keep.keep(kit.db, log, LATER)
    keep.keep(kit.db, log, START + timedelta(days=1096 + 1))
    assert told(kit, log).summary.fixes == 0


def test_the_job_is_ordered_once_a_day_at_its_hour(kit: Kit, log: FixLog) -> None:
    """START is 06:00; the run of a day is ordered from 03:30 on."""
    night = START - timedelta(hours=3)
    for at in (night, START, START + timedelta(hours=1), START + timedelta(days=1)):
        keep.order_when_due(kit, at)
    with kit.db.reading() as session:
        assert len(session.scalars(select(Job).where(Job.kind == keep.KIND)).all()) == 2


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from fleet.kit.db import Database
from fleet.kit.settings import Settings
import fleet.org.models, tracking.models
from tracking.fixes import open_fixlog
from tracking.history import keep

url, folder, now, where = sys.argv[1:]
db = Database.open(url)
log = open_fixlog(Settings(data_dir=Path(folder)), db)
owner, name = {
    "before deletion": (log, "forget"),
    "before sealing": (keep, "forget_day"),
    "out of sight": (log, "_sweep"),
}[where]
was, calls = getattr(owner, name), []
def killed(*args, **kwargs):
    calls.append(1)
    if where != "out of sight" or len(calls) == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return was(*args, **kwargs)
setattr(owner, name, killed)
keep.keep(db, log, datetime.fromisoformat(now))
"""


@pytest.mark.parametrize("where", ["before sealing", "before deletion", "out of sight"])
def test_a_killed_run_loses_nothing(kit: Kit, log: FixLog, where: str, db_url: str) -> None:
    """Killed between keeping and deleting, the next run finishes; nothing is different for it."""
    if where == "out of sight" and kit.db.dialect != "sqlite":
        pytest.skip("a partition is dropped in one transaction")
    before = told(kit, log).summary
    child = subprocess.run(
        [
            sys.executable,
            "-c",
            KILLED,
            db_url,
            str(kit.settings.data_dir),
            LATER.isoformat(),
            where,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    assert told(kit, log).summary == before
    assert told(kit, log, vehicle="v2").summary.fixes == len(driven(MORNING[:2]))
    keep.keep(kit.db, log, LATER)
    keep.keep(kit.db, log, LATER)
    assert log.stored_days() == []
    assert told(kit, log).summary == before
    if kit.db.dialect == "sqlite":
        log.append([fix(0)])
        log.forget("2026-03-02")
        assert os.listdir(kit.settings.fixes_dir) == []
