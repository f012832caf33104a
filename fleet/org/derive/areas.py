"""Which ward a street segment belongs to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry


def ward_indices(lines: Sequence[BaseGeometry], wards: Sequence[BaseGeometry]) -> list[int | None]:
    """Index of each line's ward: that of its middle, else the one that holds most of it.

    Lines and wards share one projection. Where two wards hold the middle, the first counts; None
    for a line outside all.

    >>> square = shapely.box(0, 0, 10, 10)
    >>> cross, away = shapely.LineString([(4, 4), (14, 4)]), shapely.LineString([(20, 0), (21, 0)])
    >>> ward_indices([cross, away], [square])
    [0, None]
    """
    found: list[int | None] = [None] * len(lines)
    if not lines or not wards:
        return found
    tree = STRtree(list(wards))
    middles = shapely.line_interpolate_point(list(lines), 0.5, normalized=True)
    for line, ward in sorted(tree.query(middles, "intersects").T.tolist(), reverse=True):
        found[line] = ward
    most: dict[int, float] = {}
    left = [i for i, ward in enumerate(found) if ward is None]
    outside = np.array([lines[i] for i in left], dtype=object)
    for position, ward in sorted(tree.query(outside, "intersects").T.tolist()):
        line = left[position]
        inside = lines[line].intersection(wards[ward]).length
        if inside > most.get(line, 0.0):
            most[line], found[line] = inside, ward
    return found
