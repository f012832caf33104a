"""Households, shops, institutions and bulk generators along the lanes."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field

from simulators.synth.layout import Layout, to_lonlat, to_metres
from simulators.synth.streets import Edge, Streets

_HOUSEHOLDS = {"old": 1.6, "mixed": 1.0, "planned": 0.85}
"""Households along a metre of street, against each other."""
_SPACING_M = 45.0
_ALONG_LARGE_ROADS = {"primary": 0.15, "secondary": 0.3, "tertiary": 0.7}


@dataclass(frozen=True, slots=True)
class Premise:
    lon: float
    lat: float
    kind: str
    count: int


@dataclass(slots=True)
class WardPremises:
    rows: list[Premise] = field(default_factory=list)

    def total(self, kind: str) -> int:
        return sum(row.count for row in self.rows if row.kind == kind)


def people_wards(layout: Layout, streets: Streets, seed: int) -> list[WardPremises]:
    """Premises of each ward: about 6,000 households and 600 shops, grouped along its lanes."""
    rng = random.Random(f"{seed}:premises")
    by_ward: list[list[Edge]] = [[] for _ in range(layout.wards)]
    for edge in streets.all_edges():
        by_ward[layout.ward(*edge.middle)].append(edge)
    return [_people_ward(layout, streets, edges, rng) for edges in by_ward]


def _people_ward(
    layout: Layout, streets: Streets, edges: list[Edge], rng: random.Random
) -> WardPremises:
    spots: list[tuple[float, float, float, float]] = []
    """lon, lat, weight for households, weight for shops"""
    for edge in edges:
        quarter = layout.quarter(*edge.middle)
        homes = _HOUSEHOLDS[quarter] * _ALONG_LARGE_ROADS.get(edge.highway, 1.0)
        shops = (
            12.0
            if edge.market
            else {"primary": 2.0, "secondary": 2.5, "tertiary": 2.0}.get(
                edge.highway, 0.6 if quarter == "old" else 0.2
            )
        )
        for lon, lat, length_m in _beside(streets.line(edge), min(7.0, 2 + edge.width_m / 2), rng):
            spots.append((lon, lat, homes * length_m, shops * length_m))
    ward = WardPremises()
    households, shops_total = rng.randint(5500, 6500), rng.randint(540, 660)
    _spread(ward, "household", households, [(s[0], s[1], s[2]) for s in spots])
    _spread(ward, "shop", shops_total, [(s[0], s[1], s[3]) for s in spots])
    for kind, count in (("institution", 8), ("bulk", 3)):
        for lon, lat, *_ in rng.sample(spots, count):
            ward.rows.append(Premise(lon, lat, kind, 1))
    return ward


def _spread(
    ward: WardPremises, kind: str, total: int, spots: list[tuple[float, float, float]]
) -> None:
    """Shares `total` out over the spots by weight; the rounding error runs along."""
    scale = total / sum(weight for *_, weight in spots)
    sum_weight, given = 0.0, 0
    for lon, lat, weight in spots:
        sum_weight += weight
        count = min(total, math.floor(sum_weight * scale + 0.5)) - given
        if count > 0:
            ward.rows.append(Premise(lon, lat, kind, count))
            given += count


def _beside(
    line: list[tuple[float, float]], offset_m: float, rng: random.Random
) -> list[tuple[float, float, float]]:
    """Points beside a line every 45 m or so, left and right in turn, as (lon, lat, length_m):
    `length_m` is the piece of the line that a point stands for.
    """
    metres = [to_metres(*point) for point in line]
    legs = [math.dist(a, b) for a, b in itertools.pairwise(metres)]
    length = sum(legs)
    count = max(1, round(length / _SPACING_M))
    side = rng.choice((-1, 1))
    points = []
    for k in range(count):
        along = (k + 0.5) / count * length
        leg = 0
        while leg < len(legs) - 1 and along > legs[leg]:
            along -= legs[leg]
            leg += 1
        (ax, ay), (bx, by) = metres[leg], metres[leg + 1]
        ux, uy = (bx - ax) / legs[leg], (by - ay) / legs[leg]
        side = -side
        lon, lat = to_lonlat(
            ax + ux * along - uy * side * offset_m, ay + uy * along + ux * side * offset_m
        )
        points.append((lon, lat, length / count))
    return points
