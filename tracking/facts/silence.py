"""Lanes about which a silence leaves us in doubt."""

from __future__ import annotations

import numpy as np
import shapely

from tracking.facts.lane_index import LaneIndex
from tracking.facts.match import Matched

CREWS_PACE_MPS = 1.6
"""Mean speed of a vehicle that serves, halts included: what it may have done unseen."""
LONGEST_S = 600.0
"""After a longer silence only the lanes at its ends are named; the device itself is in doubt."""


def lanes_within_silences(
    matched: Matched, index: LaneIndex, gap_s: float
) -> list[tuple[int, float, float]]:
    """(lane, from, to) of lanes at either end of each silence, and of those served in it perhaps.

    A lane may have been served unseen when there was time to go to it, along it and on to where
    the vehicle was heard again, all at a crew's pace.
    """
    doubtful: list[tuple[int, float, float]] = []
    for i in np.flatnonzero(matched.in_s[1:] - matched.out_s[:-1] > gap_s).tolist():
        since, until = float(matched.out_s[i]), float(matched.in_s[i + 1])
        lanes = {int(lane) for lane in (matched.lane[i], matched.lane[i + 1]) if lane >= 0}
        reach_m = CREWS_PACE_MPS * (until - since)
        a, b = (shapely.Point(matched.x[k], matched.y[k]) for k in (i, i + 1))
        if until - since <= LONGEST_S and a.distance(b) <= reach_m:
            near = index.tree.query(a, predicate="dwithin", distance=reach_m)
            lines = index.lines[near]
            way_m = shapely.distance(lines, a) + index.length_m[near] + shapely.distance(lines, b)
            lanes.update(near[way_m <= reach_m].tolist())
        doubtful.extend((lane, since, until) for lane in sorted(lanes))
    return doubtful
