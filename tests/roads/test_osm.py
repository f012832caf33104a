"""Reading OpenStreetMap files."""

from __future__ import annotations

import gzip
from pathlib import Path

import osmium
import pytest

from fleet.roads.faults import Fault, FaultyInputError
from fleet.roads.network import Network, names_of
from fleet.roads.osm import read_network
from tests.roads.towns import TOWN_NODES, TOWN_WAYS, write_osm, write_town

ROAD = {"highway": "residential"}


def faults_of(path: Path) -> tuple[Fault, ...]:
    with pytest.raises(FaultyInputError) as caught:
        read_network(path)
    assert all(f.file == path.name and f.remedy for f in caught.value.faults)
    return caught.value.faults


def as_pbf(source: Path, target: Path) -> Path:
    with osmium.SimpleWriter(str(target)) as writer:
        for item in osmium.FileProcessor(str(source)):
            writer.add(item)
    return target


def test_reads_a_town_without_versions(tmp_path: Path) -> None:
    network = read_network(write_town(tmp_path / "network.osm"))
    assert {way.id: way.nodes for way in network.ways} == {
        way: tuple(refs) for way, (refs, _) in TOWN_WAYS.items()
    }
    assert network.nodes[10] == (75.8, 22.701)
    assert 12 not in network.nodes, "a node that no street uses"
    assert network.bbox == (75.8, 22.698, 75.832, 22.702)
    (hospital,) = network.landmarks
    assert (hospital.kind, hospital.name, hospital.name_hi) == (
        "hospital",
        "City Hospital",
        "अस्पताल",
    )
    assert network.warnings == ()


def test_all_file_formats_read_alike(tmp_path: Path) -> None:
    plain = write_town(tmp_path / "network.osm", negative=True)
    zipped = tmp_path / "network.osm.gz"
    zipped.write_bytes(gzip.compress(plain.read_bytes()))
    packed = as_pbf(plain, tmp_path / "network.osm.pbf")

    def essence(network: Network) -> object:
        ways = [(way.id, way.nodes, dict(way.tags)) for way in network.ways]
        return ways, dict(network.nodes), network.landmarks

    expected = essence(read_network(plain))
    assert essence(read_network(zipped)) == expected
    assert essence(read_network(packed)) == expected
    assert -10 in read_network(packed).nodes


def test_a_file_in_any_order_reads_alike(tmp_path: Path) -> None:
    plain = write_town(tmp_path / "network.osm").read_text()
    body = [line for line in plain.splitlines() if line.startswith(("<node", "<way"))]
    shuffled = tmp_path / "shuffled.osm"
    shuffled.write_text('<osm version="0.6">' + "".join(reversed(body)) + "</osm>")
    assert len(read_network(shuffled).ways) == len(TOWN_WAYS)


def test_water_green_buildings_and_rail_are_told_apart(tmp_path: Path) -> None:
    square = {1: (0, 0), 2: (0.01, 0), 3: (0.01, 0.01), 4: (0, 0.01)}
    hole = {5: (0.004, 0.004), 6: (0.006, 0.004), 7: (0.006, 0.006)}
    network = read_network(
        write_osm(
            tmp_path / "network.osm",
            {**square, **hole},
            {
                1: ((1, 2), ROAD),
                2: ((1, 2, 3, 4, 1), {"leisure": "park", "name": "Nehru Park"}),
                3: ((5, 6, 7, 5), {"building": "yes"}),
                4: ((1, 3), {"railway": "rail"}),
                5: ((2, 4), {"waterway": "river"}),
                6: ((1, 2, 3), {}),
                7: ((3, 4, 1), {}),
                8: ((5, 6, 7, 5), {}),
                9: ((1, 4), {"highway": "proposed"}),
            },
            [(((6, "outer"), (7, "outer"), (8, "inner")), {"natural": "water"})],
        )
    )
    areas = {area.kind: area.shape for area in network.areas}
    assert sorted(areas) == ["building", "green", "water"]
    assert areas["green"].area == pytest.approx(1e-4)
    assert areas["water"].area == pytest.approx(1e-4 - 2e-6)
    assert [line.kind for line in network.lines] == ["rail", "waterway"]
    assert [(mark.kind, mark.name) for mark in network.landmarks] == [("park", "Nehru Park")]
    assert [way.id for way in network.ways] == [1]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"name": "MG Road", "name:hi": "एमजी रोड"}, ("MG Road", "एमजी रोड")),
        ({"name": "सराफा", "name:en": "Sarafa"}, ("Sarafa", "सराफा")),
        ({"name": "सराफा"}, ("सराफा", "सराफा")),
        ({"name:hi": "सराफा"}, ("सराफा", "सराफा")),
        ({}, ("", "")),
    ],
)
def test_names_for_two_languages(tags: dict[str, str], expected: tuple[str, str]) -> None:
    assert names_of(tags) == expected


def test_a_file_without_roads_names_the_tag(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "network.osm", {1: (0, 0), 2: (1, 0)}, {1: ((1, 2), {"name": "x"})})
    (fault,) = faults_of(path)
    assert fault.field == "highway"
    assert "no roads" in fault.reason


def test_garbage_truncated_and_missing_files_are_faults(tmp_path: Path) -> None:
    whole = write_town(tmp_path / "whole.osm")
    garbage = tmp_path / "garbage.osm.pbf"
    garbage.write_bytes(b"\x00\x01garbage" * 50)
    cut = tmp_path / "cut.osm"
    cut.write_bytes(whole.read_bytes()[:-100])
    cut_gz = tmp_path / "cut.osm.gz"
    cut_gz.write_bytes(gzip.compress(whole.read_bytes())[:-60])
    strange = tmp_path / "network.txt"
    strange.write_text("nothing")
    empty = tmp_path / "empty.osm"
    empty.touch()
    for path in (garbage, cut, cut_gz, strange, empty, tmp_path / "missing.osm"):
        (fault,) = faults_of(path)
        assert fault.fatal


def test_roads_over_the_border_are_kept_as_far_as_they_are_known(tmp_path: Path) -> None:
    network = read_network(
        write_osm(
            tmp_path / "network.osm",
            {n: (n / 1000, 0) for n in (1, 2, 3, 4, 6)},
            {1: ((1, 2, 3, 99, 4, 98, 6), ROAD)},
        )
    )
    assert [(way.id, way.nodes) for way in network.ways] == [(1, (1, 2, 3))]
    (warning,) = network.warnings
    assert not warning.fatal
    assert warning.field == "way 1"
    assert "1 of 1 roads" in warning.reason
    assert "2 of 7 references" in warning.reason


def test_a_file_that_lacks_most_nodes_is_refused(tmp_path: Path) -> None:
    path = write_osm(tmp_path / "network.osm", {1: (0, 0), 2: (1, 0)}, {1: (range(1, 9), ROAD)})
    (fault,) = faults_of(path)
    assert "complete ways" in fault.remedy


def test_a_position_outside_the_world_is_a_fault(tmp_path: Path) -> None:
    nodes = {**TOWN_NODES, 1: (275.8, 22.7)}
    (fault,) = faults_of(write_osm(tmp_path / "network.osm", nodes, TOWN_WAYS))
    assert "275.8" in fault.reason
