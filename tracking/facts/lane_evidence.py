"""Provisional lane facts by buffer and pace: how much of each lane was driven, and how slowly.

Evidence of service is the pace (halts included), not the presence: a lane that was only driven
through is covered as well. A silence proves nothing either way, so it is said (`gap`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracking.facts.lane_index import Floats, Ints, LaneIndex
from tracking.facts.match import Matched, Track, match, ways
from tracking.facts.silence import lanes_within_silences


@dataclass(frozen=True)
class Limits:
    """Thresholds; those that a city sets come from its policy."""

    buffer_m: float = 15.0
    """A lane is looked for within twice this distance: noise is wider than a kerb."""
    slow_mps: float = 2.4
    slow_beside: float = 1.4
    """Up to this multiple of `slow_mps` a stretch beside a slow one is slow too."""
    gap_s: float = 45.0
    pace_reach_m: float = 20.0
    """Pace is taken over this travel before and after a place."""
    halt_cap_s: float = 30.0
    """A halt counts no longer than this: waiting at a crossing is not service."""
    turn_m: float = 25.0
    """Going back this far along a lane is a turn; less is noise."""
    join_m: float = 15.0
    snap_m: float = 12.0
    """Pieces closer than this are one; one that ends this near a lane's end reaches it."""
    new_pass_s: float = 90.0
    """After this long away from a lane, coming back is another pass."""
    longest_halt_s: float = 900.0
    """After standing this long in a lane, driving on is another pass."""
    least_m: float = 12.0
    least_fraction: float = 0.15
    """Less than both is the mouth of a side street, not a pass."""


@dataclass(frozen=True)
class LanePass:
    """One pass along a lane; times in seconds since 1970, fractions of its length."""

    lane: int
    start_s: float
    end_s: float
    forward: bool
    served_fraction: float
    driven_fraction: float
    pace_mps: float
    gap: bool


@dataclass(frozen=True)
class _Pieces:
    """Stretches driven along one lane each, in order of time."""

    lane: Ints
    from_m: Floats
    to_m: Floats
    start_s: Floats
    end_s: Floats
    pace_mps: Floats


def lane_passes(track: Track, index: LaneIndex, limits: Limits) -> list[LanePass]:
    """The passes of one vehicle's track, sorted by time.

    Args:
        track: good fixes sorted by time.
        index: lanes that vehicles drive.
    """
    if len(track.t_s) == 0 or not index.ids:
        return []
    matched = match(track, index, within_m=2 * limits.buffer_m, gap_s=limits.gap_s)
    matched = _without_jitter(matched, limits.turn_m)
    pieces = _pieces(matched, index, limits)
    silences = lanes_within_silences(matched, index, limits.gap_s)
    passes = list(_passes(pieces, index, limits, silences)) if len(pieces.lane) else []
    for doubt in silences:
        # A pass beside the silence carries the doubt; else it is a fact of its own.
        if not any(_touches(doubt, p.lane, p.start_s, p.end_s, limits) for p in passes):
            lane, start_s, end_s = doubt
            passes.append(LanePass(lane, start_s, end_s, True, 0.0, 0.0, 0.0, True))
    return sorted(passes, key=lambda p: (p.start_s, p.lane))


def _without_jitter(matched: Matched, turn_m: float) -> Matched:
    """Positions along each lane made monotone between turns."""
    along = matched.along_m.copy()
    change = (matched.chain[1:] != matched.chain[:-1]) | (matched.lane[1:] != matched.lane[:-1])
    edges = np.flatnonzero(np.r_[True, change, True])
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        if stop - start < 3:
            continue
        for i, j in _legs(along[start:stop], turn_m):
            leg = along[start + i : start + j]
            along[start + i : start + j] = _monotone(leg)
    return Matched(
        matched.in_s, matched.out_s, matched.x, matched.y, matched.lane, along, matched.chain
    )


def _legs(s: Floats, turn_m: float) -> Iterator[tuple[int, int]]:
    """[i, j) of the stretches between turns; a turn goes back at least `turn_m`."""
    start, low, high = 0, 0, 0
    heading = 0
    for i in range(1, len(s)):
        if s[i] > s[high]:
            high = i
        if s[i] < s[low]:
            low = i
        if heading >= 0 and s[high] - s[i] >= turn_m and high > start:
            yield start, high + 1
            start, low, high, heading = high, i, high, -1
        elif heading <= 0 and s[i] - s[low] >= turn_m and low > start:
            yield start, low + 1
            start, low, high, heading = low, low, i, 1
        elif heading == 0 and abs(s[i] - s[start]) >= turn_m:
            heading = 1 if s[i] > s[start] else -1
        if heading > 0 and s[i] >= s[high]:
            low = i
        elif heading < 0 and s[i] <= s[low]:
            high = i
    yield start, len(s)


