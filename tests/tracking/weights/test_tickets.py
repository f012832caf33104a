"""Tickets over HTTP, on both databases."""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from fleet.kit.web import Kit
from tests.tracking.weights.conftest import DAY, minute, sign_in, ticket
from tracking.weights.models import Ticket

TODAY = {"service_date": DAY.isoformat()}


def test_a_ticket_is_stored_once(client: TestClient) -> None:
    first = client.post("/api/tickets", json=ticket("1", 105)).json()
    assert (first["stored"], first["same"], first["refused"]) == (1, 0, [])
    again = client.post("/api/tickets", json=ticket("1", 105, vehicle="V-1")).json()
    assert (again["stored"], again["same"]) == (0, 1)
    assert again["tickets"] == first["tickets"]
    (stored,) = client.get("/api/tickets", params=TODAY).json()
    assert stored == first["tickets"][0]
    assert (stored["vehicle_id"], stored["vehicle_known"], stored["net_kg"]) == ("v1", True, 300.0)
    assert (stored["service_date"], stored["station_id"]) == (DAY.isoformat(), "ts")


def test_another_body_under_a_known_number_is_a_conflict(client: TestClient) -> None:
    client.post("/api/tickets", json=ticket("1", 105))
    answer = client.post("/api/tickets", json=ticket("1", 105, gross_kg=1900, net_kg=400))
    assert (answer.status_code, answer.json()["field"]) == (409, "number")
    assert answer.json()["remedy"]
    elsewhere = client.post("/api/tickets", json=ticket("1", 105, station="North Yard"))
    assert elsewhere.json()["stored"] == 1


def test_of_many_tickets_each_is_judged_by_itself(client: TestClient) -> None:
    """The bad ones say which they are; the good ones are stored."""
    many = [
        ticket("1", 105),
        ticket("1", 105, gross_kg=1900, net_kg=400),
        ticket("2", 105, station="nowhere"),
        ticket("3", 105, net_kg=250),
        ticket("4", 60 * 24 * 3),
        ticket("5", 203),
    ]
    answer = client.post("/api/tickets", json=many).json()
    assert answer["stored"] == 2
    assert [(r["i"], r["field"]) for r in answer["refused"]] == [
        (1, "number"),
        (2, "station"),
        (3, "net_kg"),
        (4, "time_in"),
    ]
    assert all(r["reason"] and r["remedy"] for r in answer["refused"])
    assert [t["number"] for t in client.get("/api/tickets", params=TODAY).json()] == ["1", "5"]


@pytest.mark.parametrize("missing", ["gross_kg", "tare_kg", "net_kg"])
def test_two_weights_are_enough(client: TestClient, missing: str) -> None:
    body = {name: value for name, value in ticket("1", 105).items() if name != missing}
    (stored,) = client.post("/api/tickets", json=body).json()["tickets"]
    assert (stored["gross_kg"], stored["tare_kg"], stored["net_kg"]) == (1800, 1500, 300)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"gross_kg": None, "tare_kg": None}, "net_kg"),
        ({"time_out": minute(0)}, "time_out"),
        ({"number": "-"}, "number"),
        ({"net_kg": 1}, "net_kg"),
        ({"time_in": "1066-10-14T09:00:00Z"}, "time_in"),
    ],
)
def test_a_ticket_that_contradicts_itself(
    client: TestClient, changes: dict[str, Any], field: str
) -> None:
    answer = client.post("/api/tickets", json=ticket("1", 105) | changes)
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert client.get("/api/tickets", params=TODAY).json() == []


def test_a_ticket_of_an_unknown_vehicle_is_kept_and_said(client: TestClient) -> None:
    answer = client.post("/api/tickets", json=ticket("1", 105, vehicle="MP09 ZZ 9999")).json()
    assert answer["stored"] == 1
    assert [(w["field"], w["number"]) for w in answer["warnings"]] == [("vehicle", "1")]
    assert not answer["tickets"][0]["vehicle_known"]
    (entry,) = [e for e in client.get("/api/trips", params=TODAY).json() if e["trip_id"] is None]
    assert (entry["agreement"], entry["payable"]) == ("no_gps", "unknown")


def test_a_correction_supersedes_and_the_first_body_is_still_known(
    client: TestClient, kit: Kit
) -> None:
    made = client.post("/api/tickets", json=ticket("1", 105)).json()["tickets"][0]
    body = ticket("1", 105, gross_kg=1850, net_kg=350) | {"words": "Read the wrong scale"}
    corrected = client.post(f"/api/tickets/{made['id']}/correct", json=body).json()
    assert (corrected["id"], corrected["version"], corrected["net_kg"]) == (made["id"], 2, 350.0)
    again = client.post("/api/tickets", json=ticket("1", 105)).json()
    assert (again["same"], again["tickets"][0]["net_kg"]) == (1, 350.0)
    (now,) = client.get("/api/tickets", params=TODAY).json()
    assert now["net_kg"] == 350.0
    both = client.get("/api/tickets", params=TODAY | {"history": True}).json()
    assert [(t["version"], t["net_kg"], t["superseded_t"] is None) for t in both] == [
        (1, 300.0, False),
        (2, 350.0, True),
    ]
    with kit.db.reading() as session:
        assert all(row.raw for row in session.scalars(select(Ticket).where(Ticket.version == 1)))


def test_a_ticket_that_was_withdrawn_weighs_nothing(client: TestClient) -> None:
    made = client.post("/api/tickets", json=ticket("1", 105)).json()["tickets"][0]
    body = ticket("1", 105) | {"words": "Weighed twice", "void": True}
    assert client.post(f"/api/tickets/{made['id']}/correct", json=body).json()["void"]
    assert client.get("/api/weights", params=TODAY).json()["net_kg"] == 0


