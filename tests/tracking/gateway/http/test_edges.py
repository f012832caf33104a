"""The edges over real HTTP, with recorded messages: what is stored, who gets in, what is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from fleet.kit.settings import ClockMode, Settings
from fleet.kit.web import Kit
from fleet.org.assignments import assign
from tests.conftest import HandMonotonic
from tests.tracking.conftest import T0, import_city
from tests.tracking.drives import town
from tests.tracking.protocols.test_owntracks import MESSAGES
from tests.tracking.protocols.test_traccar import OFFLINE, POSITIONS
from tests.tracking.serving import make_app, serving
from tracking.devices.models import Device
from tracking.devices.service import register_device
from tracking.fixes import open_fixlog
from tracking.fixes.fix import Fix
from tracking.gateway.models import UnknownFrame

AT_S = int(T0.timestamp())
IMEI = "861693034634154"


@pytest.fixture
def tokens(kit: Kit) -> dict[str, str]:
    """A town; a unit with an IMEI in v1, a phone, a server's feed and two units."""
    import_city(kit, town(3, size=4))
    made = {}
    with kit.db.unit_of_work() as session:
        for key, kind, external_id, protocol in (
            ("unit", "gps", IMEI, "osmand"),
            ("phone", "gps", None, None),
            ("server", "feed", None, "traccar"),
            ("far-1", "gps", "868618052108909", "traccar"),
            ("far-2", "gps", "352", None),
            ("scale", "weighbridge", None, None),
        ):
            made[key] = register_device(
                session,
                id=key,
                label=key,
                now=T0,
                kind=kind,  # type: ignore[arg-type]
                external_id=external_id,
                protocol=protocol,  # type: ignore[arg-type]
            )
        for device, vehicle in (("unit", "v1"), ("far-1", "v2")):
            assign(session, "device_vehicle", device, vehicle, T0 - timedelta(days=1))
    return made


@pytest.fixture
def web(kit: Kit, tokens: dict[str, str]) -> Iterator[httpx.Client]:
    with (
        serving(make_app(kit)) as address,
        httpx.Client(base_url=f"http://{address}", timeout=20) as made,
    ):
        yield made


def stored(kit: Kit, device: str) -> list[Fix]:
    log = open_fixlog(kit.settings, kit.db)
    try:
        return [f for f in log.received({}, 10_000)[0] if f.device_id == device]
    finally:
        log.close()


def unknown(kit: Kit) -> list[tuple[str, str, str | None]]:
    with kit.db.reading() as session:
        return [
            (row.protocol, row.reason, row.device_id)
            for row in session.scalars(select(UnknownFrame).order_by(UnknownFrame.id))
        ]


def query(s: int, **more: str) -> dict[str, str]:
    return {"id": IMEI, "lat": "22.7205", "lon": "75.8605", "timestamp": str(AT_S + s), **more}


def phone_body(s: int, device_id: str) -> dict[str, object]:
    coords = {"latitude": 22.72, "longitude": 75.861, "accuracy": 5, "speed": 1.4, "heading": 90}
    t = (T0 + timedelta(seconds=s)).isoformat()
    return {"location": {"timestamp": t, "coords": coords}, "device_id": device_id}


def test_osmand_in_all_its_forms_is_stored_before_the_answer(
    kit: Kit, web: httpx.Client, tokens: dict[str, str]
) -> None:
    """Query, form, JSON; token as parameter, in the path and as bearer; id and external id."""
    token = tokens["unit"]
    bearer = {"Authorization": f"Bearer {token}"}
    answers = [
        web.get("/in/osmand", params=query(0, token=token, speed="10", alarm="sos")),
        web.post("/in/osmand", params=query(1), headers=bearer),
        web.post("/in/osmand", data=query(2, token=token)),
        web.get(f"/in/osmand/{token}", params=query(3)),
        web.post(f"/in/osmand/{token}/", json=phone_body(4, IMEI)),
        web.post(f"/in/osmand/{token}", json=phone_body(5, "unit")),
        web.post(f"/in/osmand/{token}", params={"id": IMEI}, json=phone_body(6, "unit")),
    ]
    assert [(a.status_code, a.json()) for a in answers] == [(200, {"stored": 1})] * 7
    fixes = stored(kit, "unit")
    assert [(f.t - T0).total_seconds() for f in fixes] == list(range(7))
    assert {f.vehicle_id for f in fixes} == {"v1"}
    assert (fixes[0].event, round(fixes[0].speed_mps or 0, 2), fixes[4].speed_mps) == (
        "sos",
        5.14,
        1.4,
    )
    again = web.get("/in/osmand", params=query(0, token=token, speed="10", alarm="sos"))
    assert (again.status_code, len(stored(kit, "unit"))) == (200, 7)
    assert unknown(kit) == []