def _monotone(s: Floats) -> Floats:
    sign = 1.0 if s[-1] >= s[0] else -1.0
    up = s * sign
    mean: Floats = sign * (
        np.maximum.accumulate(up) + np.minimum.accumulate(up[::-1])[::-1]
    ) / 2  # fmt: skip
    return mean


def _pieces(matched: Matched, index: LaneIndex, limits: Limits) -> _Pieces:
    """What was driven from node to node, cut at junctions, with the pace around it."""
    rows = np.flatnonzero((matched.chain[1:] == matched.chain[:-1]) & (matched.lane[1:] >= 0)) + 1
    a, b = matched.lane[rows - 1], matched.lane[rows]
    from_m, to_m = matched.along_m[rows - 1], matched.along_m[rows]
    way_m, leave, enter, via = ways(a, from_m, b, to_m, index)
    # A way much longer than the fixes are apart was not driven: the matcher broke there.
    apart_m = np.hypot(matched.x[rows] - matched.x[rows - 1], matched.y[rows] - matched.y[rows - 1])
    same = a == b
    driven = same | (way_m <= apart_m + 4 * limits.buffer_m)
    step_m = np.where(driven, way_m, apart_m)

    travel = _travel(matched, rows, step_m, limits)
    before = travel.left_m[rows]
    found: list[tuple[Ints, Floats, Floats, Floats, Floats, Ints]] = []

    def add(
        mask: npt.NDArray[np.bool_], lane: Ints, start: Floats, stop: Floats, offset: Floats
    ) -> None:
        at = np.flatnonzero(mask)
        begin = before[at] + offset[at]
        length = np.abs(stop[at] - start[at])
        found.append((lane[at], start[at], stop[at], begin, begin + length, rows[at]))

    zero = np.zeros(len(rows))
    hop = driven & ~same
    exit_m = np.where(leave == 1, index.length_m[a], 0.0)
    entry_m = np.where(enter == 1, index.length_m[b], 0.0)
    via_m = np.where(via >= 0, index.length_m[via], 0.0)
    out_m = np.abs(exit_m - from_m)
    add(same, a, from_m, to_m, zero)
    add(hop, a, from_m, exit_m, zero)
    forward_via = index.ends[np.maximum(via, 0), 0] == index.ends[a, leave]
    add(
        hop & (via >= 0),
        via,
        np.where(forward_via, 0.0, via_m),
        np.where(forward_via, via_m, 0.0),
        out_m,
    )
    add(hop, b, entry_m, to_m, out_m + via_m)
    lane, start, stop, d0, d1, row = (np.concatenate(part) for part in zip(*found, strict=True))
    pace = travel.pace_mps((d0 + d1) / 2, row, limits.pace_reach_m)
    t0, t1 = matched.out_s[row - 1], matched.in_s[row]
    length = np.maximum(step_m[np.searchsorted(rows, row)], 1e-6)
    share0 = np.clip((d0 - travel.left_m[row]) / length, 0, 1)
    share1 = np.clip((d1 - travel.left_m[row]) / length, 0, 1)
    order = np.lexsort((d0, row))
    return _Pieces(
        lane[order],
        start[order],
        stop[order],
        (t0 + share0 * (t1 - t0))[order],
        (t0 + share1 * (t1 - t0))[order],
        pace[order],
    )


@dataclass(frozen=True)
class _Travel:
    """Metres driven from the first node on, and the time they took."""

    left_m: Floats
    """At which the node before each node was left."""
    at_m: Floats
    at_s: Floats
    """Arrival at and departure from each node: metres, and seconds with halts capped."""
    chain_from_m: Floats
    chain_to_m: Floats
    """Where each node's chain begins and ends."""

    def pace_mps(self, middle_m: Floats, node: Ints, reach_m: float) -> Floats:
        """Mean speed within a reach, not beyond the node's chain."""
        left = np.maximum(middle_m - reach_m, self.chain_from_m[node])
        right = np.minimum(middle_m + reach_m, self.chain_to_m[node])
        took_s = np.interp(right, self.at_m, self.at_s) - np.interp(left, self.at_m, self.at_s)
        pace: Floats = (right - left) / np.maximum(took_s, 1e-3)
        return pace


