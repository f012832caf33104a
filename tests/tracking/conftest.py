"""A real log on each database, a maker of fixes, and a small imported city."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fleet.kit.db import Database
from fleet.kit.web import Kit
from fleet.org.models import City, Lane, Place, Shift, Vehicle, VehicleClass, Ward, Zone
from tests.conftest import START
from tests.tracking.drives import ORIGIN, Town, town
from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog
from tracking.fixes.log_postgres import PostgresFixLog
from tracking.fixes.log_sqlite import SqliteFixLog

KOLKATA = ZoneInfo("Asia/Kolkata")
T0 = START
"""06:00 in Indore."""
DEPOT = (ORIGIN[0] - 0.01, ORIGIN[1] - 0.01)


def fix(
    s: float = 0,
    *,
    device: str = "d1",
    vehicle: str | None = "v1",
    received_s: float | None = None,
    lon: float = 75.86,
    lat: float = 22.72,
    speed_mps: float | None = None,
    mark: str | None = None,
) -> Fix:
    """A fix `s` seconds after T0."""
    return Fix(
        device_id=device,
        vehicle_id=vehicle,
        t=T0 + timedelta(seconds=s),
        received_t=T0 + timedelta(seconds=s if received_s is None else received_s),
        lon=lon,
        lat=lat,
        speed_mps=speed_mps,
        mark=mark,
    )


@pytest.fixture
def fixlog(db: Database, tmp_path: Path) -> Iterator[FixLog]:
    log: FixLog
    if db.dialect == "postgresql":
        log = PostgresFixLog(db.writer, KOLKATA)
    else:
        log = SqliteFixLog(tmp_path / "fixes", KOLKATA)
    yield log
    log.close()


def import_city(kit: Kit, streets: Town) -> None:
    """Two vehicles, a depot in the south-west, and all the town's lanes in one ward."""
    west, south = DEPOT
    with kit.db.unit_of_work() as session:
        session.add(
            City(
                id=1,
                name="Testpur",
                name_hi="टेस्टपुर",
                tz="Asia/Kolkata",
                lang="en",
                bbox=[west, south, west + 0.04, south + 0.04],
                policy={},
                fingerprint="f1",
                estimated=[],
                imported_at=START,
            )
        )
        session.add(Zone(id="z1", name="Zone", name_hi="क्षेत्र"))
        session.flush()
        session.add(
            Ward(
                id="w1",
                zone_id="z1",
                name="Ward",
                name_hi="वार्ड",
                population=10,
                geometry={},
                lon=west,
                lat=south,
                west=west,
                south=south,
                east=west,
                north=south,
            )
        )
        session.add(
            VehicleClass(
                id="tipper", width_m=1.5, speeds_kmh={}, factor=1.0, fuel="cng", fixed_cost_s=0
            )
        )
        for key, kind, lon in (("depot", "depot", west), ("ts", "transfer_station", west + 0.04)):
            session.add(
                Place(
                    id=key,
                    kind=kind,
                    name=key,
                    name_hi=key,
                    lon=lon,
                    lat=south,
                    service_s=600,
                    streams=[],
                )
            )
        session.flush()
        for vehicle in ("v1", "v2"):
            session.add(
                Vehicle(
                    id=vehicle,
                    class_id="tipper",
                    depot_id="depot",
                    contractor="",
                    spare=False,
                    compartments=[],
                )
            )
        session.flush()
        session.add(Shift(vehicle_id="v1", name="morning", start_s=6 * 3600, end_s=13 * 3600))
        for key, line in streets.degrees:
            session.add(
                Lane(
                    id=key,
                    ward_id="w1",
                    name=key,
                    name_hi=key,
                    highway="residential",
                    length_m=1.0,
                    width_m=4.0,
                    oneway=False,
                    geometry=line,
                    lon=line[0][0],
                    lat=line[0][1],
                    west=line[0][0],
                    south=line[0][1],
                    east=line[0][0],
                    north=line[0][1],
                    households=1,
                    shops=0,
                    institutions=0,
                    bulk=0,
                    kg_day={},
                    m3_day={},
                    estimated=True,
                    service_mode="enter",
                    profiles=["tipper"],
                    access_profiles=[],
                )
            )


@pytest.fixture
def streets(kit: Kit) -> Town:
    """A generated town of 4 by 4 crossings, imported."""
    made = town(3, size=4)
    import_city(kit, made)
    return made
