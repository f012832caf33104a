"""Standing still, and being at places: pure, on a track in metres, in machine code."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracking.proof.compiled import compiled
from tracking.proof.graph import Floats, Ints
from tracking.proof.track import Track

STANDING_WITHIN_M = 15.0
MOVING_MPS = 1.0
"""A unit that reports this speed does not stand, however near its fixes are."""
LEAVE_FACTOR = 1.25
"""A place is left at this multiple of its radius: noise at its border is no coming and going."""


@dataclass(frozen=True)
class Stand:
    """A stretch of standing; `ended`: a later fix is elsewhere."""

    start_s: float
    end_s: float
    x: float
    y: float
    ended: bool


@dataclass(frozen=True)
class Stay:
    """At a place (by number) from a first to a last moment; `left_s` None: still there."""

    place: int
    entered_s: float
    left_s: float | None


def stands(track: Track, least_s: float) -> list[Stand]:
    """Stretches of at least `least_s` within 15 m of their own mean position."""
    rows = _stands(track.t_s, track.x, track.y, track.speed_mps, least_s)
    return [Stand(a, b, x, y, ended > 0) for a, b, x, y, ended in rows.tolist()]


def stays(
    track: Track, x: Floats, y: Floats, radius_m: float, *, inside: Collection[int]
) -> list[Stay]:
    """Comings and goings at places, by place and time.

    Args:
        x, y: of the places, [places], on the track's plane.
        inside: places at which the vehicle was before the track begins.
    """
    if len(track.t_s) == 0 or len(x) == 0:
        return []
    there = np.zeros(len(x), np.bool_)
    there[list(inside)] = True
    place, times = _stays(
        track.t_s, track.x, track.y, x, y, radius_m, there
    )  # fmt: skip
    return [
        Stay(of, entered, None if math.isinf(left) else left)
        for of, (entered, left) in zip(place.tolist(), times.tolist(), strict=True)
    ]


@compiled
def _stands(t: Floats, x: Floats, y: Floats, speed: Floats, least_s: float) -> Floats:
    n = len(t)
    found = np.empty((n, 5))
    count, start = 0, 0
    sum_x, sum_y = 0.0, 0.0
    for i in range(n + 1):
        size = i - start
        moves, near = False, False
        if i < n:
            moves = speed[i] >= MOVING_MPS
            near = size == 0 or (
                math.hypot(x[i] - sum_x / size, y[i] - sum_y / size) <= STANDING_WITHIN_M
            )
        if i < n and near and not moves:
            sum_x, sum_y = sum_x + x[i], sum_y + y[i]
            continue
        if size > 0 and t[i - 1] - t[start] >= least_s:
            found[count, 0], found[count, 1] = t[start], t[i - 1]
            found[count, 2], found[count, 3] = sum_x / size, sum_y / size
            found[count, 4] = 1.0 if i < n else 0.0
            count += 1
        start, sum_x, sum_y = i, 0.0, 0.0
        if moves:
            start = i + 1
        elif i < n:
            sum_x, sum_y = x[i], y[i]
    return found[:count]


@compiled
def _stays(
    t: Floats,
    x: Floats,
    y: Floats,
    place_x: Floats,
    place_y: Floats,
    radius_m: float,
    inside: npt.NDArray[np.bool_],
) -> tuple[Ints, Floats]:
    room = 16
    place, times = np.empty(room, np.int32), np.empty((room, 2))
    count = 0
    near2, away2 = radius_m**2, (radius_m * LEAVE_FACTOR) ** 2
    west, east = np.min(x) - radius_m, np.max(x) + radius_m
    south, north = np.min(y) - radius_m, np.max(y) + radius_m
    for p in range(len(place_x)):
        px, py = place_x[p], place_y[p]
        there = inside[p]
        if not there and not (west <= px <= east and south <= py <= north):
            continue
        entered = t[0]
        for i in range(len(t) + 1):
            left = np.inf
            if i < len(t):
                d2 = (x[i] - px) ** 2 + (y[i] - py) ** 2
                if not there and d2 <= near2:
                    there, entered = True, t[i]
                if not (there and d2 > away2):
                    continue
                left = t[i]
            elif not there:
                continue
            if count == len(place):
                place = np.concatenate((place, np.empty(count, np.int32)))
                times = np.concatenate((times, np.empty((count, 2))))
            place[count], times[count, 0], times[count, 1] = p, entered, left
            count += 1
            there = False
    return place[:count], times[:count]
