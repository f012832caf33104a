"""Sign-in, sign-out and who am I."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from fleet.kit.errors import TooMany
from fleet.kit.i18n import t
from fleet.kit.web import Kit, KitDep, Now, Reading, UnitOfWork, kit_of
from fleet.people.accounts import authenticate, drivers, end_sign_in, open_sign_in
from fleet.people.attempts import Attempts
from fleet.people.models import Role
from fleet.people.schemas import DriverView, Me, SignInBody, UserView
from fleet.people.scope import COOKIE, CurrentCaller, Scope, lang_of, requires, scope_of

PER_ADDRESS = 10
"""An address may try this many times as often as one name from it: offices share an address."""

router = APIRouter(prefix="/api", tags=["people"])


def _attempts(request: Request) -> Attempts:
    state = request.app.state
    if not hasattr(state, "sign_in_attempts"):
        kit = kit_of(request)
        state.sign_in_attempts = Attempts(kit.monotonic, kit.settings.sign_in_window_s)
    attempts: Attempts = state.sign_in_attempts
    return attempts


@router.post("/sign-in", summary="Sign in; sets the session cookie")
def sign_in(
    body: SignInBody,
    request: Request,
    response: Response,
    attempts: Annotated[Attempts, Depends(_attempts)],
    kit: KitDep,
    now: Now,
    reading: Reading,
    session: UnitOfWork,
) -> Me:
    lang = lang_of(request)
    address = request.client.host if request.client else "unknown"
    name_key = f"{address} {body.username.strip().lower()}"
    limit = kit.settings.sign_in_attempts
    _slow_down(attempts, name_key, limit, lang)
    _slow_down(attempts, address, limit * PER_ADDRESS, lang)
    user = authenticate(reading, username=body.username, password=body.password, lang=lang)
    attempts.clear(name_key)
    opened = open_sign_in(session, user, now=now, days=kit.settings.session_days)
    response.set_cookie(
        COOKIE,
        opened.token,
        max_age=int(kit.settings.session_days * 86_400),
        httponly=True,
        samesite="lax",
        secure=_is_https(kit),
    )
    return Me(user=UserView.of(scope_of(user)), csrf=opened.csrf)


@router.post("/sign-out", status_code=204, summary="Sign out; clears the cookie")
def sign_out(
    request: Request, response: Response, caller: CurrentCaller, kit: KitDep, session: UnitOfWork
) -> None:
    end_sign_in(session, request.cookies[COOKIE])
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=_is_https(kit))


@router.get("/me", summary="Who is signed in")
def me(caller: CurrentCaller) -> Me:
    return Me(user=UserView.of(caller.scope), csrf=caller.csrf)


@router.get("/drivers", summary="Drivers who may be assigned to a vehicle, by name")
def list_drivers(
    session: Reading, _scope: Annotated[Scope, Depends(requires(Role.DISPATCHER))]
) -> list[DriverView]:
    return [DriverView(id=user.id, name=user.name) for user in drivers(session)]


def _slow_down(attempts: Attempts, key: str, limit: int, lang: str) -> None:
    wait_s = math.ceil(attempts.wait_s(key, limit))
    if wait_s > 0:
        raise TooMany(
            t(lang, "people.too_many"),
            field="username",
            remedy=t(lang, "people.too_many_remedy", minutes=math.ceil(wait_s / 60)),
            headers={"Retry-After": str(wait_s)},
        )


def _is_https(kit: Kit) -> bool:
    return kit.settings.effective_public_url.startswith("https://")
