"""A town of 5 × 4 crossings, 31 lanes and two wards, as rows and as an OSM file.

Lane `h{row}{col}` runs east, `v{row}{col}` north from its crossing; a lane's ends are 100 m apart.
Ward `west` has the lanes that begin in columns 0 and 1, `east` the rest. Depot at the south-west
corner, transfer station at the north-east one. `feeder` is a galli on foot from crossing (1, 1).
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy.orm import Session

from fleet.org.models import (
    Beat,
    Bin,
    City,
    Lane,
    Place,
    Shift,
    Vehicle,
    VehicleClass,
    Ward,
    Zone,
)
from fleet.org.policy import Policy
from tests.roads.towns import write_osm

WEST, SOUTH, STEP = 75.850, 22.700, 0.001
COLUMNS, ROWS = 5, 4
POLICY = Policy(plan_iterations=60, locked_visits=2, household_service_s=5.0)
DAY = datetime(2026, 3, 2, tzinfo=UTC).date()
"""A Monday."""


def crossing(row: int, col: int) -> tuple[float, float]:
    return round(WEST + col * STEP, 6), round(SOUTH + row * STEP, 6)


def streets() -> list[tuple[str, tuple[int, int], tuple[int, int]]]:
    """(lane id, from crossing, to crossing)."""
    east = [(f"h{r}{c}", (r, c), (r, c + 1)) for r in range(ROWS) for c in range(COLUMNS - 1)]
    north = [(f"v{r}{c}", (r, c), (r + 1, c)) for r in range(ROWS - 1) for c in range(COLUMNS)]
    return east + north


def write_network(path: Path) -> Path:
    def node(row: int, col: int) -> int:
        return 1 + row * COLUMNS + col

    nodes = {node(r, c): crossing(r, c) for r in range(ROWS) for c in range(COLUMNS)}
    ways = {
        100 + i: ((node(*a), node(*b)), {"highway": "residential", "name": lane})
        for i, (lane, a, b) in enumerate(streets())
    }
    return write_osm(path, nodes, ways)


def lane_row(lane_id: str, ward: str, points: list[tuple[float, float]], **more: object) -> Lane:
    (west, south), (east, north) = points[0], points[-1]
    values: dict[str, object] = {
        "id": lane_id,
        "ward_id": ward,
        "name": f"Lane {lane_id}",
        "name_hi": f"गली {lane_id}",
        "highway": "residential",
        "length_m": 105.0,
        "width_m": 5.0,
        "oneway": False,
        "geometry": [list(p) for p in points],
        "lon": (west + east) / 2,
        "lat": (south + north) / 2,
        "west": west,
        "south": south,
        "east": east,
        "north": north,
        "households": 12,
        "shops": 1,
        "institutions": 0,
        "bulk": 0,
        "kg_day": {"wet": 14.0, "dry": 6.0},
        "m3_day": {"wet": 0.03, "dry": 0.05},
        "estimated": False,
        "service_mode": "enter",
        "profiles": ["tipper"],
        "access_profiles": ["tipper"],
        "access_lon": None,
        "access_lat": None,
        "access_lane_id": None,
        "access_m": None,
    }
    return Lane(**(values | more))


def add_city(session: Session, *, policy: Policy = POLICY) -> None:
    """The whole town, two tippers with a morning shift, one spare."""
    session.add(
        City(
            id=1,
            name="Town",
            name_hi="नगर",
            tz="Asia/Kolkata",
            lang="en",
            bbox=[WEST, SOUTH, WEST + 0.004, SOUTH + 0.003],
            policy=policy.model_dump(mode="json"),
            fingerprint="test",
            estimated=[],
            imported_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
    )
    session.add_all(
        [Zone(id="z1", name="One", name_hi="एक"), Zone(id="z2", name="Two", name_hi="दो")]
    )
    session.flush()
    for ward, zone, west in (("west", "z1", WEST), ("east", "z2", WEST + 0.002)):
        ring = [[west, SOUTH], [west + 0.002, SOUTH], [west + 0.002, SOUTH + 0.003], [west, SOUTH]]
        session.add(
            Ward(
                id=ward,
                zone_id=zone,
                name=ward.title(),
                name_hi=ward,
                population=1000,
                geometry={"type": "Polygon", "coordinates": [ring]},
                lon=west + 0.001,
                lat=SOUTH + 0.0015,
                west=west,
                south=SOUTH,
                east=west + 0.002,
                north=SOUTH + 0.003,
            )
        )
    session.flush()
    for lane_id, a, b in streets():
        ward = "west" if a[1] < 2 else "east"
        session.add(lane_row(lane_id, ward, [crossing(*a), crossing(*b)]))
    session.add(
        lane_row(
            "feeder",
            "west",
            [crossing(1, 1), (WEST + 0.0013, SOUTH + 0.0013)],
            length_m=45.0,
            service_mode="feeder",
            profiles=[],
            access_lon=crossing(1, 1)[0],
            access_lat=crossing(1, 1)[1],
            access_lane_id="h11",
            access_m=0.0,
        )
    )
    session.add(lane_row("empty", "east", [crossing(3, 3), crossing(3, 4)], households=0, shops=0))
    session.add(
        lane_row(
            "market",
            "east",
            [crossing(2, 2), crossing(2, 3)],
            bulk=40,
            kg_day={"wet": 4000.0},
            m3_day={"wet": 8.0},
        )
    )
    session.add(
        Bin(id="bin1", ward_id="east", stream="dry", kg=30.0, m3=0.2, lon=WEST + 0.003, lat=SOUTH)
    )
    depot, station = crossing(0, 0), crossing(3, 4)
    session.add(place("depot", "depot", depot))
    session.add(place("station", "transfer_station", station, service_s=300))
    session.add(
        VehicleClass(
            id="tipper", width_m=1.6, speeds_kmh={}, factor=1.0, fuel="cng", fixed_cost_s=900
        )
    )
    session.flush()
    for vehicle_id, spare in (("T1", False), ("T2", False), ("S1", True)):
        session.add(
            Vehicle(
                id=vehicle_id,
                class_id="tipper",
                depot_id="depot",
                contractor="Own",
                spare=spare,
                compartments=[
                    {"streams": ["wet"], "kg": 250.0, "m3": 0.6},
                    {"streams": ["dry", "sanitary"], "kg": 150.0, "m3": 0.9},
                ],
            )
        )
        session.flush()
        session.add(Shift(vehicle_id=vehicle_id, name="morning", start_s=21_600, end_s=43_200))
    session.add(
        Beat(id="b1", vehicle_id="T1", shift="morning", landmarks=[], lane_ids=west_lanes())
    )
    session.flush()


def west_lanes() -> list[str]:
    return [lane_id for lane_id, a, _ in streets() if a[1] < 2]


def place(id: str, kind: str, at: tuple[float, float], service_s: int = 0) -> Place:
    return Place(
        id=id,
        kind=kind,
        name=id.title(),
        name_hi=id,
        lon=at[0],
        lat=at[1],
        service_s=service_s,
        streams=[] if kind == "depot" else ["wet", "dry", "sanitary", "special"],
    )
