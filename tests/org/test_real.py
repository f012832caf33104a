"""Real files: four street networks with wards by a grid, and the wards of Bhopal."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

import pytest

from fleet.kit.web import Kit
from fleet.org import queries
from fleet.org.cityfiles import wards
from fleet.org.cityfiles.completing import Completion
from fleet.org.importer import CheckedCity, check_city, import_city
from fleet.org.store import write_city
from fleet.roads.faults import Fault


def bare(shared: Path, name: str, folder: Path) -> Path:
    source = shared / "data" / "osm" / name
    folder.mkdir()
    shutil.copy(source, folder / f"network{name[name.index('.osm') :]}")
    return folder


def checked(shared: Path, name: str, folder: Path, count: int) -> CheckedCity:
    return check_city(bare(shared, name, folder), Completion(count, complete=True))


def test_bhopal_s_wards_are_understood(shared: Path) -> None:
    faults: list[Fault] = []
    rows = wards.read(shared / "data" / "bhopal", faults, "Bhopal_wards.geojson")
    assert len({row.zone_id for row in rows}) == 19
    assert sum(row.population or 0 for row in rows) > 1_500_000
    by_id = {row.id: row for row in rows}
    assert by_id["30"].name == by_id["30"].name_hi == "कुशाभाऊ ठाकरे"
    assert by_id["30"].population == 23_007
    assert not by_id["30"].geometry.has_z
    assert faults == []
    assert len(rows) == 85  # one of its 86 polygons is a second piece


@pytest.mark.parametrize(
    ("name", "wards_wanted", "lanes", "km"),
    [
        ("campo-grande.osm.gz", 20, 13_606, 1464),
        ("indore-vijay-nagar.osm", 2, 120, 12.6),
        ("badhersfeld.osm.gz", 4, 4_493, 626),
        ("bayfront_singapore.osm.pbf", 2, 236, 14.5),
    ],
)
def test_a_real_network_becomes_lanes(
    shared: Path, tmp_path: Path, name: str, wards_wanted: int, lanes: int, km: float
) -> None:
    city = checked(shared, name, tmp_path / "city", wards_wanted)
    assert all(not fault.fatal for fault in city.warnings)
    derived = city.derived.lanes
    assert len(derived) == lanes
    assert sum(lane.segment.length_m for lane in derived) / 1000 == pytest.approx(km, rel=0.01)
    per_ward = Counter(lane.ward for lane in derived)
    assert set(per_ward) == set(range(wards_wanted))
    assert len({lane.segment.id for lane in derived}) == lanes
    for lane in derived:
        assert (lane.access.mode == "enter") == (lane.access.stand is None)
        assert lane.access.stand_profiles
        if lane.access.mode in ("enter", "gate"):
            assert lane.access.profiles
    driven = {lane.segment.id for lane in derived if lane.access.mode == "enter"}
    assert {lane.access.stand_lane for lane in derived} - {None} <= driven
    served = [lane for lane in derived if lane.premises.households]
    assert all(not lane.segment.highway.startswith(("motorway", "trunk")) for lane in served)
    assert any(named.kind == "street" for named in city.derived.names)


def test_lanes_are_read_back_as_written(shared: Path, tmp_path: Path, sqlite_kit: Kit) -> None:
    city = checked(shared, "bayfront_singapore.osm.pbf", tmp_path / "city", 2)
    with sqlite_kit.db.unit_of_work() as session:
        write_city(session, city.files, city.network.bbox, city.derived, "x")
    with sqlite_kit.db.reading() as session:
        rows = queries.lane_rows(session)
    assert len(rows) == 236
    lane = rows[0]
    geometry = next(d.segment.geometry for d in city.derived.lanes if d.segment.id == lane.id)
    assert [tuple(point) for point in lane.geometry] == list(geometry)
    with sqlite_kit.db.reading() as session:
        middle = queries.nearest_lane(session, lane.lon, lane.lat, 5)
        assert middle is not None
        assert middle[1] < 0.5


def test_a_real_network_is_imported_with_its_engine(
    shared: Path, tmp_path: Path, sqlite_kit: Kit
) -> None:
    folder = bare(shared, "indore-vijay-nagar.osm", tmp_path / "city")
    report = import_city(
        sqlite_kit.db,
        sqlite_kit.settings,
        folder,
        progress=lambda part, text: None,
        asked=Completion(2, complete=True),
    )
    assert report.counts["lanes"] == 120
    assert any("cannot be reached and left" in fault.reason for fault in report.warnings)
    with sqlite_kit.db.reading() as session:
        assert queries.search(session, "vijay nagar police")[0]["kind"] == "landmark"
