"""Street segments between junctions, derived from a network."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from pyproj import Geod

from fleet.roads.network import LonLat, Network, Tags, Way, names_of
from fleet.roads.widths import width_of

STREETS = frozenset(
    {
        *("motorway", "trunk", "primary", "secondary", "tertiary"),
        *("motorway_link", "trunk_link", "primary_link", "secondary_link", "tertiary_link"),
        *("unclassified", "residential", "living_street", "road", "service"),
        *("pedestrian", "track"),
    }
)
"""Highway classes that have addresses on them or lead a vehicle to some."""

_GEOD = Geod(ellps="WGS84")
_ONEWAY_KEYS = ("oneway:motorcar", "oneway:motor_vehicle", "oneway:vehicle", "oneway")
_ACCESS_KEYS = ("motorcar", "motor_vehicle", "vehicle", "access")
PRIVATE_ACCESS = frozenset({"private", "customers", "permit", "residents", "delivery"})
CLOSED_ACCESS = frozenset({"no", "military", "emergency", "agricultural", "forestry"})


@dataclass(frozen=True, slots=True)
class LaneSegment:
    """A piece of street between two junctions, in driving direction where it is one-way."""

    id: str
    """"w{way}:{from}:{to}"; a way that joins the same junctions again appends ":2", ":3"…"""
    way: int
    from_node: int
    to_node: int
    nodes: tuple[int, ...]
    geometry: tuple[LonLat, ...]
    length_m: float
    highway: str
    name: str
    name_hi: str
    oneway: bool
    width_m: float
    width_tagged: bool
    service: str
    """The `service` tag (alley, driveway, parking_aisle…) or ""."""
    private: bool
    closed: bool
    """No motor vehicle may enter at all."""
    dead_end: bool
    """One of its ends leads nowhere else."""


def oneway_of(tags: Tags) -> int:
    """1: along the way only, -1: against it only, 0: both. As the road engine reads it."""
    tagged = next((tags[key] for key in _ONEWAY_KEYS if key in tags), None)
    if tagged == "-1":
        return -1
    if tagged in {"yes", "1", "true"}:
        return 1
    implied = tags.get("highway") == "motorway" or tags.get("junction") in {
        "roundabout",
        "circular",
    }
    return int(implied and tagged != "no")


def is_street(tags: Tags) -> bool:
    return tags.get("highway") in STREETS and tags.get("area") != "yes"


def lanes_of(network: Network) -> list[LaneSegment]:
    """All lanes of a network, in the order of its ways and along each way."""
    return derive_lanes([w for w in network.ways if is_street(w.tags)], network.nodes)


def derive_lanes(ways: Iterable[Way], points: Mapping[int, LonLat]) -> list[LaneSegment]:
    """Cuts `ways` at junctions: their ends, and nodes that are used more than once."""
    ways = list(ways)
    uses = Counter(node for way in ways for node in way.nodes)
    seen: Counter[str] = Counter()
    lanes = []
    for way in ways:
        direction = oneway_of(way.tags)
        for nodes in _segments(way.nodes, uses, points):
            nodes = nodes[::-1] if direction < 0 else nodes
            lanes.append(_lane(way, nodes, points, oneway=direction != 0, seen=seen))
    return _with_dead_ends(lanes)


def length_m(points: Sequence[LonLat]) -> float:
    """Geodesic length of a line; 0 for less than two points."""
    if len(points) < 2:
        return 0.0
    return float(_GEOD.line_length([p[0] for p in points], [p[1] for p in points]))


def _segments(
    nodes: tuple[int, ...], uses: Mapping[int, int], points: Mapping[int, LonLat]
) -> Iterator[tuple[int, ...]]:
    cuts = [0, *(i for i in range(1, len(nodes) - 1) if uses[nodes[i]] > 1), len(nodes) - 1]
    for start, end in pairwise(cuts):
        segment = nodes[start : end + 1]
        if segment[0] == segment[-1] and len(segment) > 2:
            middle = _middle(segment, points)
            yield segment[: middle + 1]
            yield segment[middle:]
        else:
            yield segment


def _middle(nodes: tuple[int, ...], points: Mapping[int, LonLat]) -> int:
    """Index of the inner node that halves a loop best."""
    lengths = [length_m([points[a], points[b]]) for a, b in pairwise(nodes)]
    half, walked, best, best_gap = sum(lengths) / 2, 0.0, 1, float("inf")
    for index, step_m in enumerate(lengths[:-1], start=1):
        walked += step_m
        if abs(walked - half) < best_gap:
            best, best_gap = index, abs(walked - half)
    return best


def _lane(
    way: Way,
    nodes: tuple[int, ...],
    points: Mapping[int, LonLat],
    *,
    oneway: bool,
    seen: Counter[str],
) -> LaneSegment:
    key = f"w{way.id}:{nodes[0]}:{nodes[-1]}"
    seen[key] += 1
    geometry = tuple(points[node] for node in nodes)
    name, name_hi = names_of(way.tags)
    width_m, width_tagged = width_of(way.tags)
    access = next((way.tags[key] for key in _ACCESS_KEYS if key in way.tags), "")
    return LaneSegment(
        id=key if seen[key] == 1 else f"{key}:{seen[key]}",
        way=way.id,
        from_node=nodes[0],
        to_node=nodes[-1],
        nodes=nodes,
        geometry=geometry,
        length_m=length_m(geometry),
        highway=way.tags.get("highway", ""),
        name=name,
        name_hi=name_hi,
        oneway=oneway,
        width_m=width_m,
        width_tagged=width_tagged,
        service=way.tags.get("service", ""),
        private=access in PRIVATE_ACCESS,
        closed=access in CLOSED_ACCESS,
        dead_end=False,
    )


def _with_dead_ends(lanes: Sequence[LaneSegment]) -> list[LaneSegment]:
    ends = Counter(node for lane in lanes for node in (lane.from_node, lane.to_node))
    return [
        replace(lane, dead_end=True) if 1 in (ends[lane.from_node], ends[lane.to_node]) else lane
        for lane in lanes
    ]
