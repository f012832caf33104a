"""A town's folder becomes tables, datasets and a map: all of it or nothing, once."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fleet.kit.db import Base
from fleet.kit.outbox import OutboxRow
from fleet.kit.web import Kit
from fleet.org import assignments, queries
from fleet.org.cityfiles.completing import Completion
from fleet.org.importer import ImportReport, import_city
from fleet.org.models import Beat, Lane, Vehicle
from fleet.roads.faults import FaultyInputError
from fleet.roads.wiring import datasets

from . import town
from .town import at, collection, feature, node

GALLI, GALLI_END, PRIVATE, DEAD_END = "w201:905:901", "w202:901:902", "w203:6:903", "w204:33:904"


def do_import(kit: Kit, folder: Path, asked: Completion | None = None) -> ImportReport:
    steps: list[float] = []
    report = import_city(
        kit.db, kit.settings, folder, progress=lambda part, _: steps.append(part), asked=asked
    )
    assert steps == sorted(steps)
    assert steps[-1] == 1.0
    return report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return town.write_town(tmp_path / "town")


def test_everything_is_there(kit: Kit, folder: Path) -> None:
    report = do_import(kit, folder)
    assert report.changed
    assert report.counts == {
        "zones": 2, "wards": 2, "lanes": 43, "places": 2, "classes": 2, "vehicles": 3,
        "shifts": 4, "bins": 1, "beats": 2, "names": 19,
    }  # fmt: skip
    assert report.estimated == ["premises"]
    assert sorted(datasets(kit.settings)) == ["tipper", "truck"]
    assert (kit.settings.city_dir / "streets.pmtiles").read_bytes()[:7] == b"PMTiles"
    with kit.db.reading() as session:
        city = queries.city(session)
        assert (city.name, city.name_hi, city.tz, city.lang) == (
            "Chhotapur", "छोटापुर", "Asia/Kolkata", "hi",
        )  # fmt: skip
        assert city.imported_at == kit.clock.now()
        nehru, gandhi = queries.wards(session)
        assert (nehru.id, nehru.zone_id, nehru.name, nehru.name_hi) == ("1", "A", "Nehru", "Nehru")
        assert (gandhi.id, gandhi.name, gandhi.population) == ("2", "गांधी", 1150)
        depot, station = queries.places(session)
        assert (depot.service_s, depot.streams, station.service_s) == (0, [], 420)
        tipper, truck = queries.vehicle_classes(session)
        assert (tipper.fixed_cost_s, truck.fixed_cost_s) == (3600, 5400)
        hours = {(s.vehicle_id, s.name): (s.start_s, s.end_s) for s in queries.shifts(session)}
        assert hours["V1", "night"] == (79_200, 93_600)
        assert hours["V3", "morning"] == (21_600, 50_400)
        [street_bin] = queries.bins(session)
        assert (street_bin.ward_id, street_bin.kg, street_bin.m3) == ("2", 120, 0.24)


def test_lanes_know_how_they_are_served(kit: Kit, folder: Path) -> None:
    do_import(kit, folder)
    with kit.db.reading() as session:
        lanes = {lane.id: lane for lane in queries.lanes(session)}
        assert {lane.service_mode for lane in lanes.values()} == {
            "enter", "feeder", "gate", "mouth",
        }  # fmt: skip
        street = lanes["w100:1:2"]
        assert (street.service_mode, street.profiles) == ("enter", ["tipper", "truck"])
        assert (street.ward_id, street.name, street.oneway) == ("1", "Row 0", False)
        assert street.length_m == pytest.approx(100, abs=0.6)
        assert (street.access_lon, street.on_foot) == (None, False)

        near, far = lanes[GALLI], lanes[GALLI_END]
        assert (near.service_mode, near.profiles, near.on_foot) == ("feeder", [], True)
        assert (near.access_lon, near.access_lat) == at(0.5, 1)
        assert (near.access_m, near.access_profiles) == (0, ["tipper", "truck"])
        assert (far.access_lon, far.access_lat) == at(0.5, 1)
        assert far.access_m == pytest.approx(near.length_m, abs=0.1)
        assert lanes[near.access_lane_id or ""].name == "Row 1"

        gate, mouth = lanes[PRIVATE], lanes[DEAD_END]
        assert (gate.service_mode, gate.access_lon) == ("gate", at(5, 0)[0])
        assert gate.profiles == ["tipper", "truck"]
        assert (mouth.service_mode, mouth.access_lat) == ("mouth", at(2, 3)[1])
        assert lanes["w102:23:24"].ward_id == "2"  # its middle lies beyond the border


def test_population_is_spread_over_streets(kit: Kit, folder: Path) -> None:
    do_import(kit, folder)
    with kit.db.reading() as session:
        by_ward = {w: queries.lanes(session, wards=[w]) for w in ("1", "2")}
        assert [sum(lane.households for lane in by_ward[w]) for w in ("1", "2")] == [500, 250]
        assert [sum(lane.shops for lane in by_ward[w]) for w in ("1", "2")] == [50, 25]
        lane = max(by_ward["1"], key=lambda lane: lane.households)
        kg = lane.households * 1.6 + lane.shops * 3.0
        assert lane.kg_total == pytest.approx(kg)
        assert lane.kg_day["wet"] == pytest.approx(kg * 0.58)
        assert lane.m3_day["dry"] == pytest.approx(kg * 0.35 / 130, abs=1e-4)
        assert lane.estimated


def test_listed_premises_stand_at_their_lane(kit: Kit, tmp_path: Path) -> None:
    rows = [
        (*at(0.5, 0.05), "household", 12),
        (*at(0.5, 0.05), "shops", "3.0"),
        (*at(4, 1.5), "institution", 1),
        (*at(2, 4.5), "bulk", 1),
    ]
    listed = "lon,lat,kind,count\n" + "".join(f"{a},{b},{c},{d}\n" for a, b, c, d in rows)
    report = do_import(kit, town.write_town(tmp_path / "town", premises_csv=listed))
    assert report.estimated == []
    [warning] = report.warnings
    assert (warning.file, warning.row) == ("premises.csv", 5)
    with kit.db.reading() as session:
        some = {lane.id: lane for lane in queries.lanes(session) if lane.kg_total}
        assert set(some) == {"w100:1:2", "w154:15:25"}
        street = some["w100:1:2"]
        assert (street.households, street.shops, street.estimated) == (12, 3, False)


def test_beats_follow_their_landmarks(kit: Kit, folder: Path) -> None:
    do_import(kit, folder)
    with kit.db.reading() as session:
        one, two = queries.beats(session)
        assert one.landmarks == ["Bus Stand", "Column 0"]
        wards = {lane.id: lane.ward_id for lane in queries.lanes(session)}
        assert {wards[lane] for lane in one.lane_ids} == {"1"}
        assert {wards[lane] for lane in two.lane_ids} == {"2"}
        assert len(one.lane_ids) + len(two.lane_ids) == len(wards)
        first, last = (session.get_one(Lane, one.lane_ids[i]) for i in (0, -1))
        assert first.lon > last.lon  # from the bus stand towards column 0
        given = assignments.held(session, "vehicle_beat", kit.clock.now())
        assert [(row.subject, row.object) for row in given] == [("V1", "B1"), ("V2", "B2")]


def test_the_same_again_changes_nothing(kit: Kit, folder: Path) -> None:
    first = do_import(kit, folder)
    events = _count(kit, OutboxRow)
    stamp = (kit.settings.city_dir / "streets.pmtiles").stat().st_mtime_ns
    second = do_import(kit, folder)
    assert (second.changed, second.counts) == (False, first.counts)
    assert _count(kit, OutboxRow) == events
    assert (kit.settings.city_dir / "streets.pmtiles").stat().st_mtime_ns == stamp


def test_with_a_fault_nothing_is_written(kit: Kit, tmp_path: Path) -> None:
    folder = town.write_town(tmp_path / "town", policy_toml="at_rsk_s = 1")
    with pytest.raises(FaultyInputError):
        do_import(kit, folder)
    assert not kit.settings.city_dir.exists()
    assert [_count(kit, model) for model in (Lane, Vehicle, Beat, OutboxRow)] == [0, 0, 0, 0]


def test_a_later_map_keeps_ids_and_names_successors(kit: Kit, folder: Path) -> None:
    """Column 1 is redrawn as another way; column 0's dispatcher's choice of a vehicle stays."""
    do_import(kit, folder)
    with kit.db.unit_of_work() as session:
        assignments.assign(session, "vehicle_beat", "V3", "B1", kit.clock.now())
    old = "w151:2:12"
    network = town.osm().replace('id="151"', 'id="951"')
    town.write_town(
        folder,
        network_osm=network,
        fleet_csv=town.FLEET.replace("V2,tipper", "V9,tipper"),
        shifts_csv=town.SHIFTS.replace("V2", "V9"),
        beats_csv=town.BEATS.replace("V2", "V9"),
    )
    assert do_import(kit, folder).changed
    with kit.db.reading() as session:
        gone = queries.lane(session, old)
        assert (gone.active, gone.successors) == (False, ["w951:2:12"])
        assert old not in {lane.id for lane in queries.lanes(session)}
        assert queries.lane(session, "w100:1:2").active
        assert not session.get_one(Vehicle, "V2").active
        assert [v.id for v in queries.vehicles(session)] == ["V1", "V3", "V9"]
        now = kit.clock.now()
        assert assignments.subjects(session, "vehicle_beat", "B1", now) == ["V3"]
        assert assignments.subjects(session, "vehicle_beat", "B2", now) == ["V9"]
    town.write_town(folder)
    do_import(kit, folder)
    with kit.db.reading() as session:
        back = queries.lane(session, old)
        assert (back.active, back.successors) == (True, [])
        assert queries.lane(session, "w951:2:12").successors == [old]


def test_a_class_that_left_takes_its_dataset_along(kit: Kit, folder: Path) -> None:
    do_import(kit, folder)
    town.write_town(
        folder,
        fleet_csv="\n".join(town.FLEET.splitlines()[:3]),
        classes_toml=town.CLASSES[: town.CLASSES.index("[truck]")],
    )
    do_import(kit, folder)
    assert list(datasets(kit.settings)) == ["tipper"]


def test_a_bare_network_is_completed_when_asked(kit: Kit, tmp_path: Path) -> None:
    folder = tmp_path / "bare"
    folder.mkdir()
    (folder / "network.osm").write_text(town.osm())
    with pytest.raises(FaultyInputError) as refused:
        do_import(kit, folder)
    assert {f.file for f in refused.value.faults} == {
        "wards.geojson", "places.geojson", "classes.toml", "fleet.csv",
    }  # fmt: skip
    report = do_import(kit, folder, Completion(grid_wards=3, complete=True))
    assert report.counts["wards"] == 3
    assert report.estimated == [
        "classes", "fleet", "places", "premises", "shifts", "tz", "wards",
    ]  # fmt: skip
    with kit.db.reading() as session:
        metres = [
            sum(lane.length_m for lane in queries.lanes(session, wards=[ward.id]))
            for ward in queries.wards(session)
        ]
        assert max(metres) < 2 * min(metres)
        assert queries.city(session).tz == "Asia/Kolkata"
        depots = queries.places(session, "depot")
        assert queries.nearest_lane(session, depots[0].lon, depots[0].lat, 1) is not None


def test_places_are_found(kit: Kit, folder: Path) -> None:
    do_import(kit, folder)
    with kit.db.reading() as session:
        assert getattr(queries.ward_of(session, *at(1, 1)), "id", None) == "1"
        assert getattr(queries.ward_of(session, *at(4, 1)), "id", None) == "2"
        assert queries.ward_of(session, *at(30, 1)) is None
        lane, distance_m = queries.nearest_lane(session, *at(0.7, 0.1), 50) or (None, 0.0)
        assert lane is not None
        assert lane.id == "w100:1:2"
        assert distance_m == pytest.approx(10, abs=0.1)
        assert queries.nearest_lane(session, *at(0.5, 0.5), 20) is None


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("bus", "Bus Stand"),
        ("STAND", "Bus Stand"),
        ("बस", "Bus Stand"),
        ("राम मन्दिर"[:3], "राम मंदिर"),
        ("row 2", "Row 2"),
        ("स्तंभ 4", "Column 4"),
        ("nehru", "Nehru"),
        ("गाँधी", "गांधी"),
        ("ehr", "Nehru"),
    ],
)
def test_names_are_found_as_people_write_them(
    sqlite_kit: Kit, folder: Path, words: str, first: str
) -> None:
    do_import(sqlite_kit, folder)
    with sqlite_kit.db.reading() as session:
        assert queries.search(session, words)[0]["name"] == first


def test_a_prefix_comes_before_a_part(sqlite_kit: Kit, tmp_path: Path) -> None:
    landmarks = collection(
        *town.LANDMARKS,
        feature("Point", at(1, 2), name="Old Rajwada"),
        feature("Point", at(1, 2), name="Rajwada Palace"),
        feature("Point", at(1, 2), name="Maharaj Marg"),
        feature("Point", at(2, 2), name="100% Café"),
    )
    do_import(sqlite_kit, town.write_town(tmp_path / "town", landmarks_geojson=landmarks))
    with sqlite_kit.db.reading() as session:
        names = [row["name"] for row in queries.search(session, "raj")]
        assert names == ["Rajwada Palace", "Old Rajwada", "Maharaj Marg"]
        assert [row["name"] for row in queries.search(session, "0% caf")] == ["100% Café"]
        assert [row["name"] for row in queries.search(session, "%")] == ["100% Café"]
        assert queries.search(session, " ") == []


def test_a_drawn_beat_ends_at_its_line(sqlite_kit: Kit, tmp_path: Path) -> None:
    drawn = collection(
        feature("Polygon", town.box(-0.5, -0.5, 1.2, 1.2), beat="B1", vehicle="V1", shift="morning")
    )
    folder = town.write_town(tmp_path / "town", beats_csv=None, beats_geojson=drawn)
    do_import(sqlite_kit, folder)
    with sqlite_kit.db.reading() as session:
        [beat] = queries.beats(session)
        inside = {f"w10{r}:{node(0, r)}:{node(1, r)}" for r in (0,)} | {
            "w101:11:905", "w101:905:12", "w150:1:11", "w151:2:12",
        }  # fmt: skip
        assert set(beat.lane_ids) == inside
        positions = [session.get_one(Lane, lane) for lane in beat.lane_ids]
        assert len({(lane.lon, lane.lat) for lane in positions}) == len(inside)


def _count(kit: Kit, model: type[Base]) -> int:
    def counted(session: Session) -> int:
        return session.scalar(select(func.count()).select_from(model)) or 0

    with kit.db.reading() as session:
        return counted(session)
