"""OpenStreetMap files written by hand for tests, as a generator or JOSM writes them: no versions,
ids below zero where a test wants them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from xml.sax.saxutils import quoteattr

type Node = tuple[float, float] | tuple[float, float, dict[str, str]]
type Ref = tuple[Sequence[int], dict[str, str]]


def write_osm(
    path: Path,
    nodes: Mapping[int, Node],
    ways: Mapping[int, Ref],
    multipolygons: Sequence[tuple[Sequence[tuple[int, str]], dict[str, str]]] = (),
) -> Path:
    """`nodes`: id → (lon, lat[, tags]); `ways`: id → (node ids, tags)."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="test">']
    for ref, (lon, lat, *tags) in nodes.items():
        inner = "".join(map(_tags, tags))
        lines.append(f'<node id="{ref}" lon="{lon}" lat="{lat}">{inner}</node>')
    for way, (refs, tags) in ways.items():
        inner = "".join(f'<nd ref="{ref}"/>' for ref in refs) + _tags(tags)
        lines.append(f'<way id="{way}">{inner}</way>')
    for number, (members, tags) in enumerate(multipolygons, start=1):
        inner = "".join(f'<member type="way" ref="{w}" role="{role}"/>' for w, role in members)
        inner += _tags({"type": "multipolygon", **tags})
        lines.append(f'<relation id="{number}">{inner}</relation>')
    lines.append("</osm>")
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _tags(tags: Mapping[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())


#   9              4 ──── 5
#   │              ↑      │
#  10 (bollard)    │      │
#   │              │      │
#   1 ──────────── 2 ──── 3 ──── 11        7 ── 8
#                  │
#                  6
TOWN_NODES: dict[int, Node] = {
    1: (75.800, 22.700),
    2: (75.802, 22.700),
    3: (75.804, 22.700),
    4: (75.802, 22.702),
    5: (75.804, 22.702),
    6: (75.802, 22.698),
    7: (75.830, 22.700),
    8: (75.832, 22.700),
    9: (75.800, 22.702),
    10: (75.800, 22.701, {"barrier": "bollard"}),
    11: (75.806, 22.700),
    12: (75.801, 22.7002, {"amenity": "hospital", "name": "City Hospital", "name:hi": "अस्पताल"}),
}
TOWN_WAYS: dict[int, Ref] = {
    1: ((1, 2, 3), {"highway": "residential", "name": "Main Road", "name:hi": "मुख्य मार्ग"}),
    2: ((2, 4), {"highway": "tertiary", "oneway": "yes", "name": "North Street"}),
    3: ((4, 5), {"highway": "residential"}),
    4: ((5, 3), {"highway": "residential"}),
    5: ((2, 6), {"highway": "service", "service": "alley", "width": "1.5 m", "name": "Old Galli"}),
    6: ((7, 8), {"highway": "residential", "name": "Island Road"}),
    7: ((1, 10, 9), {"highway": "residential"}),
    8: ((3, 11), {"highway": "residential", "access": "private"}),
}


def point(node: int) -> tuple[float, float]:
    lon, lat, *_ = TOWN_NODES[node]
    return lon, lat


def write_town(path: Path, *, negative: bool = False) -> Path:
    sign = -1 if negative else 1
    return write_osm(
        path,
        {sign * ref: node for ref, node in TOWN_NODES.items()},
        {sign * w: ([sign * ref for ref in refs], tags) for w, (refs, tags) in TOWN_WAYS.items()},
    )
