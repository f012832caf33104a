"""The road engine in an `osrm-routed` process, asked over HTTP."""

from __future__ import annotations

from typing import Any

import httpx
import msgspec

from fleet.kit.errors import Problem
from fleet.roads.asking import AskingEngine, Cells, NoWayError
from fleet.roads.engine import SNAP_LIMIT_M, RoadLeg, Snap, without_repeats
from fleet.roads.network import LonLat

_CELLS_A_CALL = 250_000
_KEEPALIVE_S = 2.0
"""Shorter than the server's 5 s, so that it never closes a connection that we are reusing."""


class RoadsUnavailable(Problem):
    default_type = "roads-unavailable"
    default_title = "The road engine does not answer"
    default_status = 503


class _Waypoint(msgspec.Struct):
    location: tuple[float, float]
    distance: float


class _Geometry(msgspec.Struct):
    coordinates: list[tuple[float, float]]


class _Step(msgspec.Struct):
    geometry: _Geometry


class _Leg(msgspec.Struct):
    distance: float
    duration: float
    steps: list[_Step]


class _Route(msgspec.Struct):
    legs: list[_Leg]


class _Answer(msgspec.Struct):
    code: str
    message: str = ""


class _NearestOne(_Answer):
    waypoints: list[_Waypoint] = []


class _NearestMany(_Answer):
    waypoints: list[list[_Waypoint]] = []


class _TableAnswer(_Answer):
    durations: list[list[float | None]] = []
    distances: list[list[float | None]] = []


class _RouteAnswer(_Answer):
    routes: list[_Route] = []


class RoutedEngine(AskingEngine):
    """Safe to share between threads."""

    def __init__(
        self, base_url: str, *, timeout_s: float = 30.0, snap_limit_m: float = SNAP_LIMIT_M
    ) -> None:
        super().__init__(snap_limit_m=snap_limit_m, cells_a_call=_CELLS_A_CALL)
        self._base_url = base_url
        self._client = httpx.Client(
            base_url=base_url,
            timeout=timeout_s,
            limits=httpx.Limits(keepalive_expiry=_KEEPALIVE_S),
        )

    def close(self) -> None:
        self._client.close()

    def _ask_nearest(self, points: list[LonLat]) -> list[Snap]:
        body = {"coordinates": points, "generate_hints": False}
        if len(points) == 1:
            found = self._ask("nearest", body, _NearestOne).waypoints
        else:
            found = [one for (one,) in self._ask("nearest", body, _NearestMany).waypoints]
        return [Snap(*waypoint.location, waypoint.distance) for waypoint in found]

    def _ask_table(self, points: list[LonLat], targets: list[LonLat]) -> tuple[Cells, Cells]:
        every = [*points, *targets]
        body = {
            "coordinates": every,
            "radiuses": [self._snap_limit_m] * len(every),
            "sources": list(range(len(points))),
            "destinations": list(range(len(points), len(every))),
            "annotations": ["duration", "distance"],
            "generate_hints": False,
        }
        answer = self._ask("table", body, _TableAnswer)
        return answer.durations, answer.distances

    def _ask_legs(self, points: list[LonLat]) -> list[RoadLeg]:
        body = {
            "coordinates": points,
            "radiuses": [self._snap_limit_m] * len(points),
            "steps": True,
            "geometries": "geojson",
            "overview": "false",
            "generate_hints": False,
        }
        (route,) = self._ask("route", body, _RouteAnswer).routes
        return [
            RoadLeg(
                without_repeats(p for step in leg.steps for p in step.geometry.coordinates),
                leg.distance,
                leg.duration,
            )
            for leg in route.legs
        ]

    def _ask[A: _Answer](self, service: str, body: dict[str, Any], kind: type[A]) -> A:
        try:
            response = self._client.post(f"/{service}/v1/vehicle", json=body)
            answer = msgspec.json.decode(response.content, type=kind)
        except (httpx.HTTPError, msgspec.MsgspecError) as error:
            raise self._unavailable(f"{type(error).__name__}: {error}") from error
        if answer.code in {"NoSegment", "NoRoute"}:
            raise NoWayError(answer.message)
        if answer.code != "Ok":
            raise self._unavailable(f"{service} answered {answer.code}: {answer.message}")
        return answer

    def _unavailable(self, what: str) -> RoadsUnavailable:
        return RoadsUnavailable(
            f"The road engine at {self._base_url} failed ({what}).",
            remedy="Wait until the server has started it again; if it stays, see the server's log.",
            headers={"Retry-After": "5"},
        )
