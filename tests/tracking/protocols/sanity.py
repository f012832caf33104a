"""What every decoded reading must be, whatever the frame: physically possible, and storable."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import strategies as st

from tracking.protocols.reading import Reading, Refusal, check

_NOW = datetime(2027, 1, 1, tzinfo=UTC)

JSON_VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from([10**400, 1e300, "1e999", "NaN", "٣", -1]),
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
"""What may stand in any member of a hostile frame."""


def assert_recorded(reading: Reading) -> None:
    """A reading of a frame that a real unit has sent."""
    checked = check(0, reading)
    assert not isinstance(checked, Refusal), checked
    t, _ = checked
    assert datetime(2000, 1, 1, tzinfo=UTC) < t < _NOW + timedelta(days=1)
    assert_possible(reading)
    assert (reading.speed_mps or 0) < 100
    assert -500 < (reading.alt_m or 0) < 9000


def assert_possible(reading: Reading) -> None:
    """Any reading: its fields keep their types and bounds, and no number is infinite."""
    msgspec.convert(msgspec.to_builtins(reading), Reading)
    for value in msgspec.structs.astuple(reading):
        assert not isinstance(value, float) or math.isfinite(value)
