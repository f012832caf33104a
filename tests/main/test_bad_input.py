"""Bad input: an error with field and remedy, a line in the log, and nothing accepted is lost.

What `safai city import` prints of a folder's faults: tests/org/test_cli.py.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from fleet.kit.files import Photo
from fleet.org import queries as org
from fleet.org.importer import import_city
from fleet.roads.faults import FaultyInputError
from routing.models import Plan, Visit
from tests.conftest import START
from tests.main.conftest import PLACES, Served, problem, serving_town
from tests.main.test_http_photos import picture
from tests.org import town as small
from tests.org.test_faults import CASES
from tests.tracking.serving import serving

WITHIN_S = 20.0
LON, LAT = PLACES["west"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving_town(tmp_path_factory.mktemp("bad"), serving) as served:
        yield served


def device(served: Served, token: str | None = None) -> Any:
    bearer = {"Authorization": f"Bearer {token or served.tokens['unit-1']}"}
    return connect(f"ws://{served.running}/ws/devices/unit-1", additional_headers=bearer)


def fix(second: float, **changes: Any) -> dict[str, Any]:
    return {"t": (START + timedelta(seconds=second)).timestamp(), "lon": LON, "lat": LAT} | changes


def stored(served: Served) -> list[float]:
    """Seconds after the start of the fixes that T1's trail has."""
    trail = served.signed_in("dispatcher").get("/api/vehicles/T1/trail").json()["fixes"]
    return [row[0] - START.timestamp() for row in trail]


@pytest.mark.parametrize(
    "garbage", ["\x00\x01", "{", '{"seq": 1}', '{"seq": -1, "fixes": []}', b"\x00", "[]"], ids=repr
)
def test_a_garbage_frame_ends_the_talk_and_keeps_what_was_acknowledged(
    server: Served, garbage: str | bytes
) -> None:
    second = 1 + len(stored(server))
    with capture_logs() as logs, device(server) as socket:
        socket.send(json.dumps({"seq": 7, "fixes": [fix(second)]}))
        assert json.loads(socket.recv(timeout=WITHIN_S)) == {"ack": 7}
        socket.send(garbage)
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=WITHIN_S)
    assert socket.close_code == 4400
    assert socket.close_reason
    (entry,) = (log for log in logs if log["event"] == "device_closed")
    assert (entry["device_id"], entry["code"], entry["log_level"]) == ("unit-1", 4400, "warning")
    assert second in stored(server)


def test_a_token_of_another_device_stores_nothing(server: Served) -> None:
    before = stored(server)
    with capture_logs() as logs, device(server, server.tokens["unit-2"]) as socket:
        with pytest.raises(ConnectionClosed):
            socket.recv(timeout=WITHIN_S)
        assert socket.close_code == 4401
    assert [log["device_id"] for log in logs if log["event"] == "device_refused"] == ["unit-1"]
    assert stored(server) == before


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"lon": 0.0, "lat": 0.0}, "lon"),
        ({"lat": 91.0}, "lat"),
        ({"t": "yesterday"}, "t"),
    ],
    ids=["Null Island", "no latitude", "no time"],
)
def test_a_bad_fix_is_named_and_its_neighbours_are_stored(
    server: Served, wrong: dict[str, Any], field: str
) -> None:
    second = 1 + len(stored(server))
    with capture_logs() as logs, device(server) as socket:
        frame = {"seq": 3, "fixes": [fix(second), fix(second + 0.5, **wrong)]}
        socket.send(json.dumps(frame))
        answer = json.loads(socket.recv(timeout=WITHIN_S))
    (refusal,) = answer["refused"]
    assert (answer["ack"], refusal["i"], refusal["field"]) == (3, 1, field)
    assert refusal["reason"]
    assert refusal["remedy"]
    assert [log["field"] for log in logs if log["event"] == "fix_refused"] == [field]
    assert second in stored(server)
    assert second + 0.5 not in stored(server)


def test_a_fix_from_the_future_is_kept_set_aside_and_named(server: Served) -> None:
    second = 1 + len(stored(server))
    ahead = (START + timedelta(hours=2)).timestamp()
    with device(server) as socket:
        socket.send(json.dumps({"seq": 3, "fixes": [fix(second), fix(second + 0.5, t=ahead)]}))
        answer = json.loads(socket.recv(timeout=WITHIN_S))
    (aside,) = answer["aside"]
    assert (answer["ack"], aside["i"], aside["mark"]) == (3, 1, "future")
    assert aside["reason"]
    assert aside["remedy"]
    assert second in stored(server)


def test_a_complaint_outside_the_city_makes_no_request(server: Served) -> None:
    made = server.report(PLACES["west"], "outside-before")
    with capture_logs() as logs:
        answer = server.anybody.post(
            "/api/requests",
            json={
                "client_id": "outside-1",
                "service_code": "street_dump",
                "lon": 72.8,
                "lat": 19.0,
            },
        )
    refusal = problem(answer)
    assert (refusal["status"], refusal["type"]) == (422, "urn:safai:outside-city")
    assert refusal["field"] == "lon,lat"
    assert refusal["remedy"]
    (entry,) = (log for log in logs if log["event"] == "request_refused")
    assert (entry["problem"], entry["field"]) == ("outside-city", "lon,lat")
    assert server.anybody.get(f"/api/r/{made['code']}").status_code == 200


def test_a_bad_photo_leaves_the_good_ones(server: Served) -> None:
    """What it is refused with, and logged as: test_http_photos."""
    good = server.anybody.post("/api/photos", content=picture()).json()["photo_id"]
    assert server.anybody.post("/api/photos", content=b"no photo").status_code == 422
    assert server.anybody.get(f"/api/photos/{good}").status_code == 200
    with server.kit.db.reading() as session:
        assert len(session.scalars(select(Photo)).all()) == 1


def test_a_demand_no_vehicle_can_carry_is_left_out_with_its_reason(server: Served) -> None:
    """The market lane has 4 t of wet waste and a tipper holds 250 kg: the rest is planned."""
    plan = server.signed_in("dispatcher").get(f"/api/plans/{server.plan_id}").json()
    (left,) = [entry for entry in plan["unplanned"] if entry["ref"] == "market"]
    assert left["reason"]
    with server.kit.db.reading() as session:
        assert session.get_one(Plan, server.plan_id).status == "published"
        assert session.scalars(select(Visit).where(Visit.ref == "h00")).one()


@pytest.mark.parametrize(
    "name", ["no roads", "wards that overlap", "ward without street", "too wide everywhere"]
)
def test_a_bad_city_folder_leaves_the_city_as_it_was(
    server: Served, tmp_path: Path, name: str
) -> None:
    files, file, _, field, _ = CASES[name]
    folder = small.write_town(tmp_path / "folder", **files)
    with pytest.raises(FaultyInputError) as refused:
        import_city(server.kit.db, server.kit.settings, folder, progress=lambda part, text: None)
    named = [fault for fault in refused.value.faults if (fault.file, fault.field) == (file, field)]
    assert named
    assert all(fault.remedy for fault in named)
    with server.kit.db.reading() as session:
        assert org.city(session).name == "Town"
        assert {ward.id for ward in org.wards(session)} == {"west", "east"}
