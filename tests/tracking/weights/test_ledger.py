"""The trip ledger, as a contractor's bill is checked against it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from fleet.kit.web import Kit
from fleet.org.models import Lane
from tests.conftest import START
from tests.tracking.conftest import DEPOT, fix
from tests.tracking.weights.conftest import (
    DAY,
    STATION,
    deliver,
    drive,
    minute,
    serve,
    stay,
    ticket,
)
from tracking.fixes import open_fixlog
from tracking.weights import booking
from tracking.weights.apportion import ServedLane
from tracking.weights.ledger import Entry
from tracking.weights.models import Ticket, Trip
from tracking.weights.queries import TripLane, weights

TODAY = {"service_date": DAY.isoformat()}


def trips(client: TestClient, **more: Any) -> list[dict[str, Any]]:
    answer = client.get("/api/trips", params=TODAY | more)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def bring(client: TestClient, *many: dict[str, Any]) -> None:
    answer = client.post("/api/tickets", json=list(many)).json()
    assert answer["refused"] == []


def said(entries: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(e["vehicle_id"], e["number"], e["agreement"], e["payable"]) for e in entries]


def test_a_trip_says_what_it_was(client: TestClient, morning: list[str]) -> None:
    bring(client, ticket("1", 105), ticket("2", 204), ticket("3", 106, vehicle="v2"))
    first, second, other = trips(client)
    assert said([first, second, other]) == [
        ("v1", 1, "agrees", "yes"),
        ("v1", 2, "agrees", "yes"),
        ("v2", 1, "agrees", "yes"),
    ]
    assert (first["start_t"], first["arrived_t"], first["end_t"]) == (
        minute(5),
        minute(100),
        minute(115),
    )
    assert (first["stay_s"], first["station_id"], first["contractor"]) == (900.0, "ts", "Asha")
    assert (first["lanes_served"], first["wards"], first["lanes"]) == (2, ["w1"], None)
    assert (first["net_kg"], [t["number"] for t in first["tickets"]]) == (300.0, ["1"])
    only = trips(client, vehicle="v1")
    assert [e["lanes"] for e in only] == [morning[:2], [morning[2]]]


def test_one_ticket_a_stream_ends_a_trip(client: TestClient) -> None:
    dry = ticket("2", 109, stream="dry", gross_kg=1600, net_kg=100)
    bring(client, ticket("1", 103), dry)
    first = trips(client)[0]
    assert (first["agreement"], first["net_kg"]) == ("agrees", 400.0)
    assert [t["stream"] for t in first["tickets"]] == ["wet", "dry"]


def test_a_trip_without_a_ticket_is_unknown_until_tickets_cannot_come_any_more(
    client: TestClient, clock: Any
) -> None:
    """And while its station has brought none at all: its computer may be down."""
    assert {e["payable"] for e in trips(client)} == {"unknown"}
    clock.set(START + timedelta(days=4))
    assert {(e["agreement"], e["payable"]) for e in trips(client)} == {("no_ticket", "unknown")}
    bring(client, ticket("1", 105))
    assert [e["payable"] for e in trips(client)] == ["yes", "no", "no"]


def test_tickets_two_days_late_change_the_ledger(client: TestClient, clock: Any) -> None:
    assert trips(client)[0]["agreement"] == "no_ticket"
    clock.set(START + timedelta(days=2))
    bring(client, ticket("1", 105))
    assert said(trips(client)[:1]) == [("v1", 1, "agrees", "yes")]


def test_a_ticket_while_the_unit_is_dead_is_unknown(client: TestClient) -> None:
    """No fix at that time: GPS cannot say that the vehicle was not there."""
    bring(client, ticket("1", 400))
    assert said([e for e in trips(client) if e["trip_id"] is None]) == [
        ("v1", None, "no_gps", "unknown")
    ]


def test_a_ticket_while_fixes_show_the_vehicle_elsewhere(client: TestClient) -> None:
    drive(client, "v1", 370, 440, DEPOT)
    bring(client, ticket("1", 400))
    assert said([e for e in trips(client) if e["trip_id"] is None]) == [
        ("v1", None, "other_time", "no")
    ]


@pytest.mark.parametrize("near", [True, False])
def test_a_silence_or_a_fix_nearby_leaves_it_unknown(client: TestClient, near: bool) -> None:
    drive(client, "v1", 370, 400, DEPOT)
    if near:
        drive(client, "v1", 400, 401, (STATION[0], STATION[1] + 0.002))
        drive(client, "v1", 401, 440, DEPOT)
    else:
        drive(client, "v1", 404, 440, DEPOT)
    bring(client, ticket("1", 400))
    (alone,) = [e for e in trips(client) if e["trip_id"] is None]
    assert (alone["agreement"], alone["payable"]) == ("no_gps", "unknown")


def test_another_station_another_time_and_a_weight_that_cannot_be(client: TestClient) -> None:
    drive(client, "v1", 60, 300, DEPOT)
    bring(
        client,
        ticket("1", 105, station="North Yard"),
        ticket("2", 240),
        ticket("3", 106, vehicle="v2", gross_kg=3000, net_kg=1500),
    )
    assert said(trips(client)) == [
        ("v1", 1, "other_station", "no"),
        ("v1", 2, "other_time", "no"),
        ("v2", 1, "weight_implausible", "no"),
    ]


def test_an_excuse_is_words_of_somebody_and_makes_it_payable(client: TestClient) -> None:
    drive(client, "v1", 60, 150, STATION)
    bring(client, ticket("1", 105, station="ts2"))
    entry = trips(client)[0]
    path = f"/api/trips/{entry['id']}/excuse"
    assert client.post(path, json={"words": "Bridge ts was shut"}).status_code == 200
    excused = trips(client)[0]
    assert (excused["agreement"], excused["payable"]) == ("other_station", "yes")
    assert excused["excused"]["words"] == "Bridge ts was shut"
    assert excused["excused"]["by_name"] == "chief"
    client.post(path, json={"words": "Sent there by phone"})
    assert trips(client)[0]["excused"]["words"] == "Sent there by phone"
    client.post(path, json={"words": ""})
    assert (trips(client)[0]["excused"], trips(client)[0]["payable"]) == (None, "no")
    assert client.post("/api/trips/trp_x/excuse", json={"words": "x"}).status_code == 404


def test_an_excused_ticket_keeps_its_excuse_when_late_fixes_show_its_trip(
    client: TestClient, kit: Kit
) -> None:
    bring(client, ticket("1", 305))
    (alone,) = [e for e in trips(client) if e["trip_id"] is None]
    client.post(f"/api/trips/{alone['id']}/excuse", json={"words": "Unit in repair"})
    stay(kit, "s9", "v1", "ts", 300, 312)
    deliver(kit)
    third = [e for e in trips(client) if e["vehicle_id"] == "v1"][2]
    assert (third["agreement"], third["excused"]["words"]) == ("agrees", "Unit in repair")


def test_a_stay_that_goes_on_is_one_trip(client: TestClient, kit: Kit) -> None:
    """The id stays when the vehicle leaves, and when a stay before it is found later."""
    stay(kit, "s4", "v2", "ts", 415, None)
    deliver(kit)
    open_trip = trips(client, vehicle="v2")[-1]
    assert (open_trip["number"], open_trip["end_t"]) == (2, None)
    stay(kit, "s4", "v2", "ts", 415, 431)
    stay(kit, "s3b", "v2", "ts2", 300, 310)
    deliver(kit)
    found = trips(client, vehicle="v2")
    assert [e["number"] for e in found] == [1, 2, 3]
    assert (found[2]["id"], found[2]["end_t"]) == (open_trip["id"], minute(431))


def test_a_trip_that_was_none_is_superseded_and_kept(client: TestClient, kit: Kit) -> None:
    """Late fixes show that the vehicle only passed the station."""
    stay(kit, "s1", "v1", "ts", 100, 101)
    deliver(kit)
    (only,) = trips(client, vehicle="v1")
    assert only["start_t"] == minute(5)
    with kit.db.reading() as session:
        rows = session.scalars(select(Trip).where(Trip.pass_id == "s1")).all()
    assert [row.superseded_t is not None for row in rows] == [True]


def test_a_night_shift_across_midnight(client: TestClient, kit: Kit, clock: Any) -> None:
    """Nearest to the morning shift of the day before: service dates are those of shifts."""
    clock.set(START + timedelta(hours=20))
    stay(kit, "n1", "v1", "ts", 60 * 9, 60 * 9 + 12)
    deliver(kit)
    bring(client, ticket("1", 60 * 9 + 3))
    assert trips(client, vehicle="v1")[-1]["agreement"] == "agrees"


def test_kilometres_are_measured_and_once_more_a_day_later(
    client: TestClient, kit: Kit, clock: Any
) -> None:
    """Fixes that arrived late in between are in the second measure."""
    log = open_fixlog(kit.settings, kit.db)
    now = kit.clock.now()
    north = [
        fix(s * 60, device="g", vehicle="v1", lon=75.86, lat=22.7 + s / 10_000)
        for s in range(10, 60)
    ]
    log.append(north)
    assert booking.measure(kit, now, log) == 3
    assert booking.measure(kit, now, log) == 0
    assert trips(client)[0]["km"] == pytest.approx(0.545, abs=0.03)
    assert trips(client)[2]["km"] is None
    log.append([fix(70 * 60, device="g", vehicle="v1", lon=75.86, lat=22.7159)])
    later = START + timedelta(days=3)
    assert booking.measure(kit, later, log) == 3
    assert booking.measure(kit, later, log) == 0
    assert trips(client)[0]["km"] == pytest.approx(1.657, abs=0.03)
    log.close()


def test_the_ledger_as_a_table(client: TestClient) -> None:
    bring(client, ticket("1", 105, vehicle="@v9"), ticket("2", 105))
    answer = client.get("/api/trips", params=TODAY | {"format": "csv"})
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["vehicle"] for row in rows] == ["'@v9", "v1", "v1", "v2"]
    assert (rows[1]["start"], rows[1]["net_kg"], rows[1]["agreement"]) == (
        "2026-03-02 06:05:00",
        "300.0",
        "agrees",
    )


def test_weights_by_vehicle_ward_and_lane(client: TestClient, morning: list[str]) -> None:
    """The first trip served lanes of 10 and 20 kg; a ticket without a trip has no lane."""
    bring(client, ticket("1", 105), ticket("2", 400), ticket("3", 106, vehicle="v2"))

    def rows(by: str) -> dict[str | None, tuple[str, float]]:
        answer = client.get("/api/weights", params=TODAY | {"by": by}).json()
        assert answer["net_kg"] == 900.0
        return {row["id"]: (row["basis"], row["net_kg"]) for row in answer["rows"]}

    assert rows("vehicle") == {"v1": ("weighed", 600.0), "v2": ("weighed", 300.0)}
    assert rows("ward") == {None: ("apportioned", 300.0), "w1": ("apportioned", 600.0)}
    assert rows("lane") == {
        None: ("apportioned", 300.0),
        morning[0]: ("apportioned", 100.0),
        morning[1]: ("apportioned", 200.0),
        morning[3]: ("apportioned", 300.0),
    }


def test_a_lane_on_foot_is_fed_from_the_street_where_the_vehicle_stood(
    client: TestClient, kit: Kit, morning: list[str]
) -> None:
    with kit.db.unit_of_work() as session:
        galli = session.get_one(Lane, morning[5])
        galli.service_mode, galli.access_lane_id = "feeder", morning[3]
        galli.kg_day = {"wet": 40.0}
    bring(client, ticket("1", 106, vehicle="v2"))
    answer = client.get("/api/weights", params=TODAY | {"by": "lane"}).json()
    assert {row["id"]: row["net_kg"] for row in answer["rows"]} == {
        morning[3]: 150.0,
        morning[5]: 150.0,
    }


def test_two_passes_of_a_lane_are_one_service(
    client: TestClient, kit: Kit, morning: list[str]
) -> None:
    """Half of lane 3 was served before; the same half again adds nothing."""
    serve(kit, "v1", morning[2], 150, 0.5)
    serve(kit, "v1", morning[0], 160, 1.0)
    bring(client, ticket("1", 203))
    answer = client.get("/api/weights", params=TODAY | {"by": "lane"}).json()
    assert {row["id"]: row["net_kg"] for row in answer["rows"]} == {
        morning[0]: 120.0,
        morning[2]: 180.0,
    }


def entry(trip: int, nets: list[tuple[int, str | None]]) -> Entry:
    now = START
    made = Trip(id=f"t{trip}", vehicle_id=f"v{trip % 3}", arrived_t=now, start_t=now)
    tickets = [
        Ticket(id=f"k{trip}-{i}", net_kg=g / 1000, stream=s) for i, (g, s) in enumerate(nets)
    ]
    return Entry(made.id, made.vehicle_id, "", DAY, "ts", made, 1, tickets, "agrees", None, "yes")


nets = st.lists(
    st.tuples(st.integers(0, 5_000_000), st.sampled_from(["wet", "dry", None])), max_size=4
)
served = st.lists(
    st.builds(
        lambda ward, lane, kg, fraction: TripLane(
            f"w{ward}", ServedLane(f"l{lane}", {"wet": kg}, fraction)
        ),
        st.integers(0, 3), st.integers(0, 40), st.floats(0, 500), st.floats(0, 1),
    ),
    max_size=12, unique_by=lambda lane: lane.served.lane_id,
)  # fmt: skip


@given(st.lists(st.tuples(nets, served), max_size=6), st.sampled_from(["ward", "lane", "vehicle"]))
def test_no_gram_is_lost_or_made(day: list[tuple[Any, Any]], by: Any) -> None:
    entries = [entry(i, ticketed) for i, (ticketed, _) in enumerate(day)]
    lanes = {f"t{i}": found for i, (_, found) in enumerate(day)}
    sums = weights(entries, lanes, by)
    grams = sum(round(kg * 1000) for found in sums.values() for kg in found.kg.values())
    assert grams == sum(g for ticketed, _ in day for g, _ in ticketed)
