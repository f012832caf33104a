"""Stretches of the way gathered to passes: one coming and going along one lane."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracking.proof.compiled import compiled
from tracking.proof.graph import Floats, GraphArrays, Ints

NEW_PASS_S = 90.0
"""After this long away from a lane, coming back is another pass."""
LONGEST_HALT_S = 900.0
"""After standing this long in a lane, driving on is another pass."""
JOIN_M = 15.0
SNAP_M = 5.0
SNAP_DEAD_END_M = 12.0
"""Pieces closer than this are one; one that ends this near a lane's end reaches it."""
CORNER_M, CORNER_SHARE = 12.0, 0.4
"""Service that begins or ends this near a junction, and within this share of its lane, does so at
the junction."""
MOUTH_M = 12.0
"""Less than this, and less than half of the lane, is the mouth of a side street, not a pass."""


@compiled
def runs(p: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """Stretches of travel on which service is likelier than not."""
    begin, end = np.empty(len(p)), np.empty(len(p))
    count = 0
    for q in range(len(p)):
        if p[q] < 0.5:
            continue
        if q == 0 or p[q - 1] < 0.5:
            begin[count] = low[q]
            count += 1
        end[count - 1] = high[q]
    return begin[:count], end[:count]


@compiled
def containing(v_out: Floats, first: int, stop: int, z: float) -> int:
    """The visit in which z lies."""
    low, high = first, stop - 1
    while low < high:
        middle = (low + high) // 2
        if v_out[middle] < z:
            low = middle + 1
        else:
            high = middle
    return low


@compiled
def snapped(v_in: Floats, v_out: Floats, first: int, stop: int, z: float) -> float:
    """Crews begin and end at junctions: an end of service near one is moved onto it."""
    v = containing(v_out, first, stop, z)
    reach = min(CORNER_M, CORNER_SHARE * (v_out[v] - v_in[v]))
    if z - v_in[v] <= reach and z - v_in[v] <= v_out[v] - z:
        return float(v_in[v])
    if v_out[v] - z <= reach:
        return float(v_out[v])
    return z


@compiled
def group(lane: Ints, start_s: Floats, end_s: Floats) -> tuple[Ints, Ints]:
    """Visits by lane and time, and where each pass begins among them."""
    n = len(lane)
    # Visits come by time, and a stable sort keeps that order.
    order = np.argsort(lane, kind="mergesort").astype(np.int32)
    first = np.empty(n + 1, np.int32)
    count = 0
    last_s = 0.0
    for i in range(n):
        v = order[i]
        new = i == 0 or lane[v] != lane[order[i - 1]]
        if not new:
            allowed = LONGEST_HALT_S if v == order[i - 1] + 1 else NEW_PASS_S
            new = start_s[v] - last_s > allowed
        if new:
            first[count] = i
            count += 1
            last_s = end_s[v]
        last_s = max(last_s, end_s[v])
    first[count] = n
    return order, first[: count + 1]


@compiled
def united(
    low: Floats, high: Floats, length: float, snap_low: float, snap_high: float
) -> tuple[Floats, Floats]:
    """The union of pieces in order; small holes closed, ends near the lane's ends drawn out."""
    n = len(low)
    order = np.argsort(low)
    a, b = np.empty(n), np.empty(n)
    count = 0
    join = min(JOIN_M, length / 3)
    for i in order:
        lo, hi = max(0.0, low[i]), min(length, high[i])
        if hi <= lo:
            continue
        if count > 0 and lo <= b[count - 1] + join:
            b[count - 1] = max(b[count - 1], hi)
        else:
            a[count], b[count] = lo, hi
            count += 1
    if count > 0:
        if a[0] <= min(snap_low, length / 4):
            a[0] = 0.0
        if b[count - 1] >= length - min(snap_high, length / 4):
            b[count - 1] = length
    return a[:count], b[:count]


@compiled
def snaps(g: GraphArrays, lane: int) -> tuple[float, float]:
    """How far noise may hide each end of a lane: further where the vehicle turns round."""
    low = SNAP_DEAD_END_M if g.degree[g.ends[lane, 0]] == 1 else SNAP_M
    high = SNAP_DEAD_END_M if g.degree[g.ends[lane, 1]] == 1 else SNAP_M
    return low, high


@compiled
def pieces_on(
    z_from: float, z_to: float, zero: float, direction: int, length: float
) -> tuple[float, float]:
    """Metres along the lane as drawn of a stretch of travel."""
    u0, u1 = max(0.0, z_from - zero), min(length, z_to - zero)
    return (u0, u1) if direction == 0 else (length - u1, length - u0)


Bytes = npt.NDArray[np.int8]
