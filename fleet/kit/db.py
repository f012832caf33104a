"""The database: SQLite for a town, PostgreSQL for a city, one way to write and one to read.

`Database.unit_of_work` wraps a request, message, job or command; services flush and never commit.
`Database.reading` is a read-only snapshot. City time is asked of `now_of(session)`; there is no
``CURRENT_TIMESTAMP`` in SQL.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import URL, Connection, Dialect, Engine, make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.types import TypeDecorator

from fleet.kit.clock import Clock, WallClock
from fleet.kit.errors import Busy, Conflict
from fleet.kit.fairlock import FairLock
from fleet.kit.i18n import speaking, t
from fleet.kit.times import aware

WRITER_WAIT_S = 30.0
"""How long a writer waits for its turn before it is told that the database is busy."""

MIGRATIONS = "fleet.main:migrations"
"""Alembic's environment, as package and folder: it knows every room's tables, kit does not."""


class UtcDateTime(TypeDecorator[datetime]):
    """An instant: aware on both sides, UTC in the database; a naive one is refused."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        value = aware(value).astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class JsonDict(TypeDecorator[Any]):
    """A JSON value (object or array). Replace the whole value: changes inside go unnoticed."""

    impl = sa.JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(JSONB(none_as_null=True))
        return dialect.type_descriptor(sa.JSON(none_as_null=True))


BigId = sa.BigInteger().with_variant(sa.Integer, "sqlite")
"""A counted primary key: SQLite counts up only what is plainly INTEGER."""


class Base(DeclarativeBase):
    """All tables. Constraints are named by rule, so that migrations can name them too."""

    metadata = sa.MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it as a class variable
        datetime: UtcDateTime,
        dict[str, Any]: JsonDict,
        dict[str, float]: JsonDict,
        list[Any]: JsonDict,
        list[str]: JsonDict,
    }


