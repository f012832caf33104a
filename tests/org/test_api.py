"""The city over HTTP: public parts, lanes for who is signed in, assignments for dispatchers."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from fleet.kit import errors
from fleet.kit.clock import SteppedClock
from fleet.kit.db import Database
from fleet.kit.web import Kit
from fleet.org import wiring
from fleet.org.importer import import_city
from fleet.people import Role, create_user
from fleet.people import wiring as people
from tests.conftest import START, HandMonotonic, make_kit

from . import town
from .town import at

PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    """One imported town for all: its tests do not get into each other's way."""
    tmp_path = tmp_path_factory.mktemp("api")
    clock = SteppedClock(tmp_path / "clock.json", START)
    db = Database.open(f"sqlite:///{tmp_path / 'safai.sqlite3'}", clock)
    db.create_all()
    sqlite_kit = make_kit(db, clock, HandMonotonic(), tmp_path)
    folder = town.write_town(tmp_path / "town")
    import_city(sqlite_kit.db, sqlite_kit.settings, folder, progress=lambda part, text: None)
    with sqlite_kit.db.unit_of_work() as session:
        for name, role, zones in (
            ("dora", Role.DISPATCHER, None),
            ("zara", Role.DISPATCHER, ["B"]),
            ("dev", Role.DRIVER, None),
        ):
            create_user(
                session, username=name, password=PASSWORD, name=name, role=role, zones=zones,
                lang="hi" if name == "zara" else "en",
            )  # fmt: skip
    app = FastAPI()
    app.state.kit = sqlite_kit
    app.state.categories = [{"service_code": "missed_pickup"}]
    errors.install(app)
    for router in (*people.routers, *wiring.routers):
        app.include_router(router)
    yield app
    db.close()


@pytest.fixture
def anybody(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app) as client:
        yield client


