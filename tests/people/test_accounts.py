"""Accounts: who may be made, what a password must be, what ends a sign-in."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fleet.kit.db import Database
from fleet.kit.errors import Conflict, Malformed, Unauthenticated
from fleet.people import Role, Scope, create_user, disable, find_user, set_password
from fleet.people.accounts import (
    authenticate,
    end_expired,
    find_sign_in,
    open_sign_in,
    token_hash,
)
from fleet.people.models import SignIn
from tests.conftest import START

PASSWORD = "four unrelated words"
ASHA: dict[str, Any] = {
    "username": "asha",
    "password": PASSWORD,
    "name": "Asha Verma",
    "role": Role.DISPATCHER,
}


def test_an_account_is_made_and_found_in_any_case(db: Database) -> None:
    with db.unit_of_work() as session:
        user = create_user(session, **{**ASHA, "username": " Asha "}, zones=["z2", "z1", "z2"])
    with db.reading() as session:
        found = find_user(session, "ASHA")
    assert found is not None
    assert (found.id, found.username, found.zones) == (user.id, "asha", ["z1", "z2"])
    assert found.created_at == START
    assert PASSWORD not in found.password_hash
    assert found.password_hash.startswith("$argon2id$")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"username": "a"}, "username", id="name-short"),
        pytest.param({"username": "asha verma"}, "username", id="name-space"),
        pytest.param({"username": "-asha"}, "username", id="name-hyphen-first"),
        pytest.param({"username": "आशा"}, "username", id="name-devanagari"),
        pytest.param({"role": "mayor"}, "role", id="role"),
        pytest.param({"name": "  "}, "name", id="no-name"),
        pytest.param({"lang": "fr"}, "lang", id="lang"),
        pytest.param({"password": "short"}, "password", id="password-short"),
        pytest.param({"password": "x" * 201}, "password", id="password-long"),
        pytest.param({"password": "aaaaaaaaaaaa"}, "password", id="password-uniform"),
        pytest.param({"password": "my-Asha-password"}, "password", id="password-has-name"),
    ],
)
def test_unacceptable_values_are_refused_by_field_with_a_remedy(
    db: Database, change: dict[str, str], field: str
) -> None:
    with pytest.raises(Malformed) as caught, db.unit_of_work() as session:
        create_user(session, **{**ASHA, **change})
    assert caught.value.field == field
    assert caught.value.remedy
    with db.reading() as session:
        assert find_user(session, "asha") is None


def test_a_taken_name_is_a_conflict(db: Database) -> None:
    with db.unit_of_work() as session:
        create_user(session, **ASHA)
    with pytest.raises(Conflict) as caught, db.unit_of_work() as session:
        create_user(session, **{**ASHA, "username": "ASHA"})
    assert caught.value.field == "username"


def test_unknown_name_and_wrong_password_are_told_in_the_same_words(db: Database) -> None:
    with db.unit_of_work() as session:
        create_user(session, **ASHA)
    told: list[str] = []
    tries = [("asha", "wrong password"), ("nobody", PASSWORD), ("asha", "x" * 999)]
    for username, password in tries:
        with db.reading() as session, pytest.raises(Unauthenticated) as caught:
            authenticate(session, username=username, password=password, lang="hi")
        told.append(str(caught.value))
    assert len(set(told)) == 1


def test_a_sign_in_ends_with_its_time(db: Database) -> None:
    with db.unit_of_work() as session:
        user = create_user(session, **ASHA)
        token = open_sign_in(session, user, now=START, days=1).token
    just_before, end = START + timedelta(hours=23.9), START + timedelta(days=1)
    with db.reading() as session:
        assert find_sign_in(session, token, just_before) is not None
        assert find_sign_in(session, token, end) is None
        assert find_sign_in(session, "another", START) is None
    for at, kept in [(just_before, True), (end, False)]:
        with db.unit_of_work() as session:
            end_expired(session, at)
        with db.reading() as session:
            assert (session.get(SignIn, token_hash(token)) is not None) is kept


@pytest.mark.parametrize(
    "change", [disable, lambda session, user: set_password(session, user, "five other words")]
)
def test_closing_an_account_or_a_new_password_ends_its_sign_ins(db: Database, change: Any) -> None:
    with db.unit_of_work() as session:
        user = create_user(session, **ASHA)
        token = open_sign_in(session, user, now=START, days=1).token
    with db.unit_of_work() as session:
        found = find_user(session, "asha")
        assert found is not None
        change(session, found)
    with db.reading() as session:
        assert find_sign_in(session, token, START) is None
        with pytest.raises(Unauthenticated):
            authenticate(session, username="asha", password=PASSWORD, lang="en")


def test_a_weak_new_password_changes_nothing(db: Database) -> None:
    with db.unit_of_work() as session:
        create_user(session, **ASHA)
    with db.reading() as session:
        found = find_user(session, "asha")
    assert found is not None
    with pytest.raises(Malformed), db.unit_of_work() as session:
        set_password(session, found, "weak")
    with db.reading() as session:
        authenticate(session, username="asha", password=PASSWORD, lang="en")


@pytest.mark.parametrize(
    ("zones", "zone", "seen"),
    [
        (None, "z1", True),
        (None, None, True),
        (frozenset({"z1"}), "z1", True),
        (frozenset({"z1"}), "z2", False),
        (frozenset({"z1"}), None, False),
        (frozenset(), "z1", False),
    ],
)
def test_a_scope_sees_its_zones(zones: frozenset[str] | None, zone: str | None, seen: bool) -> None:
    assert Scope("u", "U", Role.DISPATCHER, zones, "en").sees_zone(zone) is seen
