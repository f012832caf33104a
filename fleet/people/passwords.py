"""Passwords: what is good enough, and argon2 hashes of them."""

from __future__ import annotations

from functools import cache

from pwdlib import PasswordHash

from fleet.kit.errors import Malformed
from fleet.kit.i18n import t

MIN_LENGTH = 10
MAX_LENGTH = 200
MIN_DIFFERENT = 5

_hasher = PasswordHash.recommended()


def check_password(password: str, username: str, lang: str) -> None:
    """Refuse a password that is easily guessed.

    Raises:
        Malformed: it is too short or long, too uniform, or contains the user name.
    """
    if len(password) < MIN_LENGTH:
        key = "people.password_short"
    elif len(password) > MAX_LENGTH:
        key = "people.password_long"
    elif len(set(password)) < MIN_DIFFERENT:
        key = "people.password_uniform"
    elif username.casefold() in password.casefold():
        key = "people.password_has_name"
    else:
        return
    raise Malformed(
        t(lang, key, min=MIN_LENGTH, max=MAX_LENGTH),
        type="weak-password",
        field="password",
        remedy=t(lang, "people.password_remedy", min=MIN_LENGTH),
    )


def hash_password(password: str) -> str:
    return _hasher.hash(password)


def verify_password(password: str, password_hash: str | None) -> bool:
    """Whether the password fits; takes as long when there is no account (`None`)."""
    if len(password) > MAX_LENGTH:
        return False
    fits = _hasher.verify(password, password_hash or _nobodys_hash())
    return fits and password_hash is not None


@cache
def _nobodys_hash() -> str:
    return _hasher.hash("an account that does not exist")