def test_nobody_gets_in_with_another_ones_token(
    kit: Kit, web: httpx.Client, tokens: dict[str, str]
) -> None:
    """Every 401 is the same, whatever was wrong; nothing is stored and nothing kept."""
    unit, phone, server = tokens["unit"], tokens["phone"], tokens["server"]
    body = POSITIONS["6-phone"][0]
    with kit.db.unit_of_work() as session:
        disabled = session.get(Device, "far-2")
        assert disabled is not None
        disabled.disabled = True
    answers = [
        web.get("/in/osmand", params=query(0)),
        web.get("/in/osmand", params=query(0, token=phone)),
        web.get("/in/osmand", params={**query(0), "id": "nobody", "token": unit}),
        web.get("/in/osmand", params={**query(0), "id": "far-2", "token": tokens["far-2"]}),
        web.get("/in/osmand", params={**query(0), "id": "scale", "token": tokens["scale"]}),
        web.post(f"/in/osmand/{unit}", json=phone_body(0, "phone")),
        web.post("/in/osmand/%00%ff", json=phone_body(0, "phone")),
        web.post(f"/in/osmand/{server}", json=phone_body(0, "server")),
        web.post("/in/owntracks", content=MESSAGES["android-still"][0], auth=("unit", phone)),
        # A unit that is registered for one protocol speaks no other.
        web.post("/in/owntracks", content=MESSAGES["android-still"][0], auth=("unit", unit)),
        web.post("/in/owntracks", headers={b"Authorization": b"Basic \xfc"}),
        web.post("/in/owntracks", auth=("a\0b", "c")),
        web.get("/in/osmand", params={**query(0), "id": "a\0b", "token": "a\0b"}),
        web.post(f"/in/traccar/{phone}", content=body),
        web.post(f"/in/traccar/{tokens['far-1']}", content=body),
        web.post("/in/traccar", content=body),
    ]
    assert {(a.status_code, a.text) for a in answers} == {(401, answers[0].text)}
    assert answers[0].headers["content-type"] == "application/problem+json"
    for device in ("unit", "phone", "server", "far-1", "far-2", "scale"):
        assert stored(kit, device) == []
    assert unknown(kit) == []


def test_owntracks_messages_and_a_phones_queue(
    kit: Kit, web: httpx.Client, tokens: dict[str, str]
) -> None:
    who = ("phone", tokens["phone"])
    place = {"_type": "location", "lat": 22.72, "lon": 75.861, "vel": 5}
    queue = [{**place, "tst": AT_S + s} for s in range(3)] + [{"_type": "lwt", "tst": AT_S}]
    for content in (json.dumps(queue), json.dumps({**place, "tst": AT_S + 3}), "", "[]"):
        answer = web.post("/in/owntracks", content=content, auth=who)
        assert (answer.status_code, answer.json()) == (200, [])
    assert [(f.t - T0).total_seconds() for f in stored(kit, "phone")] == [0, 1, 2, 3]


def test_a_feed_writes_for_its_units_and_for_nobody_else(
    kit: Kit, web: httpx.Client, tokens: dict[str, str]
) -> None:
    """far-2 is a device with that number, but not one of a Traccar server."""

    def position(unit: str, s: int) -> dict[str, object]:
        t = (T0 + timedelta(seconds=s)).isoformat()
        fix = {"fixTime": t, "latitude": 22.7201, "longitude": 75.8603, "speed": 2.0}
        return {"position": fix, "device": {"uniqueId": unit}}

    mine, other = "868618052108909", "352"
    batch = [position(mine, 0), position(other, 1), position("999", 2), position(mine, 3)]
    answer = web.post(f"/in/traccar/{tokens['server']}", json=batch)
    assert answer.json() == {"stored": 2, "unknown": [other, "999"]}
    headers = {"Authorization": f"Bearer {tokens['server']}"}
    assert web.post("/in/traccar", json=position(mine, 4), headers=headers).json() == {"stored": 1}
    assert web.post("/in/traccar", content=OFFLINE, headers=headers).json() == {"stored": 0}
    assert [(f.t - T0).total_seconds() for f in stored(kit, "far-1")] == [0, 3, 4]
    assert {f.vehicle_id for f in stored(kit, "far-1")} == {"v2"}
    assert stored(kit, "far-2") == stored(kit, "server") == []
    assert unknown(kit) == [("traccar", "unregistered", "server")] * 2


