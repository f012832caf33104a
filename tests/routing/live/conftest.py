"""The town with a published plan, on each kind of database."""

from __future__ import annotations

from datetime import timedelta

import pytest

from fleet.kit.web import Kit
from tests.conftest import START
from tests.routing.plans.planning import make_plan
from tests.routing.plans.town import add_city


@pytest.fixture
def running(kit: Kit) -> Kit:
    """06:00: the routes of two tippers begin now."""
    with kit.db.unit_of_work() as session:
        add_city(session)
    make_plan(kit.db, START - timedelta(hours=4))
    return kit
