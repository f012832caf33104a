"""Field staff from the phone's message to presence, trail and proof; and what nobody may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest

from fleet.kit.clock import SteppedClock
from fleet.kit.web import Kit
from fleet.org import wiring as org
from fleet.org.models import Beat, Zone
from fleet.people import Role, create_user
from tests.tracking.conftest import T0, import_city
from tests.tracking.drives import town
from tests.tracking.serving import make_app, serving
from tracking.evidence import nearest_pass, passes
from tracking.facts.follower import Follower
from tracking.fixes import open_fixlog

PASSWORD = "a long enough passphrase"
STREETS = town(3, size=4)
LANE, LINE = next((key, line) for key, line in STREETS.degrees if key == "h1.1")
DAY = "2026-03-02"


@pytest.fixture
def address(kit: Kit) -> Iterator[str]:
    import_city(kit, STREETS)
    with kit.db.unit_of_work() as session:
        session.add(Zone(id="z2", name="Other", name_hi="अन्य"))
        for name, role, zones in (
            ("admin", Role.ADMIN, None),
            ("mine", Role.DISPATCHER, ["z1"]),
            ("other", Role.DISPATCHER, ["z2"]),
        ):
            create_user(
                session, username=name, password=PASSWORD, name=name, role=role, zones=zones
            )
        session.add(
            Beat(id="sweep-1", vehicle_id="v1", shift="morning", landmarks=[], lane_ids=[LANE])
        )
    app = make_app(kit)
    for router in org.routers:
        app.include_router(router)
    with serving(app) as where:
        yield where


def client(address: str, name: str) -> httpx.Client:
    web = httpx.Client(base_url=f"http://{address}", timeout=20)
    answer = web.post("/api/sign-in", json={"username": name, "password": PASSWORD})
    web.headers["X-CSRF-Token"] = answer.json()["csrf"]
    return web


def hire(admin: httpx.Client, dispatcher: httpx.Client) -> str:
    """Ramesh sweeps from 06:00 to 10:00 with a watch; answers the watch's token."""
    person = {"id": "ramesh", "name": "Ramesh", "zone_id": "z1", "start": "06:00", "end": "10:00"}
    made = dispatcher.post("/api/staff", json=person)
    assert (made.status_code, made.json()["id"]) == (201, "person:ramesh")
    watch = {"id": "watch", "label": "W", "kind": "person", "person_id": "person:ramesh"}
    device = admin.post("/api/devices", json=watch)
    assert device.status_code == 201, device.text
    given = {"kind": "person_beat", "subject": "person:ramesh", "object": "sweep-1"}
    assert dispatcher.post("/api/assignments", json=given).status_code == 201
    return str(device.json()["token"])


def walk_lane(address: str, token: str, start_s: int, pace_mps: float = 1.0) -> int:
    """Along the lane and back, one message each 10 s; answers seconds when it ends."""
    (lon_a, lat_a), (lon_b, lat_b) = LINE[0], LINE[-1]
    steps = 20
    for i in range(steps + 1):
        share = 1 - abs(1 - 2 * i / steps)
        message = {
            "_type": "location",
            "tst": int(T0.timestamp()) + start_s + i * 10,
            "lon": lon_a + share * (lon_b - lon_a),
            "lat": lat_a + share * (lat_b - lat_a),
            "vel": pace_mps * 3.6,
        }
        answer = httpx.post(f"http://{address}/in/owntracks", json=message, auth=("watch", token))
        assert answer.status_code == 200
    return start_s + steps * 10


