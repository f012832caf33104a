"""Devices and trails over HTTP, by role and area."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi.testclient import TestClient

from fleet.kit.web import Kit
from fleet.org.assignments import holder
from fleet.org.models import Beat
from fleet.people import Role, create_user
from tests.tracking.conftest import T0, fix
from tests.tracking.drives import Town
from tests.tracking.serving import make_app
from tracking.devices.service import is_authentic

PASSWORD = "a long enough passphrase"


@pytest.fixture
def client(kit: Kit, streets: Town) -> Iterator[TestClient]:
    with kit.db.unit_of_work() as session:
        for name, role, zones in (
            ("admin", Role.ADMIN, None),
            ("chief", Role.DISPATCHER, None),
            ("north", Role.DISPATCHER, ["z9"]),
            ("driver", Role.DRIVER, None),
        ):
            create_user(
                session, username=name, password=PASSWORD, name=name, role=role, zones=zones
            )
        session.add(
            Beat(id="b1", vehicle_id="v1", shift="morning", landmarks=[], lane_ids=["v1.0"])
        )
    with TestClient(make_app(kit)) as made:
        yield made


def sign_in(client: TestClient, name: str) -> dict[str, str]:
    answer = client.post("/api/sign-in", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return {"X-CSRF-Token": answer.json()["csrf"]}


def test_a_device_is_registered_by_an_administrator_and_its_token_told_once(
    client: TestClient, kit: Kit
) -> None:
    headers = sign_in(client, "admin")
    body = {"id": "gps-7", "label": "Tipper 7", "vehicle_id": "v1"}
    made = client.post("/api/devices", json=body, headers=headers)
    assert made.status_code == 201
    with kit.db.reading() as session:
        assert is_authentic(session, "gps-7", made.json()["token"])
        assert not is_authentic(session, "gps-7", made.json()["token"] + "x")
        assert holder(session, "device_vehicle", "gps-7", T0) == "v1"
    client.app.state.live.update([fix(-30, device="gps-7")])  # type: ignore[attr-defined] - FastAPI
    [listed] = client.get("/api/devices").json()
    assert made.json()["token"] not in str(listed)
    assert (listed["id"], listed["vehicle_id"], listed["age_s"]) == ("gps-7", "v1", 30.0)

    again = client.post("/api/devices", json=body, headers=headers)
    assert (again.status_code, again.json()["field"]) == (409, "id")
    wrong = client.post("/api/devices", json={"id": "../x", "label": "x"}, headers=headers)
    assert (wrong.status_code, wrong.json()["field"]) == (422, "id")
    lost = client.post("/api/devices", json={"label": "x", "vehicle_id": "none"}, headers=headers)
    assert lost.status_code == 404
    assert len(client.get("/api/devices").json()) == 1


def test_a_dispatcher_sees_devices_and_registers_none(client: TestClient) -> None:
    headers = sign_in(client, "chief")
    assert client.get("/api/devices").json() == []
    assert client.post("/api/devices", json={"label": "x"}, headers=headers).status_code == 403
    sign_in(client, "driver")
    assert client.get("/api/devices").status_code == 403


def test_a_trail_has_all_stored_fixes_with_their_marks(client: TestClient) -> None:
    client.app.state.fixlog.append([  # type: ignore[attr-defined] - FastAPI
        fix(-60, speed_mps=1.5), fix(-55, mark="jump"), fix(-9_000)
    ])  # fmt: skip
    sign_in(client, "chief")
    answer = client.get("/api/vehicles/v1/trail").json()
    at_s = T0.timestamp()
    assert answer == {
        "vehicle_id": "v1",
        "fixes": [[at_s - 60, 75.86, 22.72, 1.5, None], [at_s - 55, 75.86, 22.72, None, "jump"]],
    }
    since = (T0 - timedelta(hours=3)).isoformat()
    whole = client.get("/api/vehicles/v1/trail", params={"since": since}).json()
    assert len(whole["fixes"]) == 3


def test_a_trail_is_for_those_whose_area_it_is(client: TestClient) -> None:
    """v1 has a beat in zone z1, which is not north's; v2 has none and may go anywhere."""
    sign_in(client, "north")
    assert client.get("/api/vehicles/v1/trail").status_code == 404
    assert client.get("/api/vehicles/v2/trail").status_code == 200
    sign_in(client, "driver")
    assert client.get("/api/vehicles/v2/trail").status_code == 403


@pytest.mark.parametrize(("hours", "status"), [(-1, 422), (37, 422), (36, 200)])
def test_a_trail_is_at_most_a_day_and_a_half(client: TestClient, hours: float, status: int) -> None:
    sign_in(client, "chief")
    params = {"since": (T0 - timedelta(hours=hours)).isoformat(), "until": T0.isoformat()}
    answer = client.get("/api/vehicles/v1/trail", params=params)
    assert answer.status_code == status
    if status == 422:
        assert (answer.json()["field"], bool(answer.json()["remedy"])) == ("since", True)
