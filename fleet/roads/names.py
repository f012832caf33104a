"""Names that people know places by: streets and landmarks, once each, for a search index."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely
from shapely import LineString, MultiLineString, STRtree

from fleet.kit.geo import METRES_PER_DEGREE, distance_m
from fleet.roads.network import LonLat, Network, names_of

SAME_PLACE_M = 300.0
"""Pieces of one name nearer to each other than this are one street, or one landmark."""


@dataclass(frozen=True, slots=True)
class Named:
    name: str
    name_hi: str
    kind: Literal["street", "landmark"]
    lon: float
    lat: float


def names(network: Network) -> list[Named]:
    """Streets at their middle and landmarks, each name once for each place that bears it."""
    return [*_streets(network), *_landmarks(network)]


def _streets(network: Network) -> Iterator[Named]:
    by_name: dict[tuple[str, str], list[LineString]] = defaultdict(list)
    for way in network.ways:
        name, name_hi = names_of(way.tags)
        if name:
            line = LineString([network.nodes[node] for node in way.nodes])
            by_name[name, name_hi].append(line)
    for (name, name_hi), lines in by_name.items():
        for group in _groups(lines):
            merged = shapely.line_merge(MultiLineString(group))
            longest = max(shapely.get_parts(merged), key=lambda line: line.length)
            middle = longest.interpolate(0.5, normalized=True)
            yield Named(name, name_hi, "street", round(middle.x, 7), round(middle.y, 7))


def _groups(lines: Sequence[LineString]) -> Iterable[list[LineString]]:
    """Lines that lie together, in a chain of neighbours."""
    near_degrees = SAME_PLACE_M / METRES_PER_DEGREE
    left, right = STRtree(lines).query(lines, predicate="dwithin", distance=near_degrees)
    neighbours: dict[int, list[int]] = defaultdict(list)
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        neighbours[a].append(b)
    unseen = np.ones(len(lines), bool)
    for start in range(len(lines)):
        stack, group = [start], []
        while stack:
            index = stack.pop()
            if unseen[index]:
                unseen[index] = False
                group.append(lines[index])
                stack.extend(neighbours[index])
        if group:
            yield group


def _landmarks(network: Network) -> Iterator[Named]:
    kept: dict[str, list[LonLat]] = defaultdict(list)
    for mark in network.landmarks:
        point = mark.lon, mark.lat
        if all(distance_m(*point, *other) > SAME_PLACE_M for other in kept[mark.name]):
            kept[mark.name].append(point)
            yield Named(mark.name, mark.name_hi, "landmark", *point)
