"""The road engine inside this process, for large tables in jobs.

The bindings hold the interpreter's lock during a call, so that a server process must not load
them; `fleet.roads.routed` is for those.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import osrm

from fleet.roads.asking import AskingEngine, Cells, NoWayError
from fleet.roads.build import is_contracted
from fleet.roads.engine import SNAP_LIMIT_M, RoadLeg, Snap, without_repeats
from fleet.roads.network import LonLat

_CELLS_A_CALL = 2_000_000
"""The bindings build one object per cell: about 100 bytes each, twice."""

# The bindings' arrays are only ever iterated: indexing them from the end crashes the process,
# and beyond it returns garbage.


class EmbeddedEngine(AskingEngine):
    def __init__(self, dataset: Path, *, snap_limit_m: float = SNAP_LIMIT_M) -> None:
        super().__init__(snap_limit_m=snap_limit_m, cells_a_call=_CELLS_A_CALL)
        self._osrm = osrm.OSRM(
            storage_config=str(dataset),
            algorithm="CH" if is_contracted(dataset) else "MLD",
            use_shared_memory=False,
            use_mmap=True,
            max_locations_distance_table=-1,
            max_locations_viaroute=-1,
        )

    def _ask_nearest(self, points: list[LonLat]) -> list[Snap]:
        snaps = []
        for point in points:
            parameters = osrm.NearestParameters(coordinates=[point], generate_hints=False)
            (waypoint,) = _answer(self._osrm.Nearest, parameters)["waypoints"]
            lon, lat = waypoint["location"]
            snaps.append(Snap(lon, lat, waypoint["distance"]))
        return snaps

    def _ask_table(self, points: list[LonLat], targets: list[LonLat]) -> tuple[Cells, Cells]:
        every = [*points, *targets]
        parameters = osrm.TableParameters(
            coordinates=every,
            radiuses=[self._snap_limit_m] * len(every),
            sources=list(range(len(points))),
            destinations=list(range(len(points), len(every))),
            annotations=["duration", "distance"],
            generate_hints=False,
        )
        answer = _answer(self._osrm.Table, parameters)
        return answer["durations"], answer["distances"]

    def _ask_legs(self, points: list[LonLat]) -> list[RoadLeg]:
        parameters = osrm.RouteParameters(
            coordinates=points,
            radiuses=[self._snap_limit_m] * len(points),
            steps=True,
            geometries="geojson",
            overview="false",
            generate_hints=False,
        )
        (route,) = _answer(self._osrm.Route, parameters)["routes"]
        return [
            RoadLeg(without_repeats(_points(leg["steps"])), leg["distance"], leg["duration"])
            for leg in route["legs"]
        ]


def _answer(service: Callable[[Any], Any], parameters: Any) -> Any:
    try:
        return service(parameters)
    except RuntimeError as error:
        if str(error).startswith(("NoSegment", "NoRoute")):
            raise NoWayError(str(error)) from error
        raise


def _points(steps: Iterable[Any]) -> Iterator[LonLat]:
    for step in steps:
        for point in step["geometry"]["coordinates"]:
            lon, lat = point
            yield lon, lat
