"""Metres on a plane that touches the earth at a city's middle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians

import numpy as np
import numpy.typing as npt
import shapely
from shapely import LineString
from shapely.geometry.base import BaseGeometry

METRES_PER_DEGREE = 111_195.0


@dataclass(frozen=True, slots=True)
class Plane:
    """Equirectangular projection around (lon, lat): 0.1% true within 30 km of it.

    >>> plane = Plane(75.86, 22.72)
    >>> plane.line([(75.86, 22.72), (75.86, 22.73)]).length.__round__()
    1112
    >>> plane.lonlat(*plane.xy([(75.9, 22.7)])[0])
    (75.9, 22.7)
    """

    lon: float
    lat: float

    @classmethod
    def around(cls, bbox: Sequence[float]) -> Plane:
        """The plane at the middle of [west, south, east, north]."""
        return cls((bbox[0] + bbox[2]) / 2, (bbox[1] + bbox[3]) / 2)

    @property
    def _scale(self) -> npt.NDArray[np.float64]:
        return np.array([METRES_PER_DEGREE * cos(radians(self.lat)), METRES_PER_DEGREE])

    def xy(self, points: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """(n, 2) metres east and north."""
        return self._project(np.asarray(points, dtype=np.float64))

    def lonlat(self, x: float, y: float) -> tuple[float, float]:
        lon, lat = np.array([x, y]) / self._scale + (self.lon, self.lat)
        return round(float(lon), 7), round(float(lat), 7)

    def line(self, points: Sequence[tuple[float, float]]) -> LineString:
        return LineString(self.xy(points))

    def flat(self, geometry: BaseGeometry) -> BaseGeometry:
        """Any geometry in metres."""
        projected: BaseGeometry = shapely.transform(geometry, self._project)
        return projected

    def _project(self, points: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray((points - (self.lon, self.lat)) * self._scale, dtype=np.float64)
