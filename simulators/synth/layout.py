"""The ground plan: a warped lattice of blocks, cut into wards, neighbourhoods and quarters.

Lattice coordinates are in blocks: streets run along whole numbers, blocks lie between them.
`Layout.place` bends the lattice into a city (denser in the middle, rounded at the rim).
"""

from __future__ import annotations

import math
import random
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Literal

from simulators.synth.names import Name, colonies

CENTRE = (75.86, 22.72)
"""(lon, lat) of the city's middle."""
BLOCK_M = 112.0
BLOCKS = 11
"""Blocks along a ward's side, about."""
RIM = 0.45
"""How far the city reaches beyond its outermost street, in blocks."""
SETBACK = 0.15
"""Ward borders run this far beside a street, so that each lane lies clearly in one ward."""

Quarter = Literal["old", "mixed", "planned"]
_JITTER = {"old": 0.24, "mixed": 0.1, "planned": 0.03}


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    name: Name
    quarter: Quarter


@dataclass(slots=True)
class Layout:
    """Where everything is. Build it with `Layout.draw`."""

    columns: int
    rows: int
    row_cuts: list[int]
    """Lattice rows between rows of wards, from 0 to `rows`."""
    column_cuts: list[list[int]]
    """For each row of wards, the lattice columns between its wards, from 0 to `columns`."""
    neighbourhoods: list[list[Neighbourhood]]
    """Four a ward: south-west, south-east, north-west, north-east."""
    rail_row: int
    """The railway runs in the middle of this row of blocks."""
    lakes: list[tuple[float, float]]
    """Lattice centres."""
    _phases: tuple[float, ...]
    _jitter: dict[tuple[int, int], tuple[float, float]] = field(default_factory=dict)

    @classmethod
    def draw(cls, wards: int, seed: int) -> Layout:
        """A city of `wards` wards.

        Raises:
            ValueError: `wards` is not in 1..85.
        """
        if not 1 <= wards <= 85:
            raise ValueError(f"Expected wards in 1..85, got {wards}.")
        rng = random.Random(f"{seed}:layout")
        ward_rows = max(1, round(math.sqrt(0.9 * wards)))
        per_row = [wards // ward_rows + (r < wards % ward_rows) for r in range(ward_rows)]
        rng.shuffle(per_row)
        columns, rows = round(BLOCKS * wards / ward_rows), BLOCKS * ward_rows
        row_cuts = [round(rows * sum(per_row[:r]) / wards) for r in range(ward_rows + 1)]
        column_cuts = [[round(columns * k / n) for k in range(n + 1)] for n in per_row]
        names = iter(colonies(rng, 4 * wards))
        neighbourhoods = [
            [
                Neighbourhood(next(names), rng.choice(("planned", "planned", "mixed")))
                for _ in range(4)
            ]
            for _ in range(wards)
        ]
        layout = cls(
            columns,
            rows,
            row_cuts,
            column_cuts,
            neighbourhoods,
            rail_row=rows // 2 + 3,
            lakes=[],
            _phases=tuple(rng.uniform(0, 2 * math.pi) for _ in range(4)),
        )
        layout.lakes = layout._choose_lakes(rng, max(1, wards // 8))
        for j in range(rows + 1):
            for i in range(columns + 1):
                amplitude = _JITTER[layout.quarter(i, j)]
                layout._jitter[i, j] = (
                    rng.uniform(-amplitude, amplitude),
                    rng.uniform(-amplitude, amplitude),
                )
        return layout

    def _choose_lakes(self, rng: random.Random, count: int) -> list[tuple[float, float]]:
        """Lakes lie between the main streets and away from the railway."""
        spots = [
            (x, y)
            for a in range(-60, 61)
            for b in range(-60, 61)
            for x in (self.columns // 2 + 11 * a + 2.8,)
            for y in (self.rows // 2 + 11 * b - 2.7,)
            if 2.5 <= x <= self.columns - 2.5
            and 2.0 <= y <= self.rows - 2.0
            and abs(y - self.rail_row) > 4
            and all(abs(x - line) > 2.4 for line in self.ring_lines(self.columns))
            and all(abs(y - line) > 2.0 for line in self.ring_lines(self.rows))
        ]
        return rng.sample(spots, min(count, len(spots)))

    @property
    def wards(self) -> int:
        return len(self.neighbourhoods)

    def ring_lines(self, across: int) -> tuple[int, ...]:
        """Lattice lines of the ring road among `across` columns or rows; a town has none inside."""
        if self.wards < 6:
            return ()
        return across // 2 - round(0.31 * across), across // 2 + round(0.31 * across)

    def in_lake(self, x: float, y: float, margin: float = 0.0) -> bool:
        return any(
            math.hypot((x - lx) / (2.1 + margin), (y - ly) / (1.7 + margin)) <= 1
            for lx, ly in self.lakes
        )

    def is_old_town(self, x: float, y: float) -> bool:
        radius = 4.0 + 0.9 * math.sqrt(self.wards)
        return math.hypot(x - self.columns / 2, y - self.rows / 2) <= radius

    def quarter(self, x: float, y: float) -> Quarter:
        return "old" if self.is_old_town(x, y) else self.neighbourhood(x, y).quarter

    def ward(self, x: float, y: float) -> int:
        """Index of the ward that holds a lattice point."""
        row, column = self._cell(x, y)
        return sum(len(cuts) - 1 for cuts in self.column_cuts[:row]) + column

    def _cell(self, x: float, y: float) -> tuple[int, int]:
        row = bisect_right(self.row_cuts[1:-1], y - SETBACK)
        return row, bisect_right(self.column_cuts[row][1:-1], x - SETBACK)

    def box(self, ward: int) -> tuple[int, int, int, int]:
        """(west, south, east, north) of a ward, in lattice lines."""
        for row, cuts in enumerate(self.column_cuts):
            if ward < len(cuts) - 1:
                return cuts[ward], self.row_cuts[row], cuts[ward + 1], self.row_cuts[row + 1]
            ward -= len(cuts) - 1
        raise IndexError("Expected a ward of this city.")

    def neighbourhood_key(self, x: float, y: float) -> tuple[int, int]:
        """(ward, one of its four) that holds a lattice point."""
        ward = self.ward(x, y)
        west, south, east, north = self.box(ward)
        return ward, (x > (west + east) / 2) + 2 * (y > (south + north) / 2)

    def neighbourhood(self, x: float, y: float) -> Neighbourhood:
        ward, part = self.neighbourhood_key(x, y)
        return self.neighbourhoods[ward][part]

    def place(self, x: float, y: float) -> tuple[float, float]:
        """(lon, lat) of a lattice point; between whole numbers, bilinear."""
        i, j = math.floor(x), math.floor(y)
        fx, fy = x - i, y - j
        corners = (
            (self._node(i, j), (1 - fx) * (1 - fy)),
            (self._node(i + 1, j), fx * (1 - fy)),
            (self._node(i, j + 1), (1 - fx) * fy),
            (self._node(i + 1, j + 1), fx * fy),
        )
        east = sum(point[0] * share for point, share in corners)
        north = sum(point[1] * share for point, share in corners)
        return to_lonlat(east, north)

    def _node(self, i: int, j: int) -> tuple[float, float]:
        """Metres east and north of the centre."""
        jx, jy = self._jitter.get((i, j), (0.0, 0.0))
        x, y = i + jx, j + jy
        u, v = 2 * x / self.columns - 1, 2 * y / self.rows - 1
        p, q, r, s = self._phases
        wobble_x = 0.22 * math.sin(y / 1.7 + p) + 0.3 * math.sin(y / 4.1 + q)
        wobble_y = 0.22 * math.sin(x / 1.9 + r) + 0.3 * math.sin(x / 4.3 + s)
        east = self.columns / 2 * (0.9 * u + 0.1 * u**3) * math.sqrt(1 - 0.17 * v * v)
        north = self.rows / 2 * (0.9 * v + 0.1 * v**3) * math.sqrt(1 - 0.17 * u * u)
        return (east + wobble_x) * BLOCK_M, (north + wobble_y) * BLOCK_M


M_PER_DEG_LAT = 110_700.0
M_PER_DEG_LON = 111_320.0 * math.cos(math.radians(CENTRE[1]))


def to_lonlat(east_m: float, north_m: float) -> tuple[float, float]:
    """Metres from the centre to (lon, lat), rounded to a centimetre."""
    return (
        round(CENTRE[0] + east_m / M_PER_DEG_LON, 7),
        round(CENTRE[1] + north_m / M_PER_DEG_LAT, 7),
    )


def to_metres(lon: float, lat: float) -> tuple[float, float]:
    """The inverse of `to_lonlat`."""
    return (lon - CENTRE[0]) * M_PER_DEG_LON, (lat - CENTRE[1]) * M_PER_DEG_LAT
