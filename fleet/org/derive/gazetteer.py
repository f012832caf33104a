"""Names of a city's streets, landmarks and wards, each with one position."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import shapely
from shapely import STRtree
from shapely.geometry.base import BaseGeometry

from fleet.org.cityfiles.folder import CityFolder
from fleet.org.derive.lane import DerivedLane
from fleet.org.derive.plane import Plane
from fleet.org.names import fold
from fleet.roads.network import Network

SAME_PLACE_DEGREES = 0.002
"""Two landmarks of one name nearer than about 200 m are one."""


@dataclass(frozen=True, slots=True)
class Named:
    """A name to look for. `ward`: index of the ward in which it lies."""

    kind: str
    name: str
    name_hi: str
    lon: float
    lat: float
    ward: int | None


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """All names, landmarks before streets before wards."""

    all: tuple[Named, ...]
    by_key: Mapping[str, Sequence[Named]]

    def find(self, name: str, near: tuple[float, float] | None) -> Named | None:
        """The bearer of a name, in either language: of several the nearest to (lon, lat)."""
        bearers = self.by_key.get(fold(name), ())
        if near is None:
            return next(iter(bearers), None)
        lon, lat = near
        return min(bearers, key=lambda n: abs(n.lon - lon) + abs(n.lat - lat), default=None)


def gazetteer(
    files: CityFolder,
    network: Network,
    lanes: Sequence[DerivedLane],
    areas: Sequence[BaseGeometry],
    plane: Plane,
) -> Gazetteer:
    """Names inside the wards. A street has one entry for each ward that it runs through.

    Args:
        areas: the wards in metres, in the files' order.
    """
    found = [*_landmarks(files, network, areas, plane), *_streets(lanes)]
    for index, ward in enumerate(files.wards):
        inner = ward.geometry.representative_point()
        found.append(Named("ward", ward.name, ward.name_hi, inner.x, inner.y, index))
    by_key: dict[str, list[Named]] = defaultdict(list)
    for named in found:
        for key in {fold(named.name), fold(named.name_hi)} - {""}:
            by_key[key].append(named)
    return Gazetteer(tuple(found), by_key)


def _landmarks(
    files: CityFolder, network: Network, areas: Sequence[BaseGeometry], plane: Plane
) -> list[Named]:
    rows = [(r.name, r.name_hi, r.lon, r.lat) for r in files.landmarks]
    rows += [(r.name, r.name_hi or r.name, r.lon, r.lat) for r in network.landmarks]
    if not rows or not areas:
        return []
    tree = STRtree(list(areas))
    points = shapely.points(plane.xy([(lon, lat) for *_, lon, lat in rows]))
    ward_of = dict(sorted(tree.query(points, "intersects").T.tolist(), reverse=True))
    kept: dict[str, list[Named]] = defaultdict(list)
    for i, (name, name_hi, lon, lat) in enumerate(rows):
        twins = kept[fold(name)]
        known = any(abs(t.lon - lon) + abs(t.lat - lat) < SAME_PLACE_DEGREES for t in twins)
        if i in ward_of and not known:
            twins.append(Named("landmark", name, name_hi, lon, lat, ward_of[i]))
    return [named for twins in kept.values() for named in twins]


def _streets(lanes: Sequence[DerivedLane]) -> list[Named]:
    longest: dict[tuple[str, int], DerivedLane] = {}
    for lane in lanes:
        name = lane.segment.name or lane.segment.name_hi
        key = name, lane.ward
        if name and (key not in longest or lane.segment.length_m > longest[key].segment.length_m):
            longest[key] = lane
    return [
        Named("street", name, lane.segment.name_hi or name, *lane.middle, ward)
        for (name, ward), lane in longest.items()
    ]
