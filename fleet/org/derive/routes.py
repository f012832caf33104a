"""Which lanes a beat serves, and in which order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import shapely
from shapely import LineString, Point, STRtree
from shapely.geometry.base import BaseGeometry


@dataclass(frozen=True, slots=True)
class BeatShape:
    """A beat in metres: a point or line through its landmarks, or the area that it covers."""

    id: str
    shift: str
    shape: BaseGeometry
    ward_indices: frozenset[int]
    """Wards that it touches; its lanes lie in them."""


def lanes_of_beats(
    beats: Sequence[BeatShape], lines: Sequence[BaseGeometry], wards: Sequence[int]
) -> dict[str, list[int]]:
    """Indices of each beat's lanes in customary order.

    Within a shift a lane belongs to the nearest beat that touches its ward (inside an area: 0 m);
    lanes follow each other as they lie along the beat's line, or by nearness inside an area.
    """
    if not beats or not lines:
        return {beat.id: [] for beat in beats}
    middles: list[Point] = shapely.line_interpolate_point(
        list(lines), 0.5, normalized=True
    ).tolist()
    members: dict[str, list[int]] = defaultdict(list)
    for shift in sorted({beat.shift for beat in beats}):
        same = [beat for beat in beats if beat.shift == shift]
        for i, middle in enumerate(middles):
            near = [
                (beat.shape.distance(middle), beat.id)
                for beat in same
                if wards[i] in beat.ward_indices and not _beyond(beat.shape, middle)
            ]
            if near:
                members[min(near)[1]].append(i)
    return {beat.id: _ordered(beat.shape, members[beat.id], middles) for beat in beats}


def _beyond(shape: BaseGeometry, point: Point) -> bool:
    """An area says exactly where it ends; a line does not."""
    return shape.area > 0 and not shape.covers(point)


def _ordered(shape: BaseGeometry, members: Sequence[int], middles: Sequence[Point]) -> list[int]:
    if isinstance(shape, LineString):
        return sorted(members, key=lambda i: (shape.project(middles[i]), i))
    left = sorted(members)
    ordered: list[int] = []
    here = Point(shape.bounds[0], shape.bounds[1])
    while left:
        tree = STRtree([middles[i] for i in left])
        here_index = int(tree.nearest(here))
        ordered.append(left.pop(here_index))
        here = middles[ordered[-1]]
    return ordered
