"""A plane that touches the earth, in metres: good to a percent over a city."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import overload

import numpy as np
import numpy.typing as npt

type Floats = npt.NDArray[np.float64]

METRES_PER_DEGREE = 111_320.0
"""Metres of a degree of latitude; of longitude this times the cosine of the latitude."""


def distance_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Metres between two positions less than some tens of kilometres apart.

    >>> round(distance_m(75.86, 22.72, 75.86, 22.73))
    1113
    """
    x = (lon_b - lon_a) * math.cos(math.radians((lat_a + lat_b) / 2))
    return math.hypot(x, lat_b - lat_a) * METRES_PER_DEGREE


@dataclass(frozen=True, slots=True)
class Plane:
    """Metres east and north of a point in degrees; single values and arrays alike.

    >>> plane = Plane(75.86, 22.72)
    >>> [round(m) for m in plane.to_m(75.87, 22.73)]
    [1027, 1113]
    >>> plane.to_degrees(0.0, 0.0)
    (75.86, 22.72)
    """

    lon: float
    lat: float
    east_m: float = field(init=False, repr=False, compare=False)
    """Metres of a degree of longitude."""

    def __post_init__(self) -> None:
        east_m = METRES_PER_DEGREE * math.cos(math.radians(self.lat))
        object.__setattr__(self, "east_m", east_m)

    @overload
    def to_m(self, lon: float, lat: float) -> tuple[float, float]: ...
    @overload
    def to_m(self, lon: Floats, lat: Floats) -> tuple[Floats, Floats]: ...
    def to_m(
        self, lon: float | Floats, lat: float | Floats
    ) -> tuple[float | Floats, float | Floats]:
        """x east and y north."""
        return (lon - self.lon) * self.east_m, (lat - self.lat) * METRES_PER_DEGREE

    @overload
    def to_degrees(self, x: float, y: float) -> tuple[float, float]: ...
    @overload
    def to_degrees(self, x: Floats, y: Floats) -> tuple[Floats, Floats]: ...
    def to_degrees(
        self, x: float | Floats, y: float | Floats
    ) -> tuple[float | Floats, float | Floats]:
        """(lon, lat) of points on the plane."""
        return self.lon + x / self.east_m, self.lat + y / METRES_PER_DEGREE

    def line(self, points: Iterable[Sequence[float]]) -> list[tuple[float, float]]:
        """A line of [lon, lat] in metres."""
        return [self.to_m(p[0], p[1]) for p in points]
