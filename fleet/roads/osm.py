"""Reads OpenStreetMap files (`.osm`, `.osm.gz`, `.osm.pbf`) into a `Network`.

The file is read once for each kind of object, so that its order does not matter and only the
nodes that something uses are kept in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import osmium
import shapely
from shapely import MultiPolygon, Polygon

from fleet.roads.faults import Fault, FaultyInputError
from fleet.roads.network import (
    Area,
    AreaKind,
    Landmark,
    Line,
    LineKind,
    LonLat,
    Network,
    Tags,
    Way,
    names_of,
)

MISSING_SHARE_LIMIT = 0.5
"""A file that lacks more than this share of its highways' nodes is refused as broken."""

NOT_BUILT = frozenset({"construction", "proposed", "abandoned", "razed", "no", "platform"})

_WATER = frozenset({"water", "bay", "wetland"})
_GREEN = {
    "landuse": frozenset(
        {"forest", "grass", "meadow", "orchard", "recreation_ground", "village_green", "cemetery"}
    ),
    "leisure": frozenset({"park", "garden", "golf_course", "nature_reserve", "pitch"}),
    "natural": frozenset({"wood", "scrub", "grassland", "heath"}),
}
_WATERWAYS = frozenset({"river", "canal", "stream", "drain"})
_RAILS = frozenset({"rail", "light_rail", "subway", "tram", "narrow_gauge", "monorail"})
_LANDMARK_KEYS = (
    "place",
    "amenity",
    "railway",
    "tourism",
    "historic",
    "leisure",
    "shop",
    "office",
    "aeroway",
    "man_made",
    "building",
)
_LANDMARK_RAILWAY = frozenset({"station", "halt", "tram_stop", "subway_entrance"})


