"""Filters that set a fix aside with a reason. It is stored all the same, and shown when asked for.

| mark | means |
|---|---|
| `invalid` | the unit itself says that it had no position |
| `future` | its clock runs ahead; filed under the time of receipt |
| `stale` | its clock says a time before all that is kept; filed under the time of receipt |
| `duplicate` | the same position and time came before, with something else beside it |
| `hdop` | the unit itself says that the position is poor |
| `outside` | far outside the city's road network |
| `jump` | no vehicle could have come there from its last good fix |

A clock that has rolled over is put right where the right time is beyond doubt: the fix is good, and
what the clock said is kept beside it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from fleet.kit.geo import METRES_PER_DEGREE, distance_m

HDOP_MOST = 10.0
OUTSIDE_M = 5_000.0
FASTEST_MPS = 45.0
JUMP_LEAST_M = 100.0
"""Below this a jump is noise."""
SETTLED = 3
"""So many fixes in a row that agree with each other, not with the past, are the new truth."""
REMEMBERED = 8
"""So many fixes back a repetition is recognised."""

DAY_MS = 86_400_000
ERA_MS = 1024 * 7 * DAY_MS
"""After 1024 weeks the week number of GPS starts again from 0."""
ERAS = 2
AT_ONCE_MS = 600_000
"""A time that is wrong by a day is put right when the right one is this near to that of receipt."""
_NEAR_DEG = 0.0004
"""Two such steps of latitude and longitude are less than `JUMP_LEAST_M`."""


@dataclass(frozen=True, slots=True)
class Times:
    """What times are storable as they are, in milliseconds since 1970."""

    now: int
    earliest: int
    latest: int


class Filter:
    """The marks of one device's fixes, in the order in which they arrive.

    Args:
        bbox: [west, south, east, north] of the city in degrees; None: nothing is outside.
    """

    __slots__ = ("_bbox", "_doubtful", "_doubts", "_good", "_recent")

    def __init__(self, bbox: Sequence[float] | None) -> None:
        self._bbox = bbox
        self._good: tuple[int, float, float] | None = None
        """(ms since 1970, lon, lat) of the newest good fix."""
        self._doubtful: tuple[int, float, float] | None = None
        self._doubts = 0
        self._recent: deque[tuple[int, float, float]] = deque(maxlen=REMEMBERED)

    def anchor(self, t_ms: int, lon: float, lat: float) -> None:
        """The last good fix, known from before."""
        self._good = t_ms, lon, lat
        self._recent.append(self._good)

    def time(self, said_ms: int, times: Times) -> tuple[int, str | None]:
        """The time under which a fix is filed, another one than said if the clock is wrong; and
        the mark when it is that of receipt only because nothing better is known."""
        now = times.now
        if said_ms > times.latest:
            right = said_ms - DAY_MS  # the date went on before midnight
            if now - AT_ONCE_MS <= right <= times.latest:
                return right, None
            return now, "future"
        if said_ms < times.earliest:
            for era in range(1, ERAS + 1):
                right = said_ms + era * ERA_MS
                if times.earliest <= right <= times.latest:
                    return right, None
            return now, "stale"
        right = said_ms + DAY_MS  # the date did not go on at midnight
        if now - AT_ONCE_MS <= right <= times.latest and right % DAY_MS < AT_ONCE_MS:
            good = self._good
            # The device was heard just now: this is no history of yesterday.
            if good is not None and abs(right - good[0]) <= AT_ONCE_MS:
                return right, None
        return said_ms, None

    def mark(self, t_ms: int, lon: float, lat: float, hdop: float | None) -> str | None:
        """The reason to set this fix aside, or None."""
        here = t_ms, lon, lat
        good = self._good
        # What is newer than the newest good fix can be no repetition of one.
        if (good is None or t_ms <= good[0] or self._doubts) and here in self._recent:
            return "duplicate"
        self._recent.append(here)
        if hdop is not None and hdop > HDOP_MOST:
            return "hdop"
        if self._outside(lon, lat):
            return "outside"
        if good is not None and _jumped(good, here):
            if self._doubtful is not None and not _jumped(self._doubtful, here):
                self._doubts += 1
            else:
                self._doubts = 1
            self._doubtful = here
            if self._doubts < SETTLED:
                return "jump"
            self._good = here
        elif good is None or t_ms >= good[0]:
            self._good = here
        self._doubtful, self._doubts = None, 0
        return None

    def _outside(self, lon: float, lat: float) -> bool:
        if self._bbox is None:
            return False
        west, south, east, north = self._bbox
        if west <= lon <= east and south <= lat <= north:
            return False
        nearest = min(max(lon, west), east), min(max(lat, south), north)
        if abs(lat - nearest[1]) * METRES_PER_DEGREE > OUTSIDE_M:
            return True
        return distance_m(lon, lat, *nearest) > OUTSIDE_M


def _jumped(a: tuple[int, float, float], b: tuple[int, float, float]) -> bool:
    if math.fabs(b[1] - a[1]) < _NEAR_DEG and math.fabs(b[2] - a[2]) < _NEAR_DEG:
        return False
    way_m = distance_m(a[1], a[2], b[1], b[2])
    return way_m > JUMP_LEAST_M + FASTEST_MPS * abs(b[0] - a[0]) / 1000
