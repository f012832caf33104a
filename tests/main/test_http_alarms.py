"""A unit's call for help, from its real socket to the control room, whatever stops in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from websockets.sync.client import ClientConnection, connect

from fleet.kit.clock import SteppedClock
from fleet.kit.db import Database
from fleet.kit.web import Kit
from fleet.main.app import create_app
from fleet.people.scope import COOKIE
from tests.conftest import START, HandMonotonic, make_kit
from tests.main.conftest import PLACES, Served, serving_town
from tests.main.test_http_sockets import received
from tests.tracking.serving import serving
from tracking.alarms.models import Alarm
from tracking.facts.models import Watermark
from tracking.wiring import make_follower

WITHIN_S = 20.0
CALLED_S = 30


@contextmanager
def control(address: str, cookie: str) -> Iterator[tuple[ClientConnection, dict[str, Any]]]:
    """The control room's socket and its first snapshot."""
    headers = {"Cookie": cookie}
    with connect(f"ws://{address}/ws/control", additional_headers=headers) as socket:
        yield socket, received(socket, "snapshot")


def call_for_help(served: Served, address: str) -> None:
    """The button is pressed; the unit sends it until it is acknowledged, here twice."""
    lon, lat = PLACES["west"]
    at = (START + timedelta(seconds=CALLED_S)).timestamp()
    fix = {"t": at, "lon": lon, "lat": lat, "event": "sos"}
    bearer = {"Authorization": f"Bearer {served.tokens['unit-1']}"}
    url = f"ws://{address}/ws/devices/unit-1"
    with connect(url, additional_headers=bearer) as device:
        for seq in (1, 2):
            device.send(json.dumps({"seq": seq, "fixes": [fix]}))
            assert json.loads(device.recv(timeout=WITHIN_S)) == {"ack": seq}


def follow(kit: Kit) -> None:
    """A matcher of its own: what an earlier one remembered is gone."""
    make_follower(kit).run_to(kit.clock.now())


def alarm_event(socket: ClientConnection) -> dict[str, Any]:
    while True:
        event = received(socket, "event")
        if event["topic"] == "tracking.alarm":
            data: dict[str, Any] = event["data"]
            return data


def stored(kit: Kit) -> list[tuple[str, str]]:
    with kit.db.reading() as session:
        return [(row.id, row.state) for row in session.scalars(select(Alarm))]


def test_a_call_for_help_reaches_the_control_room_once_through_restarts(tmp_path: Path) -> None:
    with serving_town(tmp_path, serving) as served:
        kit = served.kit
        cookie = f"{COOKIE}={served.signed_in('west').cookies[COOKIE]}"
        with control(served.running, cookie) as (socket, before):
            assert before["alarms"] == []
            call_for_help(served, served.running)
            served.clock.set(START + timedelta(seconds=CALLED_S + 5))
            follow(kit)
            alarm = alarm_event(socket)
        assert (alarm["kind"], alarm["severity"], alarm["state"]) == ("sos", "critical", "raised")
        assert (alarm["vehicle_id"], alarm["zone_id"]) == ("T1", "z1")
        assert (alarm["lon"], alarm["lat"]) == PLACES["west"]
        # Killed after the alarm was committed, before its place in the log was.
        with kit.db.unit_of_work() as session:
            session.execute(delete(Watermark))
        follow(kit)
        follow(kit)
        assert stored(kit) == [(alarm["id"], "raised")]

    # The whole site starts again on what was stored.
    clock = SteppedClock(tmp_path / "clock.json", START)
    db = Database.open(f"sqlite:///{tmp_path / 'safai.sqlite3'}", clock)
    kit = make_kit(db, clock, HandMonotonic(), tmp_path)
    with serving(create_app(kit)) as address:
        with kit.db.unit_of_work() as session:
            session.execute(delete(Watermark))
        follow(kit)
        with control(address, cookie) as (_, snapshot):
            assert [(a["id"], a["state"]) for a in snapshot["alarms"]] == [(alarm["id"], "raised")]
        assert stored(kit) == [(alarm["id"], "raised")]
    db.close()


def test_the_other_zone_s_dispatcher_is_not_called(tmp_path: Path) -> None:
    with serving_town(tmp_path, serving) as served:
        cookie = f"{COOKIE}={served.signed_in('east').cookies[COOKIE]}"
        call_for_help(served, served.running)
        served.clock.set(START + timedelta(seconds=CALLED_S + 5))
        follow(served.kit)
        assert len(stored(served.kit)) == 1
        with control(served.running, cookie) as (_, snapshot):
            assert snapshot["alarms"] == []
