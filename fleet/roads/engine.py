"""What a road engine answers. Coordinates are (lon, lat) in degrees.

A point farther than the snap limit from every street, or on a street that cannot be reached,
is no error: its times and distances are `UNREACHABLE`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from fleet.roads.network import LonLat

type Matrix = npt.NDArray[np.int32]

UNREACHABLE = 10**8
"""Seconds or metres that stand for no way; small enough to add up twenty legs in 32 bits."""

SNAP_LIMIT_M = 1000.0
"""A point farther from any street of the class is not on the network."""


@dataclass(frozen=True, slots=True)
class Table:
    """Fastest ways from each point (row) to each destination (column), rounded."""

    duration_s: Matrix
    distance_m: Matrix


@dataclass(frozen=True, slots=True)
class RoadLeg:
    """From one point of a route to the next. No coordinates: there is no way."""

    coordinates: tuple[LonLat, ...]
    distance_m: float
    duration_s: float


@dataclass(frozen=True, slots=True)
class RoadRoute:
    coordinates: tuple[LonLat, ...]
    distance_m: float
    duration_s: float
    legs: tuple[RoadLeg, ...]

    @property
    def reachable(self) -> bool:
        return self.duration_s < UNREACHABLE


@dataclass(frozen=True, slots=True)
class Snap:
    """The nearest place on a street; the point itself and `UNREACHABLE` metres where none is."""

    lon: float
    lat: float
    distance_m: float


class RoadEngine(Protocol):
    def table(
        self, points: Sequence[LonLat], destinations: Sequence[LonLat] | None = None
    ) -> Table:
        """Times and distances from `points` to `destinations` (None: to the points)."""

    def route(self, points: Sequence[LonLat]) -> RoadRoute:
        """The fastest way through two or more points in their order."""

    def nearest(self, point: LonLat) -> Snap: ...


class RoadEngines(Mapping[str, RoadEngine]):
    """The engines of a city, by vehicle class."""

    def __init__(self, engines: Mapping[str, RoadEngine]) -> None:
        self._engines = dict(engines)

    def __getitem__(self, profile: str) -> RoadEngine:
        try:
            return self._engines[profile]
        except KeyError:
            raise KeyError(
                f"No roads for vehicle class {profile!r}; known: {sorted(self._engines)}."
            ) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._engines)

    def __len__(self) -> int:
        return len(self._engines)


NO_LEG = RoadLeg((), float(UNREACHABLE), float(UNREACHABLE))


def route_of(legs: Sequence[RoadLeg]) -> RoadRoute:
    """Joins legs; one that is impossible makes the whole route so."""
    if any(leg.duration_s >= UNREACHABLE for leg in legs):
        distance_m = duration_s = float(UNREACHABLE)
    else:
        distance_m = sum(leg.distance_m for leg in legs)
        duration_s = sum(leg.duration_s for leg in legs)
    return RoadRoute(
        without_repeats(point for leg in legs for point in leg.coordinates),
        distance_m,
        duration_s,
        tuple(legs),
    )


def without_repeats(points: Iterator[LonLat]) -> tuple[LonLat, ...]:
    kept: list[LonLat] = []
    for point in points:
        if not kept or kept[-1] != point:
            kept.append(point)
    return tuple(kept)
