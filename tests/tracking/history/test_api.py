"""A day over HTTP: to look at, as files, and as coverage; by role and area."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import gpxpy
import msgspec
import pytest
from fastapi.testclient import TestClient

from fleet.kit.times import iso
from fleet.kit.web import Kit
from fleet.org.models import Beat, City
from fleet.people import Role, create_user
from tests.conftest import START
from tests.tracking.conftest import DEPOT, fix
from tests.tracking.drives import EAST, NORTH, ORIGIN, Town
from tests.tracking.history.days import after, driven, fixes_of
from tests.tracking.serving import make_app
from tracking.facts.models import LaneTraversal
from tracking.history import keep

PASSWORD = "a long enough passphrase"
DAY = "2026-03-02"
AT_DEPOT = (DEPOT[0] - ORIGIN[0]) * EAST, (DEPOT[1] - ORIGIN[1]) * NORTH
ROUND = [(300, 0, 0), (300, 1000, 0), (300, *AT_DEPOT), (300, *AT_DEPOT)]


@pytest.fixture
def client(kit: Kit, streets: Town) -> Iterator[TestClient]:
    """v1 has driven; `north` sees only what serves another zone."""
    with kit.db.unit_of_work() as session:
        for name, role, zones in (
            ("chief", Role.DISPATCHER, None),
            ("own", Role.DISPATCHER, ["z1"]),
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
        fixes = fixes_of(driven(ROUND))
        fixes[3] = msgspec.structs.replace(fixes[3], device_id="=cmd|' /C calc'!A0")
        made.app.state.fixlog.append([*fixes, fix(33, mark="jump"), fix(0, vehicle="v2")])  # type: ignore[attr-defined] - FastAPI
        yield made


def ask(client: TestClient, path: str, name: str = "chief", **query: Any) -> Any:
    answer = client.post("/api/sign-in", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return client.get(path, params={"service_date": DAY} | query)


def traverse(kit: Kit, lane: str, served: float, *, days_ago: int = 0, n: int = 0) -> None:
    at = START - timedelta(days=days_ago)
    with kit.db.unit_of_work() as session:
        session.add(
            LaneTraversal(
                id=f"{lane}.{days_ago}.{n}", version=1, lane_id=lane, vehicle_id="v1",
                service_date=at.date(), start_t=at, end_t=at + timedelta(minutes=2), forward=True,
                served_fraction=served, driven_fraction=1.0, served_spans=[], driven_spans=[],
                service_s=0.0, halts=0, standing_s=0.0, offset_m=0.0, hidden_m=0.0, gap=False,
                pace_mps=1.0, provisional=True,
            )
        )  # fmt: skip


def forget(client: TestClient, kit: Kit) -> None:
    with kit.db.unit_of_work() as session:
        session.get_one(City, 1).policy = {"retention_fixes_days": 30}
    keep.keep(kit.db, client.app.state.fixlog, START + timedelta(days=40))  # type: ignore[attr-defined] - FastAPI


def test_a_day_is_told(client: TestClient, kit: Kit) -> None:
    traverse(kit, "v1.0", 0.9)
    found = ask(client, "/api/vehicles/v1/day").json()
    assert found["resolution"] == "raw"
    assert (found["since"], found["until"]) == ("2026-03-01T16:00:00Z", "2026-03-02T16:00:00Z")
    assert [stop["place_id"] for stop in found["stops"]] == [None, "depot"]
    assert found["marks"] == {"jump": 1}
    assert [trip["ended_by"] for trip in found["trips"]] == ["place"]
    assert [p["name"] for p in found["passes"]] == ["v1.0"]
    first, last = found["track"][0], found["track"][-1]
    assert first == [START.timestamp(), *ORIGIN]
    assert last[1:] == pytest.approx(DEPOT, abs=1e-6)


def test_a_track_is_as_fine_as_the_map(client: TestClient) -> None:
    """Driven evenly, it has a corner at the end of each leg."""
    lengths = [
        len(ask(client, "/api/vehicles/v1/day", zoom=zoom).json()["track"]) for zoom in (8, 16)
    ]
    assert lengths == [2, 5] or lengths[0] < lengths[1] <= 8


def test_a_day_without_fixes_is_empty(client: TestClient) -> None:
    found = ask(client, "/api/vehicles/v1/day", service_date="2026-02-01").json()
    assert (found["fixes"], found["track"], found["stops"], found["start_t"]) == (0, [], [], None)


@pytest.mark.parametrize("path", ["day", "export"])
def test_a_day_is_shown_in_the_callers_area_only(client: TestClient, path: str) -> None:
    path = f"/api/vehicles/v1/{path}"
    statuses = [ask(client, path, name).status_code for name in ("chief", "own", "north", "driver")]
    assert statuses == [200, 200, 404, 403]
    assert ask(client, path.replace("v1", "v77")).status_code == 404
    client.cookies.clear()
    assert client.get(path, params={"service_date": DAY}).status_code == 401


@pytest.mark.parametrize("service_date", ["1999-12-31", "9999-12-31", "today"])
def test_a_date_that_no_city_has_is_refused(client: TestClient, service_date: str) -> None:
    assert ask(client, "/api/vehicles/v1/day", service_date=service_date).status_code == 422


def test_csv_has_every_good_fix_and_no_formula(client: TestClient) -> None:
    answer = ask(client, "/api/vehicles/v1/export", format="csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="v1_2026-03-02.csv"' in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == len(driven(ROUND))
    assert rows[0]["t"] == iso(START)
    assert float(rows[0]["lon"]) == ORIGIN[0]
    assert rows[3]["device_id"] == "'=cmd|' /C calc'!A0"
    assert {row["resolution"] for row in rows} == {"raw"}


def test_fixes_that_were_set_aside_come_when_asked_for(client: TestClient) -> None:
    text = ask(client, "/api/vehicles/v1/export", format="csv", marked=True).text
    marks = [row["mark"] for row in csv.DictReader(io.StringIO(text))]
    assert [mark for mark in marks if mark] == ["jump"]


def test_geojson_and_gpx_say_the_same(client: TestClient) -> None:
    answer = ask(client, "/api/vehicles/v1/export", format="geojson")
    assert answer.headers["content-type"] == "application/geo+json"
    geojson = json.loads(answer.text)
    assert geojson["properties"]["resolution"] == "raw"
    places = [f["geometry"]["coordinates"] for f in geojson["features"]]
    track = gpxpy.parse(ask(client, "/api/vehicles/v1/export", format="gpx").text)
    points = [p for part in track.tracks[0].segments for p in part.points]
    assert [[p.longitude, p.latitude] for p in points] == places
    assert points[0].time == START
    assert len(places) == len(driven(ROUND))


@pytest.mark.parametrize("form", ["csv", "gpx", "geojson"])
def test_an_empty_day_is_an_empty_file(client: TestClient, form: str) -> None:
    answer = ask(client, "/api/vehicles/v1/export", format=form, service_date="2026-02-01")
    assert answer.status_code == 200
    if form == "geojson":
        assert json.loads(answer.text)["features"] == []


def test_after_its_fixes_have_gone_a_day_is_told_from_its_track(
    client: TestClient, kit: Kit
) -> None:
    before = ask(client, "/api/vehicles/v1/day").json()
    forget(client, kit)
    found = ask(client, "/api/vehicles/v1/day").json()
    assert found["resolution"] == "compact"
    for key in ("distance_m", "stops", "trips", "gaps", "marks", "fixes"):
        assert found[key] == before[key]
    rows = list(csv.DictReader(io.StringIO(ask(client, "/api/vehicles/v1/export").text)))
    assert {row["resolution"] for row in rows} == {"compact"}
    assert 2 <= len(rows) < len(driven(ROUND))
    for form in ("gpx", "geojson"):
        assert "compact" in ask(client, "/api/vehicles/v1/export", format=form).text


def test_coverage_counts_passes_and_days(client: TestClient, kit: Kit) -> None:
    """Two halves of one day are a day served; a day before the asked ones does not count."""
    traverse(kit, "v1.0", 0.5, n=1)
    traverse(kit, "v1.0", 0.5, n=2)
    traverse(kit, "v1.0", 0.1, days_ago=1)
    traverse(kit, "v1.0", 1.0, days_ago=2)
    found = ask(client, "/api/coverage", days=2).json()
    lanes = {f["properties"]["id"]: f for f in found["features"]}
    said = lanes["v1.0"]["properties"]
    assert (said["passes"], said["days_passed"], said["days_served"], said["days"]) == (3, 2, 1, 2)
    assert lanes["h0.0"]["properties"]["passes"] == 0
    assert lanes["h0.0"]["geometry"]["type"] == "LineString"


def test_coverage_shows_the_callers_area_only(client: TestClient) -> None:
    assert ask(client, "/api/coverage", "own").json()["features"]
    assert ask(client, "/api/coverage", "north").json()["features"] == []
    assert ask(client, "/api/coverage", ward="w9").json()["features"] == []
    assert ask(client, "/api/coverage", "driver").status_code == 403


def test_a_trail_can_be_simplified(client: TestClient) -> None:
    span = {"since": iso(after(0)), "until": iso(after(1200))}
    whole = ask(client, "/api/vehicles/v1/trail", **span).json()["fixes"]
    few = ask(client, "/api/vehicles/v1/trail", zoom=14, **span).json()["fixes"]
    assert len(whole) == len(driven(ROUND)[:-1]) + 1
    assert [f[4] for f in whole if f[4]] == ["jump"]
    assert 2 < len(few) < 12
    assert all(f in whole for f in few)
