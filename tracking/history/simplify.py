"""Fewer points for a trail, so that the vehicle is nowhere shown far from where it was. Pure.

Douglas and Peucker's splitting with the synchronised distance of Meratnia and de By (2004, there
"top-down time ratio"). A point counts as far from a chord when the vehicle, moving evenly along
the chord, would be far from it at that moment: halts stay halts, and between two kept points a page
may interpolate by time. All chords of one level are tried at once, which numpy does in a few
milliseconds for a day.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from fleet.kit.geo import METRES_PER_DEGREE
from tracking.fixes.columns import TrailColumns

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

_EQUATOR_M_PER_PIXEL = 156_543.034
"""Metres of a pixel of the web's map at zoom 0 on the equator, 256 pixels a tile."""


def kept(t_s: Floats, x: Floats, y: Floats, tolerance_m: float, cuts: Ints | None = None) -> Bools:
    """Which points of a trail to keep.

    Args:
        t_s, x, y: seconds, never falling, and metres; equal lengths.
        tolerance_m: how far the drawn vehicle may be from the true one at any point's time.
        cuts: indices that are kept in any case, such as both sides of a silence.

    Returns:
        A mask; the first and the last point are always kept.

    >>> line = np.array([0.0, 10.0, 20.0, 30.0])
    >>> kept(line, line, np.array([0.0, 0.1, 8.0, 0.0]), 5.0).tolist()
    [True, False, True, True]
    """
    count = len(t_s)
    keep = np.zeros(count, dtype=bool)
    if count == 0:
        return keep
    keep[[0, -1]] = True
    if cuts is not None:
        keep[cuts] = True
    ends = np.flatnonzero(keep)
    first, last = ends[:-1], ends[1:]
    while True:
        inner = last - first - 1
        first, last, inner = first[inner > 0], last[inner > 0], inner[inner > 0]
        if len(first) == 0:
            return keep
        begins = np.cumsum(inner) - inner
        chord = np.repeat(np.arange(len(first)), inner)
        at = np.arange(int(inner.sum())) - begins[chord] + first[chord] + 1
        off_2 = _off_2(t_s, x, y, at, first[chord], last[chord])
        worst = np.maximum.reduceat(off_2, begins)
        candidates = np.flatnonzero(off_2 >= worst[chord])
        _, earliest = np.unique(chord[candidates], return_index=True)
        split = worst > tolerance_m * tolerance_m
        middle = at[candidates[earliest]][split]
        keep[middle] = True
        first, last = (
            np.concatenate([first[split], middle]),
            np.concatenate([middle, last[split]]),
        )


def _off_2(t_s: Floats, x: Floats, y: Floats, at: Ints, first: Ints, last: Ints) -> Floats:
    """Squared metres between points and where the chord has the vehicle at their times."""
    took_s = t_s[last] - t_s[first]
    share = np.divide(t_s[at] - t_s[first], took_s, out=np.zeros(len(at)), where=took_s > 0)
    dx = x[first] + share * (x[last] - x[first]) - x[at]
    dy = y[first] + share * (y[last] - y[first]) - y[at]
    off_2: Floats = dx * dx + dy * dy
    return off_2


def tolerance_m(zoom: float, lat: float) -> float:
    """Metres of one pixel of the web's map.

    >>> round(tolerance_m(16, 22.7), 1)
    2.2
    """
    return float(_EQUATOR_M_PER_PIXEL * math.cos(math.radians(lat)) / 2.0**zoom)


def seen_at(trail: TrailColumns, zoom: float) -> TrailColumns:
    """What a map shows of a trail at a zoom: true to a pixel."""
    if len(trail) == 0:
        return trail
    lat = float(trail.lat[0])
    x = trail.lon * METRES_PER_DEGREE * math.cos(math.radians(lat))
    y = trail.lat * METRES_PER_DEGREE
    return trail.masked(kept(trail.t_ms / 1000, x, y, tolerance_m(zoom, lat)))
