"""Fixes in PostgreSQL, one partition per service day, made when its first fix arrives."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection, Engine, text

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

# A schema of its own: these tables are no part of the migrations of the main schema.
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS fixlog;
CREATE SEQUENCE IF NOT EXISTS fixlog.fix_n;
CREATE TABLE IF NOT EXISTS fixlog.fix (
  day date NOT NULL, n bigint NOT NULL DEFAULT nextval('fixlog.fix_n'),
  device_id text NOT NULL, vehicle_id text, t bigint NOT NULL, received_t bigint NOT NULL,
  lon double precision NOT NULL, lat double precision NOT NULL, speed_mps double precision,
  course_deg double precision, hdop double precision, sats integer, ignition boolean,
  battery_v double precision, load_kg double precision, alt_m double precision, mains boolean,
  backup_v double precision, inputs integer, event text, mark text,
  raw_t bigint,
  payload bigint NOT NULL, cell bigint NOT NULL,
  PRIMARY KEY (day, n), UNIQUE (day, device_id, t, payload)
) PARTITION BY LIST (day);
ALTER TABLE fixlog.fix ADD COLUMN IF NOT EXISTS alt_m double precision,
  ADD COLUMN IF NOT EXISTS mains boolean, ADD COLUMN IF NOT EXISTS backup_v double precision,
  ADD COLUMN IF NOT EXISTS inputs integer, ADD COLUMN IF NOT EXISTS event text,
  ADD COLUMN IF NOT EXISTS raw_t bigint;
CREATE INDEX IF NOT EXISTS fix_raw ON fixlog.fix (device_id, raw_t) WHERE raw_t IS NOT NULL;
CREATE INDEX IF NOT EXISTS fix_vehicle ON fixlog.fix (vehicle_id, t);
CREATE INDEX IF NOT EXISTS fix_cell ON fixlog.fix (cell, t);
"""
_WRITER = 0x5AFA1F17
"""Advisory lock of the writer. Numbers are given and committed under it, so that a reader that
saw number n has seen all below n."""
_TYPES = (
    *("text", "text", "bigint", "bigint", "float8", "float8", "float8", "float8", "float8"),
    *("integer", "boolean", "float8", "float8", "float8", "boolean", "float8", "integer", "text"),
    *("text", "bigint", "bigint", "bigint"),
)
_STORED = (*Row._fields, "cell")
_SELECT = f"SELECT {', '.join(COLUMNS)} FROM fixlog.fix"
# Columns packed by the server: no object of ours for each row and value.
_COLUMNS = """
SELECT string_agg(int8send(t), ''), string_agg(float8send(lon), ''),
  string_agg(float8send(lat), ''), string_agg(float8send(coalesce(speed_mps, 'NaN')), ''),
  string_agg(int2send(coalesce(ignition::int, -1)::int2), ''),
  string_agg(coalesce(mark, ''), ',')
FROM (SELECT * FROM fixlog.fix WHERE vehicle_id = :vehicle AND t >= :since AND t < :until
      AND day = ANY(:days) ORDER BY t, n) AS trail
"""
_INSERT = (
    f"INSERT INTO fixlog.fix (day, {', '.join(_STORED)}) "
    f"SELECT CAST(:day AS date), {', '.join(_STORED)} FROM unnest("
    + ", ".join(f"CAST(:{c} AS {t}[])" for c, t in zip(_STORED, _TYPES, strict=True))
    + f") AS given ({', '.join(_STORED)}) WHERE raw_t IS NULL OR NOT EXISTS (SELECT 1 "
    "FROM fixlog.fix AS old WHERE old.day = CAST(:day AS date) AND old.device_id = given.device_id "
    "AND old.raw_t = given.raw_t AND old.payload = given.payload) "
    "ON CONFLICT DO NOTHING RETURNING device_id, t, payload"
)


