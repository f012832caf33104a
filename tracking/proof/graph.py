"""Lanes on a plane in metres, with an index to find them and the ways between their ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from fleet.kit.geo import Plane
from tracking.proof.ways import near_ends

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]

CELL_M = 60.0
"""Side of a cell of the index; a search looks at nine cells, so no lane this near is missed."""
NEAR_M = 300.0
"""Ways between ends of lanes are known up to this length."""
SAME_END_DEG = 6
"""Ends are the same junction when they agree to this many decimals of a degree."""


@dataclass(frozen=True)
class LaneShape:
    """A lane as it may be driven legally; both directions are searched all the same."""

    id: str
    line: Sequence[Sequence[float]]
    """[[lon, lat], …], at least two different points, else the lane is left out."""
    oneway: bool = False


class GraphArrays(NamedTuple):
    """What machine code reads of a graph."""

    x: Floats
    """Points of all lanes, one lane after the other; `m` metres along their lane."""
    y: Floats
    m: Floats
    lane_of_point: Ints
    length: Floats
    ends: Ints
    """[lanes, 2]: node at the first and at the last point."""
    oneway: npt.NDArray[np.bool_]
    degree: Ints
    """How many ends of lanes meet at each node."""
    cell_key: npt.NDArray[np.int64]
    """Cells with segments, sorted; key = row * columns + column."""
    cell_first: Ints
    cell_point: Ints
    """First points of the segments in each cell."""
    near_first: Ints
    """Where each node's neighbours begin; they are sorted by node."""
    near_node: Ints
    near_m: npt.NDArray[np.float32]
    near_lane: Ints
    """First lane on the shortest way there."""
    west: float
    south: float
    rows: int
    columns: int


@dataclass(frozen=True)
class LaneGraph:
    """The lanes that a vehicle may drive. Build it once per import of a city; it pickles."""

    ids: tuple[str, ...]
    plane: Plane
    arrays: GraphArrays

    @property
    def length_m(self) -> Floats:
        """Length of each lane on the plane."""
        return self.arrays.length

    @classmethod
    def build(cls, shapes: Iterable[LaneShape]) -> LaneGraph:
        """Joins lanes where their ends agree to 1e-6° (about 10 cm)."""
        usable = [(s, line) for s in shapes if len(line := _points(s.line)) >= 2]
        points = np.concatenate([line for _, line in usable]) if usable else np.zeros((0, 2))
        centre = (points.min(axis=0) + points.max(axis=0)) / 2 if usable else np.zeros(2)
        plane = Plane(float(centre[0]), float(centre[1]))
        x, y = plane.to_m(points[:, 0], points[:, 1])
        count = np.array([len(line) for _, line in usable], np.int64)
        lane = np.repeat(np.arange(len(usable), dtype=np.int32), count)
        first = np.cumsum(count) - count
        step = np.hypot(np.diff(x, prepend=0.0), np.diff(y, prepend=0.0))
        step[first] = 0.0
        run = np.cumsum(step)
        along = run - np.repeat(run[first], count)
        length = along[first + count - 1]
        nodes: dict[tuple[float, float], int] = {}
        ends = np.array(
            [
                [nodes.setdefault(_end(point), len(nodes)) for point in (line[0], line[-1])]
                for _, line in usable
            ],
            np.int32,
        ).reshape(-1, 2)  # fmt: skip
        degree = np.bincount(ends.ravel(), minlength=len(nodes)).astype(np.int32)
        near_first, near_node, near_m, near_lane = near_ends(ends, length, len(nodes), NEAR_M)
        cell_key, cell_first, cell_point = _index(x, y, lane)
        west, south, rows, columns = _corner(x, y)
        arrays = GraphArrays(
            x, y, along, lane, length, ends,
            np.array([s.oneway for s, _ in usable], np.bool_), degree,
            cell_key, cell_first, cell_point, near_first, near_node, near_m, near_lane,
            west, south, rows, columns,
        )  # fmt: skip
        return cls(tuple(s.id for s, _ in usable), plane, arrays)


def _points(line: Sequence[Sequence[float]]) -> Floats:
    """Points without repetitions."""
    points = np.array([p[:2] for p in line], np.float64).reshape(-1, 2)
    if len(points) == 0:
        return points
    return points[np.r_[True, (np.diff(points, axis=0) != 0).any(axis=1)]]


def _end(point: Floats) -> tuple[float, float]:
    return round(float(point[0]), SAME_END_DEG), round(float(point[1]), SAME_END_DEG)


def _corner(x: Floats, y: Floats) -> tuple[float, float, int, int]:
    """West and south border, rows and columns of the index, with a free cell all around."""
    if len(x) == 0:
        return 0.0, 0.0, 1, 1
    west, south = float(x.min()) - CELL_M, float(y.min()) - CELL_M
    rows = int((y.max() - south) // CELL_M) + 2
    columns = int((x.max() - west) // CELL_M) + 2
    return west, south, rows, columns


def _index(x: Floats, y: Floats, lane: Ints) -> tuple[npt.NDArray[np.int64], Ints, Ints]:
    """Sorted keys of cells, where each one's segments begin, and the segments' first points."""
    west, south, _, columns = _corner(x, y)
    start = np.flatnonzero(lane[1:] == lane[:-1])
    # A segment lies in the cells of points half a cell apart; nine cells are searched, so a
    # corner that it cuts in between is looked at from the next cell.
    pieces = np.maximum(
        1, np.ceil(np.hypot(x[start + 1] - x[start], y[start + 1] - y[start]) / (CELL_M / 4))
    ).astype(np.int64)
    of = np.repeat(start, pieces + 1)
    rank = np.arange(len(of)) - np.repeat(np.cumsum(pieces + 1) - (pieces + 1), pieces + 1)
    share = rank / np.repeat(pieces, pieces + 1)
    px = x[of] + share * (x[of + 1] - x[of]) if len(of) else np.zeros(0)
    py = y[of] + share * (y[of + 1] - y[of]) if len(of) else np.zeros(0)
    key = ((py - south) // CELL_M).astype(np.int64) * columns + ((px - west) // CELL_M).astype(
        np.int64
    )
    pairs = np.unique(np.column_stack([key, of]), axis=0).reshape(-1, 2)
    keys, first = np.unique(pairs[:, 0], return_index=True)
    return keys, np.r_[first, len(pairs)].astype(np.int32), pairs[:, 1].astype(np.int32)
