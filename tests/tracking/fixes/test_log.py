"""Both adapters of `FixLog` keep the same promises."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from fleet.kit.geo import distance_m
from tests.tracking.conftest import T0, fix
from tracking.fixes.log import FixLog


def after(s: float):
    return T0 + timedelta(seconds=s)


def test_a_fix_comes_back_as_it_was_stored(fixlog: FixLog) -> None:
    full = msgspec.structs.replace(
        fix(1.5), speed_mps=1.25, course_deg=90.0, hdop=0.9, sats=9, ignition=True,
        battery_v=12.5, load_kg=310.0,
    )  # fmt: skip
    assert fixlog.append([full, fix(2)]) == [True, True]
    assert fixlog.window("v1", T0, after(60)) == [full, fix(2)]


def test_the_same_fix_is_stored_once_and_a_stuck_clock_loses_nothing(fixlog: FixLog) -> None:
    assert fixlog.append([fix(0), fix(0), fix(0, lon=75.861)]) == [True, False, True]
    assert fixlog.append([fix(0, received_s=30), fix(5)]) == [False, True]
    assert [f.lon for f in fixlog.window("v1", T0, after(1))] == [75.86, 75.861]


def test_an_empty_batch_is_stored_as_nothing(fixlog: FixLog) -> None:
    assert fixlog.append([]) == []
    assert fixlog.latest() == []
    assert fixlog.received({}, 10) == ([], {})


def test_a_window_is_half_open_ordered_and_of_one_vehicle(fixlog: FixLog) -> None:
    fixlog.append([fix(20), fix(0), fix(10), fix(10, device="d2", vehicle="v2"), fix(30)])
    assert fixlog.window("v1", T0, after(30)) == [fix(0), fix(10), fix(20)]


def test_marked_fixes_are_kept_and_shown_only_when_asked_for(fixlog: FixLog) -> None:
    fixlog.append([fix(0), fix(5, mark="jump")])
    assert fixlog.window("v1", T0, after(60)) == [fix(0)]
    assert fixlog.window("v1", T0, after(60), include_marked=True) == [fix(0), fix(5, mark="jump")]


def test_a_window_runs_across_midnight(fixlog: FixLog) -> None:
    """Local midnight is 18 h after T0; both days are one stretch for a reader."""
    midnight_s = 18 * 3600
    fixlog.append([fix(midnight_s + 5), fix(midnight_s - 5)])
    assert fixlog.window("v1", after(midnight_s - 60), after(midnight_s + 60)) == [
        fix(midnight_s - 5),
        fix(midnight_s + 5),
    ]


def test_latest_is_the_newest_good_fix_of_each_device_and_vehicle(fixlog: FixLog) -> None:
    day_s = 86_400
    fixlog.append([
        fix(0), fix(10), fix(20, mark="jump"), fix(5, device="d2", vehicle=None),
        fix(day_s, device="d3", vehicle="v3"), fix(0, device="d3", vehicle="v3"),
    ])  # fmt: skip
    newest = sorted(fixlog.latest(), key=lambda f: f.device_id)
    assert newest == [
        fix(10),
        fix(5, device="d2", vehicle=None),
        fix(day_s, device="d3", vehicle="v3"),
    ]


def test_near_finds_what_lies_in_the_circle_across_cells(fixlog: FixLog) -> None:
    """The centre lies on a corner of the grid, so that each neighbour is in a cell of its own."""
    lon, lat = 75.860, 22.720
    around = [(0.0003, 0.0003), (-0.0003, 0.0003), (0.0003, -0.0003), (-0.0003, -0.0003)]
    inside = [fix(i, lon=lon + x, lat=lat + y) for i, (x, y) in enumerate(around)]
    fixlog.append([*inside, fix(9, lon=lon + 0.0009), fix(10, mark="jump"), fix(11, vehicle=None)])
    assert fixlog.near(lon, lat, T0, after(60), 60) == inside
    assert fixlog.near(lon, lat, after(1), after(3), 60) == inside[1:3]
    assert distance_m(lon, lat, lon + 0.0009, lat) > 60


def test_a_reader_follows_commits_so_that_a_late_fix_is_new_to_it(fixlog: FixLog) -> None:
    day_s = 86_400
    fixlog.append([fix(10), fix(day_s)])
    first, cursor = fixlog.received({}, 100)
    assert first == [fix(10), fix(day_s)]
    fixlog.append([fix(5), fix(10)])
    assert fixlog.received(cursor, 100)[0] == [fix(5)]


def test_a_reader_takes_as_much_as_it_asks_for(fixlog: FixLog) -> None:
    fixlog.append([fix(i) for i in range(5)])
    seen, cursor = [], {}
    for _ in range(3):
        fixes, cursor = fixlog.received(cursor, 2)
        seen.append(len(fixes))
    assert seen == [2, 2, 1]