@cache
def signed_in(app: FastAPI, name: str) -> TestClient:
    client = TestClient(app)
    answer = client.post("/api/sign-in", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return client


def test_the_city_is_public(anybody: TestClient) -> None:
    city = anybody.get("/api/city").json()
    assert (city["name"], city["name_hi"], city["tz"]) == ("Chhotapur", "छोटापुर", "Asia/Kolkata")
    assert city["service_date"] == "2026-03-02"
    assert city["clock"] == {"now": "2026-03-02T00:30:00Z", "mode": "stepped", "rate": 0.0}
    assert city["categories"] == [{"service_code": "missed_pickup"}]
    west, south, east, north = city["bbox"]
    assert west < city["center"][0] < east
    assert south < city["center"][1] < north


def test_areas_and_places_are_geojson(anybody: TestClient) -> None:
    wards = anybody.get("/api/wards").json()["features"]
    assert [(w["properties"]["ward_id"], w["properties"]["zone_id"]) for w in wards] == [
        ("1", "A"),
        ("2", "B"),
    ]
    assert wards[0]["geometry"]["type"] == "Polygon"
    places = anybody.get("/api/places").json()["features"]
    assert [p["properties"]["kind"] for p in places] == ["depot", "transfer_station"]
    assert places[0]["geometry"]["coordinates"] == [75.86, 22.72]


def test_a_place_is_located(anybody: TestClient) -> None:
    lon, lat = at(0.5, 0.1)
    found = anybody.get("/api/locate", params={"lon": lon, "lat": lat}).json()
    assert (found["ward_id"], found["lane_id"], found["lane_name"]) == ("1", "w100:1:2", "Row 0")
    assert found["distance_m"] == pytest.approx(10, abs=0.1)


def test_outside_the_city_says_so_in_the_caller_s_language(anybody: TestClient) -> None:
    answer = anybody.get(
        "/api/locate", params={"lon": 0, "lat": 0}, headers={"Accept-Language": "hi-IN"}
    )
    assert answer.status_code == 404
    problem = answer.json()
    assert (problem["type"], problem["field"]) == ("urn:safai:outside-the-city", "lon")
    assert "शहर के बाहर" in problem["detail"]
    assert anybody.get("/api/locate", params={"lon": 999, "lat": 0}).status_code == 422


def test_names_are_searched(anybody: TestClient) -> None:
    [first, *_] = anybody.get("/api/search", params={"q": "बस"}).json()
    assert (first["name"], first["name_hi"], first["kind"], first["ward_id"]) == (
        "Bus Stand", "बस स्टैंड", "landmark", "1",
    )  # fmt: skip


def test_lanes_are_for_those_signed_in_and_their_zones(app: FastAPI, anybody: TestClient) -> None:
    assert anybody.get("/api/lanes").status_code == 401
    dora, zara = signed_in(app, "dora"), signed_in(app, "zara")
    every = dora.get("/api/lanes").json()["features"]
    assert {lane["properties"]["ward_id"] for lane in every} == {"1", "2"}
    own = zara.get("/api/lanes").json()["features"]
    assert {lane["properties"]["ward_id"] for lane in own} == {"2"}
    assert dora.get("/api/lanes", params={"ward": "2"}).json()["features"] != []
    assert zara.get("/api/lanes", params={"ward": "1"}).status_code == 404
    galli = next(lane for lane in every if lane["properties"]["id"] == "w202:901:902")
    assert galli["properties"]["on_foot"] == "Served on foot from Row 1, 51 m away."
    assert galli["properties"]["service_mode"] == "feeder"
    assert galli["geometry"]["type"] == "LineString"
    gate = next(lane for lane in own if lane["properties"]["service_mode"] == "gate")
    assert gate["properties"]["on_foot"].endswith("के गेट से सेवा।")


def test_the_map_is_sent_by_ranges(anybody: TestClient) -> None:
    url = "/tiles/streets.pmtiles"
    part = anybody.get(url, headers={"Range": "bytes=0-6"})
    assert (part.status_code, part.content) == (206, b"PMTiles")
    again = anybody.get(url, headers={"If-None-Match": part.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_dispatcher_changes_who_holds_what(app: FastAPI) -> None:
    dora = signed_in(app, "dora")
    dev = signed_in(app, "dev").get("/api/me").json()["user"]["id"]

    def give(**body: Any) -> Any:
        return dora.post("/api/assignments", json=body)

    first = give(kind="device_vehicle", subject="dev_1", object="V1")
    assert first.status_code == 201
    assert first.json()["from_t"] == "2026-03-02T00:30:00Z"
    assert give(kind="crew_vehicle", subject=dev, object="V1").status_code == 201
    vehicles = {v["id"]: v for v in dora.get("/api/vehicles").json()}
    assert (vehicles["V1"]["device_id"], vehicles["V1"]["driver"]) == ("dev_1", dev)
    assert (vehicles["V1"]["beats"], vehicles["V3"]["spare"]) == (["B1"], True)
    assert vehicles["V2"]["compartments"][0] == {"streams": ["wet"], "kg": 350, "m3": 0.9}

    assert give(kind="device_vehicle", subject="dev_1", object="V2").json()["object"] == "V2"
    given_back = give(kind="device_vehicle", subject="dev_1", object=None)
    assert given_back.json()["to_t"] == "2026-03-02T00:30:00Z"
    history = dora.get(
        "/api/assignments", params={"kind": "device_vehicle", "subject": "dev_1"}
    ).json()
    assert sorted(row["object"] for row in history) == ["V1", "V2"]
    assert give(kind="device_vehicle", subject="dev_1", object=None).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"kind": "device_vehicle", "subject": "d", "object": "V9"}, 404, "object"),
        ({"kind": "crew_vehicle", "subject": "usr_none", "object": "V1"}, 404, "subject"),
        ({"kind": "vehicle_beat", "subject": "V1", "object": "B9"}, 404, "object"),
        ({"kind": "vehicle_moon", "subject": "V1", "object": "B1"}, 422, "kind"),
        ({"kind": "device_vehicle", "subject": "", "object": "V1"}, 422, "subject"),
    ],
)
def test_refusals_name_the_field(
    app: FastAPI, body: dict[str, str], status: int, field: str
) -> None:
    answer = signed_in(app, "dora").post("/api/assignments", json=body)
    assert (answer.status_code, answer.json()["field"]) == (status, field)
    assert answer.json()["remedy"]


def test_a_driver_neither_reads_the_fleet_nor_assigns(app: FastAPI) -> None:
    dev = signed_in(app, "dev")
    body = {"kind": "device_vehicle", "subject": "d", "object": "V1"}
    assert dev.get("/api/vehicles").status_code == 403
    assert dev.post("/api/assignments", json=body).status_code == 403


def test_before_an_import_the_city_says_what_to_do(sqlite_kit: Kit) -> None:
    app = FastAPI()
    app.state.kit = sqlite_kit
    errors.install(app)
    for router in wiring.routers:
        app.include_router(router)
    client = TestClient(app)
    answer = client.get("/api/city")
    assert answer.status_code == 404
    assert "safai city import" in answer.json()["remedy"]
    assert client.get("/tiles/streets.pmtiles").status_code == 404
