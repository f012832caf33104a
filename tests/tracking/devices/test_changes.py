"""Devices that change: what is open ends, tokens are renewed, names stay unique; files of GPX."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from fleet.kit.web import Kit
from fleet.people import Role, create_user
from tests.tracking.conftest import T0, fix, import_city
from tests.tracking.drives import town
from tests.tracking.serving import make_app, serving
from tracking.fixes import open_fixlog
from tracking.protocols import gpx

PASSWORD = "a long enough passphrase"


@pytest.fixture
def web(kit: Kit) -> Iterator[httpx.Client]:
    import_city(kit, town(3, size=2))
    with kit.db.unit_of_work() as session:
        for name, role in (("admin", Role.ADMIN), ("chief", Role.DISPATCHER)):
            create_user(session, username=name, password=PASSWORD, name=name, role=role, zones=None)
    with (
        serving(make_app(kit)) as address,
        httpx.Client(base_url=f"http://{address}", timeout=20) as made,
    ):
        sign_in(made, "admin")
        yield made


def sign_in(web: httpx.Client, name: str) -> None:
    answer = web.post("/api/sign-in", json={"username": name, "password": PASSWORD})
    web.headers["X-CSRF-Token"] = answer.json()["csrf"]


def register(web: httpx.Client, **body: str) -> str:
    answer = web.post("/api/devices", json={"label": "D", **body})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def socket(web: httpx.Client, device: str, token: str) -> ClientConnection:
    url = f"ws://{web.base_url.netloc.decode()}/ws/devices/{device}"
    return connect(url, additional_headers={"Authorization": f"Bearer {token}"})


def close_code(ws: ClientConnection) -> int | None:
    with pytest.raises(ConnectionClosed):
        ws.recv(timeout=10)
    return ws.close_code


def test_a_disabled_device_is_disconnected_and_stays_out(web: httpx.Client) -> None:
    token = register(web, id="d1")
    with socket(web, "d1", token) as ws:
        ws.send('{"seq": 1, "fixes": []}')
        assert ws.recv(timeout=10) == '{"ack":1}'
        changed = web.patch("/api/devices/d1", json={"disabled": True})
        assert (changed.status_code, changed.json()["disabled"]) == (200, True)
        assert close_code(ws) == 4401
    with socket(web, "d1", token) as ws:
        assert close_code(ws) == 4401
    assert web.patch("/api/devices/d1", json={"disabled": False}).status_code == 200
    with socket(web, "d1", token) as ws:
        ws.send('{"seq": 2, "fixes": []}')
        assert ws.recv(timeout=10) == '{"ack":2}'


def test_a_new_token_ends_the_old_one_and_its_connection(web: httpx.Client) -> None:
    old = register(web, id="d1")
    with socket(web, "d1", old) as ws:
        ws.send('{"seq": 1, "fixes": []}')
        ws.recv(timeout=10)
        new = web.post("/api/devices/d1/token").json()["token"]
        assert close_code(ws) == 4401
    with socket(web, "d1", old) as ws:
        assert close_code(ws) == 4401
    with socket(web, "d1", new) as ws:
        ws.send('{"seq": 1, "fixes": []}')
        assert ws.recv(timeout=10) == '{"ack":1}'
    assert web.post("/api/devices/none/token").status_code == 404


def test_a_device_for_another_protocol_has_no_socket(web: httpx.Client) -> None:
    token = register(web, id="d1", protocol="ais140", external_id="352093085223096")
    with socket(web, "d1", token) as ws:
        assert close_code(ws) == 4401
    assert web.patch("/api/devices/d1", json={"protocol": None}).json()["protocol"] is None
    with socket(web, "d1", token) as ws:
        ws.send('{"seq": 1, "fixes": []}')
        assert ws.recv(timeout=10) == '{"ack":1}'


def test_a_name_leads_to_one_device(web: httpx.Client) -> None:
    """No unit's own number is another's, nor another device's id."""
    register(web, id="d1", external_id="352")
    register(web, id="d2")
    for body in (
        {"id": "d3", "external_id": "352"},
        {"id": "d3", "external_id": "d2"},
        {"id": "352"},
    ):
        answer = web.post("/api/devices", json={"label": "D", **body})
        assert answer.status_code == 409, body
    taken = web.patch("/api/devices/d2", json={"external_id": "352"})
    assert (taken.status_code, taken.json()["field"]) == (409, "external_id")
    assert web.patch("/api/devices/d1", json={"external_id": None}).status_code == 200
    assert web.patch("/api/devices/d2", json={"external_id": "352"}).status_code == 200
    assert web.patch("/api/devices/none", json={"label": "x"}).status_code == 404
    assert web.patch("/api/devices/d2", json={"protocol": "smoke"}).status_code == 422
    sign_in(web, "chief")
    assert web.patch("/api/devices/d2", json={"label": "x"}).status_code == 403
    assert web.post("/api/devices/d2/token").status_code == 403


def test_a_file_becomes_a_vehicles_fixes_once(kit: Kit, web: httpx.Client) -> None:
    """Points without time, from the future and from before all that is kept are told; the same
    file again is all duplicates; the vehicle's own unit is not touched."""
    good = [fix(-s, lon=75.86 + s / 1e5, speed_mps=1.0) for s in range(60, 0, -1)]
    late = fix(3600 * 24)
    old = fix(-3600 * 24 * 4000)
    body = gpx.write([old, *good, late]).replace(
        "</trkseg>", '<trkpt lat="22" lon="75"/></trkseg>', 1
    )
    first = web.post("/api/vehicles/v1/gpx", content=body).json()
    assert (first["stored"], first["duplicate"], first["refused"]) == (60, 0, 3)
    assert [row["field"] for row in first["reasons"]] == ["time"] * 3
    again = web.post("/api/vehicles/v1/gpx", content=body).json()
    assert (again["stored"], again["duplicate"]) == (0, 60)
    log = open_fixlog(kit.settings, kit.db)
    try:
        fixes = log.window("v1", T0 - timedelta(hours=1), T0)
    finally:
        log.close()
    assert [(f.t, f.lon, f.speed_mps, f.device_id) for f in fixes] == [
        (f.t, f.lon, 1.0, "gpx:v1") for f in good
    ]
    assert web.get("/api/devices").json() == []
    assert web.post("/api/vehicles/v9/gpx", content=body).status_code == 404
    bad = web.post("/api/vehicles/v1/gpx", content=b"<!DOCTYPE gpx>" + body.encode())
    assert (bad.status_code, bad.json()["field"]) == (422, "body")
    sign_in(web, "chief")
    assert web.post("/api/vehicles/v1/gpx", content=body).status_code == 403
