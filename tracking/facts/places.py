"""Standing still, and being at a place: pure, on a track in metres."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from tracking.proof.graph import Floats
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
        moves = speed >= MOVING_MPS  # never for NaN
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
    """At a place (by number) from a first to a last moment; `left_s` None: still there."""

    place: int
    entered_s: float
    left_s: float | None


def stays(
    track: Track, x: Floats, y: Floats, radius_m: float, *, inside: Collection[int]
) -> list[Stay]:
    """Comings and goings at places.

    Args:
        x, y: of the places, [places].
        inside: places at which the vehicle was before the track begins.
    """
    away_m = np.hypot(track.x[:, None] - x, track.y[:, None] - y)
    come = set(np.flatnonzero((away_m <= radius_m).any(axis=0)).tolist()) if len(away_m) else set()
    found: list[Stay] = []
    for place in sorted(come | set(inside)) if len(away_m) else ():
        entered: float | None = float(track.t_s[0]) if place in inside else None
        for t, away in zip(track.t_s.tolist(), away_m[:, place].tolist(), strict=True):
            if entered is None and away <= radius_m:
                entered = t
            elif entered is not None and away > radius_m * LEAVE_FACTOR:
                found.append(Stay(place, entered, t))
                entered = None
        if entered is not None:
            found.append(Stay(place, entered, None))
    return found
