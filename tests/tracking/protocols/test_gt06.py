"""GT06: recorded frames, answers byte by byte, resynchronising, and hostile input."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.tracking.protocols.unit_frames import GT06, Binary
from tracking.protocols.checksums import crc16_reflected
from tracking.protocols.gt06 import BinaryFramer, decode
from tracking.protocols.layouts import built_in
from tracking.protocols.reading import Reading
from tracking.protocols.units import NO_TIME, Decoded, FrameTooLong, UnknownFrame

BY_ID = {row.id: bytes.fromhex(row.frame) for row in GT06}
NOW = datetime(2026, 3, 2, 0, 30, 5, tzinfo=UTC)


def read(row_id: str, layout: str | None = None) -> Decoded:
    return decode(BY_ID[row_id], built_in(), layout)


def sealed(kind: int, content: bytes, serial: int = 7) -> bytes:
    """A frame with its right checksum."""
    body = bytes([len(content) + 5, kind]) + content + serial.to_bytes(2)
    return b"\x78\x78" + body + (crc16_reflected(body, 0xFFFF) ^ 0xFFFF).to_bytes(2) + b"\r\n"


def check_sane(decoded: Decoded) -> None:
    for reading in decoded.readings:
        assert -180 <= reading.lon <= 180
        assert -90 <= reading.lat <= 90
        assert reading.speed_mps is None or 0 <= reading.speed_mps <= 255 / 3.6
        assert reading.course_deg is None or 0 <= reading.course_deg <= 360
        assert not reading.valid or reading.t != NO_TIME


@pytest.mark.parametrize("row", GT06, ids=[row.id for row in GT06])
def test_recorded_frames(row: Binary) -> None:
    decoded = decode(bytes.fromhex(row.frame), built_in())
    event = decoded.readings[0].event if decoded.readings else None
    assert (decoded.kind, event, decoded.checksum) == (row.kind, row.event, "present")
    assert (decoded.imei is not None) == (row.kind == "login")
    check_sane(decoded)


def test_a_login_tells_the_imei() -> None:
    assert read("vl03-login").imei == "752533678900242"


def test_a_position_in_full() -> None:
    decoded = read("gt06-position-south-west")
    assert decoded.readings == (
        Reading(
            t=datetime(2015, 5, 1, 8, 35, 18, tzinfo=UTC).timestamp(),
            lon=pytest.approx(-49.215372, abs=1e-6),
            lat=pytest.approx(-25.467225, abs=1e-6),
            speed_mps=0.0,
            course_deg=253.0,
            sats=4,
        ),
    )


def test_a_position_that_was_kept_and_its_ignition() -> None:
    decoded = read("vl03-position-kept")
    assert (decoded.stored, decoded.readings[0].ignition) == (True, False)
    assert read("gt06-position-22").readings[0].ignition is True


def test_an_alarm_without_a_fix() -> None:
    [reading] = read("vl03-alarm-tamper").readings
    assert (reading.valid, reading.event, reading.mains) == (False, "tamper", False)


@pytest.mark.parametrize(
    ("alarm", "status", "event"),
    [
        (0x01, 0, "sos"), (0x02, 0, "mains_cut"), (0x00, 0b100_000, "sos"),
        (0x00, 0b010_000, "mains_cut"),
        (0x0E, 0, "low_battery"), (0x29, 0, "harsh_start"), (0x30, 0, "harsh_brake"),
        (0x2B, 0, "harsh_turn"), (0x2C, 0, "crash"), (0x06, 0, "overspeed"), (0x03, 0, None),
    ],
)  # fmt: skip
def test_alarms(alarm: int, status: int, event: str | None) -> None:
    place = BY_ID["vl03-alarm-tamper"][4:31]
    frame = sealed(0x26, place + bytes([status | 0b110, 4, 4, alarm, 2]))
    decoded = decode(frame, built_in())
    [reading] = decoded.readings
    assert (reading.event, reading.ignition, reading.mains) == (event, True, True)
    assert decoded.kind == ("emergency" if event == "sos" else "position")


def test_a_heartbeat_with_a_cry_for_help_is_kept() -> None:
    [reading] = decode(sealed(0x13, bytes([0b100_010, 4, 4, 0, 2])), built_in()).readings
    assert (reading.event, reading.t, reading.valid) == ("sos", NO_TIME, False)
    assert read("vl03-heartbeat").readings == ()


def test_a_clock_on_indian_time_is_put_right_by_the_layout() -> None:
    [utc] = read("gt06-position-22").readings
    [ist] = read("gt06-position-22", "gt06-ist").readings
    assert float(utc.t) - float(ist.t) == 5.5 * 3600


@pytest.mark.parametrize(
    ("row_id", "layout", "answer"),
    [
        ("vl03-login", None, "7878050100059FF80D0A"),
        ("vl03-alarm-tamper", None, "78780526000C8D070D0A"),
        ("vl03-heartbeat", None, "78780513000F008F0D0A"),
        ("gk310-asks-the-time", None, "78780B8A1A0302001E050006B2240D0A"),
        ("vl03-position-kept", None, None),
        ("vl03-position-kept", "gt06-answered", "787805220008A8420D0A"),
    ],
)
def test_answers(row_id: str, layout: str | None, answer: str | None) -> None:
    """Login: as the maker's paper prints it; the others by the same rule."""
    reply = read(row_id, layout).reply
    got = reply(NOW) if reply else None
    if answer is None:
        assert got is None
        return
    assert got is not None
    assert got.hex().upper() == answer


