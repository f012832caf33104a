"""Learns beats from services of lanes: which lanes a vehicle customarily serves in a shift, in
which order and when. Pure.

A lane belongs to the vehicle that serves it on most days, recent days counting more. So a spare
that stands in for some days, a helper of one morning, a unit that was mounted in another vehicle
and a lane that was missed now and then change nothing; a vehicle that took a beat over for good
wins once it has served it for about a week.

When a lane is served is `usual + delay of the day`: both are found together by taking medians of
rows and columns in turn (Tukey's median polish, Exploratory Data Analysis, 1977), so that a late
morning does not mix the order of the lanes that were missing on other days.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Final

HALF_LIFE_DAYS: Final = 7.0
"""A day this old counts half."""
LEAST_DAYS: Final = 3
"""What was done on fewer days is no custom."""
MOST: Final = 0.5
"""Share of the days on which a vehicle worked its beat from which a lane is customary."""
OWN_DAY: Final = 1 / 3
"""Share of the lanes of a day that must be the vehicle's own, else it worked somewhere else."""
WHOLE_DAY: Final = 0.5
"""Share of its usual lanes from which a day counts as worked, not as broken off."""
APART_S: Final = 3 * 3600.0
"""A lane served twice a day by custom has this long between."""
ROUNDS: Final = 10
"""Of the median polish; it settles in a few."""
_SCALE: Final = 1.4826
"""Median absolute deviation to standard deviation, of a normal distribution."""
_Z: Final = 1.645
"""Of a confidence of 95%, one-sided."""


@dataclass(frozen=True, slots=True)
class Service:
    """A lane served by a vehicle in a shift of a day, from `t_s` seconds after local midnight."""

    day: date
    vehicle_id: str
    shift: str
    lane_id: str
    t_s: float


@dataclass(frozen=True, slots=True)
class LearntLane:
    """A customary lane: when it is usually served, how far from that, and how sure that is.

    `confidence` is the lower bound (Wilson, 95%) of the share of working days that serve it.
    """

    lane_id: str
    usual_s: float
    spread_s: float
    days: int
    confidence: float


@dataclass(frozen=True, slots=True)
class LearntBeat:
    """What a vehicle customarily serves in a shift, in order; `days`: on which it did so."""

    vehicle_id: str
    shift: str
    days: int
    lanes: tuple[LearntLane, ...]


type _Key = tuple[str, str]
"""Vehicle and shift."""
type _Days = dict[date, dict[str, float]]
"""By day: when each lane was first served."""


def learn(services: Iterable[Service]) -> list[LearntBeat]:
    """Beats by vehicle and shift; a vehicle without customary lanes, such as a spare, has none."""
    by_key = _first_services(services)
    if not by_key:
        return []
    newest = max(day for days in by_key.values() for day in days)
    own = _own_lanes(by_key, newest)
    beats = []
    for key, days in sorted(by_key.items()):
        worked = _worked(days, own[key])
        lanes = _customary(worked, own[key], newest)
        if lanes:
            beats.append(LearntBeat(*key, len(worked), _timed(worked, lanes)))
    return beats


def _first_services(services: Iterable[Service]) -> dict[_Key, _Days]:
    found: dict[_Key, _Days] = defaultdict(lambda: defaultdict(dict))
    # By day, so that sums of weights do not depend on the order of the facts.
    for service in sorted(services, key=lambda s: (s.day, s.lane_id)):
        lanes = found[service.vehicle_id, service.shift][service.day]
        lanes[service.lane_id] = min(service.t_s, lanes.get(service.lane_id, math.inf))
    return found


def _weight(day: date, newest: date) -> float:
    return float(0.5 ** ((newest - day).days / HALF_LIFE_DAYS))


def _own_lanes(by_key: Mapping[_Key, _Days], newest: date) -> dict[_Key, set[str]]:
    """Each lane to the vehicle that serves it most, and to another only at another time of day."""
    times: dict[str, dict[_Key, list[float]]] = defaultdict(lambda: defaultdict(list))
    votes: dict[str, dict[_Key, float]] = defaultdict(lambda: defaultdict(float))
    for key, days in by_key.items():
        for day, served in days.items():
            for lane_id, t_s in served.items():
                times[lane_id][key].append(t_s)
                votes[lane_id][key] += _weight(day, newest)
    own: dict[_Key, set[str]] = {key: set() for key in by_key}
    for lane_id, of_lane in votes.items():
        owners: list[tuple[str, float]] = []
        for key in sorted(of_lane, key=lambda key: (-of_lane[key], key)):
            usual_s = median(times[lane_id][key])
            if all(key[1] != shift and abs(usual_s - s) >= APART_S for shift, s in owners):
                owners.append((key[1], usual_s))
                own[key].add(lane_id)
    return own


def _worked(days: _Days, own: set[str]) -> _Days:
    """Days on which the vehicle worked its own beat, and did not break off early."""
    mine = {
        day: len(own & served.keys())
        for day, served in days.items()
        if len(own & served.keys()) >= max(1.0, OWN_DAY * len(served))
    }
    if not mine:
        return {}
    usual = median(mine.values())
    return {day: days[day] for day, count in sorted(mine.items()) if count >= WHOLE_DAY * usual}


def _customary(worked: _Days, own: set[str], newest: date) -> dict[str, int]:
    """Lanes served on most of the days worked, with the number of days."""
    if len(worked) < LEAST_DAYS:
        return {}
    whole = sum(_weight(day, newest) for day in worked)
    weights: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for day, served in worked.items():
        for lane_id in own & served.keys():
            weights[lane_id] += _weight(day, newest)
            counts[lane_id] += 1
    return {
        lane_id: counts[lane_id]
        for lane_id, weight in weights.items()
        if weight >= MOST * whole and counts[lane_id] >= LEAST_DAYS
    }


def _timed(worked: _Days, lanes: Mapping[str, int]) -> tuple[LearntLane, ...]:
    """The lanes in the order of their usual time."""
    usual = _polished(worked, lanes)
    found = []
    for lane_id, days in lanes.items():
        apart = [abs(s[lane_id] - usual[lane_id]) for s in worked.values() if lane_id in s]
        found.append(
            LearntLane(
                lane_id,
                round(usual[lane_id], 1),
                round(_SCALE * median(apart), 1),
                days,
                round(_surely(days, len(worked)), 3),
            )
        )
    return tuple(sorted(found, key=lambda lane: (lane.usual_s, lane.lane_id)))


def _polished(worked: _Days, lanes: Iterable[str]) -> dict[str, float]:
    """Usual seconds of each lane on a day without delay, where half of the days are late."""
    rows = {lane: [(d, s[lane]) for d, s in worked.items() if lane in s] for lane in lanes}
    by_day: dict[date, list[tuple[str, float]]] = defaultdict(list)
    for lane, times in rows.items():
        for day, t_s in times:
            by_day[day].append((lane, t_s))
    delay: dict[date, float] = dict.fromkeys(by_day, 0.0)
    usual: dict[str, float] = {}
    for _ in range(ROUNDS):
        usual = {lane: median(t - delay[d] for d, t in times) for lane, times in rows.items()}
        delay = {d: median(t - usual[lane] for lane, t in times) for d, times in by_day.items()}
    common = median(delay.values())
    return {lane: t_s + common for lane, t_s in usual.items()}


def _surely(hits: int, of: int) -> float:
    """Wilson's lower bound of a share."""
    share = hits / of
    middle = share + _Z**2 / (2 * of)
    half = _Z * math.sqrt(share * (1 - share) / of + _Z**2 / (4 * of**2))
    return (middle - half) / (1 + _Z**2 / of)
