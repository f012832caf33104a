"""Beats of a synthetic city, learnt back from two noisy weeks."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracking.beats.learning import LearntBeat, Service, learn

FIRST = date(2026, 3, 2)
DAYS = [FIRST + timedelta(days=n) for n in range(14)]
type City = dict[tuple[str, str], list[str]]


def city(seed: int, vehicles: int = 12) -> City:
    """Beats of 25 to 60 lanes each in the morning; every fourth vehicle has a night beat too."""
    draw = random.Random(seed)
    beats: City = {}
    for v in range(vehicles):
        beats[f"v{v}", "morning"] = [f"m{v}.{i}" for i in range(draw.randint(25, 60))]
        if v % 4 == 0:
            beats[f"v{v}", "night"] = [f"m{v}.{i}" for i in range(0, 20, 2)]
    return beats


BEGINS = {"morning": 6.25 * 3600, "night": 22 * 3600.0}


def two_weeks(beats: City, seed: int) -> list[Service]:
    """Late mornings, missed lanes, swapped neighbours, halts of very different length, a spare that
    stands in, a vehicle off for two days, a unit in another vehicle for three, and helpers."""
    draw = random.Random(seed)
    keys = sorted(beats)
    swapped = {("v1", "morning"): ("v2", "morning"), ("v2", "morning"): ("v1", "morning")}
    found = []
    for day in DAYS:
        for key in keys:
            vehicle, shift = key
            if draw.random() < 0.08:
                continue  # nobody came
            if draw.random() < 0.10:
                vehicle = draw.choice(["spare1", "spare2"])
            elif key in swapped and day in DAYS[4:7]:
                vehicle = swapped[key][0]
            order = list(beats[key])
            for _ in range(len(order) // 6):
                i = draw.randrange(len(order) - 1)
                order[i], order[i + 1] = order[i + 1], order[i]
            if draw.random() < 0.1:
                order = order[: len(order) // 4]  # it broke down
            t_s = BEGINS[shift] + draw.expovariate(1 / 600)
            for lane in order:
                t_s += draw.lognormvariate(4.6, 0.5)
                if draw.random() < 0.07:
                    continue
                found.append(Service(day, vehicle, shift, lane, t_s))
                if draw.random() < 0.05:
                    found.append(Service(day, vehicle, shift, lane, t_s + 3000))
            if draw.random() < 0.15:
                helped = draw.choice([k for k in keys if k[1] == shift])
                for lane in draw.sample(beats[helped], 5):
                    t_s += 100
                    found.append(Service(day, vehicle, shift, lane, t_s))
    draw.shuffle(found)
    return found


def f1(beats: City, learnt: Sequence[LearntBeat]) -> float:
    """Of (vehicle, shift, lane)."""
    truth = {(*key, lane) for key, lanes in beats.items() for lane in lanes}
    said = {(b.vehicle_id, b.shift, lane.lane_id) for b in learnt for lane in b.lanes}
    return 2 * len(truth & said) / (len(truth) + len(said))


def tau(truth: Sequence[str], order: Sequence[str]) -> float:
    """Kendall's rank correlation of the lanes in both."""
    place = {lane: i for i, lane in enumerate(truth)}
    pairs = list(combinations([place[lane] for lane in order if lane in place], 2))
    return sum(1 if a < b else -1 for a, b in pairs) / len(pairs)


def scores(seed: int) -> tuple[float, list[float], list[LearntBeat]]:
    beats = city(seed)
    learnt = learn(two_weeks(beats, seed + 100))
    taus = [
        tau(beats[b.vehicle_id, b.shift], [lane.lane_id for lane in b.lanes])
        for b in learnt
        if (b.vehicle_id, b.shift) in beats
    ]
    return f1(beats, learnt), taus, learnt


@pytest.mark.parametrize("seed", range(5))
def test_two_noisy_weeks_give_the_beats_back(seed: int) -> None:
    score, taus, learnt = scores(seed)
    assert score >= 0.97
    assert min(taus) >= 0.9
    assert {b.vehicle_id for b in learnt} <= {f"v{v}" for v in range(12)}, "a spare has no beat"


def test_shuffled_truth_scores_nothing() -> None:
    beats = city(0)
    learnt = learn(two_weeks(beats, 100))
    lanes = [lane for key in beats for lane in beats[key]]
    random.Random(1).shuffle(lanes)
    at = iter(lanes)
    shuffled = {key: [next(at) for _ in own] for key, own in beats.items()}
    assert f1(shuffled, learnt) < 0.2


def test_customary_time_is_the_median_and_bears_a_late_day() -> None:
    usual = {"a": 7 * 3600.0, "b": 7.5 * 3600, "c": 8 * 3600}
    late = {2: 5400.0, 5: 300.0, 9: -300.0}
    services = [
        Service(day, "v1", "morning", lane, t_s + late.get(n, 0.0))
        for n, day in enumerate(DAYS)
        for lane, t_s in usual.items()
        if not (n == 2 and lane == "a")
    ]
    (beat,) = learn(services)
    assert [(lane.lane_id, lane.usual_s) for lane in beat.lanes] == list(usual.items())
    assert [(lane.days, lane.spread_s) for lane in beat.lanes] == [(13, 0), (14, 0), (14, 0)]
    assert beat.lanes[0].confidence < beat.lanes[1].confidence < 1


def test_a_vehicle_that_took_over_for_good() -> None:
    """Eight days of the old one, six of the new: the new one's custom it is."""
    services = [
        Service(day, "old" if n < 8 else "new", "morning", lane, 25_000.0 + i)
        for n, day in enumerate(DAYS)
        for i, lane in enumerate("abc")
    ]
    assert [beat.vehicle_id for beat in learn(services)] == ["new"]


def test_a_stand_in_under_another_name_of_the_shift() -> None:
    services = [
        Service(day, "spare" if n > 10 else "v1", "day" if n > 10 else "morning", lane, 25_000.0)
        for n, day in enumerate(DAYS)
        for lane in "abc"
    ]
    assert [beat.vehicle_id for beat in learn(services)] == ["v1"]


def test_two_days_are_no_custom() -> None:
    assert learn(Service(day, "v", "m", "a", 1.0) for day in DAYS[:2]) == []
    assert learn([]) == []


services = st.builds(
    Service,
    st.sampled_from(DAYS),
    st.sampled_from(["v1", "v2", "v3"]),
    st.sampled_from(["m", "n"]),
    st.sampled_from([f"l{i}" for i in range(8)]),
    st.floats(0, 100_000),
)


@given(st.lists(services, max_size=120), st.randoms(use_true_random=False))
def test_a_lane_has_one_vehicle_a_shift_in_any_order_of_facts(
    some: list[Service], shuffle: random.Random
) -> None:
    learnt = learn(some)
    for shift in ("m", "n"):
        lanes = [lane.lane_id for b in learnt if b.shift == shift for lane in b.lanes]
        assert len(lanes) == len(set(lanes))
    for beat in learnt:
        times = [lane.usual_s for lane in beat.lanes]
        assert times == sorted(times)
        assert all(0 < lane.confidence <= 1 and lane.days <= beat.days for lane in beat.lanes)
    shuffled = list(some)
    shuffle.shuffle(shuffled)
    assert learn(shuffled) == learnt
