"""When a vehicle stood and how far it drove, whatever the noise of its fixes. Pure.

A standing vehicle's fixes wander by metres, and a crawling one's zigzag: their steps must not be
summed. A stand counts as one point; a moving vehicle's positions are averaged over the time in
which it covers some metres, which takes most of the noise away at a crawl and no corner at speed.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

STANDING_MPS = 0.7
"""Below this speed a vehicle stands: a crew walks faster."""
LEAST_STAND_S = 10.0
REACH_S = 15.0
"""Where a unit reports no speed, it is that between the positions so long before and after."""
SMOOTH_M = 15.0
"""A moving vehicle's positions are averaged over the time that it needs for this way,"""
SMOOTH_S = 30.0
"""and over this time at most."""
APART_M = 15.0
"""Stands not further apart than this, with a short movement between, are one."""
BREAK_S = 15.0


@dataclass(frozen=True, slots=True)
class Stand:
    """A stretch of standing: fixes `first` to `last`, both included, at (x, y) in metres."""

    first: int
    last: int
    start_s: float
    end_s: float
    x: float
    y: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Gap:
    """A silence between two fixes that follow each other; `straight_m` lies between them."""

    before: int
    start_s: float
    end_s: float
    straight_m: float


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """What a trail says of movement."""

    stands: list[Stand]
    gaps: list[Gap]
    driven_m: Floats
    """Metres driven up to each fix. Silences count as straight lines: the least that was driven."""
    moving_s: float
    standing_s: float
    silent_s: float


def motion_of(t_s: Floats, x: Floats, y: Floats, speed_mps: Floats, *, gap_s: float) -> Motion:
    """Stands, silences and distance of good fixes.

    Args:
        t_s, x, y: seconds, never falling, and metres.
        speed_mps: as the unit says, NaN where it does not.
        gap_s: a longer time between two fixes is a silence.
    """
    count = len(t_s)
    if count == 0:
        return Motion([], [], np.zeros(0), 0.0, 0.0, 0.0)
    step_s = np.diff(t_s)
    breaks = np.flatnonzero(step_s > gap_s)
    gaps = [
        Gap(
            int(i),
            float(t_s[i]),
            float(t_s[i + 1]),
            float(np.hypot(x[i + 1] - x[i], y[i + 1] - y[i])),
        )
        for i in breaks
    ]
    path_x, path_y = x.copy(), y.copy()
    stands: list[Stand] = []
    for part in _parts(breaks, count):
        apparent = _apparent_mps(t_s[part], x[part], y[part])
        speed = _median3(_said_or(speed_mps[part], apparent))
        own = _stands(t_s[part], x[part], y[part], speed, part.start)
        path_x[part], path_y[part] = _smooth(t_s[part], x[part], y[part], apparent)
        for stand in own:
            stood = slice(stand.first, stand.last + 1)
            path_x[stood], path_y[stood] = stand.x, stand.y
        stands.extend(own)
    steps_m = np.hypot(np.diff(path_x), np.diff(path_y))
    standing_s = sum(stand.duration_s for stand in stands)
    silent_s = sum(gap.end_s - gap.start_s for gap in gaps)
    return Motion(
        stands,
        gaps,
        np.concatenate([[0.0], np.cumsum(steps_m)]),
        moving_s=float(t_s[-1] - t_s[0]) - standing_s - silent_s,
        standing_s=standing_s,
        silent_s=silent_s,
    )


def _parts(breaks: Ints, count: int) -> Iterator[slice]:
    """Stretches without a silence."""
    edges = [0, *(breaks + 1).tolist(), count]
    for first, stop in pairwise(edges):
        yield slice(first, stop)


def _said_or(said: Floats, apparent: Floats) -> Floats:
    """The reported speed; the apparent one where none is reported, or nothing but 0 is."""
    deaf = not bool((said > STANDING_MPS).any()) and bool((apparent > 2 * STANDING_MPS).any())
    return apparent if deaf else np.where(np.isnan(said), apparent, said)


def _apparent_mps(t_s: Floats, x: Floats, y: Floats) -> Floats:
    """Speed between averaged positions before and after each fix."""
    if len(t_s) < 2:
        return np.zeros(len(t_s))
    calm_x, calm_y = _mean(t_s, x, y, np.full(len(t_s), REACH_S))
    late, early = np.minimum(t_s + REACH_S, t_s[-1]), np.maximum(t_s - REACH_S, t_s[0])
    took_s = np.maximum(late - early, 1e-3)
    dx = np.interp(late, t_s, calm_x) - np.interp(early, t_s, calm_x)
    dy = np.interp(late, t_s, calm_y) - np.interp(early, t_s, calm_y)
    apparent: Floats = np.hypot(dx, dy) / took_s
    return apparent


def _median3(values: Floats) -> Floats:
    """A single reading that disagrees with both its neighbours is noise."""
    if len(values) < 3:
        return values
    padded = np.concatenate([values[:1], values, values[-1:]])
    middle: Floats = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    return middle


def _stands(t_s: Floats, x: Floats, y: Floats, speed: Floats, offset: int) -> list[Stand]:
    slow = np.concatenate([[False], speed < STANDING_MPS, [False]])
    edges = np.flatnonzero(np.diff(slow.astype(np.int8)))
    times = t_s.tolist()
    sums = [[0.0, *np.cumsum(v).tolist()] for v in (x, y)]

    def stand(first: int, last: int) -> Stand:
        at_x, at_y = ((s[last + 1] - s[first]) / (last + 1 - first) for s in sums)
        return Stand(first, last, times[first], times[last], at_x, at_y)

    found: list[Stand] = []
    for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        this = stand(first, stop - 1)
        if found and _same(found[-1], this):
            found[-1] = stand(found[-1].first, stop - 1)
        else:
            found.append(this)
    return [
        replace(s, first=s.first + offset, last=s.last + offset)
        for s in found
        if s.duration_s >= LEAST_STAND_S
    ]


def _same(a: Stand, b: Stand) -> bool:
    return math.hypot(a.x - b.x, a.y - b.y) <= APART_M and b.start_s - a.end_s <= BREAK_S


def _smooth(t_s: Floats, x: Floats, y: Floats, apparent: Floats) -> tuple[Floats, Floats]:
    return _mean(t_s, x, y, np.minimum(SMOOTH_M / np.maximum(apparent, 0.1), SMOOTH_S))


def _mean(t_s: Floats, x: Floats, y: Floats, over_s: Floats) -> tuple[Floats, Floats]:
    """Mean position in a window around each fix, with as many fixes before as after it."""
    here = np.arange(len(t_s))
    before = here - np.searchsorted(t_s, t_s - over_s / 2, "left")
    behind = np.searchsorted(t_s, t_s + over_s / 2, "right") - 1 - here
    reach = np.minimum(before, behind)
    low, high = here - reach, here + reach + 1
    sums = [np.concatenate([[0.0], np.cumsum(v)]) for v in (x, y)]
    mean_x, mean_y = ((s[high] - s[low]) / (high - low) for s in sums)
    return mean_x, mean_y
