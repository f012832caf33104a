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
from zoneinfo import ZoneInfo

from tracking.fixes.columns import TrailColumns
from tracking.fixes.fix import Fix, to_ms
from tracking.fixes.log import (
    COLUMNS,
    LATEST_DAYS,
    Cursor,
    Span,
    cells_around,
    day_of,
    days_between,
    from_row,
    to_row,
    within,
)

_SCHEMA = """
CREATE TABLE fix (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  device_id TEXT NOT NULL, vehicle_id TEXT, t INTEGER NOT NULL, received_t INTEGER NOT NULL,
  lon REAL NOT NULL, lat REAL NOT NULL, speed_mps REAL, course_deg REAL, hdop REAL, sats INTEGER,
  ignition INTEGER, battery_v REAL, load_kg REAL, alt_m REAL, mains INTEGER, backup_v REAL,
  inputs INTEGER, event TEXT, mark TEXT,
  payload INTEGER NOT NULL, cell INTEGER NOT NULL,
  UNIQUE (device_id, t, payload)
);
CREATE INDEX fix_vehicle ON fix (vehicle_id, t);
CREATE INDEX fix_cell ON fix (cell, t);
"""
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM fix"
_INSERT = (
    f"INSERT INTO fix ({', '.join(COLUMNS)}, payload, cell) "
    f"VALUES ({', '.join('?' * (len(COLUMNS) + 2))}) ON CONFLICT DO NOTHING"
)
_OPEN_DAYS = 32
"""Connections kept per thread; a day beyond them is opened again when it is asked for."""


class _Connection(sqlite3.Connection):
    """A connection that can be referenced weakly, and knows which file it opened."""

    inode = 0


class _Connections(threading.local):
    def __init__(self) -> None:
        self.by_day: OrderedDict[str, _Connection] = OrderedDict()


class SqliteFixLog:
    """`FixLog` in `<folder>/<service day>.sqlite3`; readers never wait for the writer."""

    def __init__(self, folder: Path, tz: ZoneInfo) -> None:
        self._folder = folder
        self._tz = tz
        self._writing = threading.Lock()
        self._connections = _Connections()
        self._opened: weakref.WeakSet[_Connection] = weakref.WeakSet()
        folder.mkdir(parents=True, exist_ok=True)

    def append(self, fixes: Sequence[Fix]) -> list[bool]:
        new = [False] * len(fixes)
        by_day: dict[str, list[int]] = {}
        for i, fix in enumerate(fixes):
            by_day.setdefault(day_of(fix.t, self._tz), []).append(i)
        with self._writing:
            for day, indices in by_day.items():
                rows = [to_row(fixes[i]) for i in indices]
                self._create(day)
                connection = self._connection(day)
                connection.execute("BEGIN IMMEDIATE")
                try:
                    for i, row in zip(indices, rows, strict=True):
                        new[i] = connection.execute(_INSERT, row).rowcount == 1
                except BaseException:
                    connection.rollback()
                    raise
                connection.commit()
        return new

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
        query = (
            f"{_SELECT} WHERE cell IN ({', '.join('?' * len(cells))}) AND t >= ? AND t < ? "
            "AND mark IS NULL AND vehicle_id IS NOT NULL"
        )
        found = [
            from_row(row)
            for day in days_between(since, until, self._days())
            for row in self._reading(day).execute(query, (*cells, to_ms(since), to_ms(until)))
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
                # A fix without a vehicle makes the condition NULL: it goes too.
                connection.execute(f"DELETE FROM fix WHERE ({stay}) IS NOT TRUE", spans)
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
        self._opened.add(connection)
        kept[day] = connection
        if len(kept) > _OPEN_DAYS:
            kept.popitem(last=False)[1].close()
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