class PostgresFixLog:
    """`FixLog` in the schema `fixlog` of the main database's server."""

    def __init__(self, engine: Engine, tz: ZoneInfo) -> None:
        self._engine = engine
        self._calendar = Calendar(tz)
        self._partitions: set[str] = set()
        self._writing = threading.Lock()
        with engine.begin() as connection:
            _lock(connection)
            connection.execute(text(_SCHEMA))

    def append(self, fixes: Sequence[Fix]) -> list[bool]:
        return self.append_rows([to_row(fix) for fix in fixes])

    def append_rows(self, rows: Sequence[Row]) -> list[bool]:
        new = [False] * len(rows)
        by_day = self._calendar.by_day(rows)
        with self._writing, self._engine.begin() as connection:
            _lock(connection)
            for day, indices in by_day.items():
                self._ensure_partition(connection, day)
                stored = _insert(connection, day, _once(rows[i] for i in indices))
                for i in indices:
                    key = rows[i].device_id, rows[i].t, rows[i].payload
                    new[i] = key in stored
                    stored.discard(key)
        self._partitions.update(by_day)
        return new

    def window(
        self,
        vehicle_id: str,
        since: datetime,
        until: datetime,
        *,
        include_marked: bool = False,
    ) -> list[Fix]:
        good = "" if include_marked else "AND mark IS NULL"
        return self._fixes(
            f"{_SELECT} WHERE vehicle_id = :vehicle AND t >= :since AND t < :until {good} "
            "AND day = ANY(:days) ORDER BY t, n",
            since=since,
            until=until,
            vehicle=vehicle_id,
        )

    def trail_columns(self, vehicle_id: str, since: datetime, until: datetime) -> TrailColumns:
        with self._engine.connect() as connection:
            row = connection.execute(
                text(_COLUMNS), self._between(connection, since, until, vehicle=vehicle_id)
            ).one()
        if row[0] is None:
            return TrailColumns.of(())
        marks = np.array([mark or None for mark in row[5].split(",")], np.object_)
        lon, lat, speed = (np.frombuffer(column, ">f8").astype(np.float64) for column in row[1:4])
        return TrailColumns(
            np.frombuffer(row[0], ">i8").astype(np.int64),
            lon,
            lat,
            speed,
            np.frombuffer(row[4], ">i2").astype(np.int8),
            marks,
        )

    def count(self, vehicle_id: str, since: datetime, until: datetime) -> int:
        with self._engine.connect() as connection:
            query = (
                "SELECT count(*) FROM fixlog.fix WHERE vehicle_id = :vehicle AND t >= :since "
                "AND t < :until AND day = ANY(:days)"
            )
            between = self._between(connection, since, until, vehicle=vehicle_id)
            return int(connection.execute(text(query), between).scalar_one())

    def latest(self) -> list[Fix]:
        with self._engine.connect() as connection:
            days = self._days(connection)[-LATEST_DAYS:]
            rows = connection.execute(
                text(
                    f"SELECT DISTINCT ON (device_id, vehicle_id) {', '.join(COLUMNS)} "
                    "FROM fixlog.fix WHERE mark IS NULL AND day = ANY(:days) "
                    "ORDER BY device_id, vehicle_id, t DESC, n DESC"
                ),
                {"days": [date.fromisoformat(d) for d in days]},
            )
            return [from_row(row) for row in rows]

    def near(
        self, lon: float, lat: float, since: datetime, until: datetime, within_m: float
    ) -> list[Fix]:
        found = self._fixes(
            f"{_SELECT} WHERE cell = ANY(:cells) AND t >= :since AND t < :until "
            "AND mark IS NULL AND vehicle_id IS NOT NULL AND day = ANY(:days)",
            since=since,
            until=until,
            cells=cells_around(lon, lat, within_m),
        )
        return within(found, lon, lat, within_m)

    def received(self, after: Cursor, limit: int) -> tuple[list[Fix], Cursor]:
        fixes: list[Fix] = []
        cursor = dict(after)
        with self._engine.connect() as connection:
            for day in self._days(connection):
                if len(fixes) >= limit:
                    break
                rows = connection.execute(
                    text(
                        f"SELECT {', '.join(COLUMNS)}, n FROM fixlog.fix "
                        "WHERE day = :day AND n > :n ORDER BY n LIMIT :limit"
                    ),
                    {
                        "day": date.fromisoformat(day),
                        "n": cursor.get(day, 0),
                        "limit": limit - len(fixes),
                    },
                )
                for row in rows:
                    fixes.append(from_row(row))
                    cursor[day] = row[-1]
        return fixes, cursor

    def received_batch(self, after: Cursor, limit: int) -> tuple[FixBatch, Cursor]:
        rows: list[Sequence[Any]] = []
        cursor = dict(after)
        with self._engine.connect() as connection:
            for day in self._days(connection):
                if len(rows) >= limit:
                    break
                found = connection.execute(
                    text(
                        f"SELECT {', '.join(batch.COLUMNS)}, n FROM fixlog.fix "
                        "WHERE day = :day AND n > :n ORDER BY n LIMIT :limit"
                    ),
                    {
                        "day": date.fromisoformat(day),
                        "n": cursor.get(day, 0),
                        "limit": limit - len(rows),
                    },
                ).all()
                if found:
                    rows.extend(found)
                    cursor[day] = found[-1][-1]
        return FixBatch.of_rows(rows), cursor

    def stored_days(self) -> list[str]:
        with self._engine.connect() as connection:
            return self._days(connection)

    def vehicles_on(self, day: str) -> list[str]:
        with self._engine.connect() as connection:
            return list(
                connection.scalars(
                    text(
                        "SELECT DISTINCT vehicle_id FROM fixlog.fix "
                        "WHERE day = :day AND vehicle_id IS NOT NULL ORDER BY vehicle_id"
                    ),
                    {"day": date.fromisoformat(day)},
                )
            )

    def forget(self, day: str, keep: Sequence[Span] = ()) -> int:
        with self._writing, self._engine.begin() as connection:
            _lock(connection)
            if day not in self._days(connection):
                return 0
            partition = _partition(day)
            stay = " OR ".join(
                f"(vehicle_id = :who{i} AND t >= :since{i} AND t < :until{i})"
                for i in range(len(keep))
            )
            values: dict[str, Any] = {}
            for i, (who, since, until) in enumerate(keep):
                values |= {f"who{i}": who, f"since{i}": to_ms(since), f"until{i}": to_ms(until)}
            left = 0
            if stay:
                query = f"SELECT count(*) FROM {partition} WHERE {stay}"
                left = connection.execute(text(query), values).scalar_one()
            if left:
                # A fix without a vehicle makes the condition NULL: it goes too.
                query = f"DELETE FROM {partition} WHERE ({stay}) IS NOT TRUE"
                connection.execute(text(query), values)
                return int(left)
            connection.execute(text(f"DROP TABLE {partition}"))
            self._partitions.discard(day)
            return 0

    def close(self) -> None:
        """The engine belongs to the main database; nothing is held here."""

    def _fixes(
        self, query: str, *, since: datetime, until: datetime, **values: object
    ) -> list[Fix]:
        with self._engine.connect() as connection:
            parameters = self._between(connection, since, until, **values)
            return [from_row(row) for row in connection.execute(text(query), parameters)]

    def _between(
        self, connection: Connection, since: datetime, until: datetime, **values: object
    ) -> dict[str, Any]:
        """Parameters of a query. Days are named so that the planner leaves out other partitions."""
        days = days_between(since, until, self._days(connection))
        return {
            "since": to_ms(since),
            "until": to_ms(until),
            "days": [date.fromisoformat(d) for d in days],
            **values,
        }

    def _days(self, connection: Connection) -> list[str]:
        names = connection.scalars(
            text(
                "SELECT inhrelid::regclass::text FROM pg_inherits "
                "WHERE inhparent = 'fixlog.fix'::regclass"
            )
        )
        return sorted(name.split("fix_")[-1].strip('"').replace("_", "-") for name in names)

    def _ensure_partition(self, connection: Connection, day: str) -> None:
        if day not in self._partitions:
            connection.execute(
                text(
                    f"CREATE TABLE IF NOT EXISTS {_partition(day)} PARTITION OF fixlog.fix "
                    f"FOR VALUES IN ('{day}')"
                )
            )


def _insert(connection: Connection, day: str, rows: Sequence[Row]) -> set[tuple[str, int, int]]:
    """(device, t, payload) of the rows that are new."""
    columns = [*zip(*rows, strict=True), [cell_of(row.lon, row.lat) for row in rows]]
    given = {name: list(column) for name, column in zip(_STORED, columns, strict=True)}
    return {
        (device, t, payload)
        for device, t, payload in connection.execute(text(_INSERT), {"day": day, **given})
    }


def _once(rows: Iterable[Row]) -> list[Row]:
    """The rows without those of a wrong clock that came twice: their `t` tells them not apart."""
    return list(
        {
            (row.device_id, row.t if row.raw_t is None else ("raw", row.raw_t), row.payload): row
            for row in reversed(list(rows))
        }.values()
    )[::-1]


def _partition(day: str) -> str:
    return f"fixlog.fix_{day.replace('-', '_')}"


def _lock(connection: Connection) -> None:
    """Take the writer's turn, and make the commit wait for the disk whatever the server's default
    is: an acknowledged fix survives a loss of power."""
    connection.execute(
        text("SELECT pg_advisory_xact_lock(:key), set_config('synchronous_commit', 'on', true)"),
        {"key": _WRITER},
    )
