"""The town, imported into each kind of database."""

from __future__ import annotations

import pytest

from fleet.kit.db import Database
from tests.routing.plans.town import add_city


@pytest.fixture
def town_db(db: Database) -> Database:
    with db.unit_of_work() as session:
        add_city(session)
    return db
