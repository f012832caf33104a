"""Distances on a plane that touches the earth: good to a percent over a city."""

from __future__ import annotations

import math

METRES_PER_DEGREE = 111_320.0
"""Metres of a degree of latitude; of longitude this times the cosine of the latitude."""


def distance_m(lon_a: float, lat_a: float, lon_b: float, lat_b: float) -> float:
    """Metres between two positions less than some tens of kilometres apart.

    >>> round(distance_m(75.86, 22.72, 75.86, 22.73))
    1113
    """
    x = (lon_b - lon_a) * math.cos(math.radians((lat_a + lat_b) / 2))
    return math.hypot(x, lat_b - lat_a) * METRES_PER_DEGREE
