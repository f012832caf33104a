"""Movement along lines, pure: knots (epoch s, metres east, metres north), straight in between.

>>> drive([(0.0, 0.0), (50.0, 0.0)], 100.0, 10.0)
[(100.0, 0.0, 0.0), (105.0, 50.0, 0.0)]
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
Knot = tuple[float, float, float]

CRAWL_MPS = (1.4, 2.2)
"""Speed between the doors of a lane being served."""
DOORS_M = (15.0, 40.0)
"""Distance between halts."""


@dataclass(frozen=True, slots=True)
class Plane:
    """Metres around a centre given as (lon, lat); good for a city."""

    lon: float
    lat: float

    def metres(self, lon: float, lat: float) -> Point:
        return (
            (lon - self.lon) * 111_320.0 * math.cos(math.radians(self.lat)),
            (lat - self.lat) * 110_574.0,
        )

    def lonlat(self, x: float, y: float) -> Point:
        return (
            self.lon + x / (111_320.0 * math.cos(math.radians(self.lat))),
            self.lat + y / 110_574.0,
        )

    def line(self, coordinates: Sequence[Sequence[float]]) -> list[Point]:
        return [self.metres(lon, lat) for lon, lat in coordinates]


def length_m(line: Sequence[Point]) -> float:
    """
    >>> length_m([(0, 0), (3, 4), (3, 5)])
    6.0
    """
    return sum(math.dist(a, b) for a, b in itertools.pairwise(line))


def cut(line: Sequence[Point], from_m: float, to_m: float) -> list[Point]:
    """The piece of a line between two distances along it; its ends are exact.

    >>> cut([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)], 5.0, 15.0)
    [(5.0, 0.0), (10.0, 0.0), (10.0, 5.0)]
    """
    if len(line) < 2:
        return list(line)
    piece = [at_m(line, from_m)]
    along = 0.0
    for a, b in itertools.pairwise(line):
        along += math.dist(a, b)
        if from_m < along < to_m:
            piece.append(b)
    return [*piece, at_m(line, to_m)]


def at_m(line: Sequence[Point], along_m: float) -> Point:
    """The point at a distance along a line, held to its ends."""
    for a, b in itertools.pairwise(line):
        leg = math.dist(a, b)
        if along_m < leg:
            share = max(0.0, along_m) / leg
            return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])
        along_m -= leg
    return line[-1]


def drive(line: Sequence[Point], start_s: float, speed_mps: float) -> list[Knot]:
    """Along a line at a constant speed."""
    knots = [(start_s, *line[0])]
    for a, b in itertools.pairwise(line):
        start_s += math.dist(a, b) / speed_mps
        knots.append((start_s, *b))
    return knots


def stand(at: Point, start_s: float, seconds: float) -> list[Knot]:
    return [(start_s, *at), (start_s + seconds, *at)]


def serve(line: Sequence[Point], start_s: float, seconds: float, rng: random.Random) -> list[Knot]:
    """Along a lane slowly, with halts at doors; takes `seconds`, or longer where that is too short.

    A line of one point is stood at.
    """
    total_m = length_m(line)
    if total_m < 1.0:
        return stand(line[0], start_s, seconds)
    crawl_mps = rng.uniform(*CRAWL_MPS)
    stops: list[float] = []
    along = rng.uniform(*DOORS_M) / 2
    while along < total_m:
        stops.append(along)
        along += rng.uniform(*DOORS_M)
    stops = stops or [total_m / 2]
    halting_s = max(seconds - total_m / crawl_mps, 4.0 * len(stops))
    weights = [rng.uniform(0.5, 1.5) for _ in stops]
    knots: list[Knot] = []
    done_m = 0.0
    for stop_m, weight in zip(stops, weights, strict=True):
        knots += drive(cut(line, done_m, stop_m), start_s, crawl_mps)
        start_s, *at = knots[-1]
        knots += stand((at[0], at[1]), start_s, halting_s * weight / sum(weights))
        start_s, done_m = knots[-1][0], stop_m
    return knots + drive(cut(line, done_m, total_m), start_s, crawl_mps)
