"""Ways on foot from where a vehicle stands."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from fleet.roads.lanes import LaneSegment


@dataclass(frozen=True, slots=True)
class Walk:
    """The way on foot from where a vehicle stands: its node, and metres to there."""

    node: int
    metres: float


def walks(starts: Collection[int], lanes: Iterable[LaneSegment]) -> Mapping[int, Walk]:
    """For each node that `lanes` join to one of `starts`: the nearest start, along the lanes."""
    beside: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for lane in lanes:
        beside[lane.from_node].append((lane.to_node, lane.length_m))
        beside[lane.to_node].append((lane.from_node, lane.length_m))
    found: dict[int, Walk] = {}
    queue = [(0.0, start, start) for start in sorted(starts)]
    while queue:
        metres, start, node = heapq.heappop(queue)
        if node in found:
            continue
        found[node] = Walk(start, metres)
        for neighbour, step_m in beside.get(node, ()):
            if neighbour not in found:
                heapq.heappush(queue, (metres + step_m, start, neighbour))
    return found
