"""Messages as OwnTracks' apps and the units of its firmware post them."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.protocols.sanity import JSON_VALUES, assert_possible, assert_recorded
from tracking.protocols.lenient import KMH_MPS, Unreadable
from tracking.protocols.owntracks import decode
from tracking.protocols.reading import Reading

MESSAGES = {
    "android-still": (
        '{"_type":"location","acc":15,"alt":440,"batt":46,"conn":"w","lat":46.0681247,'
        '"lon":11.1512805,"t":"u","tid":"5t","tst":1551874878,"vac":2,"vel":0}',
        Reading(t=1551874878, lon=11.1512805, lat=46.0681247, speed_mps=0, hdop=3, alt_m=440),
    ),
    "documented-least": (
        '{"lon":2.29513,"lat":48.85833,"tst":1497349316,"_type":"location","tid":"JJ"}',
        Reading(t=1497349316, lon=2.29513, lat=48.85833),
    ),
    "ios-driving": (
        '{"cog":271,"lon":2.29513,"acc":5,"vel":61,"vac":21,"lat":48.85833,"tst":1497349316,'
        '"alt":167,"_type":"location","tid":"JJ","t":"u","batt":67}',
        Reading(
            t=1497349316,
            lon=2.29513,
            lat=48.85833,
            speed_mps=61 * KMH_MPS,
            course_deg=271,
            hdop=1,
            alt_m=167,
        ),
    ),
    "ios-with-network": (
        '{"_type":"location","acc":5,"alt":120,"batt":9,"bs":1,"BSSID":"dc:ef:9:e5:78:36",'
        '"cog":31,"conn":"w","lat":41.702987,"lon":-74.082472,"m":2,"p":100.138,"SSID":"l-5G",'
        '"t":"u","tid":"0E","tst":1657840848,"vac":3,"vel":0}',
        Reading(
            t=1657840848,
            lon=-74.082472,
            lat=41.702987,
            speed_mps=0,
            course_deg=31,
            hdop=1,
            alt_m=120,
            mains=False,
            event="low_battery",
        ),
    ),
    "android-coarse": (
        '{"_type":"location","acc":78,"alt":0,"batt":86,"conn":"w","inregions":["Casa"],'
        '"lat":44.2792575,"lon":11.9055914,"tid":"ic","tst":1546871086,"vac":0,"vel":0}',
        Reading(t=1546871086, lon=11.9055914, lat=44.2792575, speed_mps=0, hdop=15.6, alt_m=0),
    ),
    "firmware-ignition": (
        '{"topic":"owntracks/qtripp/865284041968706","lat":47.420051,"lon":13.654704,"vel":0,'
        '"cog":113,"tst":1736519167,"mcc":232,"mnc":1,"lac":"4F4D","cid":"673A",'
        '"_type":"location","acc":10,"alt":1113,"t":"I","don":105,"tid":"CS"}',
        Reading(
            t=1736519167,
            lon=13.654704,
            lat=47.420051,
            speed_mps=0,
            course_deg=113,
            hdop=2,
            alt_m=1113,
        ),
    ),
    "firmware-mains-cut": (
        '{"_type":"location","lat":47.4,"lon":13.6,"tst":1736519167,"t":"e","uext":0.1,'
        '"ubatt":4.1,"ign":true}',
        Reading(
            t=1736519167,
            lon=13.6,
            lat=47.4,
            ignition=True,
            battery_v=0.1,
            backup_v=4.1,
            event="mains_cut",
        ),
    ),
    "firmware-harsh-braking": (
        '{"_type":"location","lat":47.4,"lon":13.6,"tst":1736519167,"t":"h","rty":3}',
        Reading(t=1736519167, lon=13.6, lat=47.4, event="harsh_brake"),
    ),
}
OTHERS = {
    "left-a-region": '{"_type":"transition","acc":77.6,"desc":"Casa","event":"enter","lat":44.27,'
    '"lon":11.9,"t":"l","tid":"ic","tst":1546871106,"wtst":1546866906}',
    "last-will": '{"_type":"lwt","tst":1380738247}',
    "encrypted": '{"_type":"encrypted","data":"c2FmYWk="}',
    "waypoint": '{"_type":"waypoint","desc":"D","lat":1,"lon":2,"rad":50,"tst":1}',
    "friend-deleted": "",
    "none": "[]",
}


@pytest.mark.parametrize(("body", "expected"), MESSAGES.values(), ids=MESSAGES)
def test_messages_as_recorded(body: str, expected: Reading) -> None:
    assert decode(body.encode()) == [expected]
    assert_recorded(expected)


@pytest.mark.parametrize("body", OTHERS.values(), ids=OTHERS)
def test_other_messages_are_no_fixes(body: str) -> None:
    assert decode(body.encode()) == []


def test_a_phones_queue_comes_as_one_array() -> None:
    """Its fixes keep their order; what is no fix is left out."""
    body = (
        f"[{MESSAGES['documented-least'][0]},{OTHERS['last-will']},{MESSAGES['android-still'][0]}]"
    )
    assert decode(body.encode()) == [MESSAGES["documented-least"][1], MESSAGES["android-still"][1]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"{", "body"),
        (b"7", "body"),
        (b"[7]", "body"),
        (b'{"lat": 1}', "_type"),
        (b'{"_type": "location", "lat": 1, "lon": 1}', "tst"),
        (b'{"_type": "location", "tst": 1, "lon": 1}', "lat"),
        (b'[{"_type": "location", "tst": 1, "lat": 1, "lon": "east"}]', "0.lon"),
        (b'[{"_type": "lwt"}, {"_type": "location"}]', "1.tst"),
    ],
)
def test_unreadable_messages_name_their_field(body: bytes, field: str) -> None:
    with pytest.raises(Unreadable) as caught:
        decode(body)
    assert caught.value.field == field


@given(st.data())
def test_any_member_may_be_anything(data: st.DataObject) -> None:
    message = json.loads(data.draw(st.sampled_from([row[0] for row in MESSAGES.values()])))
    for name in data.draw(st.sets(st.sampled_from(sorted(message)), max_size=3)):
        message[name] = data.draw(JSON_VALUES)
    try:
        for reading in decode(json.dumps(message).encode()):
            assert_possible(reading)
    except Unreadable:
        return


@given(st.binary(max_size=200))
def test_any_bytes_are_unreadable_or_readings(body: bytes) -> None:
    try:
        assert all(isinstance(reading, Reading) for reading in decode(body))
    except Unreadable:
        return
