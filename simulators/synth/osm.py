"""Writes the network as OSM XML, gzipped, byte for byte the same each time."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.sax.saxutils import quoteattr

from simulators.synth.streets import Way


def write_osm(
    path: Path,
    nodes: list[tuple[float, float]],
    node_tags: dict[int, dict[str, str]],
    ways: Iterable[Way],
) -> None:
    """Nodes (lon, lat), numbered from 1, and ways, numbered from 1, in the order given."""
    text = "".join(_lines(nodes, node_tags, ways)).encode()
    with path.open("wb") as raw, gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed:
        packed.write(text)


def _lines(
    nodes: list[tuple[float, float]], node_tags: dict[int, dict[str, str]], ways: Iterable[Way]
) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n<osm version="0.6" generator="safai synth">\n'
    for number, (lon, lat) in enumerate(nodes, 1):
        head = f'<node id="{number}" version="1" lat="{lat:.7f}" lon="{lon:.7f}"'
        if tags := node_tags.get(number):
            yield f"{head}>{_tags(tags)}</node>\n"
        else:
            yield f"{head}/>\n"
    for number, way in enumerate(ways, 1):
        refs = "".join(f'<nd ref="{node}"/>' for node in way.nodes)
        yield f'<way id="{number}" version="1">{refs}{_tags(way.tags)}</way>\n'
    yield "</osm>\n"


def _tags(tags: dict[str, str]) -> str:
    return "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())
