"""The basemap archive and the list of names, read back."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import mapbox_vector_tile
import pytest
from pmtiles.reader import MmapSource, Reader
from shapely.geometry import Polygon

from fleet.roads.basemap import cut_basemap
from fleet.roads.maplayers import MAX_ZOOM, MIN_ZOOM, mercator
from fleet.roads.names import names
from fleet.roads.network import Area, Network
from fleet.roads.osm import read_network
from tests.roads.conftest import no_progress
from tests.roads.towns import point, write_town


@pytest.fixture
def network(tmp_path: Path) -> Network:
    town = read_network(write_town(tmp_path / "network.osm"))
    house = Polygon([(75.8005, 22.7005), (75.801, 22.7005), (75.801, 22.701), (75.8005, 22.701)])
    lake = Polygon([(75.7, 22.6), (75.75, 22.6), (75.75, 22.65), (75.7, 22.65)])
    return replace(town, areas=(Area("building", house), Area("water", lake)))


@contextmanager
def archive(path: Path) -> Iterator[Any]:
    with path.open("rb") as file:
        yield Reader(MmapSource(file))


def tile(reader: Any, zoom: int, lon: float, lat: float) -> tuple[dict[str, Any], float, float]:
    """The decoded tile that holds a position, and that position in the tile's units."""
    x, y = (side * 2**zoom for side in mercator(lon, lat))
    data = gzip.decompress(reader.get(zoom, int(x), int(y)))
    layers = mapbox_vector_tile.decode(data, default_options={"y_coord_down": True})
    return layers, (x % 1) * 4096, (y % 1) * 4096


def test_a_street_lies_where_it_lies(network: Network, tmp_path: Path) -> None:
    cut_basemap(network, tmp_path / "streets.pmtiles", no_progress)
    with archive(tmp_path / "streets.pmtiles") as reader:
        layers, x, y = tile(reader, MAX_ZOOM, *point(2))
        streets = {f["properties"].get("name"): f for f in layers["street"]["features"]}
        north = streets["North Street"]
        assert north["properties"] == {"class": "tertiary", "name": "North Street"}
        assert north["geometry"]["coordinates"][0] == pytest.approx([x, y], abs=1)
        assert streets["Main Road"]["properties"]["name_hi"] == "मुख्य मार्ग"
        (hospital,) = layers["landmark"]["features"]
        assert hospital["properties"]["kind"] == "hospital"
        header = reader.header()
        assert header["min_lon_e7"] == 758000000
        assert (header["min_zoom"], header["max_zoom"]) == (MIN_ZOOM, MAX_ZOOM)
        names_of_layers = [layer["id"] for layer in reader.metadata()["vector_layers"]]
        assert "OpenStreetMap" in reader.metadata()["attribution"]
    assert names_of_layers == [
        "green",
        "water",
        "waterway",
        "building",
        "street",
        "rail",
        "landmark",
    ]
    assert not list(tmp_path.glob("*.part"))


def test_small_things_wait_for_their_zoom(network: Network, tmp_path: Path) -> None:
    cut_basemap(network, tmp_path / "streets.pmtiles", no_progress)
    with archive(tmp_path / "streets.pmtiles") as reader:
        near, _, _ = tile(reader, 14, *point(1))
        middle, _, _ = tile(reader, 13, *point(1))
        far, _, _ = tile(reader, 11, *point(1))
        lake, _, _ = tile(reader, 9, 75.72, 22.62)
    assert "building" in near
    assert "building" not in middle
    assert {f["properties"]["class"] for f in far["street"]["features"]} == {"tertiary"}
    assert "water" in lake


def test_an_area_has_its_hull_first_in_every_tile(network: Network, tmp_path: Path) -> None:
    """The winding that the format asks for: else a browser fills nothing, or all."""
    cut_basemap(network, tmp_path / "streets.pmtiles", no_progress)
    with archive(tmp_path / "streets.pmtiles") as reader:
        layers, _, _ = tile(reader, 14, 75.72, 22.62)
    (lake,) = layers["water"]["features"]
    assert lake["geometry"]["type"] == "Polygon"
    ring = Polygon(lake["geometry"]["coordinates"][0])
    assert ring.exterior.is_ccw, "clockwise on a screen, whose y points down"
    assert ring.bounds == (-80, -80, 4176, 4176), "cut with a margin, and filled whole"


def test_the_same_network_gives_the_same_bytes(network: Network, tmp_path: Path) -> None:
    count = cut_basemap(network, tmp_path / "a.pmtiles", no_progress)
    assert cut_basemap(network, tmp_path / "b.pmtiles", no_progress) == count
    assert (tmp_path / "a.pmtiles").read_bytes() == (tmp_path / "b.pmtiles").read_bytes()


def test_names_stand_once_at_the_middle(network: Network) -> None:
    hospital = network.landmarks[0]
    twice = replace(
        network,
        landmarks=(hospital, replace(hospital, lat=22.7003), replace(hospital, lat=22.75)),
        ways=(*network.ways, replace(network.ways[5], tags=network.ways[0].tags)),
    )
    found = [(n.kind, n.name, n.lon, n.lat) for n in names(twice)]
    assert found == [
        ("street", "Main Road", 75.802, 22.7),
        ("street", "Main Road", 75.831, 22.7),
        ("street", "North Street", 75.802, 22.701),
        ("street", "Old Galli", 75.802, 22.699),
        ("street", "Island Road", 75.831, 22.7),
        ("landmark", "City Hospital", 75.801, 22.7002),
        ("landmark", "City Hospital", 75.801, 22.75),
    ]
    assert names(network)[0].name_hi == "मुख्य मार्ग"
