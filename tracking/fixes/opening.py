"""Which log an installation has."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from fleet.kit.db import Database
from fleet.kit.settings import Settings
from fleet.org.models import City
from tracking.fixes.log import FixLog
from tracking.fixes.log_postgres import PostgresFixLog
from tracking.fixes.log_sqlite import SqliteFixLog


def open_fixlog(settings: Settings, db: Database) -> FixLog:
    """The log that belongs to the installation's database, whose tables exist."""
    with db.reading() as session:
        city = session.get(City, 1)
        tz = ZoneInfo(city.tz if city else "UTC")
    if db.dialect == "postgresql":
        return PostgresFixLog(db.writer, tz)
    return SqliteFixLog(settings.fixes_dir, tz)
