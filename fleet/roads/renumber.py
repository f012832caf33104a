"""Copies the roads of a network file under ids that the road engine can store."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import osmium

_NEGATIVE_BASE = 1 << 38
"""Ids of objects that were never uploaded are negative; the engine stores 40 bits, unsigned."""


def has_negative_ids(path: Path) -> bool:
    """Whether a node that was never uploaded (JOSM and generators number them below 0) is in it."""
    nodes: Any = osmium.FileProcessor(str(path), osmium.osm.NODE)
    return any(node.id < 0 for node in nodes)


def write_renumbered(source: Path, target: Path) -> None:
    """Copies highways, their nodes and the turn restrictions from `source` to `target`."""
    ways: Any = osmium.FileProcessor(str(source), osmium.osm.WAY)
    used = {n.ref for way in ways if "highway" in way.tags for n in way.nodes}
    writer = osmium.SimpleWriter(str(target))
    try:
        objects: Any = osmium.FileProcessor(str(source))
        for item in objects:
            if item.is_node() and item.id in used:
                writer.add_node(item.replace(id=_stored(item.id)))
            elif item.is_way() and "highway" in item.tags:
                refs = [_stored(n.ref) for n in item.nodes]
                writer.add_way(item.replace(id=_stored(item.id), nodes=refs))
            elif item.is_relation() and item.tags.get("type") == "restriction":
                members = [(m.type, _stored(m.ref), m.role) for m in item.members]
                writer.add_relation(item.replace(id=_stored(item.id), members=members))
    finally:
        writer.close()


def _stored(osm_id: int) -> int:
    return osm_id if osm_id >= 0 else _NEGATIVE_BASE - osm_id
