"""Answers of vendors' services, read by mappings that are data."""

from __future__ import annotations

import json
import tomllib
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.protocols.sanity import JSON_VALUES, assert_possible, assert_recorded
from tracking.protocols.lenient import KMH_MPS, KNOT_MPS, Unreadable
from tracking.protocols.reading import Reading
from tracking.protocols.vendor_rest import Answer, check, decode, resolve


def mapping(toml: str) -> Answer:
    made = msgspec.convert(tomllib.loads(toml), Answer)
    check(made)
    return made


def epoch(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


UFFIZIO = mapping("""
[fields]
id = "/plate_no"
t = { at = "/gps_date_time", format = "%d-%m-%Y %H:%M:%S", tz = "Asia/Kolkata" }
lon = "/longitude"
lat = "/latitude"
speed = { at = "/speed", unit = "km/h" }
ignition = "/ignition"
""")
WIALON = mapping("""
items = "/items"
[fields]
id = "/id"
t = "/pos/t"
lon = "/pos/x"
lat = "/pos/y"
altitude = "/pos/z"
speed = { at = "/pos/s", unit = "km/h" }
course = "/pos/c"
sats = "/pos/sc"
""")
TELEMAX = mapping("""
[fields]
id = "/DeviceId"
t = "/UtcTime"
lon = "/Lng"
lat = "/Lat"
speed = { at = "/Speed", unit = "km/h" }
course = "/Course"
ignition = "/Ignition"
power = "/Voltage"
""")
TRACCAR_API = mapping("""
[fields]
id = "/deviceId"
t = "/fixTime"
lon = "/longitude"
lat = "/latitude"
speed = { at = "/speed", unit = "knots" }
course = "/course"
accuracy = "/accuracy"
valid = "/valid"
event = { at = "/attributes/alarm", values = { sos = "sos" } }
""")
ANSWERS: dict[str, tuple[Answer, str, str, Reading]] = {
    "uffizio-local-time-and-text": (
        UFFIZIO,
        '[{"transporter_name":"Safai","plate_no":"MP09 AB 1234","ignition":"ON",'
        '"latitude":"22.72431","longitude":"75.85795","location":"Indore","speed":"18",'
        '"gps_date_time":"27-09-2022 13:55:42","distance":"0.0 km"}]',
        "MP09 AB 1234",
        Reading(
            t=epoch(2022, 9, 27, 8, 25, 42),
            lon=75.85795,
            lat=22.72431,
            speed_mps=18 * KMH_MPS,
            ignition=True,
        ),
    ),
    "wialon-search-items": (
        WIALON,
        '{"searchSpec":{},"items":[{"nm":"Bavarian Tractor","cls":2,"id":34868,"pos":{"t":'
        '1358761631,"y":53.9205504,"x":27.4921152,"z":238,"s":0,"c":102,"sc":10}}]}',
        "34868",
        Reading(
            t=1358761631,
            lon=27.4921152,
            lat=53.9205504,
            speed_mps=0,
            course_deg=102,
            sats=10,
            alt_m=238,
        ),
    ),
    "telemax-last-position": (
        TELEMAX,
        '[{"UtcTime":"2024-01-15T10:30:00Z","UserTime":"2024-01-15T12:30:00+02:00","Lat":40.7128,'
        '"Lng":-74.006,"Speed":65.5,"Course":90,"Ignition":true,"Odometer":125000.5,'
        '"Voltage":12.6,"DeviceId":12345,"DeviceName":"Fleet Vehicle 001"}]',
        "12345",
        Reading(
            t=epoch(2024, 1, 15, 10, 30),
            lon=-74.006,
            lat=40.7128,
            speed_mps=65.5 * KMH_MPS,
            course_deg=90,
            ignition=True,
            battery_v=12.6,
        ),
    ),
    "traccar-api-positions": (
        TRACCAR_API,
        '[{"id":7,"attributes":{"alarm":"sos"},"deviceId":10,"protocol":"gt06","fixTime":'
        '"2024-05-20T14:29:55.000+00:00","valid":true,"latitude":22.72,"longitude":75.86,'
        '"speed":13.5,"course":180.0,"accuracy":0.0}]',
        "10",
        Reading(
            t=epoch(2024, 5, 20, 14, 29, 55),
            lon=75.86,
            lat=22.72,
            speed_mps=13.5 * KNOT_MPS,
            course_deg=180,
            event="sos",
        ),
    ),
}


@pytest.mark.parametrize(("how", "body", "unit", "expected"), ANSWERS.values(), ids=ANSWERS)
def test_answers_as_documented(how: Answer, body: str, unit: str, expected: Reading) -> None:
    page = decode(json.loads(body), how)
    assert (page.readings, page.faults) == ([(unit, expected)], [])
    assert_recorded(expected)


def test_a_unit_that_cannot_be_read_does_not_stop_the_others() -> None:
    """Uffizio writes `--` for what a unit has not told yet."""
    good = json.loads(ANSWERS["uffizio-local-time-and-text"][1])[0]
    page = decode([{**good, "gps_date_time": "--"}, good, {**good, "plate_no": ""}, 7], UFFIZIO)
    assert [unit for unit, _ in page.readings] == ["MP09 AB 1234"]
    assert [(i, fault.field) for i, fault in page.faults] == [(0, "t"), (2, "id"), (3, "id")]


@pytest.mark.parametrize("body", ['{"RESULT":"FAIL","ERROR_MSG":"Bad Request."}', "null", "3"])
def test_a_vendors_refusal_with_status_200_is_unreadable(body: str) -> None:
    with pytest.raises(Unreadable):
        decode(json.loads(body), UFFIZIO)


@pytest.mark.parametrize(
    ("toml", "fault"),
    [
        ("fields = {}", "fields.id"),
        ('[fields]\nid="/a"\nt="/a"\nlon="/a"\nlat="a"', "JSON pointer"),
        ('items="x"\n[fields]\nid="/a"\nt="/a"\nlon="/a"\nlat="/a"', "items"),
        ('[fields]\nid="/a"\nt="/a"\nlon="/a"\nlat="/a"\nspeed="/a"', "fields.speed.unit"),
        ('[fields]\nid="/a"\nt="/a"\nlon="/a"\nlat="/a"\nfuel="/a"', "fields.fuel"),
        ('[fields]\nid="/a"\nt={at="/a",tz="Indore"}\nlon="/a"\nlat="/a"', "fields.t.tz"),
        (
            '[fields]\nid="/a"\nt="/a"\nlon="/a"\nlat="/a"\nevent={at="/a",values={A="boom"}}',
            "fields.event.values",
        ),
    ],
)
def test_a_faulty_mapping_is_named(toml: str, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        mapping(toml)


@given(st.data())
def test_any_member_may_be_anything(data: st.DataObject) -> None:
    how, body, _, _ = data.draw(st.sampled_from(list(ANSWERS.values())))
    answer: Any = json.loads(body)
    unit = answer[0] if isinstance(answer, list) else answer["items"][0]
    for name in data.draw(st.sets(st.sampled_from(sorted(unit)), max_size=3)):
        unit[name] = data.draw(JSON_VALUES)
    for _, reading in decode(answer, how).readings:
        assert_possible(reading)


@given(
    JSON_VALUES, st.lists(st.text(max_size=3)).map(lambda parts: "".join(f"/{p}" for p in parts))
)
def test_any_pointer_finds_something_or_nothing(value: Any, pointer: str) -> None:
    resolve(value, pointer)
    assert resolve(value, "") is value
