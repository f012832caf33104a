"""GPX in and out: loggers' files, hostile files, and that nothing is lost on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.protocols.sanity import assert_recorded
from tracking.fixes.fix import Fix, from_ms
from tracking.protocols.gpx import read, write
from tracking.protocols.lenient import Unreadable
from tracking.protocols.reading import Reading

T0 = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)

GPSLOGGER_1_0 = """<?xml version="1.0" encoding="UTF-8" ?>
<gpx version="1.0" creator="GPSLogger 110" xmlns="http://www.topografix.com/GPX/1/0">
<time>2026-03-02T00:30:00.000Z</time><trk><trkseg>
<trkpt lat="22.7196" lon="75.8577"><ele>553.1</ele><time>2026-03-02T00:30:05.000Z</time>
<course>92.5</course><speed>1.4</speed><src>gps</src><sat>11</sat><hdop>0.9</hdop></trkpt>
<trkpt lat="22.7197" lon="75.8579"><ele>553.4</ele><time>2026-03-02T06:00:10+05:30</time></trkpt>
</trkseg></trk></gpx>"""
GARMIN_1_1 = """<?xml version="1.0" encoding="UTF-8"?>
<gpx creator="Garmin Connect" version="1.1" xmlns="http://www.topografix.com/GPX/1/1"
 xmlns:ns3="http://www.garmin.com/xmlschemas/TrackPointExtension/v2">
<wpt lat="1" lon="2"/><trk><name>Beat 7</name><trkseg>
<trkpt lat="22.7196" lon="75.8577"><time>2026-03-02T00:30:05.000Z</time><extensions>
<ns3:TrackPointExtension><ns3:speed>2.5</ns3:speed><ns3:course>270</ns3:course>
<ns3:hr>90</ns3:hr></ns3:TrackPointExtension></extensions></trkpt>
<trkpt lat="22.7199" lon="75.8580"/></trkseg></trk></gpx>"""


def test_a_loggers_file_of_gpx_1_0() -> None:
    contents = read(GPSLOGGER_1_0.encode())
    first, second = [reading for _, reading in contents.readings]
    assert first == Reading(
        t=(T0 + timedelta(seconds=5)).timestamp(),
        lon=75.8577,
        lat=22.7196,
        speed_mps=1.4,
        course_deg=92.5,
        hdop=0.9,
        sats=11,
        alt_m=553.1,
    )
    assert second.t == (T0 + timedelta(seconds=10)).timestamp()
    for reading in (first, second):
        assert_recorded(reading)


def test_a_watchs_file_of_gpx_1_1_in_utf_16_and_a_point_without_time() -> None:
    contents = read(GARMIN_1_1.replace("UTF-8", "UTF-16").encode("utf-16"))
    [(i, reading)] = contents.readings
    assert (i, reading.speed_mps, reading.course_deg) == (0, 2.5, 270)
    assert [(r.i, r.field) for r in contents.refused] == [(1, "time")]


BOMB = (
    '<!DOCTYPE gpx [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    '<gpx version="1.1"><trk><name>&b;</name></trk></gpx>'
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"lat,lon",
        b"<gpx",
        b"\xff\xfe\x00",
        b"\x80<gpx/>",
        BOMB.encode(),
        b"<gpx version='1.1'><trk><trkseg><trkpt lat='x' lon='1'/></trkseg></trk></gpx>",
    ],
)
def test_what_is_no_gpx_is_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable) as caught:
        read(body)
    assert caught.value.field == "body"


def test_entities_are_refused() -> None:
    with pytest.raises(Unreadable, match="document type"):
        read(BOMB.encode("utf-16"))


def a_fix(ms: int, lon: float, lat: float, speed: float | None, course: float | None) -> Fix:
    t = from_ms(ms)
    return Fix(
        device_id="d",
        t=t,
        received_t=t,
        lon=lon,
        lat=lat,
        speed_mps=speed,
        course_deg=course,
        sats=7 if speed else None,
        hdop=1.5 if course else None,
        alt_m=speed,
    )


FIXES = st.lists(
    st.builds(
        a_fix,
        st.integers(1_600_000_000_000, 1_900_000_000_000),
        st.floats(-180, 180).map(lambda v: round(v, 7)),
        st.floats(-90, 90).map(lambda v: round(v, 7)),
        st.none() | st.integers(0, 40).map(float),
        st.none() | st.integers(0, 360).map(float),
    ),
    max_size=20,
).map(lambda fixes: sorted(fixes, key=lambda f: f.t))


@given(FIXES)
def test_what_is_written_is_read_again(fixes: list[Fix]) -> None:
    """Every fix comes back, in order, with place, time and measures."""
    contents = read(write(fixes, "v1").encode())
    assert contents.refused == []
    assert [
        (round(r.t * 1000), r.lon, r.lat, r.speed_mps, r.course_deg, r.hdop, r.sats, r.alt_m)
        for _, r in contents.readings
        if not isinstance(r.t, str)
    ] == [
        (
            round(f.t.timestamp() * 1000),
            f.lon,
            f.lat,
            f.speed_mps,
            f.course_deg,
            f.hdop,
            f.sats,
            f.alt_m,
        )
        for f in fixes
    ]


def test_a_gap_begins_another_segment() -> None:
    fixes = [a_fix(ms * 1000, 75.0, 22.0, None, None) for ms in (0, 60, 1000, 1060)]
    assert write(fixes).count("<trkseg>") == 2


@given(st.binary(max_size=300))
def test_any_bytes_are_unreadable_or_points(body: bytes) -> None:
    try:
        read(body)
    except Unreadable:
        return