class Database:
    """One database with its writing and its reading engine. Make it with `Database.open`."""

    def __init__(self, writer: Engine, reader: Engine, clock: Clock) -> None:
        self.writer = writer
        self.reader = reader
        self._clock = clock
        self._listeners: list[Callable[[], None]] = []

    @classmethod
    def open(
        cls, url: str, clock: Clock | None = None, *, writer_wait_s: float = WRITER_WAIT_S
    ) -> Database:
        """Connect to ``sqlite:///path`` or ``postgresql://…``; an SQLite file is made when absent.

        Args:
            url: SQLAlchemy URL.
            clock: city time for `now_of` and the times of events; the wall clock when None.
            writer_wait_s: how long a writer waits for its turn, or for a row, before `Busy`.

        Raises:
            ValueError: another kind of database, or SQLite without a file.
        """
        parsed = make_url(url)
        backend = parsed.get_backend_name()
        if backend == "sqlite":
            writer, reader = _sqlite_engines(parsed, writer_wait_s)
        elif backend == "postgresql":
            writer, reader = _postgresql_engines(parsed, writer_wait_s)
        else:
            raise ValueError(f"Expected an sqlite:// or postgresql:// URL, got {backend}://.")
        return cls(writer, reader, clock or WallClock())

    @property
    def dialect(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.writer.dialect.name

    @contextmanager
    def unit_of_work(self) -> Iterator[Session]:
        """A session that commits at the end and rolls back on any error.

        On SQLite the first statement waits for its turn among the process's writers. Do no input
        or output inside; never open one inside another.

        Raises:
            Conflict: a unique or foreign key, or another writer's version, forbids the change.
            Busy: the writer's turn did not come, or the database gave up on a lock.
        """
        with Session(self.writer, expire_on_commit=False) as session:
            session.info["clock"] = self._clock
            try:
                yield session
                session.commit()
            except StaleDataError as error:
                raise Conflict(_say("kit.changed"), remedy=_say("kit.changed_remedy")) from error
            except DBAPIError as error:
                raise _mapped(error) from error
        for listener in self._listeners:
            listener()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A read-only session; all its reads see one snapshot."""
        with Session(self.reader, autoflush=False, expire_on_commit=False) as session:
            session.info["clock"] = self._clock
            yield session

    def on_commit(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each committed unit of work of this process; it must be quick."""
        self._listeners.append(listener)

    def create_all(self) -> None:
        """Make the tables of every model that is imported: for tests; servers `upgrade`."""
        Base.metadata.create_all(self.writer)

    def upgrade(self, script_location: str = MIGRATIONS) -> None:
        """Bring the tables to Alembic's head, in one transaction that other processes wait for."""
        from alembic import command
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", script_location)
        with self.writer.begin() as connection:
            if self.dialect == "postgresql":
                connection.execute(sa.text("SELECT pg_advisory_xact_lock(7239421)"))
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        self.writer.dispose()
        self.reader.dispose()


def now_of(session: Session) -> datetime:
    """City time, by the clock of the session's database."""
    clock: Clock = session.info["clock"]
    return clock.now()


def _sqlite_engines(url: URL, writer_wait_s: float) -> tuple[Engine, Engine]:
    if not url.database or url.database == ":memory:":
        raise ValueError("Expected a file such as sqlite:///safai.sqlite3, got SQLite in memory.")
    path = Path(url.database).absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    turn = FairLock()

    writer = sa.create_engine(
        URL.create("sqlite", database=str(path)),
        connect_args={"timeout": writer_wait_s, "check_same_thread": False},
        pool_size=4,
        max_overflow=-1,
    )

    @event.listens_for(writer, "connect")
    def prepare_writer(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None  # we begin by ourselves
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(writer, "begin")
    def begin_writing(connection: Connection) -> None:
        if not connection.info.get("has_turn"):
            if not turn.acquire(writer_wait_s):
                raise _busy()
            connection.info["has_turn"] = True
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(writer, "checkin")
    def end_turn(connection: Any, record: Any) -> None:
        # At check-in, not at commit: the commit event comes before the commit itself.
        if record.info.pop("has_turn", False):
            turn.release()

    writer.connect().close()  # makes the file, which a read-only connection cannot

    reader = sa.create_engine(
        "sqlite://",
        creator=lambda: sqlite3.connect(
            f"file:{quote(str(path))}?mode=ro",
            uri=True,
            timeout=writer_wait_s,
            check_same_thread=False,
        ),
        poolclass=sa.QueuePool,
        pool_size=8,
        max_overflow=-1,
    )

    @event.listens_for(reader, "connect")
    def prepare_reader(connection: sqlite3.Connection, record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(reader, "begin")
    def begin_reading(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    return writer, reader


def _postgresql_engines(url: URL, writer_wait_s: float) -> tuple[Engine, Engine]:
    writer = sa.create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=10,
        max_overflow=40,
        pool_pre_ping=True,
        connect_args={"options": f"-c timezone=UTC -c lock_timeout={writer_wait_s * 1000:.0f}ms"},
    )
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return writer, reader


def _mapped(error: DBAPIError) -> Exception:
    """Our own error for a refusal; the error itself when it is our own mistake."""
    code = str(getattr(error.orig, "sqlstate", None) or getattr(error.orig, "sqlite_errorname", ""))
    if isinstance(error, IntegrityError):
        if code in {"23505", "SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY"}:
            return Conflict(_say("kit.exists"), remedy=_say("kit.exists_remedy"))
        if code in {"23503", "SQLITE_CONSTRAINT_FOREIGNKEY"}:
            return Conflict(_say("kit.no_reference"), remedy=_say("kit.changed_remedy"))
    if code in {"55P03", "40001", "40P01"} or code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return _busy()
    return error


def _busy() -> Busy:
    return Busy(_say("kit.busy"), remedy=_say("kit.busy_remedy"), headers={"Retry-After": "5"})


def _say(key: str) -> str:
    return t(speaking.get(), key)