def test_a_correction_keeps_number_and_station(client: TestClient) -> None:
    made = client.post("/api/tickets", json=ticket("1", 105)).json()["tickets"][0]
    body = ticket("2", 105) | {"words": "?"}
    assert client.post(f"/api/tickets/{made['id']}/correct", json=body).status_code == 409
    assert client.post("/api/tickets/tkt_x/correct", json=body).status_code == 404


CSV = (
    "RST No,Vehicle No,Material,Gross,Tare,Net,Date,In Time,Out Time,Site\n"
    "1,V1,wet,1800,1500,300,02/03/2026,07:45,07:50,ts\n"
    "2,V1,wet,18oo,1500,300,02/03/2026,09:25,09:30,ts\n"
    "=cmd(),V1,dry,1700,1500,200,02/03/2026,09:25,09:30,ts\n"
    "4,ZZ9,dry,1700,1500,200,02/03/2026,09:25,09:30,ts\n"
    "5,V1,dry,1700,1500,200,02/03/2026,09:25,09:30,moon\n"
)


@pytest.mark.parametrize("form", [True, False])
def test_a_file_is_stored_but_for_its_bad_lines(client: TestClient, form: bool) -> None:
    answer = (
        client.post("/api/tickets/csv", files={"file": ("t.csv", CSV.encode(), "text/csv")})
        if form
        else client.post("/api/tickets/csv", content=CSV.encode())
    ).json()
    assert (answer["stored"], answer["same"]) == (3, 0)
    assert [(r["line"], r["field"]) for r in answer["refused"]] == [(3, "Gross"), (6, "station")]
    assert [(w["line"], w["field"]) for w in answer["warnings"]] == [(5, "vehicle")]
    again = client.post("/api/tickets/csv", content=CSV.encode()).json()
    assert (again["stored"], again["same"]) == (0, 3)
    answer = client.get("/api/trips", params=TODAY | {"format": "csv"})
    assert answer.headers["content-type"].startswith("text/csv")
    assert "=cmd()" in answer.text
    assert ",=cmd()" not in answer.text


def test_a_file_is_refused_when_it_is_none(client: TestClient) -> None:
    assert client.post("/api/tickets/csv", content=b"x" * 8_000_001).status_code == 413
    no_file = client.post("/api/tickets/csv", files={"file": (None, "text")})
    assert (no_file.status_code, no_file.json()["field"]) == (422, "file")
    empty = client.post("/api/tickets/csv", content=b"").json()
    assert empty["stored"] == 0
    assert empty["refused"]


def test_a_weighbridge_brings_the_tickets_of_its_station(client: TestClient) -> None:
    """Its token alone, without a sign-in; and nothing else may be done with it."""
    sign_in(client, "admin")
    made = client.post("/api/weighbridges", json={"station": "TS", "label": "Scale 1"}).json()
    bridge = TestClient(client.app, headers={"Authorization": f"Bearer {made['token']}"})
    body = ticket("1", 105)
    del body["station"]
    assert bridge.post("/api/tickets", json=body).json()["tickets"][0]["station_id"] == "ts"
    assert bridge.post("/api/tickets", json=ticket("2", 105, station="ts2")).status_code == 422
    lines = CSV.replace(",Site", "").replace(",ts\n", "\n").replace(",moon\n", "\n")
    assert bridge.post("/api/tickets/csv", content=lines.encode()).json()["stored"] == 3
    assert bridge.get("/api/tickets", params=TODAY).status_code == 401
    assert bridge.get("/api/trips", params=TODAY).status_code == 401
    assert bridge.post("/api/weighbridges", json={"station": "ts", "label": "x"}).status_code == 401
    for wrong in (made["token"] + "x", made["device_id"], "", "a.b"):
        other = TestClient(client.app, headers={"Authorization": f"Bearer {wrong}"})
        assert other.post("/api/tickets", json=body).status_code == 401


def test_only_dispatchers_and_administrators(client: TestClient) -> None:
    assert TestClient(client.app).post("/api/tickets", json=ticket("1", 105)).status_code == 401
    sign_in(client, "chief")
    place = {"station": "ts", "label": "x"}
    assert client.post("/api/weighbridges", json=place).status_code == 403
    stranger = client.post("/api/tickets", json=ticket("1", 105), headers={"X-CSRF-Token": "no"})
    assert stranger.status_code == 403
    sign_in(client, "driver")
    assert client.post("/api/tickets", json=ticket("1", 105)).status_code == 403
    assert client.get("/api/trips", params=TODAY).status_code == 403


def test_a_dispatcher_of_other_zones_sees_only_vehicles_without_a_beat_there(
    client: TestClient,
) -> None:
    """v1 serves zone z1; v2 has no beat and is everybody's."""
    made = client.post("/api/tickets", json=[ticket("1", 105), ticket("2", 105, vehicle="v2")])
    sign_in(client, "north")
    assert [t["number"] for t in client.get("/api/tickets", params=TODAY).json()] == ["2"]
    trips = client.get("/api/trips", params=TODAY).json()
    assert {e["vehicle_id"] for e in trips} == {"v2"}
    mine = made.json()["tickets"][0]["id"]
    body = ticket("1", 105) | {"words": "?"}
    assert client.post(f"/api/tickets/{mine}/correct", json=body).status_code == 404
    assert client.post(f"/api/trips/{mine}/excuse", json={"words": "x"}).status_code == 404
    assert client.get("/api/weights", params=TODAY).json()["rows"] == []
