"""What history asks of the log: a day as columns, and a day forgotten."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from fleet.kit.db import Database
from tests.tracking.conftest import KOLKATA, T0, fix
from tracking.fixes.log import FixLog
from tracking.fixes.log_sqlite import SqliteFixLog

DAY = "2026-03-02"
MIDNIGHT_S = 18 * 3600
"""Local midnight after T0."""


def after(s: float):
    return T0 + timedelta(seconds=s)


def test_columns_say_what_the_fixes_say(fixlog: FixLog) -> None:
    """In order, across midnight, marked ones included; what a unit left out is NaN or -1."""
    late = fix(MIDNIGHT_S + 5, speed_mps=2.5)
    fixlog.append([late, fix(10, mark="jump"), fix(5), fix(5, vehicle="v2")])
    found = fixlog.trail_columns("v1", T0, after(MIDNIGHT_S + 60))
    assert (found.t_ms - found.t_ms[0]).tolist() == [0, 5000, MIDNIGHT_S * 1000]
    assert found.lon.tolist() == [75.86] * 3
    assert found.marks.tolist() == [None, "jump", None]
    assert np.isnan(found.speed_mps[:2]).all()
    assert found.speed_mps[2] == 2.5
    assert found.ignition.tolist() == [-1, -1, -1]
    assert len(found.good()) == 2
    assert fixlog.count("v1", T0, after(MIDNIGHT_S + 60)) == 3


def test_no_fixes_are_empty_columns(fixlog: FixLog) -> None:
    fixlog.append([fix(5)])
    assert len(fixlog.trail_columns("v9", T0, after(60))) == 0
    assert len(fixlog.trail_columns("v1", after(60), after(90))) == 0
    assert fixlog.count("v9", T0, after(60)) == 0


def test_a_forgotten_day_is_gone_and_the_others_stay(fixlog: FixLog) -> None:
    fixlog.append([fix(0), fix(10, vehicle=None), fix(MIDNIGHT_S + 5)])
    assert fixlog.stored_days() == [DAY, "2026-03-03"]
    assert fixlog.vehicles_on(DAY) == ["v1"]
    assert fixlog.forget(DAY) == 0
    assert fixlog.forget(DAY) == 0
    assert fixlog.stored_days() == ["2026-03-03"]
    assert fixlog.window("v1", T0, after(MIDNIGHT_S + 60)) == [fix(MIDNIGHT_S + 5)]
    assert fixlog.vehicles_on(DAY) == []


def test_held_fixes_outlive_their_day(fixlog: FixLog) -> None:
    """Of the others nothing is left; when nothing is held any more, the day goes."""
    fixlog.append([fix(s, vehicle=v) for s in (0, 10, 20) for v in ("v1", "v2", None)])
    assert fixlog.forget(DAY, [("v1", after(5), after(15))]) == 1
    assert fixlog.window("v1", T0, after(60)) == [fix(10)]
    assert fixlog.window("v2", T0, after(60)) == []
    assert fixlog.vehicles_on(DAY) == ["v1"]
    assert fixlog.forget(DAY) == 0
    assert fixlog.stored_days() == []


def test_a_day_can_be_written_again(fixlog: FixLog) -> None:
    """A fix for a forgotten day is stored and found, by a reader that had the old day open too."""
    fixlog.append([fix(0)])
    assert len(fixlog.latest()) == 1
    fixlog.forget(DAY)
    assert fixlog.append([fix(0)]) == [True]
    assert fixlog.window("v1", T0, after(60)) == [fix(0)]


def test_another_process_sees_a_day_go_and_come_back(db: Database, tmp_path) -> None:
    """Two logs on one folder stand for two processes: connections kept open are not trusted."""
    if db.dialect != "sqlite":
        pytest.skip("files are SQLite's")
    ours, theirs = (SqliteFixLog(tmp_path / "shared", KOLKATA) for _ in range(2))
    ours.append([fix(0)])
    assert theirs.window("v1", T0, after(60)) == [fix(0)]
    ours.forget(DAY)
    assert theirs.window("v1", T0, after(60)) == []
    theirs.append([fix(5)])
    assert ours.window("v1", T0, after(60)) == [fix(5)]
    for log in (ours, theirs):
        log.close()
    assert sorted(p.suffix for p in (tmp_path / "shared").glob("*.gone*")) == []
