"""The nearest pass of a vehicle, between fixes too."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.tracking.conftest import T0, fix
from tracking.evidence import nearest_pass
from tracking.fixes.log import FixLog

HOUSE = (75.8605, 22.7201)
"""51 m east and 11 m north of where `fix` starts."""
END = T0 + timedelta(hours=1)


def test_a_vehicle_that_passes_between_two_fixes_is_found(fixlog: FixLog) -> None:
    """Fixes 51 m before and after the house; the leg passes 11 m south of it half-way."""
    fixlog.append([fix(0), fix(10, lon=75.861)])
    found = nearest_pass(fixlog, *HOUSE, T0, END, 40)
    assert found is not None
    assert found.vehicle_id == "v1"
    assert found.t == T0 + timedelta(seconds=5)
    assert found.distance_m == pytest.approx(11.1, abs=0.1)
    assert found.speed_mps == pytest.approx(10.27, abs=0.05)


def test_no_pass_is_drawn_across_a_silence(fixlog: FixLog) -> None:
    fixlog.append([fix(0), fix(300, lon=75.861)])
    assert nearest_pass(fixlog, *HOUSE, T0, END, 40) is None


def test_the_nearest_of_several_vehicles_counts_and_unknown_ones_do_not(fixlog: FixLog) -> None:
    fixlog.append([
        fix(0, lon=75.8602, speed_mps=1.5), fix(5, device="d2", vehicle="v2", lon=75.8604),
        fix(9, device="d3", vehicle=None, lon=75.8605),
    ])  # fmt: skip
    found = nearest_pass(fixlog, *HOUSE, T0, END, 40)
    assert found is not None
    assert (found.vehicle_id, found.t) == ("v2", T0 + timedelta(seconds=5))


def test_nothing_was_near_in_that_time(fixlog: FixLog) -> None:
    fixlog.append([fix(0, lon=75.8605)])
    assert nearest_pass(fixlog, *HOUSE, T0 + timedelta(seconds=1), END, 40) is None
