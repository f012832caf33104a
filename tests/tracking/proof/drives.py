"""A small town on a plane in metres, and vehicles that drive it by known rules."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracking.proof import LaneGraph, LaneShape, Track

LON, LAT = 75.86, 22.72
_EAST_M = 111_320.0 * math.cos(math.radians(LAT))
T0 = 1_764_000_000.0
DRIVE_MPS, CRAWL_MPS, HALT_EVERY_M, HALT_S = 6.0, 1.8, 28.0, 10

LINES: dict[str, list[tuple[float, float]]] = {
    # Main street from west to east, cut at 0, 120, 240, 360; cross streets north of it.
    "main1": [(-400, 0), (0, 0)],
    "main2": [(0, 0), (120, 0)],
    "main3": [(120, 0), (240, 0)],
    "main4": [(240, 0), (640, 0)],
    "cross0": [(0, 0), (0, 150)],
    "cross1": [(120, 0), (120, 150)],
    "cross2": [(240, 0), (240, 150)],
    "north1": [(0, 150), (120, 150)],
    "north2": [(120, 150), (240, 150)],
    # A back lane 20 m south of main3, and a dead end.
    "back3": [(120, 0), (124, -20), (236, -20), (240, 0)],
    "stub": [(240, 150), (285, 150)],
    # Driven from north to south only.
    "oneway": [(0, 150), (-80, 150), (-80, 0)],
}


def shape(name: str, *, reverse: bool = False) -> LaneShape:
    line = [degrees(*point) for point in LINES[name]]
    return LaneShape(name, line[::-1] if reverse else line, oneway=name == "oneway")


def degrees(x: float, y: float) -> tuple[float, float]:
    return LON + x / _EAST_M, LAT + y / 111_320.0


def town(*, reversed_lane: str | None = None) -> LaneGraph:
    return LaneGraph.build(shape(name, reverse=name == reversed_lane) for name in LINES)


@dataclass(frozen=True)
class Leg:
    """A stretch of a lane: `share` from its start (as driven) on; served or only driven."""

    lane: str
    forward: bool = True
    served: bool = False
    until: float = 1.0
    since: float = 0.0


def legs(*text: str) -> list[Leg]:
    """`main1` drives a lane, `-main1` against its drawing, `+main1` or `+-main1` serves it."""
    found = []
    for one in text:
        served, rest = one.startswith("+"), one.lstrip("+")
        found.append(Leg(rest.lstrip("-"), not rest.startswith("-"), served))
    return found


def drive(
    graph: LaneGraph,
    route: Sequence[Leg],
    *,
    period_s: int = 5,
    sigma_m: float = 4.0,
    seed: int = 1,
    doppler: bool = False,
) -> Track:
    """A fix each `period_s`, white noise; speed and course only with `doppler`."""
    xs: list[tuple[float, float]] = []
    for leg in route:
        line = np.array(LINES[leg.lane], float)[:: 1 if leg.forward else -1]
        at = np.r_[0, np.cumsum(np.hypot(*np.diff(line, axis=0).T))]
        u, end = leg.since * at[-1], leg.until * at[-1]
        halt = u + HALT_EVERY_M / 2
        while u < end:
            u = min(u + (CRAWL_MPS if leg.served else DRIVE_MPS), end)
            point = (float(np.interp(u, at, line[:, 0])), float(np.interp(u, at, line[:, 1])))
            stay = 1
            if leg.served and u >= halt:
                halt, stay = halt + HALT_EVERY_M, HALT_S
            xs.extend([point] * stay)
    xy = np.array(xs)
    rng = np.random.default_rng(seed)
    noisy = xy + rng.normal(0, sigma_m, xy.shape)
    lon, lat = np.array([degrees(*p) for p in noisy]).T
    x, y = graph.plane.to_m(lon, lat)
    t = np.asarray(T0 + np.arange(len(xy)), np.float64)
    kept = slice(0, None, period_s)
    step = np.gradient(xy, axis=0)
    speed, course = np.hypot(*step.T), np.degrees(np.arctan2(step[:, 0], step[:, 1])) % 360
    unknown = np.full(len(t), np.nan)
    return Track(
        t[kept],
        x[kept],
        y[kept],
        (speed if doppler else unknown)[kept],
        (course if doppler else unknown)[kept],
    )


def silenced(track: Track, since_s: float, until_s: float) -> Track:
    """Without the fixes with since ≤ t - t[0] < until."""
    after = track.t_s - track.t_s[0]
    kept = (after < since_s) | (after >= until_s)
    return Track(
        track.t_s[kept],
        track.x[kept],
        track.y[kept],
        track.speed_mps[kept],
        track.course_deg[kept],
    )
