"""A real network made harder: back-lanes beside real lanes, and dead-end stubs.

A back-lane runs parallel to a straight lane of 50-220 m at 15-30 m and joins the two cross streets
at its ends; a stub of 25-60 m leaves a lane about square. None comes within `CLEAR_M` of a street
that it does not join. Metres are on a plane around the network's middle.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import numpy.typing as npt
import shapely

from fleet.roads.lanes import LaneSegment, derive_lanes, is_street
from fleet.roads.network import LonLat, Network, Way
from fleet.roads.osm import read_network

type Floats = npt.NDArray[np.float64]

BACK_LANES, STUBS = 699, 956
BACK_OFFSET_M = (15.0, 30.0)
BACK_LENGTH_M = (50.0, 220.0)
STUB_M = (25.0, 60.0)
CLEAR_M = 12.0
TOWN_SEED = 20261125
_DEGREE_M = 111_320.0
_MINOR = frozenset({"residential", "living_street", "unclassified", "tertiary", "service", "road"})


@dataclass(frozen=True)
class Plane:
    lon: float
    lat: float

    def metres(self, lonlat: Sequence[Sequence[float]] | Floats) -> Floats:
        """[n, 2] of degrees → [n, 2] of metres east and north."""
        points = np.asarray(lonlat, dtype=float).reshape(-1, 2)
        return (points - (self.lon, self.lat)) * self._scale

    def degrees(self, xy: Floats) -> Floats:
        return np.asarray(xy, dtype=float).reshape(-1, 2) / self._scale + (self.lon, self.lat)

    @property
    def _scale(self) -> Floats:
        return np.array([_DEGREE_M * math.cos(math.radians(self.lat)), _DEGREE_M])


@dataclass(frozen=True)
class Arm:
    """A lane as left from one of its ends."""

    lane: int
    forward: bool
    to_node: int


@dataclass(frozen=True)
class Town:
    ways: tuple[Way, ...]
    points: Mapping[int, LonLat]
    plane: Plane
    back_lanes: int
    stubs: int
    lanes: list[LaneSegment] = field(repr=False)

    @cached_property
    def lines(self) -> list[Floats]:
        """Metres, one [n, 2] a lane."""
        return [self.plane.metres(lane.geometry) for lane in self.lanes]

    @cached_property
    def shapes(self) -> npt.NDArray[np.object_]:
        """The same as shapely lines."""
        return np.array([shapely.LineString(line) for line in self.lines], dtype=object)

    @cached_property
    def lengths(self) -> Floats:
        """Metres on the plane."""
        return np.array([length_m(line) for line in self.lines])

    @cached_property
    def arms(self) -> dict[int, list[Arm]]:
        """What leaves each node, against one-way streets too."""
        arms: dict[int, list[Arm]] = defaultdict(list)
        for number, lane in enumerate(self.lanes):
            if not lane.closed:
                arms[lane.from_node].append(Arm(number, True, lane.to_node))
                arms[lane.to_node].append(Arm(number, False, lane.from_node))
        return dict(arms)

    def write(self, path: Path) -> None:
        """The network as an OSM file that the road engine reads."""
        rows = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="proof">']
        rows += [
            f'<node id="{ref}" version="1" lat="{lat:.7f}" lon="{lon:.7f}"/>'
            for ref, (lon, lat) in sorted(self.points.items())
        ]
        for way in sorted(self.ways, key=lambda way: way.id):
            refs = "".join(f'<nd ref="{ref}"/>' for ref in way.nodes)
            tags = "".join(
                f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in sorted(way.tags.items())
            )
            rows.append(f'<way id="{way.id}" version="1">{refs}{tags}</way>')
        path.write_text("\n".join([*rows, "</osm>", ""]), encoding="utf-8")


def length_m(line: Floats) -> float:
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def plain(network: Network) -> Town:
    """The streets of a network as they are. Pieces of one way get ids of their own."""
    taken: set[int] = set()
    fresh = max((way.id for way in network.ways), default=0)
    ways = []
    for way in network.ways:
        if not is_street(way.tags):
            continue
        if way.id in taken:
            fresh += 1
            way = Way(fresh, way.nodes, way.tags)
        taken.add(way.id)
        ways.append(way)
    west, south, east, north = network.bbox
    plane = Plane((west + east) / 2, (south + north) / 2)
    used = {ref for way in ways for ref in way.nodes}
    points = {ref: network.nodes[ref] for ref in used}
    return Town(tuple(ways), points, plane, 0, 0, derive_lanes(ways, points))


def hardened(path: Path, back_lanes: int = BACK_LANES, stubs: int = STUBS) -> Town:
    """The network of a file with back-lanes and stubs; the same file gives the same town."""
    return harden(plain(read_network(path)), back_lanes, stubs)


def harden(town: Town, back_lanes: int, stubs: int) -> Town:
    draft = _Draft(town)
    draft.add_back_lanes(back_lanes)
    draft.add_stubs(stubs)
    return draft.town()


class _Draft:
    def __init__(self, town: Town) -> None:
        self._town = town
        self._rng = np.random.default_rng(TOWN_SEED)
        self._points = dict(town.points)
        self._next_node = max(self._points) + 1
        self._next_way = max(way.id for way in town.ways) + 1
        self._new_ways: list[Way] = []
        self._kinds = [0, 0]
        self._cut: set[int] = set()
        self._inserts: dict[tuple[int, int, int], list[tuple[float, int, int]]] = defaultdict(list)
        """By way and its two nodes, lower first: (metres from a node, new node, that node)."""
        self._streets = shapely.STRtree([shapely.LineString(line) for line in town.lines])
        self._added: list[shapely.LineString] = []

    def town(self) -> Town:
        """Puts the new nodes into the ways that they lie on."""
        ways = []
        for way in self._town.ways:
            nodes = [way.nodes[0]]
            for a, b in pairwise(way.nodes):
                put = self._inserts.get((way.id, min(a, b), max(a, b)), [])
                ordered = sorted(put, key=lambda p: p[0] if p[2] == a else -p[0])
                nodes += [node for _, node, _ in ordered]
                nodes.append(b)
            ways.append(Way(way.id, tuple(nodes), way.tags))
        every = (*ways, *self._new_ways)
        return Town(
            every,
            self._points,
            self._town.plane,
            self._kinds[0],
            self._kinds[1],
            derive_lanes(every, self._points),
        )

    def add_back_lanes(self, wanted: int) -> None:
        lanes, lengths = self._town.lanes, self._town.lengths
        for number in self._rng.permutation(len(lanes)):
            if self._kinds[0] >= wanted:
                return
            lane, line = lanes[number], self._town.lines[number]
            low, high = BACK_LENGTH_M
            straight = math.dist(line[0], line[-1]) > 0.985 * lengths[number]
            if lane.highway not in _MINOR or not low <= lengths[number] <= high or not straight:
                continue
            side = 1.0 if self._rng.random() < 0.5 else -1.0
            off_m = float(self._rng.uniform(*BACK_OFFSET_M))
            along = (line[-1] - line[0]) / math.dist(line[0], line[-1])
            feet = [
                self._foot(node, number, along * turn, side * turn, off_m)
                for node, turn in ((lane.from_node, 1.0), (lane.to_node, -1.0))
            ]
            if feet[0] is None or feet[1] is None or feet[0][0] == feet[1][0]:
                continue
            (cross_a, a), (cross_b, b) = feet[0], feet[1]
            shape = shapely.LineString([self._at(cross_a, a), self._at(cross_b, b)])
            if not self._is_clear(shape, {int(number), cross_a, cross_b}, off_m - 3.0):
                continue
            ends = [self._split(cross_a, a), self._split(cross_b, b)]
            self._add(ends, shape, {"highway": "residential", "name": "back-lane"}, 0)

    def add_stubs(self, wanted: int) -> None:
        lanes, lengths = self._town.lanes, self._town.lengths
        for number in self._rng.permutation(len(lanes)):
            if self._kinds[1] >= wanted:
                return
            if (
                number in self._cut
                or lanes[number].highway not in _MINOR
                or not 45 <= lengths[number] <= 300
            ):
                continue
            at_m = float(self._rng.uniform(0.3, 0.7) * lengths[number])
            foot, ahead = self._at(number, at_m), self._at(number, at_m + 1.0)
            turn = math.radians(self._rng.uniform(75, 105)) * self._rng.choice([-1, 1])
            heading = math.atan2(*(ahead - foot)[::-1]) + turn
            reach = float(self._rng.uniform(*STUB_M))
            end = foot + reach * np.array([math.cos(heading), math.sin(heading)])
            shape = shapely.LineString([foot, end])
            if not self._is_clear(shape, {int(number)}, CLEAR_M):
                continue
            tip = self._node(end)
            self._add([self._split(number, at_m), tip], shape, {"highway": "residential"}, 1)

    def _foot(
        self, node: int, lane: int, along: Floats, side: float, off_m: float
    ) -> tuple[int, float] | None:
        """The street that leaves `node` on that side, and how far along it a parallel starts."""
        for arm in self._town.arms.get(node, ()):
            if arm.lane == lane or arm.lane in self._cut:
                continue
            line, total = self._town.lines[arm.lane], self._town.lengths[arm.lane]
            if not arm.forward:
                line = line[::-1]
            away = line[1] - line[0]
            away = away / (np.hypot(*away) or 1.0)
            sine = side * (along[0] * away[1] - along[1] * away[0])
            if sine < math.sin(math.radians(55)):
                continue
            reach = off_m / sine
            # The street is straight up to the foot, and goes on behind it.
            if math.dist(line[0], line[1]) < reach + 3 or total < reach + 15:
                continue
            return arm.lane, float(reach if arm.forward else total - reach)
        return None

    def _at(self, lane: int, at_m: float) -> Floats:
        return point_at(self._town.lines[lane], at_m)

    def _is_clear(self, shape: shapely.LineString, joins: set[int], clear_m: float) -> bool:
        # Near its ends it may touch what its street goes on to behind the next junction.
        ends = shapely.MultiPoint([shape.coords[0], shape.coords[-1]])
        free = shape.difference(ends.buffer(CLEAR_M + 2))
        near = self._streets.query(free, predicate="dwithin", distance=CLEAR_M)
        if any(int(other) not in joins for other in near):
            return False
        crossed = self._streets.query(shape, predicate="crosses")
        if any(int(other) not in joins for other in crossed):
            return False
        return not any(other.dwithin(shape, max(CLEAR_M, clear_m)) for other in self._added)

    def _split(self, lane: int, at_m: float) -> int:
        """A new node on a lane."""
        self._cut.add(int(lane))
        line = self._town.lines[lane]
        steps = np.hypot(*np.diff(line, axis=0).T)
        ends = np.cumsum(steps)
        piece = min(int(np.searchsorted(ends, at_m)), len(steps) - 1)
        a, b = self._town.lanes[lane].nodes[piece : piece + 2]
        node = self._node(self._at(lane, at_m))
        along_m = at_m - (ends[piece] - steps[piece])
        self._inserts[self._town.lanes[lane].way, min(a, b), max(a, b)].append((along_m, node, a))
        return node

    def _node(self, xy: Floats) -> int:
        lon, lat = self._town.plane.degrees(xy)[0]
        self._points[self._next_node] = (round(float(lon), 7), round(float(lat), 7))
        self._next_node += 1
        return self._next_node - 1

    def _add(
        self, nodes: Sequence[int], shape: shapely.LineString, tags: dict[str, str], kind: int
    ) -> None:
        self._new_ways.append(Way(self._next_way, tuple(nodes), tags))
        self._next_way += 1
        self._added.append(shape)
        self._kinds[kind] += 1


def point_at(line: Floats, at_m: float) -> Floats:
    """The point at a distance along a line, held to its ends."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    ends = np.concatenate(([0.0], np.cumsum(steps)))
    return np.array([np.interp(at_m, ends, line[:, 0]), np.interp(at_m, ends, line[:, 1])])
