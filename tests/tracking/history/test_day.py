"""A day's figures: stands, distance, trips, silences. A fix each 5 s ends what lies before it."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from fleet.kit.times import iso
from tests.tracking.drives import EAST, NORTH, ORIGIN, drive, noisy, town
from tests.tracking.history.days import after, columns, columns_of, driven, fixes_of
from tracking.fixes.columns import TrailColumns
from tracking.history.day import Summary, Where, day_of, summary_of

DEPOT = ("depot", ORIGIN[0], ORIGIN[1])
STATION = ("station", ORIGIN[0] + 2000 / EAST, ORIGIN[1])


def nowhere(lon, lat):
    return [Where()] * len(lon)


def summary(fixes, places=(DEPOT, STATION)) -> Summary:
    day = day_of(columns(fixes), list(places), gap_s=45, radius_m=60)
    return summary_of(day, nowhere)


ROUND = [
    (300, 0, 0),  # stands at the depot
    (400, 2000, 0),  # drives to the station
    (600, 2000, 0),  # unloads
    (500, 1000, 1000),
    (180, 1000, 1000),  # a stop on the way
    (500, 0, 0),
    (300, 0, 0),
]


def test_a_round_has_its_trips_stops_and_distance() -> None:
    found = summary(fixes_of(driven(ROUND)))
    straight = 2000 + np.hypot(1000, 1000) * 2
    assert found.distance_m == pytest.approx(straight, rel=0.02)
    assert [stop.duration_s for stop in found.stops] == [300, 595, 175, 295]
    assert [(trip.from_place, trip.to_place, trip.ended_by) for trip in found.trips] == [
        ("depot", "station", "place"),
        ("station", "depot", "place"),
    ]
    assert sum(trip.distance_m for trip in found.trips) <= found.distance_m
    assert found.moving_s + found.standing_s == pytest.approx(sum(leg[0] for leg in ROUND))
    assert found.standing_s == 300 + 595 + 175 + 295
    assert (found.start_t, found.gaps, found.silent_s) == (iso(after(0)), [], 0)


def test_a_unit_without_speed_says_nearly_the_same() -> None:
    with_speed, without = (summary(fixes_of(driven(ROUND), speed=s)) for s in (True, False))
    assert without.distance_m == pytest.approx(with_speed.distance_m, rel=0.03)
    assert len(without.stops) == 4
    assert without.standing_s == pytest.approx(with_speed.standing_s, rel=0.1)


def test_a_unit_that_always_says_zero_is_not_believed() -> None:
    points = [(s, x, y, 0.0) for s, x, y, _ in driven(ROUND)]
    assert summary(fixes_of(points)).moving_s > 1000


@pytest.mark.parametrize("correlation", [0.0, 0.9, 0.98])
@pytest.mark.parametrize("speed", [True, False])
def test_a_standing_vehicle_drives_nowhere(correlation: float, speed: bool) -> None:
    """Four hours of wandering fixes, which as steps are kilometres."""
    still = drive(town(1), 1, planned=1).track
    t = np.arange(0, 4 * 3600, 5.0)
    track = type(still)(t, np.zeros(len(t)), np.zeros(len(t)), np.zeros(len(t)), t * np.nan)
    wandering = noisy(track, 3, sigma_m=5, correlation=correlation, speed=speed)
    steps_m = np.hypot(np.diff(wandering.x), np.diff(wandering.y)).sum()
    day = day_of(columns_of(wandering), [], gap_s=45, radius_m=60)
    assert steps_m > 3000
    assert day.motion.driven_m[-1] < 300
    assert day.motion.standing_s > 0.9 * t[-1]


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("correlation", [0.0, 0.95])
@pytest.mark.parametrize("speed", [True, False])
def test_noise_is_not_distance(seed: int, correlation: float, speed: bool) -> None:
    """Within 7 % of what was driven with a corner each 60-110 m; bare steps are 36 % off."""
    driven_truly = drive(town(seed), seed, planned=60).track
    true_m = np.hypot(np.diff(driven_truly.x), np.diff(driven_truly.y)).sum()
    noise = noisy(driven_truly, seed, sigma_m=4, correlation=correlation, speed=speed)
    day = day_of(columns_of(noise), [], gap_s=45, radius_m=60)
    assert day.motion.driven_m[-1] == pytest.approx(true_m, rel=0.07)


def test_a_silence_is_told_and_counts_as_a_straight_line() -> None:
    points = driven([(100, 500, 0), (400, 1500, 0), (100, 2000, 0)], every_s=5)
    heard = [p for p in points if not 100 < p[0] < 500]
    found = summary(fixes_of(heard), places=())
    (gap,) = found.gaps
    assert (gap.start_t, gap.end_t, gap.straight_m) == (iso(after(100)), iso(after(500)), 1000)
    assert found.silent_s == 400
    assert found.distance_m == pytest.approx(2000, rel=0.02)
    assert found.moving_s == 200


def test_an_engine_that_is_stopped_ends_a_trip() -> None:
    fixes = fixes_of(driven([(200, 1000, 0), (300, 1000, 0), (200, 0, 0)]))
    fixes = [
        msgspec.structs.replace(f, ignition=not after(200) <= f.t <= after(500)) for f in fixes
    ]
    found = summary(fixes, places=())
    assert [trip.ended_by for trip in found.trips] == ["ignition", "day"]


def test_driving_past_a_station_ends_no_trip() -> None:
    found = summary(fixes_of(driven([(400, 4000, 0)])), places=(STATION,))
    assert [trip.ended_by for trip in found.trips] == ["day"]


def test_fixes_that_were_set_aside_are_counted_and_not_driven() -> None:
    fixes = fixes_of(driven([(100, 500, 0)]))
    far = [
        msgspec.structs.replace(f, lat=f.lat + 1, mark=mark)
        for f, mark in zip(fixes, ["jump", "jump", "hdop"], strict=False)
    ]
    found = summary(sorted([*fixes, *far], key=lambda f: f.t), places=())
    assert found.marks == {"hdop": 1, "jump": 2}
    assert found.fixes == len(fixes) + 3
    assert found.distance_m == pytest.approx(500, rel=0.05)


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_fixes_make_a_day_too(count: int) -> None:
    found = summary(fixes_of(driven([(5, 10, 0)])[:count])) if count else None
    if count == 0:
        day = day_of(TrailColumns.of(()), [DEPOT], gap_s=45, radius_m=60)
        found = summary_of(day, nowhere)
    assert found is not None
    assert (found.fixes, found.stops, found.trips, found.gaps) == (count, [], [], [])


def test_a_stop_is_named() -> None:
    day = day_of(columns(fixes_of(driven(ROUND))), [DEPOT], gap_s=45, radius_m=60)
    asked = []

    def naming(lon, lat):
        asked.extend(zip(lon.tolist(), lat.tolist(), strict=True))
        return [Where(lane_id=f"l{i}", name="Lane") for i in range(len(lon))]

    stops = summary_of(day, naming).stops
    assert [stop.lane_id for stop in stops] == ["l0", "l1", "l2", "l3"]
    assert asked[1] == (pytest.approx(ORIGIN[0] + 2000 / EAST), pytest.approx(ORIGIN[1]))
    assert asked[2][1] == pytest.approx(ORIGIN[1] + 1000 / NORTH)
