"""Areas on the ground, and being in them: pure, on a plane in metres.

A circle, a polygon or a corridor (a line with half a width), or a depot or station, which is a
circle. Coming in counts after `dwell_s` inside, going out after `dwell_s` outside; a border's
noise is neither, because a fence is left only `LEAVE_M` outside of it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import shapely
from shapely.geometry import LineString, Point, Polygon
from shapely.geometry.base import BaseGeometry

from fleet.kit.geo import Plane

LEAVE_M = 15.0
CELL_DEG = 0.0025
"""About 250 m."""
NEAR_M = 100.0
"""A fence is looked at in the cells that this margin around it touches."""

type Cell = tuple[int, int]


@dataclass(frozen=True)
class Fence:
    """An area. `place_kind` None: drawn by an administrator, and told of by its rules."""

    id: str
    name: str
    shape: BaseGeometry
    """In metres; with `within_m` around it."""
    within_m: float
    dwell_s: float = 0.0
    place_kind: str | None = None
    rules: Mapping[str, Any] = field(default_factory=dict)

    def outside_m(self, x: float, y: float) -> float:
        """Metres to its border from outside; 0 or less inside."""
        return float(self.shape.distance(Point(x, y))) - self.within_m


def fence_of(
    plane: Plane,
    id: str,
    name: str,
    kind: str,
    geometry: Mapping[str, Any],
    radius_m: float,
    dwell_s: float,
    rules: Mapping[str, Any],
) -> Fence:
    """A fence from GeoJSON in degrees."""
    at = geometry["coordinates"]
    shape: BaseGeometry
    if kind == "circle":
        shape = Point(plane.to_m(at[0], at[1]))
    elif kind == "corridor":
        shape = LineString(plane.line(at))
    else:
        shape = Polygon(plane.line(at[0]), [plane.line(ring) for ring in at[1:]])
    shapely.prepare(shape)
    return Fence(id, name, shape, radius_m, dwell_s, None, rules)


def cells_of(plane: Plane, fence: Fence) -> list[Cell]:
    """The cells in which the fence must be looked at."""
    margin_m = fence.within_m + NEAR_M
    west, south, east, north = fence.shape.bounds
    low = cell_of(*plane.to_degrees(west - margin_m, south - margin_m))
    high = cell_of(*plane.to_degrees(east + margin_m, north + margin_m))
    return [(i, j) for i in range(low[0], high[0] + 1) for j in range(low[1], high[1] + 1)]


def cell_of(lon: float, lat: float) -> Cell:
    return math.floor(lon / CELL_DEG), math.floor(lat / CELL_DEG)


@dataclass(slots=True)
class Stay:
    """How one vehicle stands to one fence."""

    inside: bool = False
    since: datetime | None = None
    """When it was first seen on the other side, while that does not count yet."""
    entered_t: datetime | None = None
    dwell_told: bool = False

    def step(self, t: datetime, outside_m: float, dwell_s: float) -> bool | None:
        """Takes a position: True when it has come in, False when it has gone out."""
        crossed = outside_m > LEAVE_M if self.inside else outside_m <= 0
        if not crossed:
            self.since = None
            return None
        if self.since is None:
            self.since = t
        if t - self.since < timedelta(seconds=dwell_s):
            return None
        self.inside = not self.inside
        self.entered_t = self.since if self.inside else None
        self.since, self.dwell_told = None, False
        return self.inside
