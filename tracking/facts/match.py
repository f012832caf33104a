"""The most likely lane and position of each fix: a small hidden Markov model.

Candidates are the lanes near a fix; nearness and heading speak for one, and so does a way from the
previous candidate that is as long as the vehicle moved. Provisional: no routes beyond one lane in
between, no direction in the state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from tracking.facts.lane_index import Floats, Ints, LaneIndex

CANDIDATES = 6
SIGMA_M = 9.0
"""Spread of fixes around the lane driven."""
BETA_M = 8.0
"""Scale on which the way between two fixes may differ from their distance."""
HEADING_SIGMA_DEG = 35.0
HEADING_FROM_MPS = 1.0
STANDING_MPS = 0.5
_BREAK_COST = 6.0
"""Price of a step between lanes that no single lane joins."""
_NONE = 1e9


@dataclass(frozen=True)
class Track:
    """A vehicle's good fixes by time, in metres; NaN where a device does not measure."""

    t_s: Floats
    x: Floats
    y: Floats
    speed_mps: Floats
    course_deg: Floats


@dataclass(frozen=True)
class Matched:
    """Halts merged to one node each: arrived, left, lane (-1: none near), metres along it."""

    in_s: Floats
    out_s: Floats
    x: Floats
    y: Floats
    lane: Ints
    along_m: Floats
    chain: Ints
    """Nodes of one chain follow each other without a gap or an unmatched node."""


def match(track: Track, index: LaneIndex, *, within_m: float, gap_s: float) -> Matched:
    """Matches a track.

    Args:
        within_m: how far a lane may be from a fix.
        gap_s: a longer silence starts a new chain.
    """
    nodes = _merge_halts(track, gap_s)
    n = len(nodes.t_in)
    lane, along, cost = _candidates(nodes, index, within_m)
    matched = np.full(n, -1, np.int64)
    position = np.zeros(n)
    present = lane[:, 0] >= 0
    joined = np.zeros(n, bool)
    joined[1:] = present[1:] & present[:-1] & (nodes.t_in[1:] - nodes.t_out[:-1] <= gap_s)
    steps = _steps(nodes, lane, along, joined, index)
    chain = np.cumsum(~joined) - 1
    for start, stop in _bounds(chain):
        if present[start]:
            best = _viterbi(cost[start:stop], steps[start + 1 : stop])
            rows = np.arange(start, stop)
            matched[rows] = lane[rows, best]
            position[rows] = along[rows, best]
    return Matched(nodes.t_in, nodes.t_out, nodes.x, nodes.y, matched, position, chain)


@dataclass(frozen=True)
class _Nodes:
    t_in: Floats
    t_out: Floats
    x: Floats
    y: Floats
    speed: Floats
    course: Floats


def _merge_halts(track: Track, gap_s: float) -> _Nodes:
    """One node for fixes in a row that stand still, at their mean; never across a gap."""
    dt = np.diff(track.t_s)
    heard = dt <= gap_s
    # Over two legs, for one is mostly noise; a leg across a gap says nothing of the speed.
    leg_s, leg_x, leg_y = (
        np.where(heard, leg, 0.0) for leg in (dt, np.diff(track.x), np.diff(track.y))
    )
    move_x, move_y = np.r_[leg_x, 0] + np.r_[0, leg_x], np.r_[leg_y, 0] + np.r_[0, leg_y]
    seen = np.hypot(move_x, move_y) / np.maximum(np.r_[leg_s, 0] + np.r_[0, leg_s], 1e-3)
    speed = np.where(np.isnan(track.speed_mps), seen, track.speed_mps)
    heading = np.degrees(np.arctan2(move_x, move_y)) % 360
    course = np.where(np.isnan(track.course_deg), heading, track.course_deg)
    standing = speed < STANDING_MPS
    first = np.r_[True, ~(standing[1:] & standing[:-1] & heard)]
    start = np.flatnonzero(first)
    count = np.diff(np.r_[start, len(first)])
    last = start + count - 1
    return _Nodes(
        track.t_s[start],
        track.t_s[last],
        np.add.reduceat(track.x, start) / count,
        np.add.reduceat(track.y, start) / count,
        speed[start],
        course[start],
    )


