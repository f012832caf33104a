"""Shortest ways between the ends of lanes, whatever their direction, up to a length."""

from __future__ import annotations

import heapq

import numpy as np
import numpy.typing as npt

from tracking.proof.compiled import compiled

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]


def near_ends(
    ends: Ints, length: Floats, nodes: int, within_m: float
) -> tuple[Ints, Ints, Singles, Ints]:
    """For each node its neighbours within `within_m`, by number.

    Returns:
        Where each node's neighbours begin [nodes + 1]; neighbour, metres, first lane on the way.
        A node is not its own neighbour.
    """
    both = np.concatenate([ends, ends[:, ::-1]]).reshape(-1, 2)
    lane = np.tile(np.arange(len(ends), dtype=np.int32), 2)
    order = np.argsort(both[:, 0], kind="stable")
    first = np.searchsorted(both[order, 0], np.arange(nodes + 1)).astype(np.int32)
    return _near_ends(first, both[order, 1].copy(), lane[order], length, nodes, within_m)


@compiled
def _near_ends(
    first: Ints, other: Ints, lane: Ints, length: Floats, nodes: int, within_m: float
) -> tuple[Ints, Ints, Singles, Ints]:
    """Dijkstra from every node."""
    far = np.float64(np.inf)
    best = np.full(nodes, far)
    via = np.full(nodes, -1, np.int32)
    begins = np.zeros(nodes + 1, np.int32)
    found = np.empty(max(16, nodes * 16), np.int32)
    metres = np.empty(len(found), np.float32)
    lanes = np.empty(len(found), np.int32)
    n = 0
    touched = np.empty(nodes, np.int32)
    for source in range(nodes):
        heap = [(0.0, np.int32(source))]
        best[source] = 0.0
        touched[0] = source
        count = 1
        while len(heap) > 0:
            at_m, node = heapq.heappop(heap)
            if at_m > best[node]:
                continue
            for k in range(first[node], first[node + 1]):
                there, there_m = other[k], at_m + length[lane[k]]
                if there_m <= within_m and there_m < best[there]:
                    if best[there] == far:
                        touched[count] = there
                        count += 1
                    best[there] = there_m
                    via[there] = lane[k] if node == source else via[node]
                    heapq.heappush(heap, (there_m, there))
        reached = np.sort(touched[:count])
        while n + count > len(found):
            found = np.concatenate((found, np.empty(len(found), np.int32)))
            metres = np.concatenate((metres, np.empty(len(metres), np.float32)))
            lanes = np.concatenate((lanes, np.empty(len(lanes), np.int32)))
        for node in reached:
            if node != source:
                found[n], metres[n], lanes[n] = node, best[node], via[node]
                n += 1
            best[node] = far
            via[node] = -1
        begins[source + 1] = n
    return begins, found[:n].copy(), metres[:n].copy(), lanes[:n].copy()


@compiled
def way(first: Ints, node: Ints, a: int, b: int) -> int:
    """Index of the way from node a to node b in the list of neighbours; -1: too far."""
    low, high = first[a], first[a + 1]
    end = high
    while low < high:
        middle = (low + high) >> 1
        if node[middle] < b:
            low = middle + 1
        else:
            high = middle
    return low if low < end and node[low] == b else -1
