"""A small route on a straight street, in the wire's shape."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from simulators.motion import Plane
from simulators.streetmap import StreetMap

PLANE = Plane(75.86, 22.72)
START = datetime(2026, 11, 3, 0, 30, tzinfo=UTC)
LANE_M = 100.0


def point(x: float, y: float) -> list[float]:
    return list(PLANE.lonlat(x, y))


def visit(number: int, kind: str, ref: str, x0: float, x1: float, **rest: Any) -> dict[str, Any]:
    """A visit along the street from `x0` to `x1`, ten minutes after the one before."""
    arrival = START + timedelta(minutes=10 * number)
    path = [point(x0, 0)] if x0 == x1 else [point(x0, 0), point(x1, 0)]
    return {
        "id": f"v{number}",
        "seq": number,
        "kind": kind,
        "ref": ref,
        "lon": path[0][0],
        "lat": path[0][1],
        "path": path,
        "approach": [point(x0 - 40, 0), point(x0, 0)],
        "approach_m": 40.0,
        "planned_arrival": arrival.isoformat(),
        "planned_departure": (arrival + timedelta(minutes=9, seconds=50)).isoformat(),
        "service_s": 240,
        "kg": {"wet": 10.0},
        "on_foot": False,
        "households": 20,
        "status": "pending",
        **rest,
    }


def route(lanes: int, version: int = 1) -> dict[str, Any]:
    """Depot, `lanes` lanes in a row with 40 m between them, a station, the depot."""
    visits = [visit(0, "start", "D1", 0, 0, service_s=0)]
    for n in range(lanes):
        x = 40 + n * (LANE_M + 40)
        visits.append(visit(n + 1, "lane", f"lane-{n}", x, x + LANE_M))
    end = 40 + lanes * (LANE_M + 40)
    visits.append(visit(lanes + 1, "disposal", "T1", end, end, service_s=300))
    visits.append(visit(lanes + 2, "end", "D1", end + 40, end + 40, service_s=0))
    return {
        "id": "r1",
        "version": version,
        "vehicle_id": "V1",
        "shift": "morning",
        "service_date": "2026-11-03",
        "plan_id": "p1",
        "start_t": START.isoformat(),
        "end_t": (START + timedelta(hours=8)).isoformat(),
        "visits": visits,
    }


def street(lanes: int) -> StreetMap:
    """The street's lanes, and a side way past each of them."""
    features = []
    for n in range(lanes):
        x = 40 + n * (LANE_M + 40)
        for name, line in (
            (f"lane-{n}", [point(x, 0), point(x + LANE_M, 0)]),
            (f"side-{n}", [point(x, 0), point(x, 90), point(x + LANE_M, 90), point(x + LANE_M, 0)]),
            (f"link-{n}", [point(x + LANE_M, 0), point(x + LANE_M + 40, 0)]),
        ):
            features.append(
                {
                    "properties": {"id": name, "oneway": False, "service_mode": "enter"},
                    "geometry": {"type": "LineString", "coordinates": line},
                }
            )
    return StreetMap(PLANE, features)
