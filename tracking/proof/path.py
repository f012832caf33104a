"""The way driven: stretches along one lane each, laid end to end on one axis of travel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tracking.proof.compiled import compiled
from tracking.proof.graph import Floats, GraphArrays, Ints
from tracking.proof.hmm import SAME, TURN, VIA
from tracking.proof.ways import way


@compiled
def travel(
    g: GraphArrays,
    chosen: Ints,
    hows: npt.NDArray[np.int8],
    chain: Ints,
    lane: Ints,
    direction: npt.NDArray[np.int8],
    along: Floats,
) -> tuple[Floats, Ints, Ints, npt.NDArray[np.int8], Floats, Floats, Floats, Ints]:
    """Unrolls the chosen states.

    Returns:
        z [nodes]: metres travelled since the first node, never falling; visit of each node
        [nodes] (-1: no lane). For each visit its lane, its direction, the z at which its lane
        begins, the z at which it was entered and left, and its chain.
    """
    n = len(chosen)
    z = np.zeros(n)
    visit = np.full(n, -1, np.int32)
    room = 64 + 2 * n
    v_lane, v_dir = np.empty(room, np.int32), np.empty(room, np.int8)
    v_zero, v_in, v_out = np.empty(room), np.empty(room), np.empty(room)
    v_chain = np.empty(room, np.int32)
    v = -1
    top = 0.0
    start = 0
    while start < n:
        stop = start + 1
        while stop < n and chain[stop] == chain[start]:
            stop += 1
        if chosen[start] < 0:
            z[start:stop] = top
            start = stop
            continue
        base = top
        v += 1
        s = chosen[start]
        v_lane[v], v_dir[v], v_chain[v] = lane[s], direction[s], chain[start]
        v_zero[v], v_in[v] = base - along[s], base
        z[start], visit[start] = base, v
        for k in range(start + 1, stop):
            i, j = chosen[k - 1], chosen[k]
            a, b, ua, ub = lane[i], lane[j], along[i], along[j]
            length = g.length[a]
            how = hows[k]
            if v + 40 >= len(v_lane):
                more = len(v_lane)
                v_lane = np.concatenate((v_lane, np.empty(more, np.int32)))
                v_dir = np.concatenate((v_dir, np.empty(more, np.int8)))
                v_zero = np.concatenate((v_zero, np.empty(more)))
                v_in = np.concatenate((v_in, np.empty(more)))
                v_out = np.concatenate((v_out, np.empty(more)))
                v_chain = np.concatenate((v_chain, np.empty(more, np.int32)))
            if how == SAME:
                z[k], visit[k] = v_zero[v] + ub, v
                continue
            if how == TURN:
                # Turned at the furthest point seen on the way there.
                turn = max(ua, length - ub)
                q = k - 1
                while q >= start and visit[q] == v:
                    turn = max(turn, min(length, z[q] - v_zero[v]))
                    q -= 1
                v_out[v] = v_zero[v] + turn
                v += 1
                v_in[v] = v_out[v - 1]
                v_zero[v] = v_in[v] - (length - turn)
            else:
                if how == VIA:
                    v_out[v] = v_zero[v] + length
                    node = g.ends[a, 1 - direction[i]]
                    at = v_out[v]
                else:
                    turn = min(length, max(0.0, ua))
                    v_out[v] = v_zero[v] + turn
                    v += 1
                    v_lane[v], v_dir[v], v_chain[v] = a, 1 - direction[i], chain[k]
                    v_in[v] = v_out[v - 1]
                    v_zero[v] = v_in[v] - (length - turn)
                    v_out[v] = v_zero[v] + length
                    node = g.ends[a, direction[i]]
                    at = v_out[v]
                enter = g.ends[b, direction[j]]
                while node != enter:
                    between = g.near_lane[way(g.near_first, g.near_node, node, enter)]
                    v += 1
                    against = 0 if g.ends[between, 0] == node else 1
                    v_lane[v], v_dir[v], v_chain[v] = between, against, chain[k]
                    v_zero[v], v_in[v] = at, at
                    at += g.length[between]
                    v_out[v] = at
                    node = g.ends[between, 1 - against]
                v += 1
                v_zero[v], v_in[v] = at, at
            v_lane[v], v_dir[v], v_chain[v] = b, direction[j], chain[k]
            z[k], visit[k] = v_zero[v] + ub, v
        v_out[v] = z[stop - 1]
        for k in range(start, stop):
            if visit[k] == v:
                v_out[v] = max(v_out[v], z[k])
        _pool(z, start, stop)
        # Pooling may draw the ends in; the first and the last visit are as long as seen.
        top = max(z[stop - 1], v_out[v])
        start = stop
    v += 1
    return z, visit, v_lane[:v], v_dir[:v], v_zero[:v], v_in[:v], v_out[:v], v_chain[:v]


@compiled
def _pool(z: Floats, start: int, stop: int) -> None:
    """The nearest sequence that never falls (pooled adjacent violators), in place."""
    mean, weight = np.empty(stop - start), np.empty(stop - start, np.int32)
    blocks = 0
    for k in range(start, stop):
        mean[blocks], weight[blocks] = z[k], 1
        blocks += 1
        while blocks > 1 and mean[blocks - 2] > mean[blocks - 1]:
            a, b = weight[blocks - 2], weight[blocks - 1]
            mean[blocks - 2] = (mean[blocks - 2] * a + mean[blocks - 1] * b) / (a + b)
            weight[blocks - 2] = a + b
            blocks -= 1
    k = start
    for block in range(blocks):
        for _ in range(weight[block]):
            z[k] = mean[block]
            k += 1