def _travel(matched: Matched, rows: Ints, step_m: Floats, limits: Limits) -> _Travel:
    n = len(matched.lane)
    step, leg_s = np.zeros(n), np.zeros(n)
    step[rows] = step_m
    leg_s[rows] = matched.in_s[rows] - matched.out_s[rows - 1]
    halt_s = np.minimum(matched.out_s - matched.in_s, limits.halt_cap_s)
    arrived_m = np.cumsum(step)
    arrived_s = np.cumsum(leg_s) + np.r_[0.0, np.cumsum(halt_s)[:-1]]
    # A halt takes no way; a hair of it keeps the interpolation single-valued.
    at_m = np.repeat(arrived_m, 2) + 1e-6 * np.arange(2 * n)
    at_s = np.column_stack([arrived_s, arrived_s + halt_s]).ravel()
    edges = np.flatnonzero(np.r_[True, matched.chain[1:] != matched.chain[:-1], True])
    count = np.diff(edges)
    first = np.repeat(arrived_m[edges[:-1]], count)
    last = np.repeat(arrived_m[edges[1:] - 1], count)
    return _Travel(arrived_m - step, at_m, at_s, first, last)


def _passes(
    pieces: _Pieces, index: LaneIndex, limits: Limits, silences: list[tuple[int, float, float]]
) -> Iterator[LanePass]:
    order = np.lexsort((pieces.start_s, pieces.lane))
    lane, start_s, end_s = pieces.lane[order], pieces.start_s[order], pieces.end_s[order]
    # Standing in the lane, with nothing driven in between, is not being away from it.
    allowed_s = np.where(np.diff(order) == 1, limits.longest_halt_s, limits.new_pass_s)
    away = start_s[1:] - end_s[:-1] > allowed_s
    edges = np.flatnonzero(np.r_[True, (lane[1:] != lane[:-1]) | away, True])
    for i, j in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        own, which = order[i:j], int(lane[i])
        length = float(index.length_m[which])
        begin, stop = pieces.from_m[own], pieces.to_m[own]
        driven_m = _covered(begin, stop, length, limits)
        if driven_m < min(limits.least_m, length / 2) or driven_m < limits.least_fraction * length:
            continue
        slow = _slow(pieces.pace_mps[own], limits)
        served_m = _covered(begin[slow], stop[slow], length, limits)
        first, last = float(start_s[i]), float(end_s[i:j].max())
        moved = (stop - begin)[slow] if slow.any() else stop - begin
        yield LanePass(
            which,
            first,
            last,
            float(moved.sum()) >= 0,
            round(served_m / length, 3),
            round(driven_m / length, 3),
            round(float(np.abs(stop - begin).sum()) / max(last - first, 1.0), 2),
            any(_touches(doubt, which, first, last, limits) for doubt in silences),
        )


def _touches(
    doubt: tuple[int, float, float], lane: int, start_s: float, end_s: float, limits: Limits
) -> bool:
    of, since_s, until_s = doubt
    away_s = max(since_s - end_s, start_s - until_s)
    return of == lane and away_s <= limits.new_pass_s


def _slow(pace_mps: Floats, limits: Limits) -> npt.NDArray[np.bool_]:
    """Which stretches, in order of time, were passed at service pace."""
    slow = pace_mps <= limits.slow_mps
    near = pace_mps <= limits.slow_mps * limits.slow_beside
    for order in (slice(None), slice(None, None, -1)):
        grown, may = slow[order], near[order]
        for i in range(1, len(grown)):
            grown[i] |= may[i] and grown[i - 1]
    return slow


def _covered(begin: Floats, stop: Floats, length: float, limits: Limits) -> float:
    """Metres of the union of stretches; small holes closed, ends near the lane's ends drawn out."""
    if len(begin) == 0:
        return 0.0
    low, high = np.minimum(begin, stop), np.maximum(begin, stop)
    order = np.argsort(low)
    low, high = low[order], np.maximum.accumulate(high[order])
    new = np.r_[True, low[1:] > high[:-1] + min(limits.join_m, length / 3)]
    starts = low[new]
    ends = high[np.r_[np.flatnonzero(new)[1:] - 1, len(high) - 1]]
    snap = min(limits.snap_m, length / 4)
    starts = np.where(starts <= snap, 0.0, starts)
    ends = np.where(ends >= length - snap, length, ends)
    return float(np.minimum(ends - starts, length).sum())
