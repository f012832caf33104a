"""Lanes in metres on a local plane, with an index to find them and their shared ends."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

from fleet.kit.geo import METRES_PER_DEGREE

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_NO_WAY_M = 1e6


@dataclass(frozen=True)
class Plane:
    """Equirectangular metres around a point; true to a few centimetres a kilometre in a city."""

    lon: float
    lat: float

    def to_m(self, lon: npt.ArrayLike, lat: npt.ArrayLike) -> tuple[Floats, Floats]:
        """x east and y north in metres."""
        east_m = METRES_PER_DEGREE * math.cos(math.radians(self.lat))
        return (
            (np.asarray(lon, np.float64) - self.lon) * east_m,
            (np.asarray(lat, np.float64) - self.lat) * METRES_PER_DEGREE,
        )

    def to_degrees(self, x: float, y: float) -> tuple[float, float]:
        """(lon, lat) of a point on the plane."""
        east_m = METRES_PER_DEGREE * math.cos(math.radians(self.lat))
        return self.lon + x / east_m, self.lat + y / METRES_PER_DEGREE


class LaneIndex:
    """The lanes that a vehicle may drive, by position.

    Args:
        lanes: (id, [[lon, lat], …]) of each; ends with equal coordinates (to 1e-6°) are joined.
    """

    def __init__(self, lanes: Iterable[tuple[str, Sequence[Sequence[float]]]]) -> None:
        usable = [(key, line) for key, line in lanes if len(line) >= 2]
        self.ids = [key for key, _ in usable]
        points = np.array([p for _, line in usable for p in line], np.float64).reshape(-1, 2)
        centre = points.mean(axis=0) if len(points) else np.zeros(2)
        self.plane = Plane(float(centre[0]), float(centre[1]))
        x, y = self.plane.to_m(points[:, 0], points[:, 1])
        owner = np.repeat(np.arange(len(usable)), [len(line) for _, line in usable])
        lines = shapely.linestrings(np.column_stack([x, y]), indices=owner)
        self.lines = np.atleast_1d(np.asarray(lines, dtype=object))
        self.length_m: Floats = np.atleast_1d(shapely.length(self.lines))
        self.tree = shapely.STRtree(self.lines)
        nodes: dict[tuple[float, float], int] = {}
        self.ends: Ints = np.array(
            [
                [nodes.setdefault((round(p[0], 6), round(p[1], 6)), len(nodes)) for p in ends]
                for ends in ((line[0], line[-1]) for _, line in usable)
            ],
            np.int64,
        ).reshape(-1, 2)
        """Node at the first and the last point of each lane."""
        self._between: dict[tuple[int, int], int] = {}
        for lane, (a, b) in enumerate(self.ends.tolist()):
            for key in ((a, b), (b, a)):
                known = self._between.get(key)
                if known is None or self.length_m[lane] < self.length_m[known]:
                    self._between[key] = lane

    def connections(self, a: Ints, b: Ints) -> tuple[Floats, Ints]:
        """How the ends of lanes a and b are joined.

        Returns:
            Metres [n, 2, 2] from an end of a to an end of b: 0 where they are the same junction,
            a lane's length where one lane joins them, else 1e6; and that lane, or -1.
        """
        way_m = np.full((len(a), 2, 2), _NO_WAY_M)
        via = np.full((len(a), 2, 2), -1, np.int64)
        for i, (ends_a, ends_b) in enumerate(
            zip(self.ends[a].tolist(), self.ends[b].tolist(), strict=True)
        ):
            for p in (0, 1):
                for q in (0, 1):
                    if ends_a[p] == ends_b[q]:
                        way_m[i, p, q] = 0.0
                    else:
                        lane = self._between.get((ends_a[p], ends_b[q]))
                        if lane is not None and lane not in (a[i], b[i]):
                            way_m[i, p, q] = self.length_m[lane]
                            via[i, p, q] = lane
        return way_m, via

    def near(self, x: Floats, y: Floats, within_m: float) -> tuple[Ints, Ints]:
        """Pairs (point, lane) not further apart than `within_m`, by point."""
        pairs = self.tree.query(shapely.points(x, y), predicate="dwithin", distance=within_m)
        order = np.argsort(pairs[0], kind="stable")
        return pairs[0][order], pairs[1][order]