def test_crc_itu() -> None:
    """The catalogue's value of CRC-16/X.25."""
    assert crc16_reflected(b"123456789", 0xFFFF) ^ 0xFFFF == 0x906E


@pytest.mark.parametrize("row", GT06, ids=[row.id for row in GT06])
def test_every_flipped_bit_behind_the_length_is_found(row: Binary) -> None:
    frame = bytes.fromhex(row.frame)
    for at in range(3, len(frame) - 2):
        for bit in range(8):
            changed = frame[:at] + bytes([frame[at] ^ 1 << bit]) + frame[at + 1 :]
            with pytest.raises(UnknownFrame):
                decode(changed, built_in())


# --- framing


STREAM = list(BY_ID.values())


@given(cuts=st.lists(st.integers(0, 2000), max_size=30))
@example(cuts=[])
def test_frames_come_out_whole_however_they_are_cut(cuts: list[int]) -> None:
    data = b"".join(STREAM)
    framer = BinaryFramer(4096)
    places = sorted({0, len(data), *(cut % len(data) for cut in cuts)})
    out = [frame for a, b in pairwise(places) for frame in framer.feed(data[a:b])]
    assert out == STREAM
    assert framer.rest() == b""


@given(noise=st.binary(max_size=40))
@example(noise=b"\x78\x78")
@example(noise=b"\x79\x79\x00\x10\x01")
def test_frames_are_found_again_behind_noise(noise: bytes) -> None:
    """Whatever stands between: at the latest the second frame behind it is read."""
    login, beat = BY_ID["vl03-login"], BY_ID["vl03-heartbeat"]
    framer = BinaryFramer(4096)
    out = framer.feed(login + noise + beat * 40)
    assert out[0] == login
    assert out[-1] == beat
    assert b"".join(out) + framer.rest() == login + noise + beat * 40


def test_a_length_beyond_the_limit_is_noise_at_once() -> None:
    framer = BinaryFramer(64)
    beat = BY_ID["vl03-heartbeat"]
    assert framer.feed(b"\x79\x79\xff\xff" + beat) == [b"\x79\x79\xff\xff", beat]


def test_noise_without_end_is_too_long() -> None:
    framer = BinaryFramer(64)
    with pytest.raises(FrameTooLong):
        framer.feed(b"\x01" * 100)


# --- hostile


@given(kind=st.integers(0, 255), content=st.binary(max_size=120))
@example(kind=0xA0, content=bytes(18))
def test_content_of_any_kind_is_read_or_refused(kind: int, content: bytes) -> None:
    """With a right checksum, so that every branch is reached."""
    try:
        decoded = decode(sealed(kind, content), built_in())
    except UnknownFrame:
        return
    check_sane(decoded)
    if decoded.reply is not None:
        assert len(decoded.reply(NOW)) <= 16


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_are_read_or_refused(data: bytes) -> None:
    for frame in (data, b"\x78\x78" + data, b"\x79\x79" + data, *BinaryFramer(512).feed(data)):
        with suppress(UnknownFrame):
            check_sane(decode(frame, built_in()))
