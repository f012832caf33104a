"""Use cases on accounts and sign-ins. All work in the caller's unit of work."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from fleet.kit.db import now_of
from fleet.kit.errors import Conflict, Malformed, Unauthenticated
from fleet.kit.i18n import LANGS, t
from fleet.kit.ids import new_id
from fleet.people.models import Role, SignIn, User
from fleet.people.passwords import check_password, hash_password, verify_password

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}")


@dataclass(frozen=True, slots=True)
class Opened:
    """A fresh sign-in: the token goes into the cookie and nowhere else."""

    user: User
    token: str
    csrf: str


def create_user(
    session: Session,
    *,
    username: str,
    password: str,
    name: str,
    role: Role | str,
    zones: Iterable[str] | None = None,
    lang: str = "en",
) -> User:
    """Make an account.

    Args:
        session: the caller's unit of work.
        username: 3 to 40 of a–z, 0–9, dot, hyphen, underscore; kept in lower case.
        password: see `passwords.check_password`.
        name: as colleagues call the person.
        role: what the account is for.
        zones: zone ids that the person works for; None: all.
        lang: language of the faces, ``en`` or ``hi``.

    Raises:
        Malformed: one of the values is not acceptable.
        Conflict: the user name is taken.
    """
    username = username.strip().lower()
    if lang not in LANGS:
        raise Malformed(
            t("en", "people.lang", lang=lang),
            field="lang",
            remedy=t("en", "people.lang_remedy"),
        )
    if not _USERNAME.fullmatch(username):
        raise Malformed(
            t(lang, "people.username", username=username),
            field="username",
            remedy=t(lang, "people.username_remedy"),
        )
    if role not in set(Role):
        raise Malformed(
            t(lang, "people.role", role=role),
            field="role",
            remedy=t(lang, "people.role_remedy", roles=", ".join(Role)),
        )
    if not name.strip():
        raise Malformed(t(lang, "people.name"), field="name", remedy=t(lang, "people.name_remedy"))
    check_password(password, username, lang)
    if find_user(session, username) is not None:
        raise Conflict(
            t(lang, "people.username_taken", username=username),
            field="username",
            remedy=t(lang, "people.username_taken_remedy"),
        )
    user = User(
        id=new_id("usr"),
        username=username,
        password_hash=hash_password(password),
        name=name.strip(),
        role=Role(role),
        zones=None if zones is None else sorted(set(zones)),
        lang=lang,
        disabled=False,
        created_at=now_of(session),
    )
    session.add(user)
    session.flush()
    return user


def find_user(session: Session, username: str) -> User | None:
    """The account of a user name, in whatever case it is typed."""
    return session.scalar(select(User).where(User.username == username.strip().lower()))


def drivers(session: Session) -> Sequence[User]:
    """Accounts of drivers in use, by name."""
    query = select(User).where(User.role == Role.DRIVER, User.disabled.is_(False))
    return session.scalars(query.order_by(User.name, User.id)).all()


def set_password(session: Session, user: User, password: str) -> None:
    """Change a password and end every sign-in of the account.

    Raises:
        Malformed: the password is too weak.
    """
    check_password(password, user.username, user.lang)
    user.password_hash = hash_password(password)
    _end_all(session, user)


def disable(session: Session, user: User) -> None:
    """Close an account and end its sign-ins; its history stays."""
    user.disabled = True
    _end_all(session, user)


def authenticate(session: Session, *, username: str, password: str, lang: str) -> User:
    """The account that a user name and password open; the time taken tells nothing.

    Raises:
        Unauthenticated: unknown name, wrong password or closed account, all in the same words.
    """
    user = find_user(session, username)
    fits = verify_password(password, None if user is None else user.password_hash)
    if user is None or not fits or user.disabled:
        raise Unauthenticated(
            t(lang, "people.wrong_password"),
            type="wrong-password",
            field="password",
            remedy=t(lang, "people.wrong_password_remedy"),
        )
    return user


def open_sign_in(session: Session, user: User, *, now: datetime, days: float) -> Opened:
    """Start a sign-in that lasts `days` of city time."""
    token = secrets.token_urlsafe(32)
    csrf = secrets.token_urlsafe(24)
    session.add(
        SignIn(
            token_sha256=token_hash(token),
            user_id=user.id,
            csrf=csrf,
            created_at=now,
            expires_at=now + timedelta(days=days),
        )
    )
    return Opened(user, token, csrf)


def end_sign_in(session: Session, token: str) -> None:
    """End the sign-in of a token, if there is one."""
    session.execute(delete(SignIn).where(SignIn.token_sha256 == token_hash(token)))


def end_expired(session: Session, now: datetime) -> None:
    """Forget sign-ins whose time is over."""
    session.execute(delete(SignIn).where(SignIn.expires_at <= now))


def find_sign_in(session: Session, token: str, now: datetime) -> tuple[SignIn, User] | None:
    """The running sign-in of a token and its open account."""
    row = session.execute(
        select(SignIn, User)
        .join(User, User.id == SignIn.user_id)
        .where(
            SignIn.token_sha256 == token_hash(token),
            SignIn.expires_at > now,
            User.disabled.is_(False),
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _end_all(session: Session, user: User) -> None:
    session.execute(delete(SignIn).where(SignIn.user_id == user.id))
