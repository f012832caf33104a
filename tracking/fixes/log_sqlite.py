"""Fixes in one SQLite file per service day, beside the main database.

A file of its own keeps ingest from queueing behind the main database's writers (measured: p99 of
an ingest commit under six writers 230 ms in the shared file, 2 ms in its own).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import weakref
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from tracking.fixes import batch
from tracking.fixes.batch import FixBatch
from tracking.fixes.columns import TrailColumns
from tracking.fixes.fix import Fix, Row, from_row, to_ms, to_row
from tracking.fixes.log import (
    COLUMNS,
    LATEST_DAYS,
    Calendar,
    Cursor,
    Span,
    cell_of,
    cells_around,
    days_between,
    within,
)

_SCHEMA = """
CREATE TABLE fix (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id TEXT NOT NULL, vehicle_id TEXT, t INTEGER NOT NULL, received_t INTEGER NOT NULL,
  lon REAL NOT NULL, lat REAL NOT NULL, speed_mps REAL, course_deg REAL, hdop REAL, sats INTEGER,
  ignition INTEGER, battery_v REAL, load_kg REAL, alt_m REAL, mains INTEGER, backup_v REAL,
  inputs INTEGER, event TEXT, mark TEXT, raw_t INTEGER,
  payload INTEGER NOT NULL, cell INTEGER NOT NULL,
  UNIQUE (t, device_id, payload)
);
CREATE INDEX fix_vehicle ON fix (vehicle_id, t);
CREATE INDEX fix_cell ON fix (cell, t) WHERE cell >= 0;
CREATE INDEX fix_raw ON fix (device_id, raw_t) WHERE raw_t IS NOT NULL;
"""
_LATER = {
    "alt_m": "REAL",
    "mains": "INTEGER",
    "backup_v": "REAL",
    "inputs": "INTEGER",
    "event": "TEXT",
    "raw_t": "INTEGER",
}
"""Columns that the files of earlier versions lack."""
_RAW = "CREATE INDEX IF NOT EXISTS fix_raw ON fix (device_id, raw_t) WHERE raw_t IS NOT NULL"
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM fix"
_STORED = (*Row._fields, "cell")
_INSERT = f"INSERT INTO fix ({', '.join(_STORED)}) "
_VALUES = ", ".join("?" * len(_STORED))
_INSERT_ROW = f"{_INSERT} VALUES ({_VALUES}) ON CONFLICT DO NOTHING"
# The time of a row whose clock was wrong may be that of receipt, another one each time it is sent.
_INSERT_RAW = (
    f"{_INSERT} SELECT {_VALUES} WHERE NOT EXISTS (SELECT 1 FROM fix WHERE device_id = ? "
    "AND raw_t = ? AND payload = ?) ON CONFLICT DO NOTHING"
)
_BEFORE = -1
"""Instead of a cell: an earlier fix of the vehicle, at most `_ANCHOR_MS` older, lies in the same
cell and stands in the spatial index for this one too."""
_ANCHOR_MS = 60_000
_ANCHORS_KEPT = 50_000
_CACHE_KIB = 16_384
"""Of the writer: the leaves that a day's fixes go to."""
_CHECKPOINT_PAGES = 8_000
_OPEN_DAYS = 32
"""Connections kept per thread; a day beyond them is opened again when it is asked for."""


class _Connection(sqlite3.Connection):
    """A connection that can be referenced weakly, and knows which file it opened."""

    inode = 0
    writes = False


class _Connections(threading.local):
    def __init__(self) -> None:
        self.by_day: OrderedDict[str, _Connection] = OrderedDict()


