"""The whole OpenAPI schema, fuzzed as each kind of caller: no fault of ours, one error shape."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.types import ASGIApp, Receive, Scope, Send

from fleet.kit.errors import MEDIA_TYPE
from tests.conftest import START
from tests.main.conftest import Served, serving_town
from tests.main.test_http_photos import picture
from tracking.alarms.about import About
from tracking.alarms.service import raise_alarm, said

CALLERS = ("anonymous", "admin", "dispatcher", "driver")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
FEW = settings(
    max_examples=6,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
"""Cases of each operation, the same in every run; each caller tries them all."""


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_town(tmp_path_factory.mktemp("fuzzed")) as served:
        yield served


@pytest.fixture(scope="module")
def api(fuzzed: Served) -> Any:
    described = copy.deepcopy(fuzzed.app.openapi())
    # schemathesis 4.32 turns prefixItems into what its own validator of answers then refuses.
    del described["components"]["schemas"]["Trail"]["properties"]["fixes"]["items"]["prefixItems"]
    return schemathesis.openapi.from_dict(described)


def http_only(app: FastAPI) -> ASGIApp:
    """The application without its lifespan, which the fixture runs."""

    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "http"
        await app(scope, receive, send)

    return call


def ids_of(served: Served) -> dict[str, str]:
    """By path parameter, something that exists."""
    job = served.signed_in("dispatcher").post("/api/plans", json={"service_date": "2026-03-03"})
    photo = served.anybody.post("/api/photos", content=picture())
    weighed = {"number": "1", "station": "station", "vehicle": "T1", "net_kg": 300, "tare_kg": 1500}
    brought = served.signed_in("dispatcher").post(
        "/api/tickets", json=weighed | {"time_in": "2026-03-02T00:30:00Z"}
    )
    ticket_id = brought.json()["tickets"][0]["id"]
    admin = served.signed_in("admin")
    admin.post("/api/devices", json={"id": "spare-unit", "label": "Spare unit"})
    person = {"id": "ramesh", "name": "R", "zone_id": "z1", "start": "06:00", "end": "14:00"}
    admin.post("/api/staff", json=person)
    lake = {"type": "Point", "coordinates": [75.85, 22.7]}
    fence = admin.post(
        "/api/geofences",
        json={"name": "Lake", "kind": "circle", "geometry": lake, "radius_m": 50},
    )
    route = served.signed_in("dispatcher").get(f"/api/routes/{served.routes['west']}")
    return {
        "alarm_id": alarm_in(served),
        "code": served.requests["west"]["code"],
        "device_id": "spare-unit",
        "entry_id": ticket_id,
        "fence_id": fence.json()["id"],
        "job_id": job.json()["id"],
        "person_id": "person:ramesh",
        "photo_id": photo.json()["photo_id"],
        "plan_id": served.plan_id,
        "request_id": served.requests["west"]["id"],
        "route_id": served.routes["west"],
        "ticket_id": ticket_id,
        "vehicle_id": "T1",
        "visit_id": route.json()["visits"][0]["id"],
    }


def alarm_in(served: Served) -> str:
    """The id of an alarm that stands open."""
    with served.kit.db.unit_of_work() as session:
        made = raise_alarm(
            session,
            key="tamper:T1",
            kind="tamper",
            at=START,
            about=About(service_date=START.date(), vehicle_id="T1"),
            words=said("alarms.say.tamper", who="T1"),
        )
        assert made is not None
        return made.id


def test_no_call_breaks_the_server(api: Any, fuzzed: Served, subtests: pytest.Subtests) -> None:
    """Status, media type and body are what the schema says, and every error is a problem.

    Each case is sent with the ids that it made up, and with ids of what there is.
    """
    app = http_only(fuzzed.app)
    known = ids_of(fuzzed)

    def call(case: schemathesis.Case, caller: str) -> None:
        headers = {} if caller == "anonymous" else fuzzed.headers(caller)
        answer = case.call(app=app, base_url="http://testserver", headers=headers)
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert answer.headers["content-type"] == [MEDIA_TYPE]
            assert answer.json()["status"] == answer.status_code
        elif case.path == "/api/sign-out":
            fuzzed.clients.pop(caller)

    for found in api.get_all_operations():
        operation = found.ok()

        @FEW
        @given(case=operation.as_strategy())
        def calls(case: schemathesis.Case) -> None:
            for caller in CALLERS:
                call(case, caller)
            if case.path_parameters:
                case.path_parameters = {name: known[name] for name in case.path_parameters}
                for caller in CALLERS:
                    call(case, caller)

        with subtests.test(operation=operation.label):
            calls()


def test_every_api_route_is_in_the_schema(fuzzed: Served) -> None:
    documented = fuzzed.app.openapi()["paths"]
    served = {route.path for route in iter_route_contexts(fuzzed.app.routes) if route.path}
    assert {path for path in served if path.startswith("/api/")} == set(documented)