def test_unreadable_messages_name_the_field_and_are_kept_without_their_token(
    kit: Kit, web: httpx.Client, tokens: dict[str, str]
) -> None:
    unit, phone, server = tokens["unit"], tokens["phone"], tokens["server"]
    answers = [
        web.get("/in/osmand", params={**query(0), "lat": "north", "token": unit}),
        web.post(f"/in/osmand/{unit}", content=b'{"location": {}, "device_id": "unit"}'),
        web.post(f"/in/osmand/{unit}", content=b'{"loc'),
        web.post("/in/owntracks", content=b'{"_type":"location"}', auth=("phone", phone)),
        web.post(f"/in/traccar/{server}", content=b'{"position": {}}'),
    ]
    told = [(a.status_code, a.json()["field"]) for a in answers]
    assert told == [
        (422, "lat"),
        (422, "location.coords"),
        (422, "body"),
        (422, "tst"),
        (422, "device"),
    ]
    assert [row[1:] for row in unknown(kit)] == [
        ("form", "unit"),
        ("form", "phone"),
        ("form", "server"),
    ]
    with kit.db.reading() as session:
        for row in session.scalars(select(UnknownFrame)):
            assert not any(token.encode() in row.frame for token in tokens.values())


def test_what_can_never_be_stored_is_told_and_not_asked_for_again(
    kit: Kit, web: httpx.Client, tokens: dict[str, str]
) -> None:
    """A client that heard no 2xx would send 0, 0 for ever, and nothing after it."""
    answer = web.get(
        "/in/osmand", params={**query(0), "lat": "0", "lon": "0"} | {"token": tokens["unit"]}
    )
    assert answer.status_code == 200
    assert (answer.json()["stored"], answer.json()["refused"][0]["field"]) == (0, "lon")
    assert unknown(kit) == [("osmand", "refused", "unit")]


def test_a_body_without_end_is_cut_off(kit: Kit, web: httpx.Client, tokens: dict[str, str]) -> None:
    most = kit.settings.device_frame_max_bytes
    answer = web.post(f"/in/osmand/{tokens['unit']}", content=b"[" * (most + 1))
    assert answer.status_code == 413
    fixes = json.dumps([{"_type": "location", "lat": 22.72, "lon": 75.86, "tst": AT_S}] * 501)
    many = web.post("/in/owntracks", content=fixes, auth=("phone", tokens["phone"]))
    assert many.status_code == 413
    assert stored(kit, "phone") == []


def test_a_unit_that_sends_too_fast_waits_and_others_do_not(
    sqlite_kit: Kit, monotonic: HandMonotonic, tmp_path: Path
) -> None:
    settings = Settings(data_dir=tmp_path, clock=ClockMode.SCALED, device_frames_per_s=1)
    kit = Kit(
        settings, sqlite_kit.clock, monotonic, sqlite_kit.db, sqlite_kit.hub, sqlite_kit.photos
    )
    import_city(kit, town(3, size=2))
    with kit.db.unit_of_work() as session:
        a, b = (register_device(session, id=i, label=i, now=T0) for i in "ab")
    with serving(make_app(kit)) as address, httpx.Client(base_url=f"http://{address}") as web:

        def send(device: str, token: str, s: int) -> int:
            params = {**query(s), "id": device}
            return web.get(f"/in/osmand/{token}", params=params).status_code

        assert [send("a", a, s) for s in range(6)] == [200] * 5 + [429]
        assert send("b", b, 0) == 200
        monotonic.advance(1.0)
        assert [send("a", a, 6), send("a", a, 7)] == [200, 429]
