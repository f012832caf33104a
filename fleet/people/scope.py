"""Who asks, and what they may see and do: dependencies for endpoints and sockets."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Depends, Request, WebSocket, WebSocketException
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from fleet.kit.errors import Forbidden, Problem, Unauthenticated
from fleet.kit.i18n import Lang, choose, t
from fleet.kit.web import Kit, kit_of
from fleet.people.accounts import find_sign_in
from fleet.people.models import Role, SignIn, User

COOKIE = "safai_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

CLOSE_UNAUTHENTICATED = 4401
CLOSE_FORBIDDEN = 4403


@dataclass(frozen=True, slots=True)
class Scope:
    """The caller. `zones` None: all zones."""

    user_id: str
    name: str
    role: Role
    zones: frozenset[str] | None
    lang: str

    def sees_zone(self, zone_id: str | None) -> bool:
        """Whether something in a zone is the caller's business (None: it lies in no zone)."""
        return self.zones is None or zone_id in self.zones

    def may(self, *roles: Role) -> bool:
        """Whether the caller has one of the roles; an administrator has them all."""
        return self.role is Role.ADMIN or self.role in roles


def scope_of(user: User) -> Scope:
    zones = None if user.zones is None else frozenset(user.zones)
    return Scope(user.id, user.name, Role(user.role), zones, user.lang)


def lang_of(conn: HTTPConnection) -> Lang:
    """Language for a caller who is not signed in, by ``Accept-Language``."""
    return choose(conn.headers.get("accept-language"))


def _signed_in(conn: HTTPConnection, kit: Kit) -> tuple[SignIn, Scope]:
    token = conn.cookies.get(COOKIE)
    found = None
    if token:
        with kit.db.reading() as session:
            found = find_sign_in(session, token, kit.clock.now())
    if found is None:
        lang = lang_of(conn)
        raise Unauthenticated(
            t(lang, "people.not_signed_in"), remedy=t(lang, "people.not_signed_in_remedy")
        )
    return found[0], scope_of(found[1])


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller's scope with the secret that their page proves itself by."""

    scope: Scope
    csrf: str


def current_caller(request: Request) -> Caller:
    """The signed-in caller; unsafe methods must carry the sign-in's CSRF token.

    Raises:
        Unauthenticated: nobody is signed in.
        Forbidden: the CSRF token is missing or another's.
    """
    sign_in, scope = _signed_in(request, kit_of(request))
    sent = request.headers.get(CSRF_HEADER, "")
    if request.method not in SAFE_METHODS and not secrets.compare_digest(
        sent.encode(), sign_in.csrf.encode()
    ):
        raise Forbidden(
            t(scope.lang, "people.csrf"),
            type="csrf",
            field=CSRF_HEADER,
            remedy=t(scope.lang, "people.csrf_remedy"),
        )
    return Caller(scope, sign_in.csrf)


CurrentCaller = Annotated[Caller, Depends(current_caller)]


def current_scope(caller: CurrentCaller) -> Scope:
    """The signed-in caller's scope; raises as `current_caller` does."""
    return caller.scope


CurrentScope = Annotated[Scope, Depends(current_scope)]


def requires(*roles: Role) -> Callable[[Scope], Scope]:
    """A dependency that answers the caller's scope when they have one of the roles.

    ``scope: Annotated[Scope, Depends(requires(Role.DISPATCHER))]``
    """

    def required(scope: CurrentScope) -> Scope:
        _check_role(scope, roles)
        return scope

    return required


async def socket_scope(websocket: WebSocket, *roles: Role) -> Scope:
    """The scope of a socket's caller; await it before `websocket.accept()`.

    Raises:
        WebSocketException: the page is another site's (refused), nobody is signed in (4401) or
            the role does not fit (4403); FastAPI closes the socket with it.
    """
    kit = kit_of(websocket)
    if not origin_is_ours(websocket):
        raise WebSocketException(CLOSE_FORBIDDEN, t("en", "people.origin"))
    try:
        _, scope = await run_in_threadpool(_signed_in, websocket, kit)
        _check_role(scope, roles)
    except Problem as problem:
        # Accepted first: a browser is not told the code of a socket that never opened.
        await websocket.accept()
        code = CLOSE_UNAUTHENTICATED if problem.status == 401 else CLOSE_FORBIDDEN
        raise WebSocketException(code, problem.title) from problem
    return scope


def origin_is_ours(conn: HTTPConnection) -> bool:
    """Whether a browser's page came from this server. No origin: no browser, so no foreign page."""
    origin = conn.headers.get("origin")
    if origin is None:
        return True
    ours = {conn.headers.get("host"), urlsplit(kit_of(conn).settings.effective_public_url).netloc}
    return urlsplit(origin).netloc in ours


def _check_role(scope: Scope, roles: tuple[Role, ...]) -> None:
    if not scope.may(*roles):
        raise Forbidden(
            t(scope.lang, "people.role_needed", roles=", ".join(roles)),
            remedy=t(scope.lang, "people.role_needed_remedy"),
        )
