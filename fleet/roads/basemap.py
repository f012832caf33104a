"""Cuts a network into one PMTiles archive of vector tiles, which a browser reads by ranges."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import mapbox_vector_tile
import numpy as np
import numpy.typing as npt
import shapely
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from fleet.roads.maplayers import MAX_ZOOM, MIN_ZOOM, Layer, Shapes, map_layers
from fleet.roads.network import Network

type Progress = Callable[[float, str], None]
type Tile = tuple[int, int, int]
"""Zoom, column, row."""

ATTRIBUTION = "© OpenStreetMap contributors"

_EXTENT = 4096
_BUFFER = 80
"""Units beyond a tile's edge, so that no line ends where two tiles meet."""
_SMALLEST_AREA = 24.0
"""Square units; smaller areas than a few pixels are left out of a zoom."""
_OPTIONS = {"y_coord_down": True, "check_winding_order": False, "extents": _EXTENT}


def cut_basemap(network: Network, out_path: Path, progress: Progress) -> int:
    """Writes the archive, replacing an older one when it is complete; returns its tile count."""
    layers = map_layers(network)
    tiles: dict[Tile, dict[str, list[dict[str, Any]]]] = defaultdict(dict)
    steps = [(zoom, layer) for zoom in range(MIN_ZOOM, MAX_ZOOM + 1) for layer in layers]
    for done, (zoom, layer) in enumerate(steps):
        progress(0.6 * done / len(steps), f"zoom {zoom}")
        _cut(layer, zoom, tiles)
    out_path.parent.mkdir(parents=True, exist_ok=True)
    part = out_path.with_name(f"{out_path.name}.part")
    with part.open("wb") as file:
        writer = cast(Any, Writer)(file)
        ordered = sorted((zxy_to_tileid(*tile), content) for tile, content in tiles.items())
        for done, (tile_id, content) in enumerate(ordered):
            if done % 50 == 0:
                progress(0.6 + 0.4 * done / len(ordered), "tiles")
            writer.write_tile(tile_id, _encode(content))
        writer.finalize(_header(network), _metadata(layers))
    part.replace(out_path)
    progress(1.0, "tiles")
    return len(tiles)


def _cut(layer: Layer, zoom: int, tiles: dict[Tile, dict[str, list[dict[str, Any]]]]) -> None:
    chosen = np.flatnonzero(layer.min_zoom <= zoom)
    if not len(chosen):
        return
    # In units of this zoom's tiles a tile is a square of _EXTENT, and rounding is to whole units.
    scale = 2.0**zoom * _EXTENT
    scaled: Shapes = np.asarray(
        shapely.transform(layer.shapes[chosen], partial(np.multiply, scale)), dtype=object
    )
    dimension = int(shapely.get_dimensions(scaled).max())
    if dimension > 0:
        scaled = shapely.simplify(scaled, 1.0 if zoom == MAX_ZOOM else 3.0)
    if dimension == 2:
        keep = shapely.area(scaled) >= _SMALLEST_AREA
        scaled, chosen = scaled[keep], chosen[keep]
    for (column, row), members in _members(scaled).items():
        left, top = column * _EXTENT, row * _EXTENT
        clipped = shapely.clip_by_rect(
            scaled[members],
            left - _BUFFER,
            top - _BUFFER,
            left + _EXTENT + _BUFFER,
            top + _EXTENT + _BUFFER,
        )
        local = shapely.transform(clipped, partial(_local, origin=(left, top)))
        if dimension == 2:
            local = shapely.orient_polygons(local)
        kept = (shapely.get_dimensions(local) == dimension) & ~shapely.is_empty(local)
        features = [
            {"geometry": local[i], "properties": layer.properties[chosen[members[i]]]}
            for i in np.flatnonzero(kept)
        ]
        if features:
            tiles[zoom, column, row][layer.name] = features


def _local(points: npt.NDArray[np.float64], origin: tuple[int, int]) -> npt.NDArray[np.float64]:
    return np.asarray(np.rint(points - np.array(origin)), np.float64)


def _members(scaled: Shapes) -> dict[tuple[int, int], npt.NDArray[np.intp]]:
    """Indices of the shapes whose bounds touch each tile with its buffer."""
    bounds = shapely.bounds(scaled)
    low = np.floor((bounds[:, :2] - _BUFFER) / _EXTENT).astype(int)
    high = np.floor((bounds[:, 2:] + _BUFFER) / _EXTENT).astype(int)
    members: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, ((left, top), (right, bottom)) in enumerate(
        zip(low.tolist(), high.tolist(), strict=True)
    ):
        for column in range(left, right + 1):
            for row in range(top, bottom + 1):
                members[column, row].append(index)
    return {tile: np.array(indices) for tile, indices in members.items()}


def _encode(content: dict[str, list[dict[str, Any]]]) -> bytes:
    layers = [{"name": name, "features": features} for name, features in content.items()]
    data: bytes = mapbox_vector_tile.encode(layers, default_options=_OPTIONS)
    return gzip.compress(data, compresslevel=6, mtime=0)


def _header(network: Network) -> dict[str, Any]:
    west, south, east, north = (round(degree * 1e7) for degree in network.bbox)
    return {
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_lon_e7": west,
        "min_lat_e7": south,
        "max_lon_e7": east,
        "max_lat_e7": north,
        "center_zoom": 12,
        "center_lon_e7": (west + east) // 2,
        "center_lat_e7": (south + north) // 2,
    }


def _metadata(layers: Sequence[Layer]) -> dict[str, Any]:
    return {
        "name": "streets",
        "attribution": ATTRIBUTION,
        "vector_layers": [
            {"id": layer.name, "fields": dict.fromkeys(layer.fields, "String")} for layer in layers
        ],
    }
