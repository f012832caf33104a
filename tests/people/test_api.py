"""Sign-in over HTTP: cookie, CSRF, roles, sockets, and patience with wrong passwords."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated

import pytest
from fastapi import APIRouter, Depends, FastAPI, WebSocket
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from fleet.kit.clock import SteppedClock
from fleet.kit.errors import install
from fleet.kit.logs import RequestContext
from fleet.kit.settings import Settings
from fleet.kit.web import Kit
from fleet.people import Role, Scope, create_user, find_user, requires, socket_scope
from fleet.people.wiring import routers, timers
from tests.conftest import START, HandMonotonic

PASSWORD = "four unrelated words"
router = APIRouter()


@router.get("/dispatch")
@router.post("/dispatch")
def dispatch(scope: Annotated[Scope, Depends(requires(Role.DISPATCHER))]) -> str:
    return scope.name


@router.websocket("/ws")
async def socket(websocket: WebSocket) -> None:
    scope = await socket_scope(websocket, Role.DISPATCHER)
    await websocket.accept()
    await websocket.send_text(scope.name)
    await websocket.close()


def app_of(kit: Kit) -> FastAPI:
    app = FastAPI()
    app.state.kit = kit
    install(app)
    for one in (*routers, router):
        app.include_router(one)
    app.add_middleware(RequestContext)
    return app


@pytest.fixture
def kit(sqlite_kit: Kit) -> Kit:
    """One database is enough: `test_accounts` holds both to what is stored.

    Three tries, for each costs an argon2 hash.
    """
    return replace(
        sqlite_kit, settings=sqlite_kit.settings.model_copy(update={"sign_in_attempts": 3})
    )


@pytest.fixture
def client(kit: Kit) -> Iterator[TestClient]:
    with TestClient(app_of(kit)) as client:
        yield client


def make(kit: Kit, role: Role) -> dict[str, str]:
    """Make the role's account, unless it exists; what its owner types in."""
    username = f"the-{role}"
    with kit.db.unit_of_work() as session:
        if find_user(session, username) is None:
            create_user(
                session,
                username=username,
                password=PASSWORD,
                name=role.title(),
                role=role,
                zones=["z1"],
                lang="hi",
            )
    return {"username": username, "password": PASSWORD}


def sign_in(client: TestClient, kit: Kit, role: Role = Role.DISPATCHER) -> dict[str, str]:
    """Sign in; the headers that unsafe requests carry."""
    response = client.post("/api/sign-in", json=make(kit, role))
    assert response.status_code == 200, response.text
    return {"X-CSRF-Token": response.json()["csrf"]}


def test_signing_in_and_out(client: TestClient, kit: Kit) -> None:
    typed = make(kit, Role.DISPATCHER) | {"username": " The-Dispatcher"}
    response = client.post("/api/sign-in", json=typed)
    me = response.json()
    assert me["user"] | {"id": "?"} == {
        "id": "?",
        "name": "Dispatcher",
        "role": "dispatcher",
        "zones": ["z1"],
        "lang": "hi",
    }
    assert client.get("/api/me").json() == me
    out = client.post("/api/sign-out", headers={"X-CSRF-Token": me["csrf"]})
    assert out.status_code == 204
    assert client.get("/api/me").status_code == 401


