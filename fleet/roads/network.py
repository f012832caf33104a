"""The road network of a city and the things around it, as read from OpenStreetMap data."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shapely import MultiPolygon, Polygon

from fleet.roads.faults import Fault

type LonLat = tuple[float, float]
type Tags = Mapping[str, str]
type AreaKind = Literal["water", "green", "building"]
type LineKind = Literal["waterway", "rail"]

_DEVANAGARI = re.compile("[\u0900-\u097f]")


@dataclass(frozen=True, slots=True)
class Way:
    """A highway, or the piece of one that the file has nodes for. At least two node ids."""

    id: int
    nodes: tuple[int, ...]
    tags: Tags


@dataclass(frozen=True, slots=True)
class Area:
    kind: AreaKind
    shape: Polygon | MultiPolygon


@dataclass(frozen=True, slots=True)
class Line:
    kind: LineKind
    points: tuple[LonLat, ...]


@dataclass(frozen=True, slots=True)
class Landmark:
    """A named thing that people find their way by. `kind` is the OSM value: hospital, suburb…"""

    kind: str
    name: str
    name_hi: str
    lon: float
    lat: float


@dataclass(frozen=True, slots=True)
class Network:
    """`ways` are highways of every class; `nodes` holds (lon, lat) of each node that they use."""

    nodes: Mapping[int, LonLat]
    ways: tuple[Way, ...]
    areas: tuple[Area, ...]
    lines: tuple[Line, ...]
    landmarks: tuple[Landmark, ...]
    warnings: tuple[Fault, ...] = ()

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """(west, south, east, north) of the highways, in degrees."""
        lons = [lon for lon, _ in self.nodes.values()]
        lats = [lat for _, lat in self.nodes.values()]
        return min(lons), min(lats), max(lons), max(lats)


def names_of(tags: Tags) -> tuple[str, str]:
    """The name for English readers and the one for Hindi readers; "" where there is none.

    >>> names_of({"name": "राजवाड़ा", "name:en": "Rajwada"})
    ('Rajwada', 'राजवाड़ा')
    >>> names_of({"name": "Rua da Paz"})
    ('Rua da Paz', '')
    """
    name = tags.get("name", "")
    hindi = tags.get("name:hi", "") or (name if _DEVANAGARI.search(name) else "")
    return tags.get("name:en", "") or name or hindi, hindi
