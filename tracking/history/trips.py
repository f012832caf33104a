"""A day's trips: what lies between stays at depots and stations, or with the engine off. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

STAY_S = 60.0
"""A vehicle that is at a place for less drove past it."""
OFF_S = 120.0
"""The engine is off for so long that the trip has ended."""
LEAST_TRIP_M = 200.0
"""A shorter movement is one in the yard."""

Ending = Literal["place", "ignition", "day"]


@dataclass(frozen=True, slots=True)
class Spot:
    """A place on the plane, in metres."""

    id: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Fixes `first` to `last`, both included, between two trips; `place_id` None: engine off."""

    first: int
    last: int
    place_id: str | None


@dataclass(frozen=True, slots=True)
class Trip:
    """From fix `first` to fix `last`; a place is None where it does not begin or end at one."""

    first: int
    last: int
    from_place: str | None
    to_place: str | None
    ended_by: Ending


def trips(
    t_s: Floats,
    x: Floats,
    y: Floats,
    ignition: npt.NDArray[np.int8],
    driven_m: Floats,
    spots: Sequence[Spot],
    radius_m: float,
) -> list[Trip]:
    """Trips of a day by time.

    Args:
        t_s, x, y: seconds, never falling, and metres, of good fixes.
        ignition: 1 on, 0 off, -1 not said.
        driven_m: metres driven up to each fix.
        radius_m: a vehicle so near a spot is there.
    """
    if len(t_s) == 0:
        return []
    pauses = _pauses(t_s, x, y, ignition, spots, radius_m)
    edges = [None, *pauses, None]
    found: list[Trip] = []
    for before, after in pairwise(edges):
        first = 0 if before is None else before.last
        last = len(t_s) - 1 if after is None else after.first
        if last > first and driven_m[last] - driven_m[first] >= LEAST_TRIP_M:
            to = None if after is None else after.place_id
            ended: Ending = "day" if after is None else "ignition" if to is None else "place"
            origin = None if before is None else before.place_id
            found.append(Trip(first, last, origin, to, ended))
    return found


def _pauses(
    t_s: Floats,
    x: Floats,
    y: Floats,
    ignition: npt.NDArray[np.int8],
    spots: Sequence[Spot],
    radius_m: float,
) -> list[Pause]:
    """By time, none inside another; a place that is known goes before the engine."""
    near = [
        Pause(first, last, spot.id)
        for spot in spots
        for first, last in _runs(np.hypot(x - spot.x, y - spot.y) <= radius_m, t_s, STAY_S)
    ]
    off = [Pause(first, last, None) for first, last in _runs(ignition == 0, t_s, OFF_S)]
    found: list[Pause] = []
    for pause in sorted(near + off, key=lambda p: (p.first, p.place_id is None, p.last)):
        before = found[-1] if found else None
        if before is None or pause.first > before.last:
            found.append(pause)
        else:
            place = before.place_id or pause.place_id
            found[-1] = Pause(before.first, max(before.last, pause.last), place)
    return found


def _runs(inside: Bools, t_s: Floats, least_s: float) -> list[tuple[int, int]]:
    """First and last index of each stretch of True that lasts long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inside, [False]]).astype(np.int8)))
    return [
        (first, stop - 1)
        for first, stop in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True)
        if t_s[stop - 1] - t_s[first] >= least_s
    ]
