"""Alarms from before move into the one table, and back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from fleet.kit.db import MIGRATIONS, Database


def moved(database: Database, revision: str, *, down: bool = False) -> None:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS)
    with database.writer.begin() as connection:
        config.attributes["connection"] = connection
        (command.downgrade if down else command.upgrade)(config, revision)


def test_alarms_of_routing_move_and_only_help_stays_open(db_url: str) -> None:
    database = Database.open(db_url)
    try:
        moved(database, "0004")
        with database.writer.begin() as connection:
            old = sa.Table("routing_alarm", sa.MetaData(), autoload_with=connection)
            t = sa.literal("2026-03-02 00:30:00")
            for kind in ("sos", "route_late", "visit_missed", "device_silent"):
                connection.execute(
                    sa.insert(old).values(
                        id=f"a-{kind}",
                        key=f"{kind}:x",
                        kind=kind,
                        severity="warning",
                        service_date=sa.literal("2026-03-02").cast(sa.Date)
                        if database.dialect == "postgresql"
                        else sa.literal_column("'2026-03-02'"),
                        ward_ids=["w1"],
                        t=t.cast(sa.DateTime(timezone=True))
                        if database.dialect == "postgresql"
                        else sa.literal_column("'2026-03-02 00:30:00.000000'"),
                        text=kind,
                        words={"en": kind},
                    )
                )
        moved(database, "0005")
        with database.reading() as session:
            rows = session.execute(
                sa.text("SELECT kind, state, cause, occurrence FROM alarm ORDER BY kind")
            ).all()
        assert [tuple(row) for row in rows] == [
            ("device_silent", "cleared", "unit", 1),
            ("route_late", "cleared", "delay", 1),
            ("sos", "raised", "safety", 1),
            ("visit_missed", "cleared", "missed", 1),
        ]
        moved(database, "0004", down=True)
        with database.reading() as session:
            back = session.execute(sa.text("SELECT id, text FROM routing_alarm ORDER BY id")).all()
        assert [row.id for row in back] == [
            "a-device_silent",
            "a-route_late",
            "a-sos",
            "a-visit_missed",
        ]
        moved(database, "0005")
    finally:
        database.close()
