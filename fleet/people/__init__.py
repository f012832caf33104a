"""People: accounts, roles, scopes and sign-in."""

from pathlib import Path

from fleet.kit.i18n import register
from fleet.people.accounts import create_user, disable, find_user, set_password
from fleet.people.models import Role, User
from fleet.people.scope import (
    CurrentScope,
    Scope,
    lang_of,
    origin_is_ours,
    requires,
    socket_scope,
)

__all__ = [
    "CurrentScope",
    "Role",
    "Scope",
    "User",
    "create_user",
    "disable",
    "find_user",
    "lang_of",
    "origin_is_ours",
    "requires",
    "set_password",
    "socket_scope",
]

register(Path(__file__).parent / "locales")
