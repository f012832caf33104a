"""Accounts of a trial: everybody can sign in, the file is private, and a kill in between heals."""

from __future__ import annotations

import json
import stat

import pytest

from fleet.kit.web import Kit
from fleet.main import accounts
from fleet.main.metadata import metadata
from fleet.org.assignments import holder
from fleet.people.accounts import authenticate, find_user
from fleet.people.models import Role
from tests.conftest import START
from tests.routing.plans.town import add_city
from tracking.devices.service import is_authentic

metadata()


@pytest.fixture
def kit_with_town(sqlite_kit: Kit) -> Kit:
    with sqlite_kit.db.unit_of_work() as session:
        add_city(session)
    return sqlite_kit


def test_every_account_works_and_a_second_call_makes_no_more(kit_with_town: Kit) -> None:
    kit = kit_with_town
    made = accounts.seed(kit)
    assert accounts.seed(kit) == made
    assert [driver["vehicle_id"] for driver in made["drivers"]] == ["S1", "T1", "T2"]
    with kit.db.reading() as session:
        for name, role in (("admin", Role.ADMIN), ("operator", Role.OPERATOR)):
            assert authenticate(session, **made[name], lang="en").role == role
        for driver in made["drivers"]:
            user = find_user(session, driver["username"])
            assert user is not None
            assert holder(session, "crew_vehicle", user.id, START) == driver["vehicle_id"]
            device_id = driver["device_id"]
            assert holder(session, "device_vehicle", device_id, START) == driver["vehicle_id"]
            assert is_authentic(session, device_id, driver["device_token"])


def test_only_the_owner_reads_the_passwords(kit_with_town: Kit) -> None:
    accounts.seed(kit_with_town)
    assert stat.S_IMODE(accounts.path_of(kit_with_town).stat().st_mode) == 0o600


def test_a_file_whose_accounts_were_never_committed_does_not_count(kit_with_town: Kit) -> None:
    """As a kill between the file and the commit leaves it."""
    kit = kit_with_town
    stale = {"admin": {"username": "admin", "password": "stale"}, "drivers": []}
    accounts.path_of(kit).write_text(json.dumps(stale))
    made = accounts.seed(kit)
    assert made["admin"]["password"] != "stale"
    assert json.loads(accounts.path_of(kit).read_text()) == made
