"""Filters that set a fix aside with a reason. It is stored all the same, and shown when asked for.

| mark | means |
|---|---|
| `hdop` | the unit itself says that the position is poor |
| `outside` | far outside the city's road network |
| `jump` | no vehicle could have come there from its last good fix |
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from fleet.kit.geo import METRES_PER_DEGREE, distance_m

HDOP_MOST = 10.0
OUTSIDE_M = 5_000.0
FASTEST_MPS = 45.0
JUMP_LEAST_M = 100.0
"""Below this a jump is noise."""
SETTLED = 3
"""So many fixes in a row that agree with each other, not with the past, are the new truth."""


@dataclass(slots=True)
class _Anchor:
    t: datetime
    lon: float
    lat: float


class Filter:
    """The marks of one device's fixes, in the order in which they arrive.

    Args:
        bbox: [west, south, east, north] of the city in degrees; None: nothing is outside.
    """

    def __init__(self, bbox: Sequence[float] | None) -> None:
        self._bbox = bbox
        self._good: _Anchor | None = None
        self._doubtful: _Anchor | None = None
        self._doubts = 0

    def anchor(self, t: datetime, lon: float, lat: float) -> None:
        """The last good fix, known from before."""
        self._good = _Anchor(t, lon, lat)

    def mark(self, t: datetime, lon: float, lat: float, hdop: float | None) -> str | None:
        """The reason to set this fix aside, or None."""
        if hdop is not None and hdop > HDOP_MOST:
            return "hdop"
        if self._outside(lon, lat):
            return "outside"
        here = _Anchor(t, lon, lat)
        if self._good is not None and _jumped(self._good, here):
            if self._doubtful is not None and not _jumped(self._doubtful, here):
                self._doubts += 1
            else:
                self._doubts = 1
            self._doubtful = here
            if self._doubts < SETTLED:
                return "jump"
        if self._good is None or t >= self._good.t or self._doubts >= SETTLED:
            self._good = here
        self._doubtful, self._doubts = None, 0
        return None

    def _outside(self, lon: float, lat: float) -> bool:
        if self._bbox is None:
            return False
        west, south, east, north = self._bbox
        nearest = min(max(lon, west), east), min(max(lat, south), north)
        if nearest == (lon, lat):
            return False
        if abs(lat - nearest[1]) * METRES_PER_DEGREE > OUTSIDE_M:
            return True
        return distance_m(lon, lat, *nearest) > OUTSIDE_M


def _jumped(a: _Anchor, b: _Anchor) -> bool:
    way_m = distance_m(a.lon, a.lat, b.lon, b.lat)
    return way_m > JUMP_LEAST_M + FASTEST_MPS * abs((b.t - a.t).total_seconds())
