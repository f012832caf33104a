"""Frames as OsmAnd, Traccar Client and units of that protocol send them."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.protocols.sanity import JSON_VALUES, assert_possible, assert_recorded
from tracking.protocols.lenient import KNOT_MPS, Unreadable
from tracking.protocols.osmand import decode_json, decode_parameters, sender_of
from tracking.protocols.reading import Reading


def epoch(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


PARAMETERS = {
    "osmand-documented": (
        "id=123456&timestamp=1377177267&lat=60.0&lon=30.0&speed=0.0&bearing=0.0&altitude=0&hdop=0.0",
        "123456",
        Reading(t=1377177267, lon=30, lat=60, speed_mps=0, course_deg=0, alt_m=0),
    ),
    "osmand-iso": (
        "id=902064&lat=42.06288&lon=-88.23412&timestamp=2016-01-27T18%3A55%3A47Z&hdop=6.0"
        "&altitude=224.0&speed=0.0",
        "902064",
        Reading(
            t=epoch(2016, 1, 27, 18, 55, 47),
            lon=-88.23412,
            lat=42.06288,
            speed_mps=0,
            hdop=6,
            alt_m=224,
        ),
    ),
    "osmand-milliseconds": (
        "id=902064&lat=42.06288&lon=-88.23412&timestamp=1442068686579&hdop=6.0&altitude=224.0",
        "902064",
        Reading(t=1442068686.579, lon=-88.23412, lat=42.06288, hdop=6, alt_m=224),
    ),
    "unit-plain-date-time": (
        "lat=49.60688&lon=6.15788&timestamp=2014-06-04+09%3A10%3A11&altitude=384.7&speed=0.0"
        "&id=353861053849681",
        "353861053849681",
        Reading(
            t=epoch(2014, 6, 4, 9, 10, 11), lon=6.15788, lat=49.60688, speed_mps=0, alt_m=384.7
        ),
    ),
    "unit-joined-location": (
        "id=123456&timestamp=1377177267&location=60.0,30.0",
        "123456",
        Reading(t=1377177267, lon=30, lat=60),
    ),
    "unit-ignition-rpm": (
        "id=123456789012345&timestamp=1504763810&lat=40.7232948571&lon=-74.0061408571"
        "&bearing=7.19889788244&speed=40&ignition=true&rpm=933&fuel=24",
        "123456789012345",
        Reading(
            t=1504763810,
            lon=-74.0061408571,
            lat=40.7232948571,
            speed_mps=40 * KNOT_MPS,
            course_deg=7.19889788244,
            ignition=True,
        ),
    ),
    "unit-own-spelling": (
        "id=863071016800770&timestamp=2016-01-15%2021:41:18.000&lat=-26.619913&lon=152.859238"
        "&speed=0.72&altitude=433.10&heading=108.42&hdop=81&sat=11&batt=11.43&ignition=OFF",
        "863071016800770",
        Reading(
            t=epoch(2016, 1, 15, 21, 41, 18),
            lon=152.859238,
            lat=-26.619913,
            speed_mps=0.72 * KNOT_MPS,
            course_deg=108.42,
            hdop=81,
            sats=11,
            ignition=False,
            alt_m=433.1,
        ),
    ),
    "traccar-client-7": (
        "id=82879256&lat=-35.5555277&lon=145.5555733&timestamp=1693222306574&speed=0.211914"
        "&bearing=26.21394&accuracy=22.975999",
        "82879256",
        Reading(
            t=1693222306.574,
            lon=145.5555733,
            lat=-35.5555277,
            speed_mps=0.211914 * KNOT_MPS,
            course_deg=26.21394,
            hdop=4.6,
        ),
    ),
    "traccar-client-sos": (
        "id=82879256&lat=22.72&lon=75.86&timestamp=1693222306&alarm=sos&batt=36.0&charge=true"
        "&valid=false&driverUniqueId=KA-7",
        "82879256",
        Reading(t=1693222306, lon=75.86, lat=22.72, mains=True, event="sos", valid=False),
    ),
}

JSON = {
    "client-9-still": (
        '{"location":{"timestamp":"2025-06-15T13:45:12.862Z","coords":{"latitude":37.4219983,'
        '"longitude":-122.084,"accuracy":5,"speed":0,"heading":-1,"altitude":5},"is_moving":false,'
        '"odometer":0,"event":"motionchange","battery":{"level":1,"is_charging":false},'
        '"activity":{"type":"still"},"extras":{},"_":"&id=48241179&lat=37.4219983&lon=-122.084'
        '&timestamp=2025-06-15T13:45:12.862Z&"},"device_id":"48241179"}',
        "48241179",
        Reading(
            t=epoch(2025, 6, 15, 13, 45, 12) + 0.862,
            lon=-122.084,
            lat=37.4219983,
            speed_mps=0,
            hdop=1,
            alt_m=5,
            mains=False,
        ),
    ),
    "client-9-ios-unknowns": (
        '{"location":{"extras":{},"mock":true,"coords":{"speed_accuracy":-1,"speed":-1,'
        '"longitude":-122.406417,"ellipsoidal_altitude":0,"floor":null,"heading_accuracy":-1,'
        '"latitude":37.785834000000001,"accuracy":5,"altitude_accuracy":-1,"altitude":0,'
        '"heading":-1},"is_moving":false,"age":188,"odometer":0,"uuid":'
        '"2FB04C65-99CF-42AB-8DD3-EBCB4B108BF8","event":"motionchange","battery":{"level":-1,'
        '"is_charging":false},"activity":{"type":"unknown","confidence":100},"timestamp":'
        '"2025-05-09T04:11:30.579Z"},"device_id":"658765"}',
        "658765",
        Reading(
            t=epoch(2025, 5, 9, 4, 11, 30) + 0.579,
            lon=-122.406417,
            lat=37.785834,
            hdop=1,
            alt_m=0,
            mains=False,
        ),
    ),
    "client-9-driving": (
        '{"location":{"event":"motionchange","is_moving":false,"uuid":'
        '"0e9a2473-a9a7-4c00-997b-fb97d2154e75","timestamp":"2021-07-21T08:06:34.444Z","odometer":0,'
        '"coords":{"latitude":-6.1148096,"longitude":106.6837015,"accuracy":3.8,"speed":18.67,'
        '"speed_accuracy":0.26,"heading":63,"heading_accuracy":0.28,"altitude":35.7,'
        '"altitude_accuracy":3.8},"activity":{"type":"still","confidence":100},"battery":'
        '{"is_charging":false,"level":0.09},"extras":{}},"device_id":"8737767034"}',
        "8737767034",
        Reading(
            t=epoch(2021, 7, 21, 8, 6, 34) + 0.444,
            lon=106.6837015,
            lat=-6.1148096,
            speed_mps=18.67,
            course_deg=63,
            hdop=0.76,
            alt_m=35.7,
            mains=False,
            event="low_battery",
        ),
    ),
}


@pytest.mark.parametrize(("query", "sender", "expected"), PARAMETERS.values(), ids=PARAMETERS)
def test_parameters_as_recorded(query: str, sender: str, expected: Reading) -> None:
    sent = decode_parameters(dict(parse_qsl(query)))
    assert (sent.sender, sent.reading) == (sender, expected)
    assert_recorded(sent.reading)


@pytest.mark.parametrize(("body", "sender", "expected"), JSON.values(), ids=JSON)
def test_json_as_recorded(body: str, sender: str, expected: Reading) -> None:
    sent = decode_json(body.encode())
    assert (sent.sender, sent.reading) == (sender, expected)
    assert_recorded(sent.reading)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        # A unit without fix sends cells only: there is no position to store.
        (
            "id=123456&timestamp=1377177267&cell=257,02,16,2224&wifi=00-14-22-01-23-45,-80",
            "lat",
        ),
        ("id=1&lat=1&lon=2", "timestamp"),
        ("id=1&lat=1&lon=2&timestamp=yesterday", "timestamp"),
        ("id=1&lat=1&lon=nan&timestamp=1", "lon"),
        ("id=1&location=60&timestamp=1", "location"),
        ("id=1&location=60,x&timestamp=1", "location"),
    ],
)
def test_unreadable_parameters_name_their_field(query: str, field: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode_parameters(dict(parse_qsl(query)))
    assert caught.value.field == field


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", "body"),
        (b"[1", "body"),
        (b"[]", "body"),
        (b"[" * 100_000, "body"),
        (b"{}", "location"),
        (b'{"location": {"timestamp": 1}}', "location.coords"),
        (b'{"location": {"timestamp": 1, "coords": {"latitude": 1}}}', "location.coords.longitude"),
        (b'{"location": {"coords": {"latitude": 1, "longitude": 1}}}', "location.timestamp"),
        (b"\xff\xfe{}", "body"),
    ],
)
def test_unreadable_json_names_its_field(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode_json(body)
    assert caught.value.field == field


@pytest.mark.parametrize("query", ["timestamp=1&lat=60&lon=30", "id=&deviceid=7", "deviceid=7"])
def test_the_sender_has_several_names(query: str) -> None:
    assert sender_of(dict(parse_qsl(query))) == ("7" if "7" in query else None)


NAMES = ["id", "lat", "lon", "location", "timestamp", "speed", "bearing", "hdop", "accuracy", "sat"]
WORDS = st.one_of(
    st.text(max_size=12), st.integers().map(str), st.floats().map(str), st.datetimes().map(str)
)


@given(st.dictionaries(st.sampled_from([*NAMES, "ignition", "alarm", "valid", "charge"]), WORDS))
def test_any_parameters_are_a_reading_or_unreadable(parameters: dict[str, str]) -> None:
    try:
        sent = decode_parameters(parameters)
    except Unreadable:
        return
    assert_possible(sent.reading)


@given(st.data())
def test_any_member_of_the_json_may_be_anything(data: st.DataObject) -> None:
    """Each member in turn is replaced or taken away; nothing but `Unreadable` comes out."""
    frame = json.loads(data.draw(st.sampled_from([row[0] for row in JSON.values()])))
    place = data.draw(st.sampled_from([frame, frame["location"], frame["location"]["coords"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON_VALUES)
    try:
        sent = decode_json(json.dumps(frame, allow_nan=True).encode())
    except Unreadable:
        return
    assert_possible(sent.reading)


@given(st.binary(max_size=200))
def test_any_bytes_are_unreadable_or_a_reading(body: bytes) -> None:
    try:
        assert_possible(decode_json(body).reading)
    except Unreadable:
        return
