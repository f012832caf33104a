"""What both adapters of the road engine share: blocks, points off the network, broken routes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from fleet.roads.engine import (
    NO_LEG,
    SNAP_LIMIT_M,
    UNREACHABLE,
    Matrix,
    RoadLeg,
    RoadRoute,
    Snap,
    Table,
    route_of,
)
from fleet.roads.network import LonLat

type Cells = Iterable[Iterable[float | None]]


class NoWayError(Exception):
    """The engine found no street near a point (NoSegment) or no way (NoRoute)."""


class AskingEngine(ABC):
    """A `RoadEngine` over single calls that fail as a whole."""

    def __init__(self, *, snap_limit_m: float = SNAP_LIMIT_M, cells_a_call: int) -> None:
        self._snap_limit_m = snap_limit_m
        self._cells_a_call = cells_a_call

    @abstractmethod
    def _ask_nearest(self, points: list[LonLat]) -> list[Snap]:
        """The nearest place on a street for each point, however far."""

    @abstractmethod
    def _ask_table(self, points: list[LonLat], targets: list[LonLat]) -> tuple[Cells, Cells]:
        """Durations and distances, None where there is no way.

        Raises:
            NoWayError: a point has no street within the snap limit.
        """

    @abstractmethod
    def _ask_legs(self, points: list[LonLat]) -> list[RoadLeg]:
        """Legs of a route.

        Raises:
            NoWayError: a point has no street within the snap limit, or a leg no way.
        """

    def nearest(self, point: LonLat) -> Snap:
        (snap,) = self._ask_nearest(_checked([point]))
        if snap.distance_m > self._snap_limit_m:
            return Snap(*point, float(UNREACHABLE))
        return snap

    def table(
        self, points: Sequence[LonLat], destinations: Sequence[LonLat] | None = None
    ) -> Table:
        sources = _checked(points)
        targets = sources if destinations is None else _checked(destinations)
        try:
            return self._table(sources, targets)
        except NoWayError:
            pass
        rows = self._on_network(sources)
        columns = self._on_network(targets)
        part = self._table([sources[i] for i in rows], [targets[j] for j in columns])
        duration_s = np.full((len(sources), len(targets)), UNREACHABLE, np.int32)
        distance_m = duration_s.copy()
        cells = np.ix_(rows, columns)
        duration_s[cells], distance_m[cells] = part.duration_s, part.distance_m
        return Table(duration_s, distance_m)

    def route(self, points: Sequence[LonLat]) -> RoadRoute:
        stops = _checked(points)
        if len(stops) < 2:
            raise ValueError(f"Expected at least 2 points, but got {len(stops)}.")
        try:
            return route_of(self._ask_legs(stops))
        except NoWayError:
            # Which leg is impossible is not said: each is asked for.
            return route_of([self._leg(a, b) for a, b in pairwise(stops)])

    def _leg(self, start: LonLat, end: LonLat) -> RoadLeg:
        try:
            (leg,) = self._ask_legs([start, end])
        except NoWayError:
            return NO_LEG
        return leg

    def _table(self, sources: list[LonLat], targets: list[LonLat]) -> Table:
        duration_s = np.full((len(sources), len(targets)), UNREACHABLE, np.int32)
        distance_m = duration_s.copy()
        if targets:
            block = max(1, self._cells_a_call // len(targets))
            for start in range(0, len(sources), block):
                rows = slice(start, start + block)
                durations, distances = self._ask_table(sources[rows], targets)
                _fill(duration_s[rows], durations)
                _fill(distance_m[rows], distances)
        return Table(duration_s, distance_m)

    def _on_network(self, points: list[LonLat]) -> list[int]:
        snaps = self._ask_nearest(points) if points else []
        return [i for i, snap in enumerate(snaps) if snap.distance_m <= self._snap_limit_m]


def _checked(points: Sequence[LonLat]) -> list[LonLat]:
    checked = [(float(lon), float(lat)) for lon, lat in points]
    for lon, lat in checked:
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            raise ValueError(f"Expected (lon, lat) in degrees, but got ({lon}, {lat}).")
    return checked


def _fill(matrix: Matrix, rows: Cells) -> None:
    for index, row in enumerate(rows):
        matrix[index] = np.rint([UNREACHABLE if value is None else value for value in row])
