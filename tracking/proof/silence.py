"""Lanes that may have been served unseen while a unit was silent."""

from __future__ import annotations

import numpy as np

from tracking.proof.compiled import compiled
from tracking.proof.graph import CELL_M, Floats, GraphArrays, Ints

LONGEST_S = 600.0
"""After a longer silence only the lanes at its ends are named; the unit itself is in doubt."""


@compiled
def doubts(
    g: GraphArrays,
    x: Floats,
    y: Floats,
    t_in: Floats,
    t_out: Floats,
    lane_of_node: Ints,
    gap_s: float,
    serve_mps: float,
    between_mps: float,
) -> tuple[Ints, Floats, Floats, Floats]:
    """The time budget of each silence, spent on each lane near it.

    A lane is in doubt when there was time to get to it at `between_mps`, to serve some of it at
    `serve_mps`, and to get to where the unit was heard again.

    Returns:
        Lane, from, to, and the metres of it that may have been served.
    """
    room = 64
    lane, since = np.empty(room, np.int32), np.empty(room)
    until, hidden = np.empty(room), np.empty(room)
    count = 0
    scratch = 0
    from_a, from_b = np.empty(0), np.empty(0)
    near = np.empty(0, np.int32)
    for k in range(1, len(x)):
        silent_s = t_in[k] - t_out[k - 1]
        if silent_s <= gap_s:
            continue
        if scratch == 0:
            scratch = len(g.length)
            from_a, from_b = np.full(scratch, np.inf), np.full(scratch, np.inf)
            near = np.empty(scratch, np.int32)
        found = 0
        reach_m = between_mps * silent_s
        apart = np.hypot(x[k] - x[k - 1], y[k] - y[k - 1])
        if silent_s <= LONGEST_S and apart <= reach_m:
            # All of the way there and on lies within an ellipse around its ends.
            r0 = max(0, int((min(y[k], y[k - 1]) - (reach_m - apart) / 2 - g.south) // CELL_M))
            r1 = min(
                g.rows, int((max(y[k], y[k - 1]) + (reach_m - apart) / 2 - g.south) // CELL_M) + 1
            )
            c0 = max(0, int((min(x[k], x[k - 1]) - (reach_m - apart) / 2 - g.west) // CELL_M))
            c1 = min(
                g.columns,
                int((max(x[k], x[k - 1]) + (reach_m - apart) / 2 - g.west) // CELL_M) + 1,
            )
            for r in range(r0, r1):
                c = np.searchsorted(g.cell_key, r * g.columns + c0)
                while c < len(g.cell_key) and g.cell_key[c] < r * g.columns + c1:
                    for q in range(g.cell_first[c], g.cell_first[c + 1]):
                        p = g.cell_point[q]
                        of = g.lane_of_point[p]
                        if from_a[of] == np.inf:
                            near[found] = of
                            found += 1
                        from_a[of] = min(from_a[of], _distance(g, p, x[k - 1], y[k - 1]))
                        from_b[of] = min(from_b[of], _distance(g, p, x[k], y[k]))
                    c += 1
        for end in (k - 1, k):
            of = lane_of_node[end]
            if of >= 0 and from_a[of] == np.inf:
                near[found] = of
                found += 1
                # The unit was heard in it; how far it is from the other end matters less.
                from_a[of], from_b[of] = 0.0, min(apart, reach_m)
        for f in range(found):
            of = near[f]
            spare_s = silent_s - (from_a[of] + from_b[of]) / between_mps
            from_a[of] = from_b[of] = np.inf
            if spare_s <= 0:
                continue
            if count == len(lane):
                lane = np.concatenate((lane, np.empty(count, np.int32)))
                since = np.concatenate((since, np.empty(count)))
                until = np.concatenate((until, np.empty(count)))
                hidden = np.concatenate((hidden, np.empty(count)))
            lane[count], since[count], until[count] = of, t_out[k - 1], t_in[k]
            hidden[count] = min(g.length[of], spare_s * serve_mps)
            count += 1
    return lane[:count], since[:count], until[:count], hidden[:count]


@compiled
def _distance(g: GraphArrays, p: int, x: float, y: float) -> float:
    """Metres from a point to the segment that begins at point p."""
    dx, dy = g.x[p + 1] - g.x[p], g.y[p + 1] - g.y[p]
    share = ((x - g.x[p]) * dx + (y - g.y[p]) * dy) / (dx * dx + dy * dy)
    share = min(1.0, max(0.0, share))
    return float(np.hypot(x - g.x[p] - share * dx, y - g.y[p] - share * dy))
