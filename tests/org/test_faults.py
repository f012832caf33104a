"""Each fault of a city folder is reported with file, row, field and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.org.importer import check_city
from fleet.roads.faults import Fault, FaultyInputError

from . import town
from .town import BEATS, BINS, FLEET, LANDMARKS, PLACES, SHIFTS, WARDS, at, collection, feature

SWAPPED = feature("Point", at(0, 0)[::-1], id="D1", kind="depot", name="Yard")
HALVES = (
    feature("Polygon", town.box(-1, -1, 1, 5), ward="1", zone="A", name="Nehru"),
    feature("Polygon", town.box(1, -1, 2.4, 5), ward="1", zone="A", name="Patel"),
)
LAPPED = feature("Polygon", town.box(1.5, -1, 7, 5), ward="2", zone="B", name="Gandhi")
EMPTY = feature("Polygon", town.box(2.6, 0.2, 2.9, 0.4), ward="3", zone="B", name="Void")
AWAY = feature("Polygon", town.box(90, 90, 95, 95), ward="3", zone="B", name="Away")
TURNED = feature(
    "Polygon", [[p[::-1] for p in town.box(0, 0, 2, 2)[0]]], ward="3", zone="B", name="Turned"
)


def faults_of(folder: Path) -> list[Fault]:
    with pytest.raises(FaultyInputError) as refused:
        check_city(folder)
    return [fault for fault in refused.value.faults if fault.fatal]


CASES: dict[str, tuple[dict[str, str | None], str, int | None, str | None, str]] = {
    "no network": ({"network_osm": None}, "network.osm", None, None, "missing"),
    "no roads": (
        {"network_osm": '<osm version="0.6"><node id="1" lon="1" lat="1"/></osm>'},
        "network.osm",
        None,
        "highway",
        "no roads",
    ),
    "not osm": ({"network_osm": "lorem"}, "network.osm", None, None, "not a readable"),
    "no wards": ({"wards_geojson": None}, "wards.geojson", None, None, "missing"),
    "no places": ({"places_geojson": None}, "places.geojson", None, None, "missing"),
    "no fleet": ({"fleet_csv": None}, "fleet.csv", None, None, "missing"),
    "no classes": ({"classes_toml": None}, "classes.toml", None, None, "missing"),
    "two wards of one number": (
        {"wards_geojson": collection(*HALVES, WARDS[1])},
        "wards.geojson",
        2,
        "ward",
        "also row 1",
    ),
    "wards that overlap": (
        {"wards_geojson": collection(WARDS[0], LAPPED)},
        "wards.geojson",
        2,
        "geometry",
        "overlaps ward 1",
    ),
    "ward without street": (
        {
            "wards_geojson": collection(
                WARDS[0],
                feature("Polygon", town.box(3, -1, 7, 5), ward="2", zone="B", name="Gandhi"),
                EMPTY,
            )
        },
        "wards.geojson",
        3,
        "geometry",
        "has no street",
    ),
    "ward outside": (
        {"wards_geojson": collection(*WARDS, AWAY)},
        "wards.geojson",
        3,
        "geometry",
        "outside",
    ),
    "ward lat first": (
        {"wards_geojson": collection(*WARDS, TURNED)},
        "wards.geojson",
        3,
        "geometry",
        "swapped",
    ),
    "ward as a point": (
        {"wards_geojson": collection(*WARDS, feature("Point", at(1, 1), ward="3"))},
        "wards.geojson",
        3,
        "geometry",
        "Point",
    ),
    "ward without number": (
        {"wards_geojson": collection(*WARDS, feature("Polygon", town.box(8, 0, 9, 1)))},
        "wards.geojson",
        3,
        "ward",
        "missing",
    ),
    "population in words": (
        {
            "wards_geojson": collection(
                WARDS[0], feature("Polygon", town.box(2.4, -1, 7, 5), ward="2", population="many")
            )
        },
        "wards.geojson",
        2,
        "population",
        "not a number",
    ),
    "not GeoJSON": ({"wards_geojson": "{]"}, "wards.geojson", 1, None, "not JSON"),
    "unknown kind of place": (
        {"places_geojson": collection(*PLACES, feature("Point", at(1, 1), id="X", kind="shed"))},
        "places.geojson",
        3,
        "kind",
        "shed",
    ),
    "place twice": (
        {"places_geojson": collection(*PLACES, PLACES[0])},
        "places.geojson",
        3,
        "id",
        "row 1",
    ),
    "place lat first": (
        {"places_geojson": collection(SWAPPED, PLACES[1])},
        "places.geojson",
        1,
        "lon",
        "swapped",
    ),
    "no depot": (
        {"places_geojson": collection(PLACES[1]), "fleet_csv": FLEET},
        "places.geojson",
        None,
        "kind",
        "no depot",
    ),
    "no place for a stream": (
        {
            "places_geojson": collection(
                PLACES[0],
                feature(
                    "Point", at(5, 3), id="S1", kind="plant", name="S", streams="wet;dry;special"
                ),
            )
        },
        "places.geojson",
        None,
        "streams",
        "sanitary",
    ),
    "unknown stream": (
        {"bins_geojson": collection(feature("Point", at(1, 1), id="C", stream="glass", kg=9))},
        "bins.geojson",
        1,
        "stream",
        "glass",
    ),
    "bin too heavy": (
        {
            "bins_geojson": collection(
                *BINS, feature("Point", at(1, 1), id="C", stream="dry", kg=999)
            )
        },
        "bins.geojson",
        2,
        "kg",
        "No vehicle can carry",
    ),
    "unknown class": (
        {"fleet_csv": FLEET.replace("V2,tipper", "V2,tippr")},
        "fleet.csv",
        3,
        "class",
        "tippr",
    ),
    "unknown depot": (
        {"fleet_csv": FLEET.replace("V2,tipper,D1", "V2,tipper,S1")},
        "fleet.csv",
        3,
        "depot",
        "S1",
    ),
    "vehicle twice": (
        {"fleet_csv": FLEET.replace("V2,", "V1,")},
        "fleet.csv",
        3,
        "vehicle",
        "row 2",
    ),
    "chambers unreadable": (
        {"fleet_csv": FLEET.replace("wet:900kg:3m3", "wet 900kg")},
        "fleet.csv",
        4,
        "compartments",
        "cannot be read",
    ),
    "stream in two chambers": (
        {"fleet_csv": FLEET.replace("wet:900kg:3m3", "wet+dry:900kg:3m3")},
        "fleet.csv",
        4,
        "compartments",
        "two chambers",
    ),
    "chamber of nothing": (
        {"fleet_csv": FLEET.replace("wet:900kg:3m3", "wet:0kg:3m3")},
        "fleet.csv",
        4,
        "compartments",
        "holds nothing",
    ),
    "spare in words": (
        {"fleet_csv": FLEET.replace(",yes,", ",maybe,")},
        "fleet.csv",
        4,
        "spare",
        "neither",
    ),
    "a column missing": (
        {"fleet_csv": FLEET.replace("depot", "yard", 1)},
        "fleet.csv",
        1,
        "depot",
        "column",
    ),
    "class without width": (
        {"classes_toml": "[tipper]\n[truck]\nwidth_m = 2.4"},
        "classes.toml",
        None,
        "tipper.width_m",
        "missing",
    ),
    "class entry unknown": (
        {"classes_toml": town.CLASSES + "colour = 1"},
        "classes.toml",
        None,
        "truck.colour",
        "not known",
    ),
    "speed of no street": (
        {"classes_toml": town.CLASSES.replace("residential", "lane")},
        "classes.toml",
        None,
        "tipper.lane",
        "no class of street",
    ),
    "classes not TOML": ({"classes_toml": "[tipper"}, "classes.toml", None, None, "not TOML"),
    "too wide everywhere": (
        {
            "classes_toml": town.CLASSES.replace("2.4", "4.0"),
            "network_osm": town.osm()
            .replace('"tertiary"', '"living_street"')
            .replace('"residential"', '"living_street"'),
        },
        "fleet.csv",
        4,
        "class",
        "too wide for every street of the city",
    ),
    "shift of nobody": (
        {"shifts_csv": SHIFTS + "V9,morning,06:00,14:00\n"},
        "shifts.csv",
        5,
        "vehicle",
        "V9",
    ),
    "no time": ({"shifts_csv": SHIFTS.replace("26:00", "2 am")}, "shifts.csv", 3, "end", "no time"),
    "shift too long": (
        {"shifts_csv": SHIFTS.replace("26:00", "39:00")},
        "shifts.csv",
        3,
        "end",
        "16 hours",
    ),
    "shifts that overlap": (
        {"shifts_csv": SHIFTS.replace("22:00", "13:00")},
        "shifts.csv",
        3,
        "start",
        "before morning",
    ),
    "beat of nobody": ({"beats_csv": BEATS.replace("V2", "V9")}, "beats.csv", 3, "vehicle", "V9"),
    "beat without shift": (
        {"beats_csv": BEATS.replace("V2,morning", "V2,night")},
        "beats.csv",
        3,
        "shift",
        "no shift",
    ),
    "two beats at once": (
        {"beats_csv": BEATS.replace("V2", "V1")},
        "beats.csv",
        3,
        "vehicle",
        "B1",
    ),
    "beat without landmarks": (
        {"beats_csv": BEATS.replace("राम मंदिर", "")},
        "beats.csv",
        3,
        "landmarks",
        "missing",
    ),
    "landmark unknown": (
        {"beats_csv": BEATS.replace("राम", "श्याम")},
        "beats.csv",
        3,
        "landmarks",
        "श्याम",
    ),
    "landmark without name": (
        {"landmarks_geojson": collection(*LANDMARKS, feature("Point", at(1, 1), kind="x"))},
        "landmarks.geojson",
        3,
        "name",
        "missing",
    ),
    "premise of no kind": (
        {"premises_csv": "lon,lat,kind,count\n75.86,22.72,palace,1\n"},
        "premises.csv",
        2,
        "kind",
        "palace",
    ),
    "premise far away": (
        {"premises_csv": "lon,lat,kind,count\n75.86,22.72,shop,1\n75.96,22.72,shop,1\n"},
        "premises.csv",
        3,
        "lon",
        "outside",
    ),
    "premise lat first": (
        {"premises_csv": "lon,lat,kind,count\n22.72,75.86,shop,1\n"},
        "premises.csv",
        2,
        "lon",
        "swapped",
    ),
    "premise in halves": (
        {"premises_csv": "lon,lat,kind,count\n75.86,22.72,shop,1.5\n"},
        "premises.csv",
        2,
        "count",
        "not whole",
    ),
    "policy unknown": (
        {"policy_toml": "at_rsk_s = 1"},
        "policy.toml",
        None,
        "at_rsk_s",
        "not a policy",
    ),
    "no time zone": ({"city_toml": 'tz = "Asia/Indore"'}, "city.toml", None, "tz", "Asia/Indore"),
    "mode unknown": (
        {
            "network_osm": town.osm(
                ways=town.way(300, [1, 2], highway="residential", service_mode="fly")
            )
        },
        "network.osm",
        None,
        "way 300: service_mode",
        "fly",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_fault_is_named(tmp_path: Path, case: str) -> None:
    files, file, row, field, words = CASES[case]
    found = faults_of(town.write_town(tmp_path / "town", **files))
    matching = [f for f in found if (f.file, f.row, f.field) == (file, row, field)]
    assert matching, found
    assert any(words in fault.reason for fault in matching)
    assert all(f.reason.endswith(".") and f.remedy.endswith(".") for f in found)


def test_a_beat_whose_vehicle_fits_nowhere(tmp_path: Path) -> None:
    """The truck fits into the city's rows, but into no lane of ward 2's beat."""
    narrow = town.osm().replace('"tertiary"', '"residential"')
    for line in narrow.splitlines():
        if 'id="153"' in line or 'id="154"' in line or 'id="155"' in line:
            narrow = narrow.replace(line, line.replace("</way>", '<tag k="width" v="2.5"/></way>'))
    half = [line for line in narrow.splitlines() if not line.startswith('<way id="10')]
    rows = [
        town.way(110 + r, [town.node(c, r) for c in range(3)], highway="residential")
        for r in range(4)
    ] + [
        town.way(
            120 + r,
            [town.node(c, r) for c in range(2, 6)],
            highway="residential",
            width="2.5",
        )
        for r in range(4)
    ]
    network = "\n".join([*half[:-1], *rows, "</osm>"])
    folder = town.write_town(
        tmp_path / "town",
        network_osm=network,
        beats_csv="beat,vehicle,shift,landmarks\nB2,V3,morning,राम मंदिर\n",
    )
    [fault] = faults_of(folder)
    assert (fault.file, fault.row, fault.field) == ("beats.csv", 2, "vehicle")
    assert "V3 is too wide for every street of beat B2" in fault.reason


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    folder = town.write_town(
        tmp_path / "town",
        fleet_csv=FLEET.replace("V2,tipper", "V2,tippr"),
        wards_geojson=collection(WARDS[0], LAPPED),
        policy_toml="gap_s = 'x'",
    )
    assert {fault.file for fault in faults_of(folder)} == {
        "fleet.csv",
        "wards.geojson",
        "policy.toml",
    }


def test_text_in_another_encoding_says_where(tmp_path: Path) -> None:
    folder = town.write_town(tmp_path / "town")
    (folder / "beats.csv").write_bytes(BEATS.encode().replace(b"Column 0", b"Caf\xe9"))
    assert [(f.file, f.row) for f in faults_of(folder)] == [("beats.csv", 2)]
    (folder / "beats.csv").write_bytes(BEATS.encode("utf-16"))
    assert [(f.file, f.row) for f in faults_of(folder)] == [("beats.csv", 1)]
