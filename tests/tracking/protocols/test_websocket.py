"""The device frame: what is read, what is refused with field and remedy, and garbage."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tracking.conftest import T0
from tracking.fixes.fix import from_ms, to_ms
from tracking.protocols.reading import Limits
from tracking.protocols.websocket import MalformedFrame, TooManyFixes, decode

LIMITS = Limits(most_fixes=3, future_s=120, retention_days=30)
GOOD = {"t": T0.timestamp(), "lon": 75.86, "lat": 22.72}


def read(*fixes: object, seq: object = 1):
    return decode(json.dumps({"seq": seq, "fixes": fixes}), LIMITS)


def test_a_full_fix_is_read() -> None:
    sent = {
        **GOOD, "t": "2026-03-02T06:00:00.123456+05:30", "speed_mps": 1.5, "course_deg": 90,
        "hdop": 0.8, "sats": 11, "ignition": True, "battery_v": 12.6, "load_kg": 320, "inputs": 3,
    }  # fmt: skip
    frame = read(sent, seq=7)
    assert (frame.seq, len(frame.refused)) == (7, 0)
    [(t, reading)] = frame.readings
    assert t == to_ms(T0) + 123
    assert (reading.lon, reading.speed_mps, reading.sats, reading.ignition) == (
        75.86,
        1.5,
        11,
        True,
    )
    assert (reading.hdop, reading.battery_v, reading.load_kg) == (0.8, 12.6, 320.0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"lon": 181}, "lon"),
        ({"lat": -90.5}, "lat"),
        ({"lon": 22.72, "lat": 95.86}, "lat"),
        ({"lon": "75.86"}, "lon"),
        ({"lat": None}, "lat"),
        ({"lon": 0.0, "lat": 0.001}, "lon"),
        ({"t": "yesterday"}, "t"),
        ({"t": "2026-03-02T06:30:00"}, "t"),
        ({"t": 1e300}, "t"),
        ({"t": None}, "t"),
        ({"t": T0.timestamp() * 1000}, "t"),
        ({"t": -1e12}, "t"),
        ({"speed_mps": -1}, "speed_mps"),
        ({"course_deg": 400}, "course_deg"),
        ({"sats": 4.5}, "sats"),
        ({"ignition": 1}, "ignition"),
    ],
)
def test_one_bad_fix_is_refused_by_field_and_the_others_are_kept(
    change: dict[str, object], field: str
) -> None:
    frame = read(GOOD, {**GOOD, **change}, GOOD)
    assert (len(frame.readings), frame.kept) == (2, [0, 2])
    [refusal] = frame.refused
    assert (refusal.i, refusal.field) == (1, field)
    assert refusal.reason
    assert refusal.remedy


@pytest.mark.parametrize("field", ["t", "lon", "lat"])
def test_a_missing_field_is_named(field: str) -> None:
    frame = read({key: value for key, value in GOOD.items() if key != field})
    assert [r.field for r in frame.refused] == [field]


def test_a_fix_that_is_no_object_is_refused() -> None:
    assert [r.i for r in read(7, [], GOOD).refused] == [0, 1]


@pytest.mark.parametrize("ahead_s", [0, 120, 1e9, -1e9, -T0.timestamp()])
def test_a_time_far_from_now_is_read_as_it_is(ahead_s: float) -> None:
    """Whether it is plausible is not for the protocol to say."""
    frame = read({**GOOD, "t": T0.timestamp() + ahead_s})
    assert (len(frame.refused), frame.readings[0][0]) == (0, to_ms(T0) + round(ahead_s * 1000))


@pytest.mark.parametrize(
    "garbage",
    [
        "", "null", "[]", "{}", '{"seq": 1}', '{"fixes": []}', '{"seq": "1", "fixes": []}',
        '{"seq": 1.5, "fixes": []}', '{"seq": -1, "fixes": []}', '{"seq": 1, "fixes": {}}',
        '{"seq": 1e400, "fixes": []}', '{"seq": 1, "fixes": [', b"\xff\xfe\x00", b"\x00" * 50,
        "[" * 100_000, '{"seq": 99999999999999999999, "fixes": []}',
    ],
)  # fmt: skip
def test_garbage_is_malformed(garbage: str | bytes) -> None:
    with pytest.raises(MalformedFrame):
        decode(garbage, LIMITS)


def test_more_fixes_than_allowed_are_too_many() -> None:
    with pytest.raises(TooManyFixes, match="at most 3 fixes in a frame, got 4"):
        read(*[GOOD] * 4)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200)))
def test_whatever_comes_is_read_or_malformed(data: str | bytes) -> None:
    try:
        frame = decode(data, LIMITS)
    except MalformedFrame:
        return
    assert frame.seq >= 0


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)


@given(
    st.fixed_dictionaries({
        "t": st.floats(T0.timestamp() - 40 * 86_400, T0.timestamp() + 300) | json_values,
        "lon": st.floats(-400, 400) | json_values, "lat": st.floats(-200, 200) | json_values,
        "speed_mps": st.floats(-5, 50) | json_values, "sats": json_values,
    })
)  # fmt: skip
def test_what_is_read_is_sane(fix: dict[str, object]) -> None:
    """Each fix is either refused by name or physically possible and storable."""
    try:
        frame = read(fix)
    except MalformedFrame:
        return  # NaN and infinity are no JSON
    assert len(frame.readings) + len(frame.refused) == 1
    for t, reading in frame.readings:
        assert to_ms(from_ms(t)) == t
        assert -180 <= reading.lon <= 180
        assert -90 <= reading.lat <= 90
        assert reading.speed_mps is None or reading.speed_mps >= 0
