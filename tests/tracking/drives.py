"""A generated town, and a tipper's day in it with the truth: for evaluating lane evidence."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from tracking.proof.track import Track

ORIGIN = (75.86, 22.72)
EAST = 111_320.0 * math.cos(math.radians(ORIGIN[1]))
NORTH = 111_320.0


@dataclass
class Town:
    lanes: dict[str, np.ndarray]
    """Metres, [points, 2]."""
    degrees: list[tuple[str, list[list[float]]]]


def town(seed: int, size: int = 9) -> Town:
    """A bent grid of blocks of 60-110 m, back-lanes 18-30 m beside streets, and dead-end stubs."""
    rng = np.random.default_rng(seed)
    step = np.cumsum(rng.uniform(60, 110, size)), np.cumsum(rng.uniform(60, 110, size))
    node = np.array([[(x, y) for y in step[1]] for x in step[0]])
    node = node + rng.normal(0, 5, node.shape)
    lanes: dict[str, np.ndarray] = {}
    for i in range(size):
        for j in range(size):
            if i + 1 < size:
                lanes[f"h{i}.{j}"] = np.array([node[i, j], node[i + 1, j]])
            if j + 1 < size:
                lanes[f"v{i}.{j}"] = np.array([node[i, j], node[i, j + 1]])
            if i + 1 < size and j + 1 < size and rng.random() < 0.35:
                off = rng.uniform(18, 30)
                a, b = node[i, j], node[i, j + 1]
                share = off / np.linalg.norm(node[i + 1, j] - a)
                lanes[f"v{i}.{j}a"] = a + np.array([[0, 0], share * (node[i + 1, j] - a)])
                share_b = off / np.linalg.norm(node[i + 1, j + 1] - b)
                inner = [a + share * (node[i + 1, j] - a), b + share_b * (node[i + 1, j + 1] - b)]
                lanes[f"v{i}.{j}b"] = np.array(inner)
                # the cross street starts at the back-lane's foot
                lanes[f"h{i}.{j}"] = np.array([inner[0], node[i + 1, j]])
            elif i + 1 < size and rng.random() < 0.3:
                a, b = node[i, j], node[i + 1, j]
                foot = a + 0.5 * (b - a)
                normal = np.array([-(b - a)[1], (b - a)[0]]) / np.linalg.norm(b - a)
                lanes[f"h{i}.{j}"] = np.array([a, foot])
                lanes[f"h{i}.{j}x"] = np.array([foot, b])
                lanes[f"s{i}.{j}"] = np.array([foot, foot + normal * rng.uniform(30, 50)])
    degrees = [
        (key, [[ORIGIN[0] + x / EAST, ORIGIN[1] + y / NORTH] for x, y in line.tolist()])
        for key, line in sorted(lanes.items())
    ]
    return Town(lanes, degrees)


@dataclass
class Drive:
    track: Track
    """Clean metres on the town's plane; `noisy` adds the device's error."""
    planned: list[str]
    served: dict[str, float]
    """Share of each planned lane that was truly served."""


def drive(town: Town, seed: int, planned: int = 60) -> Drive:
    """Serves planned lanes in a walk through the town; of ten, one is skipped, one driven through
    and one served in part. Crawls at 5-8 km/h with a halt each 15-40 m; drives at 20-25 km/h.
    """
    rng = np.random.default_rng(seed)
    ends: dict[tuple[float, float], list[tuple[str, bool]]] = {}
    for key, line in sorted(town.lanes.items()):
        ends.setdefault(tuple(np.round(line[0], 3)), []).append((key, True))
        ends.setdefault(tuple(np.round(line[-1], 3)), []).append((key, False))
    plan = sorted(rng.choice(sorted(town.lanes), planned, replace=False).tolist())
    fate = {
        key: rng.choice(["served", "skip", "through", "part"], p=[0.7, 0.1, 0.1, 0.1])
        for key in plan
    }
    truth = dict.fromkeys(plan, 0.0)
    clock, where = 0.0, tuple(np.round(town.lanes["h0.0"][0], 3))
    samples: list[tuple[float, float, float, float]] = []

    def run(line: np.ndarray, how: str) -> None:
        nonlocal clock
        length = float(np.linalg.norm(line[-1] - line[0]))
        s, halt_at = 0.0, rng.uniform(5, 25)
        until = length * rng.uniform(0.3, 0.6) if how == "part" else length
        v_drive = rng.uniform(20, 25) / 3.6
        while s < length:
            crawling = how in ("served", "part") and s < until
            v = rng.uniform(5, 8) / 3.6 if crawling else v_drive
            s += v
            clock += 1
            at = line[0] + min(s / length, 1) * (line[-1] - line[0])
            samples.append((clock, at[0], at[1], v))
            if crawling and s >= halt_at:
                for _ in range(int(rng.integers(4, 20))):
                    clock += 1
                    samples.append((clock, at[0], at[1], 0.0))
                halt_at = s + rng.uniform(15, 40)
        if how == "part":
            run.share = until / length  # type: ignore[attr-defined]

    def path(start: tuple[float, float], goal: set[tuple[float, float]]) -> list[tuple[str, bool]]:
        from heapq import heappop, heappush

        heap: list = [(0.0, start, [])]
        seen = set()
        while heap:
            d, at, way = heappop(heap)
            if at in goal:
                return way
            if at in seen:
                continue
            seen.add(at)
            for key, forward in ends[at]:
                line = town.lanes[key]
                to = tuple(np.round(line[-1] if forward else line[0], 3))
                heappush(
                    heap,
                    (d + float(np.linalg.norm(line[-1] - line[0])), to, [*way, (key, forward)]),
                )
        raise AssertionError("Expected a connected town.")

    todo = [key for key in plan if fate[key] != "skip"]
    while todo:
        todo.sort(
            key=lambda k: min(np.linalg.norm(np.array(where) - town.lanes[k][e]) for e in (0, -1))
        )
        key = todo.pop(0)
        line = town.lanes[key]
        tips = {tuple(np.round(line[0], 3)), tuple(np.round(line[-1], 3))}
        for way_key, forward in path(where, tips):
            way = town.lanes[way_key] if forward else town.lanes[way_key][::-1]
            run(way, "drive")
            where = tuple(np.round(way[-1], 3))
        forward = where == tuple(np.round(line[0], 3))
        way = line if forward else line[::-1]
        run(way, {"served": "served", "through": "drive", "part": "part"}[fate[key]])
        where = tuple(np.round(way[-1], 3))
        truth[key] = {"served": 1.0, "through": 0.0}.get(fate[key], getattr(run, "share", 0.0))
    t, x, y, v = np.array(samples).T
    keep = t.astype(int) % 5 == 0
    nan = np.full(int(keep.sum()), np.nan)
    return Drive(Track(t[keep], x[keep], y[keep], v[keep], nan), plan, truth)


def noisy(track: Track, seed: int, *, sigma_m: float, correlation: float, speed: bool) -> Track:
    """White (correlation 0) or AR(1) error of a standard deviation of `sigma_m` per axis."""
    rng = np.random.default_rng(seed)
    n = len(track.t_s)
    error = np.zeros((2, n))
    error[:, 0] = rng.normal(0, sigma_m, 2)
    fresh = rng.normal(0, sigma_m * np.sqrt(1 - correlation**2), (2, n))
    for i in range(1, n):
        error[:, i] = correlation * error[:, i - 1] + fresh[:, i]
    measured = np.maximum(track.speed_mps + rng.normal(0, 0.3, n), 0)
    return Track(
        track.t_s,
        track.x + error[0],
        track.y + error[1],
        measured if speed else np.full(n, np.nan),
        track.course_deg,
    )
