"""The road engine inside this process, for large tables in jobs.

The bindings hold the interpreter's lock during a call, so that a server process must not load
them; `fleet.roads.routed` is for those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import osrm

from fleet.roads.build import is_contracted
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
    without_repeats,
)
from fleet.roads.network import LonLat

_CELLS_A_CALL = 2_000_000
"""The bindings build one object per cell: about 100 bytes each, twice."""

# The bindings' arrays are only ever iterated: indexing them from the end crashes the process,
# and beyond it returns garbage.


class EmbeddedEngine:
    def __init__(self, dataset: Path, *, snap_limit_m: float = SNAP_LIMIT_M) -> None:
        self._snap_limit_m = snap_limit_m
        self._osrm = osrm.OSRM(
            storage_config=str(dataset),
            algorithm="CH" if is_contracted(dataset) else "MLD",
            use_shared_memory=False,
            use_mmap=True,
            max_locations_distance_table=-1,
            max_locations_viaroute=-1,
        )

    def nearest(self, point: LonLat) -> Snap:
        try:
            answer = self._osrm.Nearest(osrm.NearestParameters(**self._where([point])))
        except RuntimeError as error:
            if not _says(error, "NoSegment"):
                raise
            return Snap(*point, float(UNREACHABLE))
        (waypoint,) = answer["waypoints"]
        lon, lat = waypoint["location"]
        return Snap(lon, lat, waypoint["distance"])

    def table(
        self, points: Sequence[LonLat], destinations: Sequence[LonLat] | None = None
    ) -> Table:
        targets = points if destinations is None else destinations
        duration_s = np.full((len(points), len(targets)), UNREACHABLE, np.int32)
        distance_m = duration_s.copy()
        rows = self._on_network(points)
        columns = rows if destinations is None else self._on_network(targets)
        if len(rows) and len(columns):
            block = max(1, _CELLS_A_CALL // len(columns))
            for start in range(0, len(rows), block):
                part = rows[start : start + block]
                cells = np.ix_(part, columns)
                duration_s[cells], distance_m[cells] = self._block(
                    [points[i] for i in part], [targets[j] for j in columns]
                )
        return Table(duration_s, distance_m)

    def route(self, points: Sequence[LonLat]) -> RoadRoute:
        if len(points) < 2:
            raise ValueError(f"Expected at least 2 points, but got {len(points)}.")
        try:
            return route_of(self._legs(points))
        except RuntimeError as error:
            if not _says(error, "NoRoute", "NoSegment"):
                raise
        # Which leg is impossible is not said: each is asked for.
        return route_of([self._leg(a, b) for a, b in pairwise(points)])

    def _leg(self, start: LonLat, end: LonLat) -> RoadLeg:
        try:
            (leg,) = self._legs([start, end])
        except RuntimeError as error:
            if not _says(error, "NoRoute", "NoSegment"):
                raise
            return NO_LEG
        return leg

    def _legs(self, points: Sequence[LonLat]) -> list[RoadLeg]:
        answer = self._osrm.Route(
            osrm.RouteParameters(
                steps=True, geometries="geojson", overview="false", **self._where(points)
            )
        )
        (route,) = answer["routes"]
        return [
            RoadLeg(without_repeats(_step_points(leg["steps"])), leg["distance"], leg["duration"])
            for leg in route["legs"]
        ]

    def _block(self, points: list[LonLat], targets: list[LonLat]) -> tuple[Matrix, Matrix]:
        answer = self._osrm.Table(
            osrm.TableParameters(
                sources=list(range(len(points))),
                destinations=list(range(len(points), len(points) + len(targets))),
                annotations=["duration", "distance"],
                **self._where([*points, *targets]),
            )
        )
        shape = len(points), len(targets)
        return _matrix(answer["durations"], shape), _matrix(answer["distances"], shape)

    def _on_network(self, points: Sequence[LonLat]) -> list[int]:
        """Indices of the points that a street is near to; one far away would fail the call."""
        return [i for i, p in enumerate(points) if self.nearest(p).distance_m < UNREACHABLE]

    def _where(self, points: Sequence[LonLat]) -> dict[str, Any]:
        return {
            "coordinates": [(float(lon), float(lat)) for lon, lat in points],
            "radiuses": [self._snap_limit_m] * len(points),
            "generate_hints": False,
        }


def _says(error: RuntimeError, *codes: str) -> bool:
    return str(error).startswith(codes)


def _step_points(steps: Iterable[Any]) -> Iterator[LonLat]:
    for step in steps:
        for point in step["geometry"]["coordinates"]:
            lon, lat = point
            yield lon, lat


def _matrix(rows: Iterable[Iterable[float | None]], shape: tuple[int, int]) -> Matrix:
    matrix = np.empty(shape, np.int32)
    for index, row in enumerate(rows):
        values = [UNREACHABLE if value is None else value for value in row]
        matrix[index] = np.rint(values)
    return matrix
