"""Every room's tables, imported so that Alembic and `create_all` know them."""

from __future__ import annotations

from importlib import import_module

from sqlalchemy import MetaData

from fleet.kit.db import Base

MODEL_MODULES = (
    "fleet.kit.files",
    "fleet.kit.jobs",
    "fleet.kit.outbox",
    "fleet.kit.timers",
    "fleet.org.models",
    "fleet.people.models",
    "tracking.models",
    "routing.models",
    "feedback.models",
)
"""A room with several model files re-exports them through its `models` module."""


def metadata() -> MetaData:
    """The tables of all rooms."""
    for module in MODEL_MODULES:
        import_module(module)
    return Base.metadata
