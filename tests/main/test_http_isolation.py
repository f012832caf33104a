"""Who may call what: each route of the application, each kind of caller, each zone."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from structlog.testing import capture_logs

from fleet.people.scope import CSRF_HEADER
from tests.main.conftest import Served, problem

EVERYBODY = frozenset({"admin", "dispatcher", "operator", "driver"})
STAFF = frozenset({"admin", "dispatcher", "operator"})
DISPATCHER = frozenset({"admin", "dispatcher"})
DRIVER = frozenset({"admin", "driver"})
ADMIN = frozenset({"admin"})
PUBLIC = None
SAFE = {"GET", "HEAD"}

ROUTES: dict[str, frozenset[str] | None] = {
    "GET /api/assignments": DISPATCHER,
    "POST /api/assignments": DISPATCHER,
    "POST /api/cab/events": DRIVER,
    "GET /api/cab/events": DRIVER,
    "GET /api/cab/route": DRIVER,
    "GET /api/city": PUBLIC,
    "POST /api/clock/advance": PUBLIC,  # this machine only, and off by default: test_http_advance
    "GET /api/devices": DISPATCHER,
    "POST /api/devices": ADMIN,
    "GET /api/devices/feeds": ADMIN,
    "PATCH /api/devices/{device_id}": ADMIN,
    "POST /api/devices/{device_id}/token": ADMIN,
    "GET /api/devices/layouts": DISPATCHER,
    "GET /api/devices/unknown-frames": ADMIN,
    "GET /api/alarms": DISPATCHER,
    "POST /api/alarms/{alarm_id}/acknowledge": DISPATCHER,
    "POST /api/alarms/{alarm_id}/clear": DISPATCHER,
    "GET /api/geofences": DISPATCHER,
    "POST /api/geofences": ADMIN,
    "PUT /api/geofences/{fence_id}": ADMIN,
    "DELETE /api/geofences/{fence_id}": ADMIN,
    "GET /api/coverage": DISPATCHER,
    "GET /api/proof": DISPATCHER,
    "GET /api/replay": DISPATCHER,
    "GET /api/vehicles/{vehicle_id}/day": DISPATCHER,
    "GET /api/vehicles/{vehicle_id}/export": DISPATCHER,
    "GET /api/visits/{visit_id}/proof": DISPATCHER,
    "GET /api/drivers": DISPATCHER,
    "GET /api/jobs/{job_id}": DISPATCHER,
    "POST /api/jobs/{job_id}/cancel": DISPATCHER,
    "GET /api/lanes": EVERYBODY,
    "GET /api/locate": PUBLIC,
    "GET /api/me": EVERYBODY,
    "POST /api/photos": PUBLIC,
    "GET /api/photos/{photo_id}": PUBLIC,
    "GET /api/places": PUBLIC,
    "POST /api/plans": DISPATCHER,
    "GET /api/plans": DISPATCHER,
    "GET /api/plans/{plan_id}": DISPATCHER,
    "POST /api/plans/{plan_id}/publish": DISPATCHER,
    "GET /api/r/{code}": PUBLIC,
    "POST /api/r/{code}/rating": PUBLIC,
    "POST /api/requests": PUBLIC,
    "GET /api/requests": STAFF,
    "GET /api/requests/{request_id}": STAFF,
    "POST /api/requests/{request_id}/close": DISPATCHER,
    "POST /api/requests/{request_id}/stop": DISPATCHER,
    "GET /api/routes": DISPATCHER,
    "GET /api/routes/{route_id}": DISPATCHER,
    "GET /api/search": PUBLIC,
    "GET /api/presence": DISPATCHER,
    "GET /api/staff": DISPATCHER,
    "POST /api/staff": DISPATCHER,
    "PATCH /api/staff/{person_id}": DISPATCHER,
    "GET /api/staff/{person_id}/trail": DISPATCHER,
    "GET /api/weights": DISPATCHER,
    "POST /api/sign-in": PUBLIC,
    "POST /api/sign-out": EVERYBODY,
    "POST /api/tickets": DISPATCHER,  # or a weighbridge by its token: tracking/weights
    "POST /api/tickets/csv": DISPATCHER,
    "POST /api/tickets/{ticket_id}/correct": DISPATCHER,
    "POST /api/trips/{entry_id}/excuse": DISPATCHER,
    "POST /api/weighbridges": ADMIN,
    "GET /api/tickets": DISPATCHER,
    "GET /api/trips": DISPATCHER,
    "GET /api/vehicles": DISPATCHER,
    "GET /api/vehicles/{vehicle_id}/trail": DISPATCHER,
    "POST /api/vehicles/{vehicle_id}/gpx": ADMIN,
    "GET /api/wards": PUBLIC,
    # Devices by their own token: tests/tracking/gateway/http.
    "GET /in/osmand": PUBLIC,
    "POST /in/osmand": PUBLIC,
    "GET /in/osmand/{token:path}": PUBLIC,
    "POST /in/osmand/{token:path}": PUBLIC,
    "POST /in/owntracks": PUBLIC,
    "POST /in/traccar": PUBLIC,
    "POST /in/traccar/{token:path}": PUBLIC,
    "GET /": PUBLIC,
    "GET /assets/{name}": PUBLIC,
    "GET /cab": PUBLIC,
    "GET /cab/": PUBLIC,
    "GET /cab/sw.js": PUBLIC,
    "GET /control": PUBLIC,
    "GET /healthz": PUBLIC,
    "GET /metrics": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /r/{code}": PUBLIC,
    "GET /report": PUBLIC,
    "GET /sign-in": PUBLIC,
    "GET /tiles/streets.pmtiles": PUBLIC,
    "SOCKET /ws/cab": DRIVER,
    "SOCKET /ws/control": DISPATCHER,
    "SOCKET /ws/devices/{device_id}": PUBLIC,  # by the device's own token: test_http_sockets
}
"""Every route of the application and the roles that may call it. A new one belongs in here."""

GUARDED = [route for route, roles in ROUTES.items() if roles and not route.startswith("SOCKET")]
TODAY = {"service_date": "2026-03-02"}


def call(client: TestClient, route: str, **more: Any) -> Any:
    """The route with made-up ids and no body: who may not call it is told before what is wrong."""
    method, _, path = route.partition(" ")
    return client.request(method, path.replace("{", "x").replace("}", "x"), **more)


def test_every_route_is_in_the_table(shared_town: Served) -> None:
    served = set()
    for context in iter_route_contexts(shared_town.app.routes):
        methods = getattr(context, "methods", None) or {"SOCKET"}
        served |= {f"{method} {context.path}" for method in methods - {"HEAD"}}
    assert served == set(ROUTES)


@pytest.mark.parametrize("route", GUARDED)
def test_nobody_calls_without_signing_in(shared_town: Served, route: str) -> None:
    answer = call(TestClient(shared_town.app), route)
    assert problem(answer)["status"] == 401
    assert problem(answer)["remedy"]


@pytest.mark.parametrize("route", GUARDED)
def test_only_its_roles_call_a_route(shared_town: Served, route: str) -> None:
    roles = ROUTES[route]
    assert roles is not None
    if route == "POST /api/sign-out":
        return  # it would end the shared sign-in; test_signing_out_ends_a_sign_in
    for role in sorted(EVERYBODY):
        answer = call(shared_town.signed_in(role), route)
        if role in roles:
            assert answer.status_code not in {401, 403}, role
        else:
            assert problem(answer)["status"] == 403, role
            assert problem(answer)["remedy"]


@pytest.mark.parametrize("route", [r for r in GUARDED if r.split()[0] not in SAFE])
def test_a_foreign_page_cannot_change_anything(shared_town: Served, route: str) -> None:
    """The cookie alone, which a browser adds by itself, is not enough."""
    for headers in ({CSRF_HEADER: ""}, {CSRF_HEADER: "another"}):
        answer = call(shared_town.signed_in("admin"), route, headers=headers)
        assert (answer.status_code, problem(answer)["field"]) == (403, CSRF_HEADER)


def test_signing_out_ends_a_sign_in(town: Served) -> None:
    client = town.signed_in("driver")
    cookie = town.headers("driver")["Cookie"]
    assert client.post("/api/sign-out").status_code == 204
    assert TestClient(town.app).get("/api/me", headers={"Cookie": cookie}).status_code == 401


def test_a_dispatcher_sees_the_routes_of_their_zones(shared_town: Served) -> None:
    west = shared_town.signed_in("west")
    seen = west.get("/api/routes", params=TODAY).json()
    assert [route["id"] for route in seen] == [shared_town.routes["west"]]
    assert west.get(f"/api/routes/{shared_town.routes['west']}").status_code == 200
    assert west.get(f"/api/routes/{shared_town.routes['east']}").status_code == 404


def test_a_dispatcher_sees_and_changes_the_requests_of_their_zones(shared_town: Served) -> None:
    west, east = shared_town.signed_in("west"), shared_town.requests["east"]
    assert {r["ward_id"] for r in west.get("/api/requests").json()} == {"west"}
    assert west.get("/api/requests", params={"ward": "east"}).json() == []
    assert west.get(f"/api/requests/{east['id']}").status_code == 404
    version = {"version": east["version"]}
    closing = west.post(f"/api/requests/{east['id']}/close", json=version | {"words": "no"})
    assert closing.status_code == 404
    assert west.post(f"/api/requests/{east['id']}/stop", json=version).status_code == 404
    staff = shared_town.signed_in("dispatcher")
    assert staff.get(f"/api/requests/{east['id']}").json()["version"] == east["version"]


def test_lanes_are_those_of_the_caller_s_zones(shared_town: Served) -> None:
    west = shared_town.signed_in("west")
    lanes = west.get("/api/lanes").json()["features"]
    assert {lane["properties"]["ward_id"] for lane in lanes} == {"west"}
    assert west.get("/api/lanes", params={"ward": "east"}).status_code == 404


def test_plans_beyond_the_caller_s_zones_are_refused(shared_town: Served) -> None:
    with capture_logs() as logs:
        answer = shared_town.signed_in("west").post(
            "/api/plans", json={"service_date": "2026-03-04", "wards": ["east"]}
        )
    assert (problem(answer)["status"], problem(answer)["field"]) == (409, "wards")
    assert [log["problem"] for log in logs if log["event"] == "request_refused"] == [
        "outside-zones"
    ]


def test_a_driver_sees_their_own_vehicle_s_route(shared_town: Served) -> None:
    for name, vehicle in (("driver", "T1"), ("other_driver", "T2")):
        state = shared_town.signed_in(name).get("/api/cab/route").json()
        assert (state["vehicle"], state["route"]["vehicle_id"]) == (vehicle, vehicle)


def test_a_driver_taps_only_on_their_own_visits(shared_town: Served) -> None:
    other = shared_town.signed_in("other_driver").get("/api/cab/route").json()["route"]
    visit = next(v for v in other["visits"] if v["kind"] == "lane")
    event = {"id": "tap-0001", "kind": "done", "visit_id": visit["id"], "t": "2026-03-02T00:30:00Z"}
    answer = shared_town.signed_in("driver").post("/api/cab/events", json={"events": [event]})
    assert answer.json()["accepted"] == []
    assert [refusal["id"] for refusal in answer.json()["refused"]] == ["tap-0001"]
    again = shared_town.signed_in("other_driver").get("/api/cab/route").json()["route"]
    assert next(v for v in again["visits"] if v["id"] == visit["id"])["report"] is None
