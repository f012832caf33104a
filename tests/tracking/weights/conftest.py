"""A morning of two tippers: v1 makes two trips to station `ts`, v2 one; all times by GPS."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any, cast

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from fleet.kit.outbox import Handler, Relay, emit
from fleet.kit.times import iso
from fleet.kit.web import Kit
from fleet.org.models import Beat, Lane, Place, Vehicle
from fleet.people import Role
from fleet.people.models import User
from fleet.people.passwords import hash_password
from tests.conftest import START, HandMonotonic
from tests.tracking.conftest import DEPOT, fix
from tests.tracking.drives import Town
from tests.tracking.serving import make_app
from tracking.facts.models import GeofencePass, LaneTraversal
from tracking.weights import booking

PASSWORD = "a long enough passphrase"
DAY = date(2026, 3, 2)
STATION = (DEPOT[0] + 0.04, DEPOT[1])
CHAMBERS = [
    {"streams": ["wet"], "kg": 350.0, "m3": 0.9},
    {"streams": ["dry", "sanitary", "special"], "kg": 250.0, "m3": 1.4},
]


def minute(minutes: float) -> str:
    """Minutes after 06:00 in India, as the wire says it."""
    return iso(START + timedelta(minutes=minutes))


def ticket(number: str, at: float, **changes: Any) -> dict[str, Any]:
    """A ticket of 300 kg wet waste of v1 at `ts`, weighed at a minute after 06:00."""
    return {
        "number": number,
        "station": "ts",
        "vehicle": "v1",
        "stream": "wet",
        "gross_kg": 1800.0,
        "tare_kg": 1500.0,
        "net_kg": 300.0,
        "time_in": minute(at),
        "time_out": minute(at + 5),
    } | changes


def stay(kit: Kit, key: str, vehicle: str, place: str, entered: float, left: float | None) -> None:
    """A stay as the follower records and announces it."""
    kind = "depot" if place == "depot" else "transfer_station"
    with kit.db.unit_of_work() as session:
        row = session.get(GeofencePass, key)
        if row is None:
            row = GeofencePass(id=key, vehicle_id=vehicle, place_id=place, place_kind=kind)
            session.add(row)
        row.entered_t = START + timedelta(minutes=entered)
        row.left_t = None if left is None else START + timedelta(minutes=left)
        said = {"id": key, "vehicle_id": vehicle, "place_id": place, "place_kind": kind}
        topic = "tracking.geofence_entered" if left is None else "tracking.geofence_left"
        at = row.entered_t if row.left_t is None else row.left_t
        emit(session, topic, key, said | {"t": iso(at)})


def serve(kit: Kit, vehicle: str, lane: str, at: float, fraction: float = 1.0) -> None:
    """A pass of two minutes; what a trip does not ask of it is 0."""
    known = {
        "id": f"{vehicle}{lane}{at}",
        "lane_id": lane,
        "vehicle_id": vehicle,
        "service_date": DAY,
        "start_t": START + timedelta(minutes=at),
        "end_t": START + timedelta(minutes=at + 2),
        "forward": True,
        "gap": False,
        "provisional": False,
        "served_fraction": fraction,
        "served_spans": [[0.0, fraction]],
        "driven_spans": [[0.0, 1.0]],
    }
    rest = {c.key for c in LaneTraversal.__table__.columns if not c.nullable} - known.keys()
    with kit.db.unit_of_work() as session:
        session.add(LaneTraversal(**known, **dict.fromkeys(rest, 0)))


def deliver(kit: Kit, handler: Handler = booking.handler) -> None:
    """What the web process's relay does with the events so far."""
    relay = Relay(kit.db, kit.hub, [handler], kit.monotonic)
    relay.pump()
    cast(HandMonotonic, kit.monotonic).advance(60)  # the lease of a relay before it is over
    while relay.pump():
        pass


@pytest.fixture
def lanes(kit: Kit, streets: Town) -> list[str]:
    """The town's lanes; the first gives 10 kg wet and 5 dry a day, the next 20 and 5, and so on."""
    ids = sorted(key for key, _ in streets.degrees)
    with kit.db.unit_of_work() as session:
        session.execute(update(Vehicle).values(compartments=CHAMBERS, contractor="Asha"))
        session.add(
            Place(
                id="ts2", kind="transfer_station", name="North Yard", name_hi="उत्तर",
                lon=STATION[0], lat=STATION[1] + 0.04, service_s=600, streams=[],
            )
        )  # fmt: skip
        for i, key in enumerate(ids, start=1):
            lane = session.get_one(Lane, key)
            lane.kg_day = {"wet": 10.0 * i, "dry": 5.0}
    return ids


@pytest.fixture
def morning(kit: Kit, lanes: list[str]) -> list[str]:
    stay(kit, "d1", "v1", "depot", -600, 5)
    for n, at in enumerate((20, 40)):
        serve(kit, "v1", lanes[n], at)
    stay(kit, "s1", "v1", "ts", 100, 115)
    serve(kit, "v1", lanes[2], 130, 0.5)
    stay(kit, "s2", "v1", "ts", 200, 212)
    stay(kit, "d2", "v2", "depot", -600, 0)
    serve(kit, "v2", lanes[3], 30)
    stay(kit, "s3", "v2", "ts", 101, 116)
    deliver(kit)
    return lanes


@cache
def hashed() -> str:
    """The one password's slow hash, made once."""
    return hash_password(PASSWORD)


@pytest.fixture
def client(kit: Kit, morning: list[str], clock: Any) -> Iterator[TestClient]:
    clock.set(START + timedelta(hours=7))
    with kit.db.unit_of_work() as session:
        for name, role, zones in (
            ("admin", Role.ADMIN, None),
            ("chief", Role.DISPATCHER, None),
            ("north", Role.DISPATCHER, ["z9"]),
            ("driver", Role.DRIVER, None),
        ):
            session.add(
                User(
                    id=name, username=name, password_hash=hashed(), name=name, role=role,
                    zones=zones, lang="en", created_at=START,
                )
            )  # fmt: skip
        session.add(
            Beat(id="b1", vehicle_id="v1", shift="morning", landmarks=[], lane_ids=[morning[0]])
        )
    with TestClient(make_app(kit)) as made:
        sign_in(made, "chief")
        yield made


def sign_in(client: TestClient, name: str) -> None:
    answer = client.post("/api/sign-in", json={"username": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    client.headers["X-CSRF-Token"] = answer.json()["csrf"]


def drive(
    client: TestClient, vehicle: str, since: float, until: float, at: tuple[float, float]
) -> None:
    """A fix every 30 s around one place."""
    fixes = [
        fix(s, device=f"gps-{vehicle}", vehicle=vehicle, lon=at[0], lat=at[1])
        for s in range(int(since * 60), int(until * 60), 30)
    ]
    client.app.state.fixlog.append(fixes)  # type: ignore[attr-defined] - FastAPI