def _candidates(nodes: _Nodes, index: LaneIndex, within_m: float) -> tuple[Ints, Floats, Floats]:
    """Lane, metres along it and emission cost, each [nodes, CANDIDATES], cheapest first."""
    n = len(nodes.x)
    lane = np.full((n, CANDIDATES), -1, np.int64)
    along = np.zeros((n, CANDIDATES))
    cost = np.full((n, CANDIDATES), _NONE)
    point, found = index.near(nodes.x, nodes.y, within_m)
    if len(point) == 0:
        return lane, along, cost
    lines, points = index.lines[found], shapely.points(nodes.x[point], nodes.y[point])
    position = shapely.line_locate_point(lines, points)
    off_m = shapely.distance(lines, points)
    behind = shapely.get_coordinates(
        shapely.line_interpolate_point(lines, np.maximum(position - 5, 0))
    )
    ahead = shapely.get_coordinates(shapely.line_interpolate_point(lines, position + 5))
    bearing = np.degrees(np.arctan2(ahead[:, 0] - behind[:, 0], ahead[:, 1] - behind[:, 1]))
    # Either direction of the lane will do.
    turned = np.abs((nodes.course[point] - bearing + 90) % 180 - 90)
    moving = nodes.speed[point] >= HEADING_FROM_MPS
    emission = (off_m / SIGMA_M) ** 2 / 2
    emission += np.where(moving, (turned / HEADING_SIGMA_DEG) ** 2 / 2, 0.0)
    order = np.lexsort((emission, point))
    point, found = point[order], found[order]
    rank = np.arange(len(point)) - np.searchsorted(point, point)
    kept = rank < CANDIDATES
    at = point[kept], rank[kept]
    lane[at], along[at], cost[at] = found[kept], position[order][kept], emission[order][kept]
    return lane, along, cost


def _steps(
    nodes: _Nodes, lane: Ints, along: Floats, joined: npt.NDArray[np.bool_], index: LaneIndex
) -> Floats:
    """Cost [nodes, CANDIDATES, CANDIDATES] of coming from each candidate of the node before."""
    steps = np.zeros((len(lane), CANDIDATES, CANDIDATES))
    rows = np.flatnonzero(joined)
    if len(rows) == 0:
        return steps
    moved = np.hypot(nodes.x[rows] - nodes.x[rows - 1], nodes.y[rows] - nodes.y[rows - 1])
    a = np.broadcast_to(lane[rows - 1][:, :, None], (len(rows), CANDIDATES, CANDIDATES))
    b = np.broadcast_to(lane[rows][:, None, :], a.shape)
    usable = (a >= 0) & (b >= 0)
    from_m = np.broadcast_to(along[rows - 1][:, :, None], a.shape)[usable]
    to_m = np.broadcast_to(along[rows][:, None, :], a.shape)[usable]
    way_m, _, _, _ = ways(a[usable], from_m, b[usable], to_m, index)
    off = np.abs(way_m - np.broadcast_to(moved[:, None, None], a.shape)[usable])
    cost = np.full(a.shape, _NONE)
    cost[usable] = np.minimum(off / BETA_M, _BREAK_COST)
    steps[rows] = cost
    return steps


def ways(
    a: Ints, from_m: Floats, b: Ints, to_m: Floats, index: LaneIndex
) -> tuple[Floats, Ints, Ints, Ints]:
    """Shortest way between positions on two lanes through a shared end or one lane between.

    Returns:
        Metres (1e6 and more: none); the end (0 first, 1 last) at which a is left and b entered;
        the lane between, or -1. On the same lane the ends mean nothing.
    """
    pairs, inverse = np.unique(a * len(index.ids) + b, return_inverse=True)
    between_m, via = index.connections(pairs // len(index.ids), pairs % len(index.ids))
    to_end = np.stack([from_m, index.length_m[a] - from_m], axis=1)
    from_end = np.stack([to_m, index.length_m[b] - to_m], axis=1)
    total = (to_end[:, :, None] + between_m[inverse] + from_end[:, None, :]).reshape(-1, 4)
    best = np.argmin(total, axis=1)
    rows = np.arange(len(a))
    same = a == b
    way_m = np.where(same, np.abs(to_m - from_m), total[rows, best])
    lane = np.where(same, -1, via[inverse].reshape(-1, 4)[rows, best])
    return way_m, best // 2, best % 2, lane


def _viterbi(cost: Floats, steps: Floats) -> Ints:
    """Index of the best candidate of each node of a chain."""
    n = len(cost)
    back = np.zeros((n, CANDIDATES), np.int64)
    total = cost[0]
    columns = np.arange(CANDIDATES)
    for i in range(1, n):
        through = total[:, None] + steps[i - 1]
        back[i] = through.argmin(axis=0)
        total = through[back[i], columns] + cost[i]
    path = np.zeros(n, np.int64)
    path[-1] = int(total.argmin())
    for i in range(n - 1, 0, -1):
        path[i - 1] = back[i, path[i]]
    return path


def _bounds(chain: Ints) -> list[tuple[int, int]]:
    """[start, stop) of each run of equal numbers."""
    edges = np.flatnonzero(np.r_[True, chain[1:] != chain[:-1], True])
    return list(zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True))
