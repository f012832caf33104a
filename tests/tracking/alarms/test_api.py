"""Alarms and geofences over HTTP: who sees and who may change what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from fleet.kit.web import Kit
from fleet.people import Role, create_user
from tests.tracking.alarms.conftest import about, at
from tests.tracking.serving import make_app
from tracking.alarms import service

PASSWORD = "a long enough passphrase"
LAKE = {
    "name": "Lake",
    "kind": "circle",
    "geometry": {"type": "Point", "coordinates": [75.86, 22.72]},
    "radius_m": 80,
    "rules": {"enter": True},
}


@pytest.fixture
def client(beats: Kit) -> Iterator[TestClient]:
    with beats.db.unit_of_work() as session:
        for name, role, zones in (
            ("admin", Role.ADMIN, None),
            ("west", Role.DISPATCHER, ["z1"]),
            ("east", Role.DISPATCHER, ["z2"]),
            ("driver", Role.DRIVER, None),
        ):
            create_user(
                session, username=name, password=PASSWORD, name=name, role=role, zones=zones
            )
    with TestClient(make_app(beats)) as made:
        yield made


def sign_in(client: TestClient, name: str) -> dict[str, str]:
    answer = client.post("/api/sign-in", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return {"X-CSRF-Token": answer.json()["csrf"]}


def raised(kit: Kit, vehicle: str, kind: str = "mains_cut", **where: Any) -> str:
    with kit.db.unit_of_work() as session:
        made = service.raise_alarm(
            session,
            key=f"{kind}:{vehicle}",
            kind=kind,
            at=at(0),
            about=about(vehicle, **where),
            words=service.said("alarms.say.mains_cut", who=vehicle),
        )
        assert made is not None
        return made.id


def test_a_dispatcher_acknowledges_and_clears_what_is_theirs(client: TestClient, kit: Kit) -> None:
    alarm_id = raised(kit, "v1")
    headers = sign_in(client, "west")
    [listed] = client.get("/api/alarms").json()
    assert (listed["id"], listed["state"], listed["acknowledged_by"]) == (alarm_id, "raised", None)
    assert client.post(f"/api/alarms/{alarm_id}/acknowledge").status_code == 403  # no CSRF token
    seen = client.post(f"/api/alarms/{alarm_id}/acknowledge", headers=headers).json()
    assert (seen["state"], seen["acknowledged_by"]) == ("acknowledged", "west")
    done = client.post(f"/api/alarms/{alarm_id}/clear", headers=headers).json()
    assert (done["state"], done["cleared_by"]) == ("cleared", "west")
    late = client.post(f"/api/alarms/{alarm_id}/acknowledge", headers=headers)
    assert (late.status_code, late.json()["type"]) == (409, "urn:safai:conflict")
    assert client.get("/api/alarms", params={"state": "raised"}).json() == []
    assert len(client.get("/api/alarms", params={"state": "cleared"}).json()) == 1


def test_another_zone_and_another_role_see_and_touch_nothing(client: TestClient, kit: Kit) -> None:
    alarm_id = raised(kit, "v1")
    headers = sign_in(client, "east")
    assert client.get("/api/alarms").json() == []
    for what in ("acknowledge", "clear"):
        answer = client.post(f"/api/alarms/{alarm_id}/{what}", headers=headers)
        assert answer.status_code == 404
    sign_in(client, "driver")
    assert client.get("/api/alarms").status_code == 403
    client.cookies.clear()
    assert client.get("/api/alarms").status_code == 401


def test_a_unit_in_no_vehicle_is_everybodys_business(client: TestClient, kit: Kit) -> None:
    alarm_id = raised(kit, "d7", "sos", beat=None, zone=None, wards=())
    for name in ("east", "west"):
        sign_in(client, name)
        assert [a["id"] for a in client.get("/api/alarms").json()] == [alarm_id]


def test_items_members_and_the_log(client: TestClient, kit: Kit) -> None:
    for i in range(4):
        raised(kit, f"v{i}")
    raised(kit, "v9", "route_km")
    sign_in(client, "west")
    [item] = client.get("/api/alarms").json()
    assert (item["kind"], item["n"]) == ("group", 4)
    members = client.get("/api/alarms", params={"group": item["id"]}).json()
    assert len(members) == 4
    logged = client.get("/api/alarms", params={"logged": True}).json()
    assert {a["kind"] for a in logged} == {"group", "mains_cut", "route_km"}
    assert client.get("/api/alarms", params={"service_date": "2026-03-01"}).json() == []


def test_only_administrators_draw_geofences(client: TestClient) -> None:
    headers = sign_in(client, "west")
    assert client.post("/api/geofences", json=LAKE, headers=headers).status_code == 403
    headers = sign_in(client, "admin")
    made = client.post("/api/geofences", json=LAKE, headers=headers)
    assert made.status_code == 201, made.text
    fence = made.json()
    path = f"/api/geofences/{fence['id']}"
    sign_in(client, "west")
    assert client.get("/api/geofences").json() == [fence]
    headers = sign_in(client, "admin")
    body = {**LAKE, "radius_m": 120, "version": fence["version"]}
    changed = client.put(path, json=body, headers=headers).json()
    assert (changed["radius_m"], changed["version"]) == (120, fence["version"] + 1)
    assert client.put(path, json=body, headers=headers).status_code == 409  # an old version
    assert client.delete(path, headers=headers).status_code == 204
    assert client.delete(path, headers=headers).status_code == 404


@pytest.mark.parametrize(
    "change",
    [
        {"geometry": {"type": "Polygon", "coordinates": [[[75, 22], [76, 22], [75, 22]]]}},
        {"geometry": {"type": "Point", "coordinates": [275.0, 22.0]}},
        {"geometry": {"type": "Point", "coordinates": ["a", "b"]}},
        {"geometry": {"type": "Point"}},
        {"radius_m": 0},
        {"kind": "square"},
        {"rules": {"vehicles": ["nobody"]}},
        {"rules": {"dwell_min": -1}},
        {"name": ""},
        {
            "kind": "polygon",
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[75, 22], [76, 23], [76, 22], [75, 23], [75, 22]]],
            },
        },
        {"kind": "corridor", "geometry": {"type": "LineString", "coordinates": [[75, 22]]}},
    ],
)
def test_a_geofence_that_is_none_is_refused(client: TestClient, change: dict[str, Any]) -> None:
    headers = sign_in(client, "admin")
    answer = client.post("/api/geofences", json={**LAKE, **change}, headers=headers)
    assert answer.status_code == 422
    assert client.get("/api/geofences").json() == []
