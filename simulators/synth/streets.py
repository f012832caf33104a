"""The street network: which lattice edges are streets, how wide, how named; gallis and dead ends.

A spanning tree over two-way streets that every vehicle fits into is fixed first; only what is
outside the tree is removed, narrowed or made one-way. So every street can be reached, except
the gallis that are too narrow on purpose.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from simulators.synth.layout import RIM, Layout
from simulators.synth.names import (
    ARTERIALS,
    BAZAR,
    CROSS,
    GALI,
    OLD_STREETS,
    OUTER_ROAD,
    RAILWAY,
    RING_ROAD,
    STREET,
    Name,
    numbered,
)

ARTERIAL = frozenset({"primary", "secondary", "tertiary"})
_WIDTH_M = {"primary": 20.0, "secondary": 14.0, "tertiary": 9.0, "residential": 6.0}
_REMOVED = {"old": 0.2, "mixed": 0.14, "planned": 0.09}
_NARROWED = {"old": 0.35, "mixed": 0.05, "planned": 0.0}
_STUBS = {"old": 0.62, "mixed": 0.34, "planned": 0.22}
_GALLI_WIDTHS_M = (1.2, 1.5, 1.8, 2.2, 2.5, 3.0, 3.0)

EdgeKey = tuple[int, int, str]
"""(column, row, "h" eastward or "v" northward) of the edge's south-west end."""


@dataclass(slots=True)
class Edge:
    """A street between two junctions of the lattice, or a dead end of a block."""

    ends: tuple[tuple[float, float], tuple[float, float]]
    """Lattice points."""
    highway: str
    name: Name
    width_m: float
    oneway: bool = False
    market: bool = False
    nodes: list[int] = field(default_factory=list)
    """Node ids from end to end."""

    @property
    def middle(self) -> tuple[float, float]:
        (ax, ay), (bx, by) = self.ends
        return (ax + bx) / 2, (ay + by) / 2


@dataclass(slots=True)
class Way:
    """A way of the OSM file: a run of edges alike."""

    nodes: list[int]
    tags: dict[str, str]


@dataclass(slots=True)
class Streets:
    """The finished network. Node and way ids count from 1."""

    nodes: list[tuple[float, float]]
    """(lon, lat) of node id - 1."""
    edges: dict[EdgeKey, Edge]
    stubs: list[Edge]
    ways: list[Way]
    node_tags: dict[int, dict[str, str]]

    def all_edges(self) -> Iterator[Edge]:
        yield from self.edges.values()
        yield from self.stubs

    def line(self, edge: Edge) -> list[tuple[float, float]]:
        """(lon, lat) along an edge."""
        return [self.nodes[n - 1] for n in edge.nodes]


class _Components:
    """Union-find over lattice nodes."""

    def __init__(self) -> None:
        self._parent: dict[tuple[int, int], tuple[int, int]] = {}

    def find(self, node: tuple[int, int]) -> tuple[int, int]:
        root = node
        while self._parent.get(root, root) != root:
            root = self._parent[root]
        while node != root:
            self._parent[node], node = root, self._parent.get(node, node)
        return root

    def join(self, a: tuple[int, int], b: tuple[int, int]) -> bool:
        """True when the two were apart."""
        a, b = self.find(a), self.find(b)
        self._parent[a] = b
        return a != b