def test_a_sweepers_day(kit: Kit, clock: SteppedClock, address: str) -> None:
    """Presence and proof from a watch's messages; nothing from outside of the shift, nothing for
    other zones, and no collection proved by somebody on foot."""
    admin, mine, other = (client(address, name) for name in ("admin", "mine", "other"))
    token = hire(admin, mine)
    clock.set(T0 + timedelta(hours=1))
    end_s = walk_lane(address, token, 600)
    clock.set(T0 + timedelta(hours=6))
    walk_lane(address, token, 5 * 3600)  # 11:00, after the shift

    trail = mine.get("/api/staff/person:ramesh/trail", params={"service_date": DAY}).json()
    times = [t - T0.timestamp() for t, *_ in trail["fixes"]]
    assert (len(times), times[0], times[-1]) == (21, 600, end_s)

    log = open_fixlog(kit.settings, kit.db)
    try:
        stored = log.received({}, 1000)[0]
        after = [f for f in stored if f.t > T0 + timedelta(hours=4)]
        assert (len(stored), len(after), {f.vehicle_id for f in after}) == (42, 21, {None})
        Follower(kit, log).run_to(clock.now())
        middle = LINE[0]
        assert nearest_pass(log, *middle, T0, T0 + timedelta(hours=8), 200) is None
    finally:
        log.close()

    [day] = mine.get("/api/presence", params={"service_date": DAY}).json()
    assert [(s["beat_id"], s["assigned"], s["minutes"]) for s in day["stays"]] == [
        ("sweep-1", True, 3)
    ]
    assert (day["minutes"], day["lanes"], day["lanes_served"]) == (3, 1, 1)
    with kit.db.reading() as session:
        assert passes(session, [LANE], [T0.date()]) == []

    query = {"service_date": DAY}
    assert other.get("/api/presence", params=query).json() == []
    assert other.get("/api/staff").json() == []
    assert other.get("/api/staff/person:ramesh/trail", params=query).status_code == 404
    assert mine.get("/api/vehicles/person:ramesh/trail").status_code == 404
    assert [d["person_id"] for d in other.get("/api/devices").json()] == [None]
    given = {"kind": "device_vehicle", "subject": "watch", "object": "person:ramesh"}
    assert other.post("/api/assignments", json=given).status_code == 404
    moved = other.patch("/api/staff/person:ramesh", json={"zone_id": "z2"})
    assert moved.status_code == 404
    no_date = {"service_date": "2026-03-03"}
    assert mine.get("/api/staff/person:ramesh/trail", params=no_date).json()["fixes"] == []


def test_a_changed_shift_counts_at_once_and_one_who_leaves_gives_all_back(
    kit: Kit, clock: SteppedClock, address: str
) -> None:
    admin, mine = client(address, "admin"), client(address, "mine")
    token = hire(admin, mine)
    clock.set(T0 + timedelta(hours=1))
    walk_lane(address, token, 600)
    assert mine.patch("/api/staff/person:ramesh", json={"end": "06:30"}).json()["end"] == "06:30"
    walk_lane(address, token, 2400)  # 06:40
    query = {"service_date": DAY}
    longer = {"start": "05:00", "end": "29:00"}
    assert mine.patch("/api/staff/person:ramesh", json=longer).status_code == 200
    trail = mine.get("/api/staff/person:ramesh/trail", params=query).json()["fixes"]
    assert len(trail) == 21
    bad = mine.patch("/api/staff/person:ramesh", json={"start": "07:00", "end": "06:00"})
    assert (bad.status_code, bad.json()["field"]) == (422, "end")
    gone = mine.patch("/api/staff/person:ramesh", json={"active": False}).json()
    assert (gone["device_id"], gone["beats"]) == (None, [])
    assert mine.get("/api/staff").json() == []
    again = {"kind": "device_vehicle", "subject": "watch", "object": "person:ramesh"}
    assert mine.post("/api/assignments", json=again).status_code == 404


def test_devices_and_holders_must_exist_and_fit(kit: Kit, address: str) -> None:
    """Assignments ask whether the device exists; a watch is for people, a tracker for vehicles."""
    admin, mine = client(address, "admin"), client(address, "mine")
    hire(admin, mine)
    admin.post("/api/devices", json={"id": "gps", "label": "G"})
    admin.post("/api/devices", json={"id": "feed", "label": "F", "kind": "feed"})

    def assign(subject: str, object: str) -> tuple[int, str]:
        body = {"kind": "device_vehicle", "subject": subject, "object": object}
        answer = mine.post("/api/assignments", json=body)
        return answer.status_code, answer.json().get("field", "")

    assert assign("nothing", "v1") == (404, "subject")
    assert assign("gps", "v9") == (404, "object")
    assert assign("gps", "person:nobody") == (409, "subject")
    assert assign("gps", "person:ramesh") == (409, "subject")
    assert assign("watch", "v1") == (409, "subject")
    assert assign("feed", "v1") == (409, "subject")
    assert assign("gps", "v1") == (201, "")
    lost = admin.post("/api/devices", json={"id": "x", "label": "X", "vehicle_id": "v9"})
    assert lost.status_code == 404
    assert admin.patch("/api/devices/watch", json={"kind": "gps"}).status_code == 409
    assert admin.patch("/api/devices/gps", json={"kind": "feed"}).status_code == 409
    assert admin.patch("/api/devices/gps", json={"label": "New"}).json()["label"] == "New"
