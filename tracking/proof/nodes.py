"""Fixes to nodes of the search: standing fixes become one, speed and course are filled in."""

from __future__ import annotations

import math

import numpy as np

from tracking.proof.compiled import compiled
from tracking.proof.graph import Floats, Ints

STANDING_MPS = 0.5
HALT_WITHIN_M = 25.0
"""A unit that says it stands, this far from where the halt began, does not."""
CREEP_MPS = 3.0
"""Nor does one whose fixes go on at this speed."""
LEAST_STEP_S = 2.5
"""Fixes nearer in time than this say the same thing twice; the search looks at the first."""
COURSE_NOISE_M = 6.0
"""Spread of a step between two fixes, from which a course is derived."""
REPORTED_COURSE_DEG = 5.0


@compiled
def nodes_of(
    t: Floats, x: Floats, y: Floats, speed: Floats, course: Floats, gap_s: float
) -> tuple[Ints, Floats, Floats, Floats, Floats, Floats, Floats, Floats]:
    """Merges a track.

    Returns:
        Node of each fix [fixes] (-1: not a position), then for each node: first and last
        second, x, y, speed, course (NaN: unknown) and the course's spread, both in radians.
    """
    n = len(t)
    of = np.full(n, -1, np.int32)
    good = np.empty(n, np.int32)
    g = 0
    for i in range(n):
        if not (math.isfinite(x[i]) and math.isfinite(y[i])):
            continue
        if g > 0 and t[i] <= t[good[g - 1]]:
            continue
        good[g] = i
        g += 1
    t_in, t_out, nx, ny = np.empty(g), np.empty(g), np.empty(g), np.empty(g)
    ns, nc, spread = np.empty(g), np.empty(g), np.empty(g)
    k = -1
    count, first_x, first_y = 0, 0.0, 0.0
    was_standing = False
    for j in range(g):
        i = good[j]
        before = good[j - 1] if j > 0 and t[i] - t[good[j - 1]] <= gap_s else i
        after = good[j + 1] if j + 1 < g and t[good[j + 1]] - t[i] <= gap_s else i
        dt = t[after] - t[before]
        dx, dy = x[after] - x[before], y[after] - y[before]
        seen = math.hypot(dx, dy) / dt if dt > 0 else 0.0
        v = speed[i]
        reported = math.isfinite(v) and v >= 0
        if not reported or (v < STANDING_MPS and seen > CREEP_MPS):
            v = seen
        standing = v < STANDING_MPS
        heard = before != i
        if (
            k >= 0
            and heard
            and standing
            and was_standing
            and math.hypot(x[i] - first_x, y[i] - first_y) <= HALT_WITHIN_M
        ):
            count += 1
            nx[k] += (x[i] - nx[k]) / count
            ny[k] += (y[i] - ny[k]) / count
            t_out[k] = t[i]
            of[i] = k
            continue
        if k >= 0 and heard and not standing and not was_standing and t[i] - t_in[k] < LEAST_STEP_S:
            of[i] = k
            continue
        k += 1
        count, first_x, first_y, was_standing = 1, x[i], y[i], standing
        of[i] = k
        t_in[k] = t_out[k] = t[i]
        nx[k], ny[k], ns[k] = x[i], y[i], v
        moved = math.hypot(dx, dy)
        if math.isfinite(course[i]) and reported:
            nc[k] = math.radians(course[i])
            spread[k] = math.radians(REPORTED_COURSE_DEG)
        elif moved > 0:
            nc[k] = math.atan2(dx, dy)
            spread[k] = math.atan(COURSE_NOISE_M / moved)
        else:
            nc[k], spread[k] = math.nan, math.pi
    k += 1
    # A repeated or thinned-out fix shares the node before it.
    for i in range(1, n):
        if of[i] < 0 and math.isfinite(x[i]) and math.isfinite(y[i]):
            of[i] = of[i - 1]
    return of, t_in[:k], t_out[:k], nx[:k], ny[:k], ns[:k], nc[:k], spread[:k]
