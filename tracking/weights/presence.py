"""Whether fixes show that a vehicle was not at a station. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

from fleet.kit.geo import distance_m
from tracking.fixes.fix import Fix


def was_elsewhere(
    fixes: Sequence[Fix],
    since: datetime,
    until: datetime,
    *,
    at: tuple[float, float],
    near_m: float,
    silent_s: float,
) -> bool:
    """True only where the fixes leave no doubt: none is near, and no silence is long enough.

    Args:
        fixes: good ones of the vehicle in the time, by t.
        at: the station's lon, lat.
        near_m: a fix this near may be the station's queue or far side.
        silent_s: in a longer silence it may have been anywhere.
    """
    times = [since, *(fix.t for fix in fixes), until]
    if any((b - a).total_seconds() > silent_s for a, b in pairwise(times)):
        return False
    return all(distance_m(*at, fix.lon, fix.lat) > near_m for fix in fixes)
