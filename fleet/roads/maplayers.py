"""What the basemap shows of a network: layers of shapes in web mercator, each from some zoom on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from math import log, pi, tan

import numpy as np
import numpy.typing as npt
import shapely
from shapely import LineString, MultiLineString, Point
from shapely.geometry.base import BaseGeometry

from fleet.roads.network import AreaKind, Landmark, LineKind, LonLat, Network, names_of

MIN_ZOOM = 9
MAX_ZOOM = 14
"""One unit of a tile is 0.6 m there; browsers enlarge it for closer views."""

_STREET_ZOOM = {
    **dict.fromkeys(("motorway", "trunk", "primary"), MIN_ZOOM),
    **dict.fromkeys(("motorway_link", "trunk_link", "primary_link", "secondary"), 10),
    **dict.fromkeys(("secondary_link", "tertiary", "tertiary_link"), 11),
    **dict.fromkeys(("unclassified", "residential", "living_street", "road", "pedestrian"), 12),
    **dict.fromkeys(("service", "track", "busway"), 13),
    **dict.fromkeys(("footway", "path", "steps"), 14),
}
_LANDMARK_ZOOM = {
    **dict.fromkeys(("city", "town"), MIN_ZOOM),
    **dict.fromkeys(("suburb", "village", "station"), 12),
    **dict.fromkeys(("neighbourhood", "quarter", "hospital", "marketplace"), 13),
}
_AREA_ZOOM: dict[AreaKind, int] = {"water": MIN_ZOOM, "green": 10, "building": 14}
_LINE_ZOOM: dict[LineKind, int] = {"waterway": 11, "rail": 10}

type Shapes = npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Layer:
    """`shapes` in the unit square of web mercator, y downwards; properties and zoom beside."""

    name: str
    fields: tuple[str, ...]
    shapes: Shapes
    properties: tuple[dict[str, str], ...]
    min_zoom: npt.NDArray[np.int8]


def map_layers(network: Network) -> list[Layer]:
    """Layers from the ground up."""
    return [
        *(_area_layer(network, kind) for kind in ("green", "water")),
        _line_layer(network, "waterway"),
        _area_layer(network, "building"),
        _street_layer(network),
        _line_layer(network, "rail"),
        _landmark_layer(network.landmarks),
    ]


def mercator(lon: float, lat: float) -> tuple[float, float]:
    """Web mercator in the unit square; (0, 0) is north-west.

    >>> mercator(0.0, 0.0)
    (0.5, 0.5)
    """
    return lon / 360 + 0.5, 0.5 - log(tan(pi / 4 + lat * pi / 360)) / (2 * pi)


def _project(shapes: Iterable[BaseGeometry]) -> Shapes:
    array = np.array(list(shapes), dtype=object)
    if not len(array):
        return array

    def unit(lonlat: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        x = lonlat[:, 0] / 360 + 0.5
        y = 0.5 - np.log(np.tan(np.pi / 4 + lonlat[:, 1] * np.pi / 360)) / (2 * np.pi)
        return np.column_stack([x, y])

    return np.asarray(shapely.transform(array, unit), dtype=object)


def _layer(
    name: str,
    fields: tuple[str, ...],
    features: Iterable[tuple[BaseGeometry, dict[str, str], int]],
) -> Layer:
    rows = list(features)
    return Layer(
        name,
        fields,
        _project(shape for shape, _, _ in rows),
        tuple({k: v for k, v in properties.items() if v} for _, properties, _ in rows),
        np.array([zoom for _, _, zoom in rows], np.int8),
    )


def _area_layer(network: Network, kind: AreaKind) -> Layer:
    shapes = [area.shape for area in network.areas if area.kind == kind]
    valid = (shape if shape.is_valid else shapely.make_valid(shape) for shape in shapes)
    return _layer(kind, (), ((shape, {}, _AREA_ZOOM[kind]) for shape in valid))


def _line_layer(network: Network, kind: LineKind) -> Layer:
    lines = [LineString(line.points) for line in network.lines if line.kind == kind]
    return _layer(kind, (), ((line, {}, _LINE_ZOOM[kind]) for line in lines))


def _street_layer(network: Network) -> Layer:
    alike: dict[tuple[str, str, str], list[tuple[LonLat, ...]]] = defaultdict(list)
    for way in network.ways:
        if way.tags["highway"] in _STREET_ZOOM:
            points = tuple(network.nodes[node] for node in way.nodes)
            alike[way.tags["highway"], *names_of(way.tags)].append(points)
    # Joined, a street's name is written along it once, not once for each of its ways.
    return _layer(
        "street",
        ("class", "name", "name_hi"),
        (
            (
                line,
                {"class": highway, "name": name, "name_hi": name_hi},
                _STREET_ZOOM[highway],
            )
            for (highway, name, name_hi), lines in alike.items()
            for line in shapely.get_parts(shapely.line_merge(MultiLineString(lines)))
        ),
    )


def _landmark_layer(landmarks: Iterable[Landmark]) -> Layer:
    return _layer(
        "landmark",
        ("kind", "name", "name_hi"),
        (
            (
                Point(mark.lon, mark.lat),
                {"kind": mark.kind, "name": mark.name, "name_hi": mark.name_hi},
                _LANDMARK_ZOOM.get(mark.kind, MAX_ZOOM),
            )
            # Where two names collide a browser keeps the one that comes first.
            for mark in sorted(landmarks, key=lambda m: _LANDMARK_ZOOM.get(m.kind, MAX_ZOOM))
        ),
    )