def read_network(path: Path) -> Network:
    """Reads a network.

    Raises:
        FaultyInputError: the file is missing, not OpenStreetMap data, broken, or without roads.
    """
    with reading(path):
        draft = _Draft(path.name)
        draft.take_relations(_objects(path, osmium.osm.RELATION))
        draft.take_ways(_objects(path, osmium.osm.WAY))
        draft.take_nodes(_objects(path, osmium.osm.NODE))
    return draft.network()


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turns what the reader of OpenStreetMap files raises into a fault of the file."""
    try:
        yield
    except (RuntimeError, OSError, ValueError, osmium.InvalidLocationError) as error:
        fault = Fault(
            path.name,
            None,
            None,
            f"This is not a readable OpenStreetMap file: {error}.",
            "Export or download it again as .osm, .osm.gz or .osm.pbf.",
        )
        raise FaultyInputError([fault]) from error


def area_kind(tags: Tags) -> AreaKind | None:
    """The basemap layer that a closed shape with these tags belongs to."""
    if tags.get("building", "no") != "no":
        return "building"
    if tags.get("natural") in _WATER or tags.get("waterway") == "riverbank":
        return "water"
    if tags.get("landuse") in {"reservoir", "basin"}:
        return "water"
    if any(tags.get(key) in values for key, values in _GREEN.items()):
        return "green"
    return None


def line_kind(tags: Tags) -> LineKind | None:
    if tags.get("waterway") in _WATERWAYS:
        return "waterway"
    if tags.get("railway") in _RAILS and tags.get("service") not in {"yard", "siding", "spur"}:
        return "rail"
    return None


def landmark_kind(tags: Tags) -> str | None:
    """What a named object is to somebody who looks for it; None when nobody would."""
    if "name" not in tags and "name:en" not in tags and "name:hi" not in tags:
        return None
    for key in _LANDMARK_KEYS:
        value = tags.get(key)
        if value is None or value == "no":
            continue
        if key == "railway" and value not in _LANDMARK_RAILWAY:
            continue
        return key if value == "yes" else value
    return None


def _objects(path: Path, kind: Any) -> Iterator[Any]:
    objects: Iterable[Any] = osmium.FileProcessor(str(path), kind)
    return (o for o in objects if o.visible)


def _tags(osm_object: Any) -> dict[str, str]:
    return {tag.k: tag.v for tag in osm_object.tags}


@dataclass(frozen=True, slots=True)
class _Member:
    way: int
    inner: bool


@dataclass(slots=True)
class _Draft:
    file: str
    relations: list[tuple[dict[str, str], list[_Member]]] = field(default_factory=list)
    member_ways: dict[int, tuple[int, ...]] = field(default_factory=dict)
    highways: list[Way] = field(default_factory=list)
    shapes: list[Way] = field(default_factory=list)
    points: dict[int, LonLat] = field(default_factory=dict)
    landmarks: list[Landmark] = field(default_factory=list)

    def take_relations(self, relations: Iterable[Any]) -> None:
        for relation in relations:
            tags = _tags(relation)
            if tags.get("type") != "multipolygon":
                continue
            if area_kind(tags) is None and landmark_kind(tags) is None:
                continue
            members = [_Member(m.ref, m.role == "inner") for m in relation.members if m.type == "w"]
            self.relations.append((tags, members))

    def take_ways(self, ways: Iterable[Any]) -> None:
        members = {m.way for _, ms in self.relations for m in ms}
        for way in ways:
            refs = tuple(node.ref for node in way.nodes)
            if way.id in members:
                self.member_ways[way.id] = refs
            if not way.tags:
                continue
            tags = _tags(way)
            if tags.get("highway", "no") not in NOT_BUILT:
                self.highways.append(Way(way.id, refs, tags))
            elif area_kind(tags) or line_kind(tags) or landmark_kind(tags):
                self.shapes.append(Way(way.id, refs, tags))

    def take_nodes(self, nodes: Iterable[Any]) -> None:
        wanted = {ref for way in self.highways for ref in way.nodes}
        wanted.update(ref for way in self.shapes for ref in way.nodes)
        wanted.update(ref for refs in self.member_ways.values() for ref in refs)
        for node in nodes:
            location = node.location
            if not location.valid():
                continue
            point = (location.lon, location.lat)
            if node.id in wanted:
                self.points[node.id] = point
            if node.tags:
                self._add_landmark(_tags(node), point)

    def network(self) -> Network:
        ways, warnings = self._connected_highways()
        used = {ref for way in ways for ref in way.nodes}
        lines: list[Line] = []
        areas: list[Area] = []
        for way in self.shapes:
            self._sort_shape(way.tags, self._known(way.nodes), areas, lines)
        for tags, members in self.relations:
            self._add_area(tags, self._multipolygon(members), areas)
        return Network(
            nodes={ref: self.points[ref] for ref in used},
            ways=ways,
            areas=tuple(areas),
            lines=tuple(lines),
            landmarks=tuple(self.landmarks),
            warnings=warnings,
        )

    def _connected_highways(self) -> tuple[tuple[Way, ...], tuple[Fault, ...]]:
        """Highways as far as their nodes are known, and what had to be left out.

        Raises:
            FaultyInputError: nothing, or too little, is left.
        """
        if not self.highways:
            raise FaultyInputError(
                [
                    Fault(
                        self.file,
                        None,
                        "highway",
                        "The file has no roads: no way carries a highway tag.",
                        "Export the city's streets too, not only buildings or boundaries.",
                    )
                ]
            )
        ways = [piece for way in self.highways for piece in self._pieces(way)]
        refs = sum(len(way.nodes) for way in self.highways)
        missing = sum(ref not in self.points for way in self.highways for ref in way.nodes)
        if missing == 0 and ways:
            return tuple(ways), ()
        cut = [w.id for w in self.highways if any(ref not in self.points for ref in w.nodes)]
        fault = Fault(
            self.file,
            None,
            f"way {cut[0]}" if cut else "nd",
            f"{len(cut)} of {len(self.highways)} roads use nodes that the file lacks "
            f"({missing} of {refs} references).",
            "Cut the extract with complete ways (osmium extract --strategy complete_ways).",
            fatal=not ways or missing > MISSING_SHARE_LIMIT * refs,
        )
        if fault.fatal:
            raise FaultyInputError([fault])
        return tuple(ways), (fault,)

    def _pieces(self, way: Way) -> Iterator[Way]:
        run: list[int] = []
        for ref in (*way.nodes, None):
            if ref in self.points:
                if not run or run[-1] != ref:
                    run.append(ref)
                continue
            if len(run) > 1:
                yield Way(way.id, tuple(run), way.tags)
            run = []

    def _known(self, refs: Sequence[int]) -> tuple[LonLat, ...]:
        return tuple(self.points[ref] for ref in refs if ref in self.points)

    def _sort_shape(
        self, tags: Tags, points: tuple[LonLat, ...], areas: list[Area], lines: list[Line]
    ) -> None:
        kind = line_kind(tags)
        if kind is not None and len(points) > 1:
            lines.append(Line(kind, points))
        elif len(points) > 3 and points[0] == points[-1]:
            self._add_area(tags, Polygon(points), areas)
        elif points:
            self._add_landmark(tags, points[len(points) // 2])

    def _add_area(
        self, tags: Tags, shape: Polygon | MultiPolygon | None, areas: list[Area]
    ) -> None:
        if shape is None or shape.is_empty:
            return
        kind = area_kind(tags)
        if kind is not None:
            areas.append(Area(kind, shape))
        if landmark_kind(tags) is not None:
            middle = shape.centroid
            self._add_landmark(tags, (middle.x, middle.y))

    def _multipolygon(self, members: Sequence[_Member]) -> Polygon | MultiPolygon | None:
        outer = self._rings(m.way for m in members if not m.inner)
        inner = self._rings(m.way for m in members if m.inner)
        shape = outer.difference(inner) if not inner.is_empty else outer
        return shape if isinstance(shape, Polygon | MultiPolygon) else None

    def _rings(self, ways: Iterable[int]) -> Polygon | MultiPolygon:
        lines = [self._known(self.member_ways.get(way, ())) for way in ways]
        cells = shapely.polygonize([shapely.LineString(p) for p in lines if len(p) > 1])
        union = shapely.union_all(list(cells.geoms))
        return union if isinstance(union, Polygon | MultiPolygon) else Polygon()

    def _add_landmark(self, tags: Mapping[str, str], point: LonLat) -> None:
        kind = landmark_kind(tags)
        if kind is None:
            return
        name, name_hi = names_of(tags)
        self.landmarks.append(Landmark(kind, name, name_hi, round(point[0], 7), round(point[1], 7)))
