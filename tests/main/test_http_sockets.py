"""The sockets of a real server: who may open them, and the control room's numbered events."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from fleet.kit.outbox import emit, prune
from fleet.main.serve import WebServer
from fleet.people.scope import COOKIE
from routing.models import Visit
from tests.conftest import START
from tests.main.conftest import PLACES, Served, serving_town
from tests.tracking.serving import serving
from tracking.devices.service import register_device

WITHIN_S = 20.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Served, str]]:
    """The town on a real port: its own lifespan serves the sockets."""
    with serving_town(tmp_path_factory.mktemp("sockets"), serving) as served:
        yield served, served.running


def opened(server: tuple[Served, str], path: str, name: str | None, **more: Any) -> Any:
    served, address = server
    headers = dict(more.pop("additional_headers", {}))
    if name is not None:
        headers["Cookie"] = f"{COOKIE}={served.signed_in(name).cookies[COOKIE]}"
    return connect(f"ws://{address}{path}", additional_headers=headers, **more)


def received(socket: ClientConnection, *kinds: str) -> dict[str, Any]:
    """The next message of one of the kinds."""
    while True:
        message: dict[str, Any] = json.loads(socket.recv(timeout=WITHIN_S))
        if message["type"] in kinds:
            return message


def close_code(socket: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        socket.recv(timeout=WITHIN_S)
    return socket.close_code


@pytest.mark.parametrize("path", ["/ws/control", "/ws/cab"])
def test_a_foreign_page_opens_no_socket(server: Any, path: str) -> None:
    with pytest.raises(InvalidStatus) as refused:
        opened(server, path, "admin", origin="https://elsewhere.example")
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize(
    ("path", "name", "code"),
    [
        ("/ws/control", None, 4401),
        ("/ws/cab", None, 4401),
        ("/ws/control", "driver", 4403),
        ("/ws/control", "operator", 4403),
        ("/ws/cab", "dispatcher", 4403),
    ],
)
def test_a_socket_tells_whom_it_does_not_serve(
    server: Any, path: str, name: str | None, code: int
) -> None:
    with opened(server, path, name) as socket:
        assert close_code(socket) == code


def test_a_device_does_not_speak_for_another(server: Any) -> None:
    served, _ = server
    with served.kit.db.unit_of_work() as session:
        token = register_device(session, id="stranger", label="", now=START)
    for used in (token, served.tokens["unit-2"], ""):
        bearer = {"Authorization": f"Bearer {used}"}
        with opened(server, "/ws/devices/unit-1", None, additional_headers=bearer) as socket:
            assert close_code(socket) == 4401


def test_a_tablet_receives_its_route(server: Any) -> None:
    with opened(server, "/ws/cab", "driver") as socket:
        assert received(socket, "route")["route"]["vehicle_id"] == "T1"
        socket.send(b"\x00 not text")
        assert socket.ping().wait(WITHIN_S)


def test_a_snapshot_shows_the_caller_s_zones(server: Any) -> None:
    served, _ = server
    with opened(server, "/ws/control", "west") as socket:
        snapshot = received(socket, "snapshot")
    assert [route["id"] for route in snapshot["routes"]] == [served.routes["west"]]
    assert {request["ward_id"] for request in snapshot["requests"]} == {"west"}
    with served.kit.db.reading() as session:
        west = {v.ref for v in session.query(Visit) if v.kind == "lane" and v.ward_id == "west"}
    assert set(snapshot["lanes"]) == west
    assert {vehicle["vehicle_id"] for vehicle in snapshot["vehicles"]} == {"T1", "T2", "S1"}


def test_events_follow_the_snapshot_and_a_client_resumes(server: Any) -> None:
    served, _ = server
    with opened(server, "/ws/control", "dispatcher") as socket:
        snapshot = received(socket, "snapshot")
        made = served.report(PLACES["west"], "resume-1")
        first = received(socket, "event")
        assert first["n"] > snapshot["n"]
        assert (first["topic"], first["data"]["code"]) == (
            "feedback.request_changed", made["code"],
        )  # fmt: skip
        socket.send(b"\x00 not text")  # what a client says here breaks nothing
        assert received(socket, "positions")["vehicles"] == []
    missed = served.report(PLACES["west"], "resume-2")
    with opened(server, f"/ws/control?after={first['n']}", "dispatcher") as socket:
        event = received(socket, "event", "snapshot", "start_again")
        assert (event["n"], event["data"]["code"]) == (first["n"] + 1, missed["code"])


@pytest.mark.parametrize("after", [10_000_000, -5])
def test_a_client_that_lost_its_place_starts_again(server: Any, after: int) -> None:
    with opened(server, f"/ws/control?after={after}", "dispatcher") as socket:
        assert received(socket, "event", "snapshot", "start_again")["type"] == "start_again"
        assert received(socket, "event", "snapshot")["type"] == "snapshot"


def test_events_that_are_gone_are_not_skipped(server: Any) -> None:
    served, _ = server
    with served.kit.db.unit_of_work() as session:
        assert prune(session, START + timedelta(seconds=1)) > 0
    with opened(server, "/ws/control?after=1", "dispatcher") as socket:
        assert received(socket, "event", "snapshot", "start_again")["type"] == "start_again"


def test_events_of_another_zone_do_not_arrive(server: Any) -> None:
    """Also those of its plans, and of its routes' stops that lie in no ward."""
    served, _ = server
    east = served.routes["east"]
    with opened(server, "/ws/control", "west") as socket:
        received(socket, "snapshot")
        served.report(PLACES["east"], "zones-east")
        with served.kit.db.unit_of_work() as session:
            emit(session, "routing.plan_changed", "p", {"id": "p", "wards": ["east"]})
            disposal = {"id": "v", "ward_id": None, "route_id": east}
            emit(session, "routing.visit_changed", "v", disposal)
            emit(session, "tracking.alarm", "a", {"id": "a", "ward_ids": ["east"]})
        mine = served.report(PLACES["west"], "zones-west")
        assert received(socket, "event")["data"].get("code") == mine["code"]


def test_fixes_move_the_vehicle_on_the_map(server: Any) -> None:
    served, _ = server
    lon, lat = PLACES["west"]
    fix = {"t": (START + timedelta(seconds=5)).timestamp(), "lon": lon, "lat": lat}
    bearer = {"Authorization": f"Bearer {served.tokens['unit-1']}"}
    with (
        opened(server, "/ws/control", "dispatcher") as control,
        opened(server, "/ws/devices/unit-1", None, additional_headers=bearer) as device,
    ):
        received(control, "snapshot")
        device.send(json.dumps({"seq": 1, "fixes": [fix]}))
        assert json.loads(device.recv(timeout=WITHIN_S)) == {"ack": 1}
        while not (moved := received(control, "positions")["vehicles"]):
            pass
    assert [(v["vehicle_id"], v["lon"], v["lat"]) for v in moved] == [("T1", lon, lat)]


def test_the_web_process_leaves_signals_to_the_supervisor() -> None:
    """Ctrl-C reaches the whole process group: only the supervisor acts on it."""
    names = (signal.SIGINT, signal.SIGTERM)
    before = [signal.getsignal(name) for name in names]
    with WebServer(uvicorn.Config("unused")).capture_signals():
        assert [signal.getsignal(name) for name in names] == before
