"""The city's lanes as a driver knows them, to find a way that the published route does not give."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simulators.motion import Plane, Point, length_m

AVOID = 40.0
"""A lane to be avoided counts as so many times its length: passed only where it must be."""


class StreetMap:
    """Lanes from `GET /api/lanes`, joined where their ends meet."""

    def __init__(self, plane: Plane, features: Iterable[Mapping[str, Any]]) -> None:
        self._lines: dict[str, list[Point]] = {}
        self._links: dict[Point, list[tuple[Point, str, bool]]] = defaultdict(list)
        self.plane = plane
        for feature in features:
            properties = feature["properties"]
            lane_id, line = str(properties["id"]), plane.line(feature["geometry"]["coordinates"])
            self._lines[lane_id] = line
            if properties.get("service_mode") == "feeder":
                continue
            a, b = _key(line[0]), _key(line[-1])
            self._links[a].append((b, lane_id, False))
            if not properties.get("oneway"):
                self._links[b].append((a, lane_id, True))

    def line(self, lane_id: str) -> list[Point] | None:
        return self._lines.get(lane_id)

    def way(
        self, start: Point, end: Point, avoid: frozenset[str] = frozenset()
    ) -> list[Point] | None:
        """Shortest line from one point to another over the lanes; None where none leads there."""
        if not self._links:
            return None
        source, target = self._nearest(start), self._nearest(end)
        cost: dict[Point, float] = {source: 0.0}
        came: dict[Point, tuple[Point, str, bool]] = {}
        queue = [(0.0, source)]
        while queue:
            so_far, node = heapq.heappop(queue)
            if node == target:
                return [start, *self._trace(came, source, target), end]
            if so_far > cost[node]:
                continue
            for neighbour, lane_id, backward in self._links[node]:
                metres = length_m(self._lines[lane_id]) * (AVOID if lane_id in avoid else 1.0)
                if so_far + metres < cost.get(neighbour, math.inf):
                    cost[neighbour] = so_far + metres
                    came[neighbour] = (node, lane_id, backward)
                    heapq.heappush(queue, (so_far + metres, neighbour))
        return None

    def _nearest(self, point: Point) -> Point:
        key = _key(point)
        return key if key in self._links else min(self._links, key=lambda n: math.dist(n, point))

    def _trace(
        self, came: Mapping[Point, tuple[Point, str, bool]], source: Point, node: Point
    ) -> list[Point]:
        pieces: list[Sequence[Point]] = []
        while node != source:
            node, lane_id, backward = came[node]
            line = self._lines[lane_id]
            pieces.append(line[::-1] if backward else line)
        return [source, *(point for piece in reversed(pieces) for point in piece)]


def _key(point: Point) -> Point:
    return round(point[0], 1), round(point[1], 1)
