"""Migrations make exactly the tables that the rooms declare, on both databases."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fleet.kit.db import Database
from fleet.main.metadata import metadata


def is_ours(item: object, name: str | None, kind: str, *_: object) -> bool:
    """Not a table that another test declares for itself."""
    return kind != "table" or not str(name).startswith("test_")


def test_migrated_tables_are_the_declared_ones(db_url):
    """No table, column, index or constraint differs; an upgrade at the head changes nothing."""
    database = Database.open(db_url)
    try:
        database.upgrade()
        database.upgrade()
        with database.writer.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"compare_type": False, "include_object": is_ours}
            )
            assert compare_metadata(context, metadata()) == []
    finally:
        database.close()
