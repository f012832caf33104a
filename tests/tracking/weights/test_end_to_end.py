"""A unit on its socket, a weighbridge with its token and a dispatcher, on a real port."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import numpy as np
from sqlalchemy import select
from websockets.sync.client import connect

from fleet.kit.web import Kit
from fleet.org.assignments import assign
from fleet.people import Role, create_user
from tests.conftest import START
from tests.tracking.conftest import DEPOT
from tests.tracking.drives import EAST, NORTH, ORIGIN, Town
from tests.tracking.serving import make_app, serving
from tests.tracking.weights.conftest import DAY, PASSWORD, STATION, deliver, ticket
from tracking.devices.service import register_device
from tracking.facts.models import LaneTraversal
from tracking.weights import booking
from tracking.wiring import make_follower

MINUTE = 60


def trail(lane: np.ndarray) -> list[tuple[float, float, float]]:
    """(s, lon, lat): out of the depot, along a lane at walking pace, to the station, home again."""
    ways = [
        (0, *DEPOT),
        (5 * MINUTE, *DEPOT),
        (10 * MINUTE, ORIGIN[0] + lane[0][0] / EAST, ORIGIN[1] + lane[0][1] / NORTH),
        (14 * MINUTE, ORIGIN[0] + lane[-1][0] / EAST, ORIGIN[1] + lane[-1][1] / NORTH),
        (30 * MINUTE, *STATION),
        (42 * MINUTE, *STATION),
        (60 * MINUTE, *DEPOT),
        (65 * MINUTE, *DEPOT),
    ]
    times = np.arange(0, ways[-1][0] + 1, 5.0)
    knots = np.array(ways)
    lon, lat = (np.interp(times, knots[:, 0], knots[:, i]) for i in (1, 2))
    return list(zip(times.tolist(), lon.tolist(), lat.tolist(), strict=True))


def send(address: str, token: str, fixes: list[tuple[float, float, float]]) -> None:
    url = f"ws://{address}/ws/devices/gps-1"
    bearer = {"Authorization": f"Bearer {token}"}
    with connect(url, additional_headers=bearer) as socket:
        for seq, first in enumerate(range(0, len(fixes), 100)):
            said = [
                {"t": START.timestamp() + s, "lon": lon, "lat": lat}
                for s, lon, lat in fixes[first : first + 100]
            ]
            socket.send(json.dumps({"seq": seq, "fixes": said}))
            assert json.loads(socket.recv(timeout=20)) == {"ack": seq}


def test_from_the_wheel_to_the_bill(kit: Kit, streets: Town, lanes: list[str], clock: Any) -> None:
    served = "v1.0"
    with kit.db.unit_of_work() as session:
        for name, role in (("admin", Role.ADMIN), ("chief", Role.DISPATCHER)):
            create_user(session, username=name, password=PASSWORD, name=name, role=role)
        token = register_device(session, id="gps-1", label="Tipper 1", now=START)
        assign(session, "device_vehicle", "gps-1", "v1", START - timedelta(days=1))
    clock.set(START + timedelta(minutes=70))
    with serving(make_app(kit)) as address:
        send(address, token, trail(streets.lanes[served]))
        make_follower(kit).run_to(kit.clock.now())
        deliver(kit)
        staff = httpx.Client(base_url=f"http://{address}")
        answer = staff.post("/api/sign-in", json={"username": "admin", "password": PASSWORD})
        staff.headers["X-CSRF-Token"] = answer.json()["csrf"]
        place = {"station": "ts", "label": "Scale"}
        bridge = staff.post("/api/weighbridges", json=place).json()["token"]
        late = ticket("77", 33 + 4)  # its clock is four minutes ahead
        brought = httpx.post(
            f"http://{address}/api/tickets",
            json=late,
            headers={"Authorization": f"Bearer {bridge}"},
        )
        assert brought.json()["stored"] == 1
        booking.timer.run(kit, kit.clock.now())
        today = {"service_date": DAY.isoformat()}
        (entry,) = staff.get("/api/trips", params=today | {"vehicle": "v1"}).json()
        weights = staff.get("/api/weights", params=today | {"by": "lane"}).json()
    assert (entry["agreement"], entry["payable"], entry["net_kg"]) == ("agrees", "yes", 300.0)
    assert entry["lanes"] == [served]
    assert abs(entry["stay_s"] - 12 * MINUTE) < 2 * MINUTE
    assert 3.0 < entry["km"] < 8.0
    assert [(row["id"], row["basis"], row["net_kg"]) for row in weights["rows"]] == [
        (served, "apportioned", 300.0)
    ]
    with kit.db.reading() as session:
        assert session.scalars(select(LaneTraversal)).first() is not None
