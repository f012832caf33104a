"""What a vehicle did in a day, worked out from its fixes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import numpy.typing as npt

from fleet.kit.geo import Plane
from fleet.kit.times import iso
from tracking.fixes.columns import TrailColumns
from tracking.fixes.fix import from_ms
from tracking.history.motion import Motion, Stand, motion_of
from tracking.history.trips import Spot, Trip, trips

Floats = npt.NDArray[np.float64]

STOP_S = 120.0
"""A stand of this length is a stop of the day; a shorter one is a halt at the doors."""


class Stop(msgspec.Struct, frozen=True):
    """The vehicle stood; at a place, in a lane, or (both None) elsewhere."""

    start_t: str
    end_t: str
    duration_s: int
    lon: float
    lat: float
    place_id: str | None = None
    lane_id: str | None = None
    name: str = ""
    name_hi: str = ""


class TripView(msgspec.Struct, frozen=True):
    """From one place, or start of the engine, to the next."""

    start_t: str
    end_t: str
    distance_m: int
    from_place: str | None
    to_place: str | None
    ended_by: str
    """place, ignition (the engine was stopped) or day (no later fix)."""


class Silence(msgspec.Struct, frozen=True):
    """Nothing was heard; between the two fixes lie so many metres in a straight line."""

    start_t: str
    end_t: str
    straight_m: int


class Summary(msgspec.Struct, frozen=True):
    """The figures of a day. Distances are metres; silences count with their straight lines."""

    fixes: int
    marks: dict[str, int]
    """How many fixes were set aside, by reason."""
    start_t: str | None
    end_t: str | None
    distance_m: int
    moving_s: int
    standing_s: int
    silent_s: int
    halts: int
    """Stands of ten seconds and more, stops included."""
    stops: list[Stop]
    trips: list[TripView]
    gaps: list[Silence]


@dataclass(frozen=True, slots=True)
class Where:
    """What a stop is called."""

    place_id: str | None = None
    lane_id: str | None = None
    name: str = ""
    name_hi: str = ""


type Naming = Callable[[Floats, Floats], Sequence[Where]]
"""Names of positions, given as longitudes and latitudes."""


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """A day's good fixes on a plane of metres, and what they say."""

    good: TrailColumns
    x: Floats
    y: Floats
    motion: Motion
    trips: list[Trip]
    fixes: int
    marks: dict[str, int]
    plane: Plane


def day_of(
    columns: TrailColumns,
    places: Sequence[tuple[str, float, float]],
    *,
    gap_s: float,
    radius_m: float,
) -> Day:
    """A day worked out.

    Args:
        columns: the day's fixes, marked ones included.
        places: (id, lon, lat) of depots and stations, at which trips end.
        gap_s: a longer time between fixes is a silence.
        radius_m: a vehicle so near a place is there.
    """
    good = columns.good()
    plane = Plane(float(good.lon[0]), float(good.lat[0])) if len(good) else Plane(0.0, 0.0)
    x, y = plane.to_m(good.lon, good.lat)
    motion = motion_of(good.t_ms / 1000, x, y, good.speed_mps, gap_s=gap_s)
    spots = [Spot(key, *plane.to_m(lon, lat)) for key, lon, lat in places]
    found = trips(good.t_ms / 1000, x, y, good.ignition, motion.driven_m, spots, radius_m)
    marks = Counter(mark for mark in columns.marks.tolist() if mark is not None)
    return Day(good, x, y, motion, found, len(columns), dict(sorted(marks.items())), plane)


def summary_of(day: Day, naming: Naming) -> Summary:
    """The day's figures, its stops named."""
    good, motion = day.good, day.motion
    long = [stand for stand in motion.stands if stand.duration_s >= STOP_S]
    lon, lat = _degrees(day, long)
    names = naming(lon, lat) if long else []
    return Summary(
        fixes=day.fixes,
        marks=day.marks,
        start_t=_iso(good, 0) if len(good) else None,
        end_t=_iso(good, -1) if len(good) else None,
        distance_m=round(float(motion.driven_m[-1])) if len(good) else 0,
        moving_s=round(motion.moving_s),
        standing_s=round(motion.standing_s),
        silent_s=round(motion.silent_s),
        halts=len(motion.stands),
        stops=[
            Stop(
                start_t=_iso(good, stand.first),
                end_t=_iso(good, stand.last),
                duration_s=round(stand.duration_s),
                lon=round(float(lon[i]), 6),
                lat=round(float(lat[i]), 6),
                place_id=where.place_id,
                lane_id=where.lane_id,
                name=where.name,
                name_hi=where.name_hi,
            )
            for i, (stand, where) in enumerate(zip(long, names, strict=True))
        ],
        trips=[
            TripView(
                start_t=_iso(good, trip.first),
                end_t=_iso(good, trip.last),
                distance_m=round(float(motion.driven_m[trip.last] - motion.driven_m[trip.first])),
                from_place=trip.from_place,
                to_place=trip.to_place,
                ended_by=trip.ended_by,
            )
            for trip in day.trips
        ],
        gaps=[
            Silence(_iso(good, gap.before), _iso(good, gap.before + 1), round(gap.straight_m))
            for gap in motion.gaps
        ],
    )


def _degrees(day: Day, stands: Sequence[Stand]) -> tuple[Floats, Floats]:
    x = np.array([stand.x for stand in stands])
    y = np.array([stand.y for stand in stands])
    if not len(day.good):
        return x, y
    return day.plane.to_degrees(x, y)


def _iso(columns: TrailColumns, i: int) -> str:
    return iso(from_ms(int(columns.t_ms[i])))