class SqliteFixLog:
    """`FixLog` in `<folder>/<service day>.sqlite3`; readers never wait for the writer."""

    def __init__(self, folder: Path, tz: ZoneInfo) -> None:
        self._folder = folder
        self._calendar = Calendar(tz)
        self._writing = threading.Lock()
        self._anchors: dict[tuple[str, str | None], tuple[int, int]] = {}
        """(cell, t) of the last fix with an entry in the spatial index, by device and vehicle."""
        self._connections = _Connections()
        self._opened: weakref.WeakSet[_Connection] = weakref.WeakSet()
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, fixes: Sequence[Fix]) -> list[bool]:
        return self.append_rows([to_row(fix) for fix in fixes])

    def append_rows(self, rows: Sequence[Row]) -> list[bool]:
        new = [False] * len(rows)
        with self._writing:
            for day, indices in self._calendar.by_day(rows).items():
                self._create(day)
                own = rows if len(indices) == len(rows) else [rows[i] for i in indices]
                added = self._insert(self._writer(day), own)
                for i, is_new in zip(indices, added, strict=True):
                    new[i] = is_new
        return new

    def _insert(self, connection: sqlite3.Connection, rows: Sequence[Row]) -> list[bool]:
        """Which rows are new; they are stored durably when this returns."""
        connection.execute("BEGIN IMMEDIATE")
        try:
            added: list[bool] | None = None
            if all(row.raw_t is None for row in rows):
                stored = [(*row, self._entry(row)) for row in rows]
                count = connection.executemany(_INSERT_ROW, stored).rowcount
                if count == len(rows):
                    added = [True] * count
                else:  # a frame came again: see which row was there
                    connection.execute("ROLLBACK")
                    connection.execute("BEGIN IMMEDIATE")
            if added is None:
                # A row that was there has no entry that we know of, so that each gets its own.
                self._anchors.clear()
                added = [_insert_alone(connection, row) for row in rows]
        except BaseException:
            self._anchors.clear()
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")
        return added

    def _entry(self, row: Row) -> int:
        """The row's cell, or `_BEFORE` when an entry before it will lead to it."""
        cell = cell_of(row.lon, row.lat)
        key = row.device_id, row.vehicle_id
        anchor = self._anchors.get(key)
        if anchor is not None and anchor[0] == cell and 0 <= row.t - anchor[1] <= _ANCHOR_MS:
            return _BEFORE
        if len(self._anchors) >= _ANCHORS_KEPT:
            self._anchors.clear()
        self._anchors[key] = cell, row.t
        return cell

    def window(
        self,
        vehicle_id: str,
        since: datetime,
        until: datetime,
        *,
        include_marked: bool = False,
    ) -> list[Fix]:
        query = f"{_SELECT} WHERE vehicle_id = ? AND t >= ? AND t < ?"
        if not include_marked:
            query += " AND mark IS NULL"
        fixes = [
            from_row(row)
            for day in days_between(since, until, self._days())
            for row in self._reading(day).execute(
                f"{query} ORDER BY t, n", (vehicle_id, to_ms(since), to_ms(until))
            )
        ]
        fixes.sort(key=lambda f: f.t)
        return fixes

    def trail_columns(self, vehicle_id: str, since: datetime, until: datetime) -> TrailColumns:
        query = (
            "SELECT t, lon, lat, speed_mps, coalesce(ignition, -1), mark FROM fix "
            "WHERE vehicle_id = ? AND t >= ? AND t < ? ORDER BY t, n"
        )
        between = (vehicle_id, to_ms(since), to_ms(until))
        stored = (
            self._reading(day).execute(query, between).fetchall()
            for day in days_between(since, until, self._days())
        )
        return TrailColumns.joined(
            [TrailColumns.of(list(zip(*rows, strict=True))) for rows in stored if rows]
        )

    def count(self, vehicle_id: str, since: datetime, until: datetime) -> int:
        query = "SELECT count(*) FROM fix WHERE vehicle_id = ? AND t >= ? AND t < ?"
        between = (vehicle_id, to_ms(since), to_ms(until))
        days = days_between(since, until, self._days())
        return sum(self._reading(day).execute(query, between).fetchone()[0] for day in days)

    def latest(self) -> list[Fix]:
        newest: dict[tuple[str, str | None], Fix] = {}
        for day in self._days()[-LATEST_DAYS:]:
            # SQLite takes the bare columns from the row that holds the maximum.
            rows = self._reading(day).execute(
                f"SELECT {', '.join(COLUMNS)}, max(t) FROM fix WHERE mark IS NULL "
                "GROUP BY device_id, vehicle_id"
            )
            for row in rows:
                fix = from_row(row)
                known = newest.get((fix.device_id, fix.vehicle_id))
                if known is None or known.t < fix.t:
                    newest[fix.device_id, fix.vehicle_id] = fix
        return list(newest.values())

    def near(
        self, lon: float, lat: float, since: datetime, until: datetime, within_m: float
    ) -> list[Fix]:
        cells = cells_around(lon, lat, within_m)
        marks = ", ".join("?" * len(cells))
        query = (
            f"{_SELECT} WHERE n IN (SELECT f.n FROM fix a JOIN fix f "
            f"ON f.vehicle_id = a.vehicle_id AND f.t BETWEEN a.t AND a.t + {_ANCHOR_MS} "
            f"WHERE a.cell IN ({marks}) AND a.cell >= 0 AND a.t >= ? AND a.t < ? "
            f"AND f.t >= ? AND f.t < ? AND (f.n = a.n OR f.cell = {_BEFORE})) AND mark IS NULL"
        )
        since_ms, until_ms = to_ms(since), to_ms(until)
        times = since_ms - _ANCHOR_MS, until_ms, since_ms, until_ms
        found = [
            from_row(row)
            for day in days_between(since, until, self._days())
            for row in self._reading(day).execute(query, (*cells, *times))
        ]
        return within(found, lon, lat, within_m)

    def received(self, after: Cursor, limit: int) -> tuple[list[Fix], Cursor]:
        fixes: list[Fix] = []
        cursor = dict(after)
        for day in self._days():
            if len(fixes) >= limit:
                break
            rows = self._reading(day).execute(
                f"SELECT {', '.join(COLUMNS)}, n FROM fix WHERE n > ? ORDER BY n LIMIT ?",
                (cursor.get(day, 0), limit - len(fixes)),
            )
            for row in rows:
                fixes.append(from_row(row))
                cursor[day] = row[-1]
        return fixes, cursor

    def received_batch(self, after: Cursor, limit: int) -> tuple[FixBatch, Cursor]:
        rows: list[Sequence[Any]] = []
        cursor = dict(after)
        for day in self._days():
            if len(rows) >= limit:
                break
            found = (
                self._reading(day)
                .execute(
                    f"SELECT {', '.join(batch.COLUMNS)}, n FROM fix WHERE n > ? ORDER BY n LIMIT ?",
                    (cursor.get(day, 0), limit - len(rows)),
                )
                .fetchall()
            )
            if found:
                rows.extend(found)
                cursor[day] = found[-1][-1]
        return FixBatch.of_rows(rows), cursor

    def stored_days(self) -> list[str]:
        return self._days()

    def vehicles_on(self, day: str) -> list[str]:
        # Step by step through the index: a plain DISTINCT would read every fix of the day.
        rows = self._reading(day).execute(
            "WITH RECURSIVE held(v) AS (SELECT min(vehicle_id) FROM fix UNION ALL "
            "SELECT (SELECT min(vehicle_id) FROM fix WHERE vehicle_id > v) FROM held "
            "WHERE v IS NOT NULL) SELECT v FROM held WHERE v IS NOT NULL"
        )
        return [row[0] for row in rows]

    def forget(self, day: str, keep: Sequence[Span] = ()) -> int:
        with self._writing:
            self._sweep()
            if day not in self._days():
                return 0
            connection = self._connection(day)
            stay = " OR ".join(["(vehicle_id = ? AND t >= ? AND t < ?)"] * len(keep)) or "0"
            spans = [v for who, a, b in keep for v in (who, to_ms(a), to_ms(b))]
            (left,) = connection.execute(f"SELECT count(*) FROM fix WHERE {stay}", spans).fetchone()
            if left:
                self._give_entries(connection, stay, spans)
                # A fix without a vehicle makes the condition NULL: it goes too.
                query = f"DELETE FROM fix WHERE ({stay}) IS NOT TRUE"
                if connection.execute(query, spans).rowcount:
                    connection.execute("VACUUM")
                return int(left)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.close()
            self._connections.by_day.pop(day, None)
            # First the name, by which alone readers find it: a kill leaves a day whole or gone.
            path = self._folder / f"{day}.sqlite3"
            path.rename(path.with_suffix(".gone"))
            self._sweep()
            return 0

    def _give_entries(
        self, connection: sqlite3.Connection, which: str, values: Sequence[Any]
    ) -> None:
        """An entry of its own in the spatial index for each of the rows that `which` names."""
        self._anchors.clear()
        query = f"SELECT n, lon, lat FROM fix WHERE cell = {_BEFORE} AND ({which})"
        cells = [(cell_of(lon, lat), n) for n, lon, lat in connection.execute(query, values)]
        connection.execute("BEGIN IMMEDIATE")
        connection.executemany("UPDATE fix SET cell = ? WHERE n = ?", cells)
        connection.execute("COMMIT")

    def close(self) -> None:
        with self._writing:
            for connection in list(self._opened):
                connection.close()

    def _days(self) -> list[str]:
        return sorted(path.stem for path in self._folder.glob("????-??-??.sqlite3"))

    def _reading(self, day: str) -> sqlite3.Connection:
        """The day's file, or an empty day where retention has just taken it away."""
        try:
            return self._connection(day)
        except FileNotFoundError:
            nothing = sqlite3.connect(":memory:")
            nothing.executescript(_SCHEMA)
            return nothing

    def _connection(self, day: str) -> _Connection:
        """This thread's connection to a day's file. Raises `FileNotFoundError`: there is none."""
        kept = self._connections.by_day
        connection = kept.get(day)
        path = self._folder / f"{day}.sqlite3"
        inode = path.stat().st_ino
        if connection is not None and connection.inode == inode:
            kept.move_to_end(day)
            return connection
        if connection is not None:  # retention took the file, and a fix made it again
            kept.pop(day).close()
        connection = sqlite3.connect(
            path, timeout=30, isolation_level=None, check_same_thread=False, factory=_Connection
        )
        connection.inode = inode
        connection.execute("PRAGMA journal_mode = WAL")
        # FULL: an acknowledged fix survives a loss of power too, not only of the process.
        connection.execute("PRAGMA synchronous = FULL")
        _bring_up_to_date(connection)
        self._opened.add(connection)
        kept[day] = connection
        if len(kept) > _OPEN_DAYS:
            kept.popitem(last=False)[1].close()
        return connection

    def _writer(self, day: str) -> _Connection:
        """This thread's connection to a day's file, fit for writing much."""
        connection = self._connection(day)
        if not connection.writes:
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT_PAGES}")
            connection.writes = True
        return connection

    def _create(self, day: str) -> None:
        """Makes a day's file whole before it gets its name: no reader ever sees it half made."""
        path = self._folder / f"{day}.sqlite3"
        if path.exists():
            return
        draft = self._folder / f"{day}.{os.getpid()}.draft"
        draft.unlink(missing_ok=True)
        connection = sqlite3.connect(draft)
        connection.executescript(_SCHEMA)
        connection.close()
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
        draft.unlink()

    def _sweep(self) -> None:
        """Deletes what `forget` has taken out of sight, of an earlier run too."""
        for gone in self._folder.glob("*.gone"):
            for companion in ("-wal", "-shm"):
                gone.with_suffix(f".sqlite3{companion}").unlink(missing_ok=True)
            gone.unlink()


def _insert_alone(connection: sqlite3.Connection, row: Row) -> bool:
    """Whether the row is new."""
    values = (*row, cell_of(row.lon, row.lat))
    if row.raw_t is None:
        return connection.execute(_INSERT_ROW, values).rowcount == 1
    again = (row.device_id, row.raw_t, row.payload)
    return connection.execute(_INSERT_RAW, (*values, *again)).rowcount == 1


def _bring_up_to_date(connection: sqlite3.Connection) -> None:
    """Adds the columns that an earlier version's file lacks; the first process to open it does."""
    if _LATER.keys() <= _columns(connection):
        return
    connection.execute("BEGIN IMMEDIATE")
    for name in _LATER.keys() - _columns(connection):
        connection.execute(f"ALTER TABLE fix ADD COLUMN {name} {_LATER[name]}")
    connection.execute(_RAW)
    connection.execute("COMMIT")


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {row[1] for row in connection.execute("PRAGMA table_info(fix)")}