class _Draft:
    """Builds `Streets` step by step; each step draws from its own random stream."""

    def __init__(self, layout: Layout, seed: int) -> None:
        self.layout = layout
        self.seed = seed
        self.edges: dict[EdgeKey, Edge] = {}
        self.stubs: list[Edge] = []
        self.joins: dict[EdgeKey, list[tuple[float, int]]] = {}
        """Nodes where something meets an edge midway: (share of the edge, node id)."""
        self.nodes: list[tuple[float, float]] = []
        self.node_tags: dict[int, dict[str, str]] = {}
        self.lattice_nodes: dict[tuple[int, int], int] = {}
        self._names: dict[tuple[object, ...], Name] = {}
        self._numbers: dict[tuple[object, ...], int] = {}
        self._old_names = [s + GALI for s in OLD_STREETS]

    def rng(self, part: str) -> random.Random:
        return random.Random(f"{self.seed}:{part}")

    def add_node(self, x: float, y: float) -> int:
        self.nodes.append(self.layout.place(x, y))
        return len(self.nodes)

    # --- lattice

    def line_class(self, axis: str, at: int, along: float) -> tuple[str, Name | None]:
        """Class of lattice line `at` ("v": a column, "h": a row) at `along`, and an own name."""
        across, length = self.layout.columns, self.layout.rows
        if axis == "h":
            across, length = length, across
        middle = across // 2
        if at in (0, across):
            large = bool(self.layout.ring_lines(across))
            return ("tertiary", OUTER_ROAD) if large else ("primary", RING_ROAD)
        if at in self.layout.ring_lines(across):
            first, last = self.layout.ring_lines(length)
            if first <= along <= last:
                return "primary", RING_ROAD
        step = (at - middle) // 11
        name = ARTERIALS[(2 * step + (axis == "h")) % len(ARTERIALS)]
        if at == middle:
            return "primary", name
        if (at - middle) % 11 == 0:
            return "secondary", name
        if (at - middle) % 11 == 5 and 2 < at < across - 2:
            return "tertiary", ARTERIALS[(2 * step + (axis == "h") + 13) % len(ARTERIALS)]
        return "residential", None

    def draw_lattice(self) -> None:
        layout = self.layout
        for j in range(layout.rows + 1):
            for i in range(layout.columns + 1):
                for axis, di, dj in (("h", 1, 0), ("v", 0, 1)):
                    if i + di > layout.columns or j + dj > layout.rows:
                        continue
                    if layout.in_lake(i, j) or layout.in_lake(i + di, j + dj):
                        continue
                    at, along = (j, i + 0.5) if axis == "h" else (i, j + 0.5)
                    highway, name = self.line_class(axis, at, along)
                    crosses_rail = axis == "v" and j == layout.rail_row
                    if crosses_rail and highway not in ARTERIAL:
                        continue
                    middle = (i + di / 2, j + dj / 2)
                    self.edges[i, j, axis] = Edge(
                        ((i, j), (i + di, j + dj)),
                        highway,
                        name or self.street_name(axis, at, middle),
                        _WIDTH_M[highway],
                    )

    def street_name(self, axis: str, at: int, middle: tuple[float, float]) -> Name:
        """One name for a line within its neighbourhood; the old town has names of its own."""
        old = self.layout.is_old_town(*middle)
        place = self.layout.neighbourhood_key(*middle)
        key = (place, axis, at, old)
        if key not in self._names:
            if old and self._old_names:
                self._names[key] = self._old_names.pop(0)
            else:
                kind = STREET if axis == "h" else CROSS
                self._names[key] = self.counted(place, kind)
        return self._names[key]

    def counted(self, place: tuple[int, int], kind: Name) -> Name:
        """The neighbourhood's next street of a kind, such as "Tilak Nagar Street 4"."""
        count = self._numbers[place, kind] = self._numbers.get((place, kind), 0) + 1
        return numbered(self.layout.neighbourhoods[place[0]][place[1]].name + kind, count)

    def open_markets(self) -> set[EdgeKey]:
        """One market street a ward; in the old town it is one-way. Returns the one-way edges."""
        rng = self.rng("markets")
        oneway: set[EdgeKey] = set()
        for ward in range(self.layout.wards):
            west, south, east, north = self.layout.box(ward)
            lines = range(south + 1, north)
            j = next(
                j
                for j in rng.sample(lines, len(lines))
                if self.line_class("h", j, west + 1.5)[0] == "residential"
                and (west + 3, j, "h") in self.edges
            )
            name = self.layout.neighbourhoods[ward][0].name + BAZAR
            for i in range(west + 2, min(west + 7, east)):
                edge = self.edges.get((i, j, "h"))
                if edge is None or edge.highway in ARTERIAL:
                    continue
                edge.market, edge.name, edge.width_m = True, name, 7.0
                if self.layout.is_old_town(*edge.middle):
                    oneway.add((i, j, "h"))
        return oneway

    def thin_out(self, oneway: set[EdgeKey]) -> None:
        rng = self.rng("thin")
        ranked = sorted(
            self.edges,
            key=lambda key: (self.edges[key].highway not in ARTERIAL, key in oneway, rng.random()),
        )
        components = _Components()
        tree = {
            key
            for key in ranked
            if components.join(
                (key[0], key[1]), (key[0] + (key[2] == "h"), key[1] + (key[2] == "v"))
            )
        }
        for key, edge in list(self.edges.items()):
            quarter = self.layout.quarter(*edge.middle)
            removed, narrowed = rng.random() < _REMOVED[quarter], rng.random() < _NARROWED[quarter]
            if edge.highway == "residential" and quarter == "old" and not edge.market:
                edge.highway, edge.width_m = "living_street", rng.choice((3.5, 4.0, 4.5, 5.0))
            if key in tree or edge.highway in ARTERIAL:
                continue
            if edge.market:
                edge.oneway = key in oneway
            elif removed:
                del self.edges[key]
            elif narrowed:
                edge.highway, edge.width_m = "living_street", rng.choice(_GALLI_WIDTHS_M)

    # --- between the junctions

    def lay_rails(self) -> list[int]:
        """The railway with a level crossing at each street that crosses it; its node ids."""
        j = self.layout.rail_row
        rail = [self.add_node(-RIM, j + 0.5)]
        for i in range(self.layout.columns + 1):
            rail.append(node := self.add_node(i, j + 0.5))
            if (i, j, "v") in self.edges:
                self.joins.setdefault((i, j, "v"), []).append((0.5, node))
                self.node_tags[node] = {"railway": "level_crossing"}
        rail.append(self.add_node(self.layout.columns + RIM, j + 0.5))
        return rail

    def dead_ends(self) -> None:
        """Gallis and cul-de-sacs that end inside a block."""
        rng = self.rng("stubs")
        for j in range(self.layout.rows):
            for i in range(self.layout.columns):
                x, y = i + 0.5, j + 0.5
                quarter = self.layout.quarter(x, y)
                sides: list[tuple[EdgeKey, float, float]] = [
                    ((i, j, "h"), 0, 1),
                    ((i, j + 1, "h"), 0, -1),
                    ((i, j, "v"), 1, 0),
                    ((i + 1, j, "v"), -1, 0),
                ]
                rng.shuffle(sides)
                wanted = rng.random() < _STUBS[quarter]
                if not wanted or j == self.layout.rail_row or self.layout.in_lake(x, y, 0.7):
                    continue
                for key, dx, dy in sides[: 2 if quarter == "old" and rng.random() < 0.5 else 1]:
                    edge = self.edges.get(key)
                    if edge and edge.highway not in ARTERIAL and edge.width_m > 3:
                        self.dead_end(rng, key, edge, dx, dy, quarter)

    def dead_end(
        self, rng: random.Random, key: EdgeKey, edge: Edge, dx: float, dy: float, quarter: str
    ) -> None:
        share = rng.uniform(0.36, 0.64)
        (ax, ay), (bx, by) = edge.ends
        x, y = ax + share * (bx - ax), ay + share * (by - ay)
        depth = rng.uniform(0.28, 0.42)
        end = (x + dx * depth, y + dy * depth)
        nodes = [self.add_node(x, y), self.add_node(*end)]
        self.joins.setdefault(key, []).append((share, nodes[0]))
        if quarter == "old" and rng.random() < 0.4:
            turn = rng.choice((-0.2, 0.2))
            end = (end[0] + dy * turn, end[1] + dx * turn)
            nodes.append(self.add_node(*end))
        narrow = rng.random() < {"old": 0.7, "mixed": 0.35, "planned": 0.0}[quarter]
        self.stubs.append(
            Edge(
                ((x, y), end),
                "living_street" if narrow else "residential",
                self.counted(self.layout.neighbourhood_key(x, y), GALI),
                rng.choice(_GALLI_WIDTHS_M) if narrow else 5.0,
                nodes=nodes,
            )
        )

    def lay_edges(self) -> None:
        """Gives every lattice edge its nodes: ends, joins, and a bend where streets are old."""
        rng = self.rng("bends")
        for key, edge in self.edges.items():
            ends = [self.lattice_node(round(x), round(y)) for x, y in edge.ends]
            inner = list(self.joins.get(key, ()))
            bend = rng.uniform(-0.07, 0.07)
            if not inner and self.layout.quarter(*edge.middle) != "planned":
                x, y = edge.middle
                across = (0.0, bend) if key[2] == "h" else (bend, 0.0)
                inner.append((0.5, self.add_node(x + across[0], y + across[1])))
            edge.nodes = [ends[0], *(node for _, node in sorted(inner)), ends[1]]

    def lattice_node(self, i: int, j: int) -> int:
        if (i, j) not in self.lattice_nodes:
            self.lattice_nodes[i, j] = self.add_node(i, j)
        return self.lattice_nodes[i, j]

    def ways(self, rail: list[int]) -> list[Way]:
        """Runs of edges that are alike, as a mapper would draw them."""
        ways: list[Way] = []
        last: Edge | None = None
        in_order = sorted(
            self.edges.items(),
            key=lambda item: (item[0][2], *(item[0][1::-1] if item[0][2] == "h" else item[0][:2])),
        )
        for _, edge in [*in_order, *((None, stub) for stub in self.stubs)]:
            tags = _tags(edge)
            if last and last.nodes[-1] == edge.nodes[0] and ways[-1].tags == tags:
                ways[-1].nodes.extend(edge.nodes[1:])
            else:
                ways.append(Way(list(edge.nodes), tags))
            last = edge
        ways.append(Way(rail, {"railway": "rail", **_named(RAILWAY)}))
        return ways


def _named(name: Name) -> dict[str, str]:
    return {"name": name.en, "name:en": name.en, "name:hi": name.hi}


def _tags(edge: Edge) -> dict[str, str]:
    tags = {"highway": edge.highway, "width": f"{edge.width_m:g}", **_named(edge.name)}
    if edge.oneway:
        tags["oneway"] = "yes"
    return tags


def draw_streets(layout: Layout, seed: int) -> Streets:
    """The streets and the railway of a layout."""
    draft = _Draft(layout, seed)
    draft.draw_lattice()
    draft.thin_out(draft.open_markets())
    rail = draft.lay_rails()
    draft.dead_ends()
    draft.lay_edges()
    return Streets(draft.nodes, draft.edges, draft.stubs, draft.ways(rail), draft.node_tags)
