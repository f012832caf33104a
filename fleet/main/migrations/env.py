"""Alembic's environment: runs inside the connection and transaction that `Database` hands over."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Connection

from fleet.kit.db import JsonDict, UtcDateTime
from fleet.main.metadata import metadata
from fleet.org.models import Packed


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Name our own column types in migrations by where they live."""
    if kind == "type" and isinstance(item, UtcDateTime | JsonDict):
        autogen.imports.add("from fleet.kit import db")
        return f"db.{type(item).__name__}()"
    if kind == "type" and isinstance(item, Packed):
        return "sa.Text()"
    return False


def _type_differs(
    _context: Any, _column: Any, _metadata_column: Any, in_database: Any, in_model: Any
) -> bool | None:
    """Our types know how they look on each database; leave the rest to Alembic."""
    if isinstance(in_model, JsonDict):
        return not isinstance(in_database, JSONB) and in_database.__visit_name__ != "JSON"
    return None


def run(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=metadata(),
        render_as_batch=connection.dialect.name == "sqlite",
        transactional_ddl=True,
        render_item=_render,
        compare_type=_type_differs,
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