def test_the_cookie_is_for_this_site_and_not_for_scripts(client: TestClient, kit: Kit) -> None:
    credentials = make(kit, Role.DRIVER)
    cookie = client.post("/api/sign-in", json=credentials).headers["set-cookie"].lower()
    assert cookie.startswith("safai_session=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "secure" not in cookie
    public = Kit(
        Settings(public_url="https://safai.example"),
        kit.clock,
        kit.monotonic,
        kit.db,
        kit.hub,
        kit.photos,
    )
    with TestClient(app_of(public)) as tls:
        assert "secure" in tls.post("/api/sign-in", json=credentials).headers["set-cookie"].lower()


def test_a_copy_of_the_cookie_is_worthless_after_sign_out(client: TestClient, kit: Kit) -> None:
    headers = sign_in(client, kit)
    token = client.cookies["safai_session"]
    client.post("/api/sign-out", headers=headers)
    client.cookies.set("safai_session", token)
    assert client.get("/api/me").status_code == 401


def test_a_sign_in_expires_by_city_time(client: TestClient, kit: Kit, clock: SteppedClock) -> None:
    sign_in(client, kit)
    clock.set(START + timedelta(days=kit.settings.session_days))
    assert client.get("/api/me").status_code == 401
    (forget,) = timers
    forget.run(kit, clock.now())


@pytest.mark.parametrize("token", [None, "", "wrong", "टोकन".encode()])
def test_unsafe_requests_need_the_csrf_token(
    client: TestClient, kit: Kit, token: str | bytes | None
) -> None:
    sign_in(client, kit)
    assert client.get("/dispatch").json() == "Dispatcher"
    headers = {} if token is None else {"X-CSRF-Token": token}
    response = client.post("/dispatch", headers=headers)  # type: ignore[arg-type] # bytes are sent too
    assert (response.status_code, response.json()["type"]) == (403, "urn:safai:csrf")
    assert response.json()["field"] == "X-CSRF-Token"


def test_another_sign_ins_csrf_token_is_refused(client: TestClient, kit: Kit) -> None:
    old = sign_in(client, kit)
    new = sign_in(client, kit)
    assert client.post("/dispatch", headers=old).status_code == 403
    assert client.post("/dispatch", headers=new).status_code == 200


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.DISPATCHER, 200), (Role.ADMIN, 200), (Role.DRIVER, 403), (Role.OPERATOR, 403)],
)
def test_roles_are_checked(client: TestClient, kit: Kit, role: Role, status: int) -> None:
    sign_in(client, kit, role)
    response = client.get("/dispatch")
    assert response.status_code == status
    if status == 403:
        assert "व्यवस्थापक" in response.json()["remedy"]  # in the account's language


def test_nobody_is_told_to_sign_in_in_their_language(client: TestClient) -> None:
    assert client.get("/dispatch").json()["remedy"] == "Sign in."
    response = client.get("/dispatch", headers={"Accept-Language": "hi"})
    assert response.json()["remedy"] == "साइन इन करें।"


def test_trying_passwords_has_to_wait(
    client: TestClient, kit: Kit, monotonic: HandMonotonic
) -> None:
    make(kit, Role.DRIVER)
    make(kit, Role.ADMIN)

    def status(username: str, password: str) -> int:
        body = {"username": username, "password": password}
        return client.post("/api/sign-in", json=body).status_code

    assert [status("the-driver", f"guess {n}") for n in range(4)] == [401] * 3 + [429]
    assert status("THE-DRIVER", PASSWORD) == 429
    assert status("the-admin", PASSWORD) == 200
    monotonic.advance(301)
    assert status("the-driver", PASSWORD) == 200


def test_a_refused_try_says_how_long_to_wait(client: TestClient) -> None:
    for _ in range(4):
        response = client.post("/api/sign-in", json={"username": "nobody", "password": "x"})
    assert response.headers["retry-after"] == "300"
    assert response.json()["remedy"] == "Wait 5 min and try again."


def test_a_socket_knows_its_caller(client: TestClient, kit: Kit) -> None:
    sign_in(client, kit)
    with client.websocket_connect("/ws", headers={"Origin": "http://testserver"}) as socket:
        assert socket.receive_text() == "Dispatcher"
    with client.websocket_connect("/ws") as socket:
        assert socket.receive_text() == "Dispatcher"


@pytest.mark.parametrize(("role", "code"), [(None, 4401), (Role.DRIVER, 4403)])
def test_a_socket_tells_why_it_closes(
    client: TestClient, kit: Kit, role: Role | None, code: int
) -> None:
    if role is not None:
        sign_in(client, kit, role)
    with client.websocket_connect("/ws") as socket, pytest.raises(WebSocketDisconnect) as caught:
        socket.receive_text()
    assert caught.value.code == code


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://testserver.evil"])
def test_another_sites_page_gets_no_socket(client: TestClient, kit: Kit, origin: str) -> None:
    sign_in(client, kit)
    with (
        pytest.raises(WebSocketDisconnect),
        client.websocket_connect("/ws", headers={"Origin": origin}),
    ):
        pytest.fail("Expected no socket.")
