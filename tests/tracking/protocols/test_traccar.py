"""Positions as a Traccar server forwards them."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.protocols.sanity import JSON_VALUES, assert_possible, assert_recorded
from tracking.protocols.lenient import KNOT_MPS, Unreadable
from tracking.protocols.reading import Reading
from tracking.protocols.traccar import Forwarded, decode

DEVICE = (
    '"device":{"id":10,"attributes":{},"groupId":0,"calendarId":0,"name":"868618052108909",'
    '"uniqueId":"868618052108909","status":"online","lastUpdate":"2024-05-10T10:45:07.076+00:00",'
    '"positionId":0,"phone":null,"model":null,"contact":null,"category":null,"disabled":false,'
    '"expirationTime":null}'
)


def epoch(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


POSITIONS = {
    "6-phone": (
        '{"position":{"id":12345,"attributes":{"batteryLevel":85,"distance":15.4,'
        '"totalDistance":12500.5,"motion":true},"deviceId":10,"protocol":"osmand","serverTime":'
        '"2024-05-20T14:30:00.000+00:00","deviceTime":"2024-05-20T14:29:55.000+00:00","fixTime":'
        '"2024-05-20T14:29:55.000+00:00","outdated":false,"valid":true,"latitude":-23.55052,'
        '"longitude":-46.633308,"altitude":760.0,"speed":13.5,"course":180.0,"address":null,'
        '"accuracy":0.0,"network":null},' + DEVICE + "}",
        Reading(
            t=epoch(2024, 5, 20, 14, 29, 55),
            lon=-46.633308,
            lat=-23.55052,
            speed_mps=13.5 * KNOT_MPS,
            course_deg=180,
            alt_m=760,
        ),
    ),
    "4-phone-coarse": (
        '{"position":{"id":0,"attributes":{"batteryLevel":53,"distance":0,"totalDistance":5922.96,'
        '"motion":false},"deviceId":1,"type":null,"protocol":"osmand","serverTime":'
        '"2020-05-07T09:48:18.770+0000","deviceTime":"2020-05-07T09:48:15.000+0000","fixTime":'
        '"2020-05-07T09:48:15.000+0000","outdated":false,"valid":true,"latitude":21.1416013,'
        '"longitude":99.6410078,"altitude":0,"speed":0,"course":90,"address":null,'
        '"accuracy":2200,"network":null},' + DEVICE + "}",
        Reading(
            t=epoch(2020, 5, 7, 9, 48, 15),
            lon=99.6410078,
            lat=21.1416013,
            speed_mps=0,
            course_deg=90,
            hdop=440,
            alt_m=0,
        ),
    ),
    "gt06-mains-cut": (
        '{"position":{"id":0,"attributes":{"sat":9,"hdop":0.8,"ignition":true,"power":12.4,'
        '"battery":3.9,"batteryLevel":100,"charge":false,"input":5,"alarm":"lowBattery,powerCut",'
        '"status":70},"protocol":"gt06","fixTime":"2024-05-20T14:29:55.000+00:00","outdated":false,'
        '"valid":true,"latitude":22.72,"longitude":75.86,"speed":0.0,"course":0.0},' + DEVICE + "}",
        Reading(
            t=epoch(2024, 5, 20, 14, 29, 55),
            lon=75.86,
            lat=22.72,
            speed_mps=0,
            course_deg=0,
            hdop=0.8,
            sats=9,
            ignition=True,
            battery_v=12.4,
            mains=False,
            backup_v=3.9,
            inputs=5,
            event="mains_cut",
        ),
    ),
    "outdated-sos": (
        '{"position":{"attributes":{"alarm":"sos"},"deviceTime":"2024-05-20T15:00:00Z","fixTime":'
        '"2024-05-20T14:29:55Z","outdated":true,"valid":true,"latitude":22.72,"longitude":75.86},'
        + DEVICE
        + "}",
        Reading(t=epoch(2024, 5, 20, 15), lon=75.86, lat=22.72, event="sos", valid=False),
    ),
}
OFFLINE = (
    '{"event":{"id":43334,"attributes":{},"deviceId":385,"type":"deviceOffline","eventTime":'
    '"2024-05-10T10:45:34.984+00:00","positionId":0,"geofenceId":0,"maintenanceId":0},'
    + DEVICE
    + "}"
)


@pytest.mark.parametrize(("body", "expected"), POSITIONS.values(), ids=POSITIONS)
def test_positions_as_recorded(body: str, expected: Reading) -> None:
    assert decode(body.encode()) == [Forwarded("868618052108909", expected)]
    assert_recorded(expected)


def test_an_array_keeps_its_order_and_events_without_position_are_no_fixes() -> None:
    rows = list(POSITIONS.values())
    body = f"[{rows[0][0]},{OFFLINE},{rows[1][0]}]"
    assert [f.reading for f in decode(body.encode())] == [rows[0][1], rows[1][1]]
    assert decode(OFFLINE.encode()) == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"[3]", "0.position"),
        (b"{}", "device"),
        (b'{"device": {"uniqueId": 7}}', "device.uniqueId"),
        (b'{"device": {"uniqueId": "7"}}', "position"),
        (b'{"device": {"uniqueId": "7"}, "position": {}}', "position.fixTime"),
        (b'[{"device": {"uniqueId": "7"}, "position": {"fixTime": 1}}]', "0.position.longitude"),
    ],
)
def test_unreadable_positions_name_their_field(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(body)
    assert caught.value.field == field


@given(st.data())
def test_any_member_may_be_anything(data: st.DataObject) -> None:
    message = json.loads(data.draw(st.sampled_from([row[0] for row in POSITIONS.values()])))
    position = message["position"]
    place = data.draw(
        st.sampled_from([message, message["device"], position, position["attributes"]])
    )
    for name in data.draw(st.sets(st.sampled_from([*sorted(place), "alarm"]), max_size=3)):
        place[name] = data.draw(JSON_VALUES)
    try:
        for forwarded in decode(json.dumps(message).encode()):
            assert_possible(forwarded.reading)
    except Unreadable:
        return


@given(st.binary(max_size=200))
def test_any_bytes_are_unreadable_or_positions(body: bytes) -> None:
    try:
        assert all(isinstance(f, Forwarded) for f in decode(body))
    except Unreadable:
        return
