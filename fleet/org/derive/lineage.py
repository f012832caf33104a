"""Which lanes of a new map took the place of one that vanished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from shapely import STRtree
from shapely.geometry.base import BaseGeometry

WITHIN_M: Final = 12.0
"""How far a redrawn street may lie from the old one."""
OVERLAP_SHARE: Final = 0.5
"""Share of the shorter of both that must run along the other."""


def successors(
    gone: Mapping[str, BaseGeometry], present: Mapping[str, BaseGeometry]
) -> dict[str, list[str]]:
    """Ids of present lanes that run along each vanished one, sorted; lines in metres.

    >>> from shapely import LineString
    >>> old = {"a": LineString([(0, 0), (100, 0)])}
    >>> new = {"b": LineString([(0, 1), (50, 1)]), "c": LineString([(50, 1), (50, 90)])}
    >>> successors(old, new)
    {'a': ['b']}
    """
    ids = sorted(present)
    tree = STRtree([present[lane_id] for lane_id in ids])
    found: dict[str, list[str]] = {}
    for gone_id, line in gone.items():
        beside = line.buffer(WITHIN_M, cap_style="flat")
        heirs = []
        for index in sorted(tree.query(beside, "intersects").tolist()):
            other = present[ids[index]]
            shorter = min(line.length, other.length)
            if other.intersection(beside).length >= OVERLAP_SHARE * shorter > 0:
                heirs.append(ids[index])
        found[gone_id] = heirs
    return found
