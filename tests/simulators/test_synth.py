"""The synthetic city: deterministic, exactly partitioned, connected, and of the size it claims."""

from __future__ import annotations

import csv
import gzip
import hashlib
import itertools
import json
import tomllib
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import STRtree
from shapely.geometry import LineString, Point, shape
from shapely.ops import unary_union

from simulators.synth import write_city
from simulators.synth.layout import Layout
from simulators.synth.streets import Streets, draw_streets
from simulators.synth.territory import ward_id, ward_ring, zone_of

TIPPER_NEEDS_M = 2.1


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two wards, seed 1."""
    folder = tmp_path_factory.mktemp("town")
    write_city(folder, wards=2, seed=1)
    return folder


def digest(folder: Path) -> dict[str, str]:
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def features(path: Path) -> list[dict[str, object]]:
    read: list[dict[str, object]] = json.loads(path.read_text(encoding="utf-8"))["features"]
    return read


def test_same_seed_writes_the_same_bytes(town: Path, tmp_path: Path) -> None:
    write_city(tmp_path / "again", wards=2, seed=1)
    write_city(tmp_path / "other", wards=2, seed=2)
    assert digest(tmp_path / "again") == digest(town)
    assert digest(tmp_path / "other")["network.osm.gz"] != digest(town)["network.osm.gz"]


@pytest.mark.parametrize("wards", [0, 86])
def test_refuses_a_number_of_wards_outside_its_range(wards: int) -> None:
    with pytest.raises(ValueError, match=r"Expected wards in 1\.\.85"):
        Layout.draw(wards, 1)


@settings(max_examples=12, deadline=None)
@given(wards=st.integers(1, 40), seed=st.integers(0, 10**6))
def test_wards_cover_the_city_once(wards: int, seed: int) -> None:
    layout = Layout.draw(wards, seed)
    polygons = [
        shape({"type": "Polygon", "coordinates": [ward_ring(layout, w)]}) for w in range(wards)
    ]
    whole = unary_union(polygons)
    assert all(polygon.is_valid for polygon in polygons)
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert sum(p.area for p in polygons) == pytest.approx(whole.area, rel=1e-9)


@settings(max_examples=6, deadline=None)
@given(wards=st.integers(1, 9), seed=st.integers(0, 10**6))
def test_streets_are_connected_for_a_tipper_and_lie_in_wards(wards: int, seed: int) -> None:
    layout = Layout.draw(wards, seed)
    streets = draw_streets(layout, seed)
    assert reachable_both_ways(streets) == wide_nodes(streets)
    polygons = [
        shape({"type": "Polygon", "coordinates": [ward_ring(layout, w)]}) for w in range(wards)
    ]
    tree = STRtree(polygons)
    for edge in streets.all_edges():
        line = LineString(streets.line(edge))
        parts = [line.intersection(polygons[w]).length for w in tree.query(line)]
        assert sum(parts) == pytest.approx(line.length, rel=1e-6)


def wide_ways(streets: Streets) -> list[tuple[list[int], bool]]:
    return [
        (way.nodes, way.tags.get("oneway") == "yes")
        for way in streets.ways
        if "highway" in way.tags and float(way.tags["width"]) >= TIPPER_NEEDS_M
    ]


def wide_nodes(streets: Streets) -> set[int]:
    return {node for nodes, _ in wide_ways(streets) for node in nodes}


def reachable_both_ways(streets: Streets) -> set[int]:
    """Nodes that a tipper reaches from a main street and from which it comes back.

    Dead ends behind a narrow galli are no part of the promise: they hang on no wide street.
    """
    onward: dict[int, set[int]] = defaultdict(set)
    back: dict[int, set[int]] = defaultdict(set)
    for nodes, oneway in wide_ways(streets):
        for a, b in itertools.pairwise(nodes):
            onward[a].add(b)
            back[b].add(a)
            if not oneway:
                onward[b].add(a)
                back[a].add(b)
    start = next(w.nodes[0] for w in streets.ways if w.tags.get("highway") == "primary")
    return flood(start, onward) & flood(start, back)


def flood(start: int, links: dict[int, set[int]]) -> set[int]:
    seen, open_nodes = {start}, [start]
    while open_nodes:
        for node in links[open_nodes.pop()] - seen:
            seen.add(node)
            open_nodes.append(node)
    return seen


def test_a_ward_has_the_size_that_planning_expects(town: Path) -> None:
    rows = table(town / "premises.csv")
    counts = Counter[str]()
    for row in rows:
        counts[row["kind"]] += int(row["count"])
    assert 11_000 <= counts["household"] <= 13_000
    assert 1_080 <= counts["shop"] <= 1_320
    uses, ways = Counter[str](), []
    root = ET.fromstring(gzip.decompress((town / "network.osm.gz").read_bytes()))
    for way in root.iter("way"):
        tags = {tag.get("k"): tag.get("v") for tag in way.iter("tag")}
        if "highway" in tags:
            nodes = [str(nd.get("ref")) for nd in way.iter("nd")]
            ways.append(nodes)
            for inner, node in enumerate(nodes):
                uses[node] += 1 if inner in (0, len(nodes) - 1) else 2
    lanes = sum(1 + sum(uses[node] > 2 for node in nodes[1:-1]) for nodes in ways)
    assert 500 <= lanes <= 700


def test_the_network_tells_lakes_rails_gallis_and_hindi_names(town: Path) -> None:
    root = ET.fromstring(gzip.decompress((town / "network.osm.gz").read_bytes()))
    tagged = [
        {str(t.get("k")): str(t.get("v")) for t in item.iter("tag")}
        for item in root
        if item.tag in ("node", "way")
    ]
    ids = [int(str(item.get("id"))) for item in root if item.tag == "node"]
    assert min(ids) == 1
    assert len(ids) == len(set(ids))
    for key, value in (
        ("natural", "water"),
        ("railway", "rail"),
        ("leisure", "park"),
        ("amenity", "school"),
        ("railway", "level_crossing"),
        ("oneway", "yes"),
    ):
        assert any(tags.get(key) == value for tags in tagged), (key, value)
    streets = [tags for tags in tagged if "highway" in tags]
    assert {tags["highway"] for tags in streets} >= {"primary", "residential", "living_street"}
    assert any(float(tags["width"]) < 1.6 for tags in streets)
    assert all(any("ऀ" <= letter <= "ॿ" for letter in tags["name:hi"]) for tags in streets)


def test_the_tables_name_each_other(town: Path) -> None:
    places = [f["properties"] for f in features(town / "places.geojson")]
    kinds = Counter(place["kind"] for place in places)  # type: ignore[index]
    assert kinds == {"depot": 1, "transfer_station": 2, "plant": 1}
    depots = {place["id"] for place in places if place["kind"] == "depot"}  # type: ignore[index]
    fleet = table(town / "fleet.csv")
    classes = tomllib.loads((town / "classes.toml").read_text(encoding="utf-8"))
    assert {row["class"] for row in fleet} == set(classes)
    assert {row["depot"] for row in fleet} <= depots
    at_work = {row["vehicle"] for row in fleet if row["spare"] == "no"}
    tippers = {r["vehicle"] for r in fleet if r["class"] == "tipper"} & at_work
    assert len(tippers) == 17
    assert {row["vehicle"] for row in table(town / "shifts.csv")} == at_work
    beats = table(town / "beats.csv")
    assert {row["vehicle"] for row in beats} == tippers
    root = ET.fromstring(gzip.decompress((town / "network.osm.gz").read_bytes()))
    known = {str(tag.get("v")) for tag in root.iter("tag") if tag.get("k") == "name"}
    assert {name for row in beats for name in row["landmarks"].split(";")} <= known


def test_landmarks_and_bins_stand_in_the_city(town: Path) -> None:
    city = unary_union([shape(f["geometry"]) for f in features(town / "wards.geojson")])
    for name in ("landmarks.geojson", "bins.geojson", "places.geojson"):
        marks = features(town / name)
        assert marks
        assert all(city.contains(shape(mark["geometry"])) for mark in marks)
    assert all(
        city.contains(Point(float(row["lon"]), float(row["lat"])))
        for row in table(town / "premises.csv")
    )


@pytest.mark.parametrize(("wards", "zones"), [(1, 1), (2, 2), (10, 3), (85, 19)])
def test_zones_are_at_most_nineteen(wards: int, zones: int) -> None:
    assigned = [zone_of(ward, wards) for ward in range(wards)]
    assert assigned == sorted(assigned)
    assert set(assigned) == set(range(zones))


def test_ward_ids_sort_in_order() -> None:
    assert [ward_id(w) for w in (0, 84)] == ["W01", "W85"]
