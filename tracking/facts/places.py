"""Standing still, and being at a place: pure, on a track in metres."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tracking.facts.match import Track

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


def stands(track: Track, least_s: float) -> list[Stand]:
    """Stretches of at least `least_s` within 15 m of their own mean position."""
    found: list[Stand] = []
    start, sum_x, sum_y = 0, 0.0, 0.0
    times, xs, ys = track.t_s.tolist(), track.x.tolist(), track.y.tolist()
    speeds = track.speed_mps.tolist()

    def close(stop: int, ended: bool) -> None:
        if stop > start and times[stop - 1] - times[start] >= least_s:
            count = stop - start
            found.append(Stand(times[start], times[stop - 1], sum_x / count, sum_y / count, ended))

    for i, (x, y, speed) in enumerate(zip(xs, ys, speeds, strict=True)):
        count = i - start
        moves = not math.isnan(speed) and speed >= MOVING_MPS
        near = count == 0 or (math.hypot(x - sum_x / count, y - sum_y / count) <= STANDING_WITHIN_M)
        if moves or not near:
            close(i, ended=True)
            start, sum_x, sum_y = (i + 1, 0.0, 0.0) if moves else (i, x, y)
        else:
            sum_x, sum_y = sum_x + x, sum_y + y
    close(len(times), ended=False)
    return found


@dataclass(frozen=True)
class Stay:
    """Inside a place's radius from a first to a last moment; `left_s` None: still inside."""

    entered_s: float
    left_s: float | None


def stays(track: Track, x: float, y: float, radius_m: float, *, inside: bool) -> list[Stay]:
    """Comings and goings at one place.

    Args:
        inside: whether the vehicle was inside before the track begins.
    """
    away_m = np.hypot(track.x - x, track.y - y)
    if not inside and not (away_m <= radius_m).any():
        return []
    found: list[Stay] = []
    entered: float | None = float(track.t_s[0]) if inside else None
    for t, away in zip(track.t_s.tolist(), away_m.tolist(), strict=True):
        if entered is None and away <= radius_m:
            entered = t
        elif entered is not None and away > radius_m * LEAVE_FACTOR:
            found.append(Stay(entered, t))
            entered = None
    if entered is not None:
        found.append(Stay(entered, None))
    return found
