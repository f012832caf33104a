"""Columns for the matcher, the spatial index's sparse entries, and files of earlier versions."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import msgspec
import numpy as np
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fleet.kit.db import Database
from fleet.kit.geo import distance_m
from tests.tracking.conftest import KOLKATA, T0, fix
from tracking.fixes import Fix
from tracking.fixes.fix import to_ms
from tracking.fixes.log import FixLog, cell_of
from tracking.fixes.log_postgres import PostgresFixLog
from tracking.fixes.log_sqlite import SqliteFixLog


def after(s: float):
    return T0 + timedelta(seconds=s)


def test_columns_say_what_objects_say(fixlog: FixLog) -> None:
    full = msgspec.structs.replace(
        fix(1.5), speed_mps=1.25, course_deg=90.0, hdop=0.9, load_kg=310.0, ignition=False,
        mains=True, inputs=5, event="lift",
    )  # fmt: skip
    stored = [full, fix(2, mark="jump"), fix(3, device="d2", vehicle=None), fix(86_400)]
    fixlog.append(stored)
    objects, cursor = fixlog.received({}, 100)
    batch, same = fixlog.received_batch({}, 100)
    assert (objects, cursor) == (stored, same)
    assert len(batch) == 4
    assert batch.t_ms.tolist() == [to_ms(f.t) for f in stored]
    assert batch.received_ms.tolist() == [to_ms(f.received_t) for f in stored]
    assert [batch.devices[d] for d in batch.device] == [f.device_id for f in stored]
    assert [batch.vehicles[v] if v >= 0 else None for v in batch.vehicle] == [
        f.vehicle_id for f in stored
    ]
    assert (batch.lon.tolist(), batch.lat.tolist()) == (
        [f.lon for f in stored],
        [f.lat for f in stored],
    )
    assert (batch.speed_mps[0], batch.course_deg[0], batch.load_kg[0]) == (1.25, 90.0, 310.0)
    assert np.isnan(batch.speed_mps[1])
    assert (batch.ignition.tolist(), batch.mains.tolist()) == ([0, -1, -1, -1], [1, -1, -1, -1])
    assert batch.inputs.tolist() == [5, -1, -1, -1]
    assert (batch.events, batch.marks) == ([(0, "lift")], [(1, "jump")])
    assert batch.good.tolist() == [True, False, True, True]


def test_columns_are_read_on_from_a_cursor(fixlog: FixLog) -> None:
    fixlog.append([fix(i) for i in range(5)] + [fix(86_400)])
    seen: list[int] = []
    cursor: dict[str, int] = {}
    while True:
        batch, after_it = fixlog.received_batch(cursor, 2)
        if not len(batch):
            break
        seen += batch.t_ms.tolist()
        cursor = dict(after_it)
    assert seen == [to_ms(after(s)) for s in (0, 1, 2, 3, 4, 86_400)]
    assert fixlog.received_batch(cursor, 2)[1] == cursor


tracks = st.lists(
    st.tuples(
        st.integers(0, 300), st.sampled_from(["d1", "d2"]), st.sampled_from(["v1", "v2", None]),
        st.floats(75.858, 75.864), st.floats(22.718, 22.722), st.sampled_from([None, None, "jump"]),
    ),
    max_size=40,
)  # fmt: skip


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tracks, st.lists(st.integers(1, 9), max_size=12), st.integers(0, 240))
def test_near_finds_what_a_look_at_every_fix_finds(
    tmp_path_factory, drawn, sizes: list[int], since_s: int
) -> None:
    """Whatever the order, the holders, the batches, repetitions and a restart in their midst."""
    folder = tmp_path_factory.mktemp("near")
    fixes = [
        fix(s, device=d, vehicle=v, lon=lon, lat=lat, mark=mark)
        for s, d, v, lon, lat, mark in drawn
    ]
    log = SqliteFixLog(folder, KOLKATA)
    at = 0
    for size in (*sizes, len(fixes)):
        log.append(fixes[at : at + size])
        if size == 5:
            log.close()
            log = SqliteFixLog(folder, KOLKATA)
        at += size - 1 if size % 2 else size  # some come again
    stored, _ = log.received({}, 1000)
    lon, lat, since, until = 75.861, 22.720, after(since_s), after(since_s + 90)
    expected = [
        f for f in stored
        if f.mark is None and f.vehicle_id and since <= f.t < until
        and distance_m(lon, lat, f.lon, f.lat) <= 150
    ]  # fmt: skip
    found = log.near(lon, lat, since, until, 150)
    log.close()
    assert sorted(map(repr, found)) == sorted(map(repr, expected))


def test_most_fixes_have_no_entry_of_their_own(tmp_path: Path) -> None:
    log = SqliteFixLog(tmp_path, KOLKATA)
    log.append([fix(5 * i) for i in range(120)])
    log.close()
    with sqlite3.connect(next(tmp_path.glob("*.sqlite3"))) as connection:
        (entries,) = connection.execute("SELECT count(*) FROM fix WHERE cell >= 0").fetchone()
    assert entries == 10


def test_near_still_finds_what_retention_kept(tmp_path: Path) -> None:
    log = SqliteFixLog(tmp_path, KOLKATA)
    log.append([fix(5 * i) for i in range(40)])
    log.forget("2026-03-02", [("v1", after(30), after(50))])
    assert len(log.near(75.86, 22.72, T0, after(300), 50)) == 4
    log.close()


OLD_SQLITE = """
CREATE TABLE fix (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id TEXT NOT NULL, vehicle_id TEXT, t INTEGER NOT NULL, received_t INTEGER NOT NULL,
  lon REAL NOT NULL, lat REAL NOT NULL, speed_mps REAL, course_deg REAL, hdop REAL, sats INTEGER,
  ignition INTEGER, battery_v REAL, load_kg REAL, mark TEXT,
  payload INTEGER NOT NULL, cell INTEGER NOT NULL,
  UNIQUE (device_id, t, payload)
);
CREATE INDEX fix_vehicle ON fix (vehicle_id, t);
CREATE INDEX fix_cell ON fix (cell, t);
"""
OLD_POSTGRES = """
CREATE SCHEMA fixlog; CREATE SEQUENCE fixlog.fix_n;
CREATE TABLE fixlog.fix (
  day date NOT NULL, n bigint NOT NULL DEFAULT nextval('fixlog.fix_n'),
  device_id text NOT NULL, vehicle_id text, t bigint NOT NULL, received_t bigint NOT NULL,
  lon double precision NOT NULL, lat double precision NOT NULL, speed_mps double precision,
  course_deg double precision, hdop double precision, sats integer, ignition boolean,
  battery_v double precision, load_kg double precision, mark text,
  payload bigint NOT NULL, cell bigint NOT NULL,
  PRIMARY KEY (day, n), UNIQUE (day, device_id, t, payload)
) PARTITION BY LIST (day);
CREATE TABLE fixlog.fix_2026_03_02 PARTITION OF fixlog.fix FOR VALUES IN ('2026-03-02');
"""
OLD_ROW = (
    "'d1', 'v1', {t}, {t}, 75.86, 22.72, 1.5, 90.0, 0.9, 9, {true}, 12.5, 300.0, NULL, 7, {cell}"
)


def old_fix() -> Fix:
    return msgspec.structs.replace(
        fix(0), speed_mps=1.5, course_deg=90.0, hdop=0.9, sats=9, ignition=True, battery_v=12.5,
        load_kg=300.0,
    )  # fmt: skip


def test_a_log_of_an_earlier_version_is_read_and_written_on(db: Database, tmp_path: Path) -> None:
    """Its rows lack what units have learnt to tell since; its spatial index has every fix."""
    names = (
        "device_id, vehicle_id, t, received_t, lon, lat, speed_mps, course_deg, hdop, sats, "
        "ignition, battery_v, load_kg, mark, payload, cell"
    )
    values = OLD_ROW.format(t=to_ms(T0), cell=cell_of(75.86, 22.72), true="true")
    log: FixLog
    if db.dialect == "postgresql":
        with db.writer.begin() as connection:
            connection.execute(sa.text(OLD_POSTGRES))
            connection.execute(
                sa.text(f"INSERT INTO fixlog.fix (day, {names}) VALUES ('2026-03-02', {values})")
            )
        log = PostgresFixLog(db.writer, KOLKATA)
    else:
        (tmp_path / "fixes").mkdir()
        with sqlite3.connect(tmp_path / "fixes" / "2026-03-02.sqlite3") as file:
            file.executescript(OLD_SQLITE)
            file.execute(f"INSERT INTO fix ({names}) VALUES ({values})")
        file.close()
        log = SqliteFixLog(tmp_path / "fixes", KOLKATA)
    assert log.window("v1", T0, after(60)) == [old_fix()]
    told = [
        msgspec.structs.replace(fix(s), event="sos", mains=False, inputs=2, alt_m=550.0)
        for s in (5, 10)
    ]
    assert log.append(told) == [True, True]
    assert log.append(told) == [False, False]
    assert log.window("v1", T0, after(60)) == [old_fix(), *told]
    assert log.near(75.86, 22.72, T0, after(60), 50) == [old_fix(), *told]
    assert len(log.received_batch({}, 10)[0]) == 3
    log.close()


def test_a_fix_with_a_wrong_clock_is_stored_once_though_its_time_is_that_of_receipt(
    fixlog: FixLog,
) -> None:
    said = to_ms(T0) + 10**12
    first, again = (msgspec.structs.replace(fix(s), mark="future", raw_t_ms=said) for s in (0, 30))
    assert fixlog.append([first, again, fix(5)]) == [True, False, True]
    assert fixlog.append([again]) == [False]
    assert fixlog.window("v1", T0, after(60), include_marked=True) == [first, fix(5)]
