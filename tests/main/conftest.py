"""The composed application over a small planned town, with an account of every role signed in.

Ward `west` (zone z1) and ward `east` (zone z2) of `tests.routing.plans.town`, their plan published
and its routes about to begin; devices, crews, and a resident's request in each zone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fleet.kit.clock import SteppedClock
from fleet.kit.db import Database
from fleet.kit.web import Kit
from fleet.main.app import create_app
from fleet.main.metadata import metadata
from fleet.org import assignments
from fleet.people import Role, create_user
from fleet.people.scope import COOKIE, CSRF_HEADER
from tests.conftest import START, HandMonotonic, make_kit
from tests.routing.plans.planning import ROADS, make_plan
from tests.routing.plans.town import SOUTH, WEST, add_city
from tracking.devices.service import register_device

PASSWORD = "correct horse battery"
PEOPLE = {
    "admin": (Role.ADMIN, None),
    "dispatcher": (Role.DISPATCHER, None),
    "west": (Role.DISPATCHER, ["z1"]),
    "east": (Role.DISPATCHER, ["z2"]),
    "operator": (Role.OPERATOR, None),
    "driver": (Role.DRIVER, None),
    "other_driver": (Role.DRIVER, None),
}
"""Accounts: role and zones. `driver` has vehicle T1 (ward west), `other_driver` T2 (ward east)."""

PLACES = {"west": (WEST + 0.0015, SOUTH + 0.0005), "east": (WEST + 0.0035, SOUTH + 0.0005)}
"""A place in each ward."""


@dataclass
class Served:
    """A running application, and what a test needs to know of it."""

    app: FastAPI
    kit: Kit
    clock: SteppedClock
    anybody: TestClient
    running: Any
    """What `run` gave: the address, of a server on a real port."""
    users: dict[str, str]
    """Account name → user id."""
    tokens: dict[str, str]
    """Device id → token."""
    plan_id: str
    routes: dict[str, str] = field(default_factory=dict)
    """Ward → id of the route of its vehicle."""
    requests: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Ward → RequestSummary."""

    clients: dict[str, TestClient] = field(default_factory=dict)
    """Account → its client."""

    def signed_in(self, name: str) -> TestClient:
        """A client with the account's cookie and CSRF token."""
        if name not in self.clients:
            self.clients[name] = self._sign_in(name)
        return self.clients[name]

    def _sign_in(self, name: str) -> TestClient:
        client = TestClient(self.app, raise_server_exceptions=False)
        answer = client.post("/api/sign-in", json={"username": name, "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        client.headers[CSRF_HEADER] = answer.json()["csrf"]
        return client

    def headers(self, name: str) -> dict[str, str]:
        """What a signed-in page sends, for clients of another kind."""
        client = self.signed_in(name)
        return {
            "Cookie": f"{COOKIE}={client.cookies[COOKIE]}",
            CSRF_HEADER: client.headers[CSRF_HEADER],
        }

    def report(self, place: tuple[float, float], client_id: str, **more: Any) -> dict[str, Any]:
        """A resident's request; the answer of the call."""
        body = {
            "client_id": client_id,
            "service_code": "street_dump",
            "lon": place[0],
            "lat": place[1],
            "words": "a heap",
        }
        answer = self.anybody.post("/api/requests", json=body | more)
        assert answer.status_code == 201, answer.text
        made: dict[str, Any] = answer.json()
        return made


def prepared(kit: Kit) -> tuple[dict[str, str], dict[str, str], str]:
    """City, accounts, devices, crews and a published plan: users, tokens, plan id."""
    users: dict[str, str] = {}
    tokens: dict[str, str] = {}
    with kit.db.unit_of_work() as session:
        add_city(session)
        for name, (role, zones) in PEOPLE.items():
            user = create_user(
                session, username=name, password=PASSWORD, name=name, role=role, zones=zones
            )
            users[name] = user.id
        for device_id, vehicle_id, driver in (
            ("unit-1", "T1", "driver"),
            ("unit-2", "T2", "other_driver"),
        ):
            tokens[device_id] = register_device(session, id=device_id, label=vehicle_id, now=START)
            assignments.assign(session, "device_vehicle", device_id, vehicle_id, START)
            assignments.assign(session, "crew_vehicle", users[driver], vehicle_id, START)
    return users, tokens, make_plan(kit.db, START - timedelta(hours=4))


type Running = Callable[[FastAPI], AbstractContextManager[Any]]


@contextmanager
def serving_town(folder: Path, run: Running = TestClient) -> Iterator[Served]:
    """The application running over its town, in process or as `run` does it."""
    clock = SteppedClock(folder / "clock.json", START)
    db = Database.open(f"sqlite:///{folder / 'safai.sqlite3'}", clock)
    metadata().create_all(db.writer)
    kit = make_kit(db, clock, HandMonotonic(), folder)
    users, tokens, plan_id = prepared(kit)
    app = create_app(kit)
    app.state.roads = ROADS
    anybody = TestClient(app, raise_server_exceptions=False)
    with run(app) as running:
        served = Served(app, kit, clock, anybody, running, users, tokens, plan_id)
        for ward, place in PLACES.items():
            served.report(place, f"client-{ward}")
        staff = served.signed_in("dispatcher")
        served.requests = {r["ward_id"]: r for r in staff.get("/api/requests").json()}
        routes = staff.get("/api/routes", params={"service_date": "2026-03-02"}).json()
        served.routes = {ward: r["id"] for r in routes for ward in r["ward_ids"]}
        yield served
    db.close()


@pytest.fixture(scope="session")
def shared_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One town for tests that only look."""
    with serving_town(tmp_path_factory.mktemp("town")) as served:
        yield served


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Served]:
    """A town of the test's own."""
    with serving_town(tmp_path) as served:
        yield served


def problem(answer: Any) -> dict[str, Any]:
    """The problem of an error answer, held to the one shape."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    found: dict[str, Any] = answer.json()
    assert found.keys() >= {"type", "title", "status", "detail", "field", "remedy"}
    assert found["status"] == answer.status_code
    assert found["title"]
    assert found["detail"]
    return found
