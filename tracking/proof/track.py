"""A track, and what it proves."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from tracking.proof.calibration import DEFAULT, SPEED_EDGES_MPS, Calibration
from tracking.proof.graph import Floats, Ints, LaneGraph
from tracking.proof.kernel import (
    DRIVEN_FROM,
    DRIVEN_TO,
    END,
    FORWARD,
    HALTS,
    LANE,
    OFFSET,
    PACE,
    SERVED_TO,
    SERVICE,
    SLOW,
    STANDING,
    START,
    prove_track,
)
from tracking.proof.passes import NEW_PASS_S

GAP_S = 45.0
CADENCE_FACTOR = 1.5
"""A leg up to this multiple of a unit's own interval between fixes is no silence."""
SLOWEST_CADENCE_S = 90.0
HIDDEN_PACE, REACH_PACE = 1.15, 1.35
"""Unseen, a crew may have served a lane at this multiple of its usual speed, and on the whole have
come no further than this multiple of it: crews serve most of the time."""
_EDGES = np.array(SPEED_EDGES_MPS)


@dataclass(frozen=True)
class Track:
    """A vehicle's good fixes by time, in metres; NaN where a unit does not measure."""

    t_s: Floats
    x: Floats
    y: Floats
    speed_mps: Floats
    course_deg: Floats


type Intervals = tuple[tuple[float, float], ...]
"""Metres of a lane as drawn, in order, apart from each other."""


@dataclass(frozen=True)
class LanePass:
    """One pass along a lane; times in seconds since 1970, metres along the lane as drawn."""

    lane: int
    start_s: float
    end_s: float
    forward: bool
    driven_m: Intervals
    served_m: Intervals
    service_s: float = 0.0
    """Time at service pace, halts capped."""
    slow_m: float = math.nan
    """Way at a speed that is likelier in service, whatever was done before and after it; NaN: not
    kept, and the judgement goes by `served_m` alone."""
    halts: int = 0
    standing_s: float = 0.0
    """Time of its halts, each capped."""
    pace_mps: float = 0.0
    offset_m: float = 0.0
    """Root mean square of the fixes' distance from the lane."""
    gap: bool = False
    hidden_m: float = 0.0
    """Metres of the lane that may have been served in the silence."""


@dataclass(frozen=True)
class Proof:
    """What a track proves."""

    passes: list[LanePass]
    """By time."""
    lane_of_fix: Ints
    """-1: none near."""
    standing: npt.NDArray[np.bool_]
    """Fixes at which the vehicle stood."""
    speed_mps: Floats
    """Mean speed over the calibration's window, one sample each few seconds; NaN: unknown."""
    change: Floats
    """Probability that service began or ended just before the same samples."""
    p_serving: Floats
    """Probability of service at the same samples."""


def silence_s(track: Track, gap_s: float = GAP_S) -> float:
    """The leg that counts as a silence: longer where the unit seldom speaks."""
    if len(track.t_s) < 3:
        return gap_s
    legs = np.diff(track.t_s)
    legs = legs[legs > 0]
    if len(legs) == 0:
        return gap_s
    cadence_s = float(np.partition(legs, len(legs) // 2)[len(legs) // 2])
    return max(gap_s, CADENCE_FACTOR * min(cadence_s, SLOWEST_CADENCE_S))


def prove(
    track: Track,
    graph: LaneGraph,
    calibration: Calibration = DEFAULT,
    *,
    gap_s: float = GAP_S,
) -> Proof:
    """Passes of a track along lanes, with the parts of them that were driven and served.

    Args:
        track: sorted by time, on the graph's plane. Fixes with equal times or without a position
            are passed over.
        gap_s: a longer leg is a silence in which anything may have happened, unless the unit
            always speaks that seldom.
    """
    gap_s = silence_s(track, gap_s)
    table, intervals, doubt, lane_of_fix, speed, change, p, standing = prove_track(
        graph.arrays,
        np.ascontiguousarray(track.t_s, np.float64),
        np.ascontiguousarray(track.x, np.float64),
        np.ascontiguousarray(track.y, np.float64),
        np.ascontiguousarray(track.speed_mps, np.float64),
        np.ascontiguousarray(track.course_deg, np.float64),
        gap_s,
        calibration.window_s,
        calibration.halt_s,
        calibration.change_at_node,
        calibration.change_per_m,
        calibration.log_odds(),
        _EDGES,
        HIDDEN_PACE * calibration.serve_mps,
        REACH_PACE * calibration.serve_mps,
    )
    pieces = [tuple(pair) for pair in intervals.round(2).tolist()]
    passes = [_pass(row, pieces) for row in table.tolist()]
    if len(doubt):
        passes = _doubted(passes, doubt.tolist(), graph)
    passes.sort(key=lambda p: (p.start_s, p.lane))
    return Proof(passes, lane_of_fix, standing == 1, speed, change, p)


def _pass(row: list[float], pieces: list[tuple[float, ...]]) -> LanePass:
    driven, served, end = int(row[DRIVEN_FROM]), int(row[DRIVEN_TO]), int(row[SERVED_TO])
    return LanePass(
        int(row[LANE]),
        row[START],
        row[END],
        row[FORWARD] > 0,
        tuple(pieces[driven:served]),  # type: ignore[arg-type]
        tuple(pieces[served:end]),  # type: ignore[arg-type]
        row[SERVICE],
        row[SLOW],
        int(row[HALTS]),
        row[STANDING],
        row[PACE],
        row[OFFSET],
    )


def _doubted(passes: list[LanePass], doubts: list[list[float]], graph: LaneGraph) -> list[LanePass]:
    """Passes with the doubt that silences cast; a lane nobody was seen in gets a pass of its own.

    Served in plain sight stays served: such a lane is in no doubt.
    """
    by_lane: dict[int, list[int]] = {}
    for i, found in enumerate(passes):
        by_lane.setdefault(found.lane, []).append(i)
    result = list(passes)
    for of, since, until, hidden in doubts:
        lane = int(of)
        length = float(graph.length_m[lane])
        own = by_lane.get(lane, [])
        seen = metres(union([p for i in own for p in passes[i].served_m]))
        if length - seen <= WHOLE_WITHIN * length:
            continue
        for i in own:
            found = result[i]
            away_s = max(since - found.end_s, found.start_s - until)
            if away_s <= NEW_PASS_S:
                # Each silence is another chance to have served some of it.
                result[i] = replace(
                    found, gap=True, hidden_m=round(min(length, found.hidden_m + hidden), 1)
                )
                break
        else:
            result.append(
                LanePass(lane, since, until, True, (), (), gap=True, hidden_m=round(hidden, 1))
            )
    return result


WHOLE_WITHIN = 0.1
"""A lane of which no more than this share is missing was served as a whole."""


def union(pieces: list[tuple[float, float]]) -> Intervals:
    """Intervals in order, apart from each other."""
    found: list[tuple[float, float]] = []
    for low, high in sorted(pieces):
        if found and low <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], high)
        else:
            found.append((low, high))
    return tuple(found)


def metres(intervals: Intervals) -> float:
    return sum(high - low for low, high in intervals)
