"""AIS-140: recorded frames, what each says, how a stream is cut, and hostile input."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.tracking.protocols.unit_frames import AIS140, Text
from tracking.protocols import checksums
from tracking.protocols.ais140 import MOST_ITEMS, MOST_MPS, TextFramer, decode
from tracking.protocols.layouts import CHECKSUMS, FIELDS, built_in, load, order
from tracking.protocols.reading import Reading
from tracking.protocols.units import NO_TIME, Decoded, FrameTooLong, UnknownFrame

BY_ID = {row.id: row for row in AIS140}


def read(row_id: str, layout: str | None = None) -> Decoded:
    return decode(BY_ID[row_id].frame.encode(), built_in(), layout)


def at(*when: int) -> float:
    return datetime(*when, tzinfo=UTC).timestamp()  # type: ignore[misc] - six numbers


def check_sane(decoded: Decoded) -> None:
    """What is physically possible, whoever sent it."""
    assert decoded.imei is not None
    assert len(decoded.readings) <= MOST_ITEMS
    for reading in decoded.readings:
        assert -180 <= reading.lon <= 180
        assert -90 <= reading.lat <= 90
        assert reading.t == NO_TIME or at(2000, 1, 1) <= float(reading.t) < at(10000 - 1, 12, 31)
        assert reading.speed_mps is None or 0 <= reading.speed_mps <= MOST_MPS
        assert reading.course_deg is None or 0 <= reading.course_deg <= 360
        assert reading.battery_v is None or 0 <= reading.battery_v <= 100
        assert not reading.valid or (
            reading.t != NO_TIME
            and decoded.checksum != "wrong"
            and (reading.lon, reading.lat) != (0, 0)
        )


@pytest.mark.parametrize("row", AIS140, ids=[row.id for row in AIS140])
def test_recorded_frames(row: Text) -> None:
    decoded = decode(row.frame.encode(), built_in())
    assert (decoded.kind, decoded.imei, decoded.checksum, decoded.layout) == row[2:]
    assert bool(decoded.readings) == (decoded.kind in ("position", "emergency"))
    check_sane(decoded)


def test_a_normal_position_in_full() -> None:
    assert read("teltonika-03.18.16-normal").readings == (
        Reading(
            t=at(2018, 12, 24, 5, 57, 49),
            lon=76.690697,
            lat=12.303873,
            speed_mps=0.0,
            course_deg=349.0,
            hdop=0.4,
            sats=10,
            ignition=False,
            battery_v=14.6,
            alt_m=795.0,
            mains=True,
            backup_v=4.1,
            inputs=0b0100,
        ),
    )


def test_speed_is_metres_a_second() -> None:
    [reading] = read("itriangle-1_37-mains-back-edited").readings
    assert reading.speed_mps == pytest.approx(25.1 / 3.6)


def test_an_emergency_without_a_fix_keeps_its_event() -> None:
    decoded = read("roadpoint-emergency-without-fix")
    assert decoded.readings == (
        Reading(
            t=at(2019, 4, 3, 19, 20, 8), lon=0.0, lat=0.0, speed_mps=0.0, alt_m=0.0,
            event="sos", valid=False,
        ),
    )  # fmt: skip
    assert not decoded.stored


def test_an_emergency_with_a_joined_time_that_was_kept() -> None:
    decoded = read("itriangle-emergency-kept-joined-time")
    [reading] = decoded.readings
    assert (reading.t, reading.lon, reading.lat) == (
        at(2018, 8, 3, 11, 7, 30),
        75.935806,
        22.829292,
    )
    assert (reading.event, reading.valid, decoded.stored) == ("sos", True, True)


@pytest.mark.parametrize(
    ("row_id", "event"),
    [
        ("assam-emergency-ended", "sos_end"),
        ("atlanta-1.4-emergency-alert-kept", "sos"),
        ("roadpoint-1.8-emergency-alert-edited", "sos"),
        ("itriangle-1_37-mains-back-edited", "mains_back"),
        ("xyz-0.0.1-tamper-parted-date", "tamper"),
        ("chvts-1.0-tamper-cells-joined", "tamper"),
        ("blackbox-4g5017-old-alert-number", None),
        ("itriangle-1_37-normal", None),
    ],
)
def test_events_of_recorded_frames(row_id: str, event: str | None) -> None:
    assert read(row_id).readings[0].event == event


def normal(kind: str = "NR", alert: str = "1", status: str = "L", **fields: str) -> bytes:
    """A frame of a maker that nobody knows."""
    values = {
        "imei": "352093085223096", "fix": "1", "date": "24122018", "time": "055749",
        "lat": "12.303873", "ns": "N", "lon": "76.690697", "ew": "E", "speed": "36.0",
    } | fields  # fmt: skip
    return (
        (
            "$ABC,New Maker,1.0,{kind},{alert},{status},{imei},KA09X6945,{fix},{date},{time},"
            "{lat},{ns},{lon},{ew},{speed},349.00,10,795.0,0.50,0.40,Airtel,0,0,0.0,4.1,0,C,28,404,45,"
            "1,2,3,0010,00,000042*"
        )
        .format(kind=kind, alert=alert, status=status, **values)
        .encode()
    )


@pytest.mark.parametrize(
    ("kind", "alert", "event"),
    [
        ("NR", "1", None), ("HP", "1", None), ("EA", "10", "sos"), ("EA", "11", "sos_end"),
        ("TA", "9", "tamper"), ("IN", "7", "ignition_on"), ("IF", "8", "ignition_off"),
        ("BD", "3", "mains_cut"), ("BR", "6", "mains_back"), ("BL", "4", "low_battery"),
        ("BC", "5", "battery_ok"), ("HB", "13", "harsh_brake"), ("HA", "14", "harsh_start"),
        ("RT", "15", "harsh_turn"), ("OS", "17", "overspeed"), ("TL", "18", "tilt"),
        ("XX", "3", "mains_cut"), ("XX", "99", None),
    ],
)  # fmt: skip
def test_packet_types_and_alert_numbers(kind: str, alert: str, event: str | None) -> None:
    [reading] = decode(normal(kind, alert), built_in()).readings
    assert (reading.event, reading.mains) == (event, False)


def test_hemispheres_south_and_west_are_negative() -> None:
    [reading] = decode(normal(ns="S", ew="W"), built_in()).readings
    assert (reading.lon, reading.lat) == (-76.690697, -12.303873)


def test_degrees_and_minutes_are_told_by_their_size() -> None:
    [reading] = decode(normal(lat="1218.2324", lon="07641.4418"), built_in()).readings
    assert (reading.lon, reading.lat) == pytest.approx((76.690697, 12.303873), abs=1e-6)


@pytest.mark.parametrize(("status", "stored"), [("L", False), ("H", True)])
def test_live_and_kept(status: str, stored: bool) -> None:
    assert decode(normal(status=status), built_in()).stored is stored


@pytest.mark.parametrize("fix", ["0", "V"])
def test_a_position_without_a_fix_is_not_valid(fix: str) -> None:
    [reading] = decode(normal(fix=fix), built_in()).readings
    assert (reading.valid, reading.lon) == (False, 76.690697)


def test_a_unit_without_the_time_says_so() -> None:
    for frame in (normal(date="00000000", time="000000"), normal(date="31022020")):
        [reading] = decode(frame, built_in()).readings
        assert (reading.t, reading.valid) == (NO_TIME, False)


@pytest.mark.parametrize("imei", ["0352093085223096", "  352093085223096", "352093085223096 "])
def test_a_padded_imei(imei: str) -> None:
    assert decode(normal(imei=imei), built_in()).imei == "352093085223096"


def test_empty_fields_are_unknown() -> None:
    frame = (
        b"$NRM,,3.2,NR,,,869867037003854,,1,02122019,074801,9.9,N,76.3,E,,,,,,,,,,,,,,,,,,0000,00*"
    )
    [reading] = decode(frame, built_in()).readings
    assert (reading.lat, reading.lon, reading.valid) == (9.9, 76.3, True)
    assert (reading.speed_mps, reading.sats, reading.mains, reading.battery_v) == (None,) * 4


def test_a_clock_on_indian_time_is_put_right_by_the_layout() -> None:
    [utc] = read("teltonika-03.18.16-normal").readings
    [ist] = read("teltonika-03.18.16-normal", "ais140-ist").readings
    assert float(utc.t) - float(ist.t) == 5.5 * 3600


def test_a_batch_is_several_positions_that_were_kept() -> None:
    decoded = read("wetrack-batch-after-a-gap")
    assert decoded.stored
    assert [r.t for r in decoded.readings] == [at(2026, 8, 7, 9, m, 0) for m in (30, 29, 28)]
    assert decoded.readings[1].speed_mps == pytest.approx(32.75 / 3.6)


NOW = datetime(2026, 3, 2, 0, 30, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row_id", "answer"),
    [
        ("roadpoint-login", b"$LGN02032026003005*\r\n"),
        ("ts101-login", b"$LGN02032026003005*\r\n"),
        ("xyz-login", b"$,1,*\r\n"),
        ("istar-heartbeat", b"$HBT*\r\n"),
        ("quectel-health", b"$HLM*\r\n"),
        ("wetrack-batch-after-a-gap", b"$BTH,OK*\r\n"),
        ("teltonika-03.18.16-normal", None),
        ("apm-login", None),
    ],
)
def test_answers(row_id: str, answer: bytes | None) -> None:
    reply = read(row_id).reply
    assert (reply(NOW) if reply else None) == answer


# --- checksums


def test_each_form_of_checksum_finds_a_changed_digit() -> None:
    """Every recorded frame with a right checksum, one digit of its position changed."""
    proven = [row for row in AIS140 if row.checksum == "present" and row.kind != "login"]
    assert {row.layout for row in proven} >= {
        "ais140",
        "nrm",
        "numbered",
        "xor-last",
        "crc16-last",
        "sum16-last",
    }
    for row in proven:
        at_dot = row.frame.index(".", row.frame.index(row.imei))
        changed = (
            row.frame[: at_dot + 1]
            + ("1" if row.frame[at_dot + 1] != "1" else "2")
            + row.frame[at_dot + 2 :]
        )
        decoded = decode(changed.encode(), built_in())
        assert decoded.checksum == "wrong", row.id
        assert not decoded.readings[0].valid


def test_a_layout_without_checksums_takes_the_frame_as_it_is() -> None:
    decoded = read("itriangle-1_37-mains-back-edited", "ais140-unchecked")
    assert (decoded.checksum, decoded.readings[0].valid) == ("absent", True)


def test_a_star_without_digits_is_no_checksum() -> None:
    assert checksums.state(b"$A,1*", ("xor", "crc32")) == "absent"
    assert checksums.state(b"$A,1*\r\n", ("xor",)) == "absent"


# --- layouts


def test_a_new_maker_is_a_few_lines_of_a_file(tmp_path: Path) -> None:
    """Its header, its order with the position first, and its own answer; no code."""
    path = tmp_path / "more.toml"
    path.write_text(
        """
        [acme]
        like = "ais140"
        checksums = []
        utc_offset_min = 330
        recognise = [{ header = "ACME.*" }]
        [acme.orders]
        normal = ["header imei lat ns lon ew speed_kn when fix ..."]
        [acme.answers]
        login = "$OK,{time}*"
        """
    )
    layouts = load(path)
    assert "acme" in layouts.names("ais140")
    decoded = decode(b"$ACME7,352093085223096,22.7,N,75.8,E,10.0,020326,060000,A,x*", layouts)
    [reading] = decoded.readings
    assert (decoded.layout, reading.t, reading.lon) == ("acme", at(2026, 3, 2, 0, 30, 0), 75.8)
    assert reading.speed_mps == pytest.approx(5.144, abs=0.001)
    login = decode(b"$LGN,a,352093085223096,1.0*", layouts, "acme")
    assert login.reply is not None
    assert login.reply(NOW) == b"$OK,02032026003005*\r\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('[a]\nlike = "b"', "b"),
        ('[a]\nlike = "a"', "a"),
        ("[a]\nspeed = 1", "speed"),
        ('[a]\nchecksums = ["md5"]', "md5"),
        ('[a.orders]\nnormal = ["latitude"]', "latitude"),
        ('[a.orders]\nnormal = ["lat lat"]', "lat"),
        ('[a.orders]\nusual = ["lat"]', "usual"),
    ],
)
def test_a_layout_that_cannot_be_used_is_named(tmp_path: Path, text: str, names: str) -> None:
    path = tmp_path / "more.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"ayout a.*{names}"):
        load(path)


def test_an_order_takes_optional_fields_and_any_number_of_others() -> None:
    found = order("imei alert? ... inputs outputs ...", "a test").fullmatch(
        "352093085223096,x,0000,33,1100,01,7,"
    )
    assert found is not None
    assert (found["alert"], found["inputs"], found["outputs"]) == (None, "1100", "01")


# --- framing


STREAM = [row.frame.encode() for row in AIS140]


@given(cuts=st.lists(st.integers(0, 20_000), max_size=30))
@example(cuts=[])
def test_frames_come_out_whole_however_they_are_cut(cuts: list[int]) -> None:
    data = b"".join(frame + b"\r\n" for frame in STREAM)
    framer = TextFramer(16_384)
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    out = [frame for a, b in pairwise(places) for frame in framer.feed(data[a:b])]
    assert out == STREAM
    assert framer.rest() == b""


def test_the_next_dollar_ends_a_frame_that_has_no_other_end() -> None:
    framer = TextFramer(1024)
    assert framer.feed(b"$A,1$B,2*0F$,C,3,") == [b"$A,1", b"$B,2*0F"]
    assert framer.rest() == b"$,C,3,"


@pytest.mark.parametrize(
    ("held", "whole"),
    [
        (b"$A,1*", True), (b"$A,1*7B", True), (b"$A,1*226F7BD1", True), (b"$A*,IP=1.2.3.4", True),
        (b"$A,1*7", False), (b"$A,1*226F7", False), (b"$A,1,76.6", False), (b"", False),
    ],
)  # fmt: skip
def test_a_pause_ends_what_looks_whole(held: bytes, whole: bool) -> None:
    framer = TextFramer(1024)
    framer.feed(held)
    assert framer.pause() == ([held] if whole else [])
    assert framer.rest() == (b"" if whole else held)


def test_what_stands_between_frames_comes_out_unless_it_is_crumbs() -> None:
    framer = TextFramer(1024)
    assert framer.feed(b"\r\n\x00 7B\r\n$A*") == []
    assert framer.feed(b"\r\nHELLO,WORLD\r\n$B*\r\n") == [b"$A*", b"HELLO,WORLD", b"$B*"]


def test_a_frame_without_end_is_too_long_and_the_good_ones_before_it_are_not_lost() -> None:
    framer = TextFramer(64)
    assert framer.feed(b"$A*\r\n$" + b"9" * 100) == [b"$A*"]
    with pytest.raises(FrameTooLong):
        framer.feed(b"9")


# --- hostile


@given(row=st.sampled_from(AIS140), keep=st.integers(0, 500))
def test_a_truncated_frame_is_read_or_refused(row: Text, keep: int) -> None:
    _read_or_refuse(row.frame[:keep].encode(), None)


@given(
    parts=st.lists(
        st.sampled_from(AIS140).flatmap(lambda row: st.sampled_from(row.frame.split(","))),
        max_size=60,
    ),
    layout=st.sampled_from([None, *built_in().names("ais140"), "none"]),
)
def test_spliced_frames_are_read_or_refused(parts: list[str], layout: str | None) -> None:
    _read_or_refuse(("$" + ",".join(parts)).encode(), layout)


@given(st.binary(max_size=600))
@example(b"$" + b"," * 600)
@example(b"$BTH," + b"$," * 300)
@example(b"$$$$$$$$$$$")
@example(b"$\xff\xfe,NR,1,L,352093085223096,x,1,24122018,055749,91.0,N,181.0,E,1,1,1*")
def test_bytes_of_any_kind_are_read_or_refused(data: bytes) -> None:
    _read_or_refuse(data, None)
    _read_or_refuse(b"$" + data, None)
    framer = TextFramer(1024)
    for frame in framer.feed(data):
        assert len(frame) <= len(data)
        _read_or_refuse(frame, None)


def _read_or_refuse(frame: bytes, layout: str | None) -> None:
    try:
        decoded = decode(frame, built_in(), layout)
    except UnknownFrame:
        return
    check_sane(decoded)
    for reading in decoded.readings:
        assert reading.event != "sos" or b"E" in frame or b"1" in frame
    if decoded.reply is not None:
        assert len(decoded.reply(NOW)) < 64 + len(frame)


def test_every_layout_field_and_checksum_is_documented() -> None:
    page = (Path(__file__).parents[3] / "docs" / "units.md").read_text("utf-8")
    names = [*FIELDS, *CHECKSUMS, *built_in().names("ais140"), *built_in().names("gt06")]
    assert [name for name in names if f"`{name}`" not in page] == []
