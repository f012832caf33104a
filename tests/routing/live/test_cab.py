"""The tablet: route, taps exactly once, and the socket."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from fleet.kit.errors import install
from fleet.kit.times import iso
from fleet.kit.web import Kit
from fleet.org.assignments import assign
from fleet.people import create_user
from fleet.people import wiring as people
from fleet.people.models import Role
from routing import wiring
from routing.models import VisitStatus
from tests.conftest import START
from tests.routing.live.days import deliver, lanes, read, told, traverse, west
from tests.routing.plans.planning import make_plan
from tests.routing.plans.town import DAY, add_city


@pytest.fixture
def running(sqlite_kit: Kit) -> Kit:
    """SQLite alone: `test_taps.py` has what touches the database, on both."""
    with sqlite_kit.db.unit_of_work() as session:
        add_city(session)
    make_plan(sqlite_kit.db, START - timedelta(hours=4))
    return sqlite_kit


@pytest.fixture
def app(running: Kit) -> FastAPI:
    app = FastAPI()
    install(app)
    app.state.kit = running
    for router in (*people.routers, *wiring.routers):
        app.include_router(router)
    with running.db.unit_of_work() as session:
        for name, role, zones in (
            ("driver", Role.DRIVER, None),
            ("other", Role.DRIVER, None),
            ("east", Role.DISPATCHER, frozenset({"z2"})),
            ("all", Role.DISPATCHER, None),
        ):
            user = create_user(
                session,
                username=name,
                password="a long password",
                name=name.title(),
                role=role,
                zones=zones,
            )
            if name == "driver":
                assign(session, "crew_vehicle", user.id, "T1", START - timedelta(hours=5))
    return app


def signed_in(app: FastAPI, name: str) -> TestClient:
    client = TestClient(app)
    answer = client.post("/api/sign-in", json={"username": name, "password": "a long password"})
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return client


@pytest.fixture
def cab(app: FastAPI) -> Iterator[TestClient]:
    with signed_in(app, "driver") as client:
        yield client


def tap(kind: str, visit_id: str | None = None, *, id: str = "event-0001", **more: Any) -> Any:
    return {"id": id, "kind": kind, "visit_id": visit_id, "t": iso(START)} | more


def send(cab: TestClient, *events: Any) -> Any:
    answer = cab.post("/api/cab/events", json={"events": list(events)})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_driver_gets_the_route_of_the_vehicle_in_hand(cab: TestClient, running: Kit) -> None:
    state = cab.get("/api/cab/route").json()
    assert state["vehicle"] == "T1"
    visits = state["route"]["visits"]
    with running.db.reading() as session:
        route, rows = west(session)
    assert (state["route"]["id"], [v["id"] for v in visits]) == (route.id, [v.id for v in rows])
    assert state["next_visit_id"] == rows[0].id
    assert [v["locked"] for v in visits[:4]] == [True, True, True, False]
    traverse(running, rows[1])
    assert cab.get("/api/cab/route").json()["next_visit_id"] == rows[2].id


def test_driver_without_vehicle_has_no_route(app: FastAPI) -> None:
    with signed_in(app, "other") as client:
        state = client.get("/api/cab/route").json()
    assert (state["vehicle"], state["route"]) == (None, None)


def test_taps_stand_beside_and_change_no_outcome(cab: TestClient, running: Kit) -> None:
    first, second = lanes(running)[:2]
    answer = send(
        cab,
        tap("done", first.id, photo_id="pho_1"),
        tap("could_not", second.id, id="event-0002", reason="lane_blocked"),
    )
    assert answer == {"accepted": ["event-0001", "event-0002"], "refused": []}
    visit = read(running, first)
    assert (visit.status, visit.proved_t) == (VisitStatus.PENDING, None)
    assert visit.report == {
        "kind": "done",
        "reason": None,
        "words": None,
        "t": iso(START),
        "photo_id": "pho_1",
    }
    assert [e["report"]["kind"] for e in told(running, "routing.visit_changed")] == [
        "done",
        "could_not",
    ]
    following = cab.get("/api/cab/route").json()["next_visit_id"]
    assert following not in (first.id, second.id)


def test_same_event_twice_is_stored_once(cab: TestClient, running: Kit) -> None:
    """The first answer was lost on the way."""
    event = tap("done", lanes(running)[0].id)
    assert send(cab, event) == send(cab, event)
    stored = cab.get("/api/cab/events", params={"service_date": DAY.isoformat()}).json()
    assert stored == [{"id": "event-0001", "kind": "done", "t": iso(START)}]


def test_reused_id_and_foreign_visit_are_refused_singly(cab: TestClient, running: Kit) -> None:
    first, second = lanes(running)[:2]
    send(cab, tap("done", first.id))
    answer = send(
        cab,
        tap("done", second.id),
        tap("done", "vis_of_nobody", id="event-0002"),
        tap("unload", id="event-0003", kg=310.5),
    )
    assert answer["accepted"] == ["event-0003"]
    assert [r["id"] for r in answer["refused"]] == ["event-0001", "event-0002"]
    assert "another event" in answer["refused"][0]["reason"]
    assert read(running, second).report is None


def test_tap_of_an_offline_tablet_reaches_the_route_that_replaced_its_own(
    cab: TestClient, running: Kit
) -> None:
    old = lanes(running)[0]
    make_plan(running.db, START, seed=5)
    assert send(cab, tap("done", old.id))["accepted"] == ["event-0001"]
    new = next(v for v in lanes(running) if v.ref == old.ref)
    assert new.id != old.id
    assert new.report is not None


def test_sos_is_an_alarm(cab: TestClient, running: Kit) -> None:
    send(cab, tap("sos", words="brakes"))
    send(cab, tap("sos", words="brakes"))
    (alarm,) = told(running, "tracking.alarm")
    assert (alarm["kind"], alarm["severity"], alarm["vehicle_id"]) == ("sos", "critical", "T1")
    assert "brakes" in alarm["text"]


def test_socket_sends_the_route_and_again_when_it_changes(cab: TestClient, running: Kit) -> None:
    first = lanes(running)[0]
    deliver(running)
    with cab.websocket_connect("/ws/cab") as socket:
        state = socket.receive_json()
        assert (state["type"], state["next_visit_id"]) == (
            "route",
            state["route"]["visits"][0]["id"],
        )
        traverse(running, first)
        again = socket.receive_json()
        visit = next(v for v in again["route"]["visits"] if v["id"] == first.id)
        assert (again["type"], visit["status"]) == ("route", "served")


def test_only_drivers(app: FastAPI) -> None:
    with signed_in(app, "all") as client:
        assert client.get("/api/cab/route").status_code == 403


def test_dispatcher_reads_routes_and_plans_of_own_zones(app: FastAPI, running: Kit) -> None:
    day = {"service_date": DAY.isoformat()}
    with signed_in(app, "all") as everywhere, signed_in(app, "east") as east:
        everything = everywhere.get("/api/routes", params=day).json()
        assert [r["vehicle_id"] for r in everything] == ["T1", "T2"]
        assert [r["vehicle_id"] for r in east.get("/api/routes", params=day).json()] == ["T2"]
        t1 = everything[0]["id"]
        assert everywhere.get(f"/api/routes/{t1}").json()["visits"][1]["kind"] in ("lane", "bin")
        assert east.get(f"/api/routes/{t1}").status_code == 404
        (plan,) = everywhere.get("/api/plans", params=day).json()
        view = everywhere.get(f"/api/plans/{plan['id']}").json()
        assert [u["ref"] for u in view["unplanned"]] == ["market"]
        assert len(view["routes"]) == 2


def test_dispatcher_orders_a_plan_as_a_job(app: FastAPI) -> None:
    tomorrow = (DAY + timedelta(days=1)).isoformat()
    with signed_in(app, "all") as client:
        ordered = client.post("/api/plans", json={"service_date": tomorrow, "seed": 3})
        assert (ordered.status_code, ordered.json()["status"]) == (202, "queued")
        job_id = ordered.json()["id"]
        assert client.get(f"/api/jobs/{job_id}").json()["kind"] == "plan_night"
        cancelled = client.post(f"/api/jobs/{job_id}/cancel").json()
        assert cancelled["status"] == "cancelled"
        running = client.post("/api/plans", json={"service_date": DAY.isoformat()})
        assert (running.status_code, running.json()["type"]) == (409, "urn:safai:route-running")
        unknown = client.post("/api/plans", json={"service_date": tomorrow, "wards": ["mars"]})
        assert (unknown.status_code, unknown.json()["field"]) == (404, "wards")
    with signed_in(app, "east") as client:
        foreign = client.post("/api/plans", json={"service_date": tomorrow, "wards": ["west"]})
        assert (foreign.status_code, foreign.json()["type"]) == (409, "urn:safai:outside-zones")
