"""Wards, zones, and what stands between the streets: lakes, parks, buildings, landmarks."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from simulators.synth.layout import RIM, SETBACK, Layout
from simulators.synth.names import CHOWK, LAKE, LANDMARKS, PARK, Name
from simulators.synth.streets import ARTERIAL, Streets, Way

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Landmark:
    kind: str
    tags: dict[str, str]
    name: Name
    ward: int
    neighbourhood: tuple[int, int]
    at: Point
    """(lon, lat)"""


def ward_id(ward: int) -> str:
    """
    >>> ward_id(0)
    'W01'
    """
    return f"W{ward + 1:02d}"


def zone_of(ward: int, wards: int) -> int:
    """Zone index of a ward: neighbours in order, at most 19 zones, two as soon as possible."""
    zones = min(19, max(min(wards, 2), math.ceil(wards / 4.5)))
    return ward * zones // wards


def ward_ring(layout: Layout, ward: int) -> list[Point]:
    """The closed outline of a ward, counter-clockwise; neighbours share every vertex."""
    west, south, east, north = layout.box(ward)
    x0, x1 = _border(west, layout.columns), _border(east, layout.columns)
    y0, y1 = _border(south, layout.rows), _border(north, layout.rows)
    below = [(x, y0) for x in _stops(layout, south, x0, x1)]
    above = [(x, y1) for x in _stops(layout, north, x0, x1)]
    between = [float(y) for y in range(math.ceil(y0), math.floor(y1) + 1)]
    ring = [*below, *((x1, y) for y in between), *above[::-1], *((x0, y) for y in between[::-1])]
    points = [layout.place(x, y) for x, y in ring]
    return [*points, points[0]]


def _border(cut: int, last: int) -> float:
    """Lattice coordinate of the ward border at a cut."""
    if cut == 0:
        return -RIM
    return last + RIM if cut == last else cut + SETBACK


def _stops(layout: Layout, row_cut: int, x0: float, x1: float) -> list[float]:
    """Vertices along a border between rows: at streets, and where a ward's corner meets it."""
    stops = {x0, x1, *(float(x) for x in range(math.ceil(x0), math.floor(x1) + 1))}
    for row, cuts in enumerate(layout.column_cuts):
        if row_cut in (layout.row_cuts[row], layout.row_cuts[row + 1]):
            stops |= {b for cut in cuts if x0 < (b := _border(cut, layout.columns)) < x1}
    return sorted(stops)


@dataclass(slots=True)
class Land:
    areas: list[Way]
    """Closed ways: water, green, buildings."""
    landmarks: list[Landmark]
    free_blocks: list[list[Point]]
    """For each ward, lattice centres of blocks with nothing in them."""


def settle(layout: Layout, streets: Streets, seed: int) -> Land:
    """Fills the blocks; nodes of its areas are appended to `streets`."""
    rng = random.Random(f"{seed}:land")
    land = Land([], [], [])
    for number, (x, y) in enumerate(layout.lakes):
        name = LAKE if number == 0 else Name(f"{LAKE.en} {number + 1}", f"{LAKE.hi} {number + 1}")
        shore = [
            (x + 1.75 * r * math.cos(a), y + 1.35 * r * math.sin(a))
            for a in (k * math.pi / 12 for k in range(24))
            for r in (rng.uniform(0.86, 1.0),)
        ]
        land.areas.append(
            _area(layout, streets, shore, {"natural": "water", "water": "lake", **_named(name)})
        )
    occupied = {(math.floor(x), math.floor(y)) for s in streets.stubs for x, y in (s.ends[1],)}
    used: set[str] = set()
    for ward in range(layout.wards):
        west, south, east, north = layout.box(ward)
        blocks = [
            (i + 0.5, j + 0.5)
            for j in range(south, north)
            for i in range(west, east)
            if (i, j) not in occupied
            and j != layout.rail_row
            and not layout.in_lake(i + 0.5, j + 0.5, 0.9)
        ]
        rng.shuffle(blocks)
        for x, y in [blocks.pop() for _ in range(2)]:
            name = layout.neighbourhood(x, y).name + PARK
            land.areas.append(
                _area(layout, streets, _box(x, y, 0.36, 0.36), {"leisure": "park", **_named(name)})
            )
            _note(land, layout, used, "park", {"leisure": "park"}, PARK, (x, y))
        for kind, tags, name in (*rng.sample(LANDMARKS, 7), rng.choice(LANDMARKS)):
            x, y = blocks.pop()
            half = 0.1 if kind in ("temple", "water_tank") else 0.2
            land.areas.append(
                _area(layout, streets, _box(x, y, half, half * 0.8), {"building": "yes"})
            )
            _note(land, layout, used, kind, tags, name, (x, y))
        for x, y in _chowks(layout, streets, ward, rng):
            _note(land, layout, used, "chowk", {"place": "square"}, CHOWK, (x, y))
        for x, y in blocks[: len(blocks) // 2]:
            for _ in range(2):
                dx, dy = rng.uniform(-0.2, 0.2), rng.uniform(-0.2, 0.2)
                land.areas.append(
                    _area(
                        layout,
                        streets,
                        _box(x + dx, y + dy, 0.07, 0.06),
                        {"building": "apartments"},
                    )
                )
        land.free_blocks.append(blocks[len(blocks) // 2 :])
    return land


def _chowks(layout: Layout, streets: Streets, ward: int, rng: random.Random) -> list[Point]:
    """Up to three crossings of larger streets in a ward."""
    west, south, east, north = layout.box(ward)
    crossings = [
        (float(i), float(j))
        for i in range(west + 1, east)
        for j in range(south + 1, north)
        if all((e := streets.edges.get((i, j, axis))) and e.highway in ARTERIAL for axis in "hv")
    ]
    return rng.sample(crossings, min(3, len(crossings)))


def _note(
    land: Land,
    layout: Layout,
    used: set[str],
    kind: str,
    tags: dict[str, str],
    name: Name,
    at: Point,
) -> None:
    """Adds a landmark under a name that the city has once."""
    full = layout.neighbourhood(*at).name + name
    number = 1
    while (numbered := full.en if number == 1 else f"{full.en} {number}") in used:
        number += 1
    used.add(numbered)
    hindi = full.hi if number == 1 else f"{full.hi} {number}"
    land.landmarks.append(
        Landmark(
            kind,
            tags,
            Name(numbered, hindi),
            layout.ward(*at),
            layout.neighbourhood_key(*at),
            layout.place(*at),
        )
    )


def _area(layout: Layout, streets: Streets, ring: list[Point], tags: dict[str, str]) -> Way:
    nodes = []
    for x, y in ring:
        streets.nodes.append(layout.place(x, y))
        nodes.append(len(streets.nodes))
    return Way([*nodes, nodes[0]], tags)


def _box(x: float, y: float, half_x: float, half_y: float) -> list[Point]:
    return [
        (x - half_x, y - half_y),
        (x + half_x, y - half_y),
        (x + half_x, y + half_y),
        (x - half_x, y + half_y),
    ]


def _named(name: Name) -> dict[str, str]:
    return {"name": name.en, "name:en": name.en, "name:hi": name.hi}
