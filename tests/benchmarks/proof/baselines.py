"""What everybody could do: a buffer around the track, and the road engine's map matching.

The buffer: a lane is served when 80% of it lies within 15 m of the line through the fixes, which is
cut at silences. The match: a lane is served when 80% of it lies on the matched way; with the pace
rule, only those metres count at which ±20 m of travel took as long as under 2.4 m/s, standing
counted for 30 s at most.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import shapely

from fleet.roads.build import build_dataset
from fleet.roads.profile import VehicleProfile
from tests.benchmarks.proof.noise import Fixes
from tests.benchmarks.proof.town import Floats, Town

BUFFER_M = 15.0
SAMPLE_M = 2.0
CUT_AT_S = 45.0
RADIUS_M = 8.0
SLOW_MPS, AROUND_M, STANDING_MPS, STANDING_CAP_S = 2.4, 20.0, 0.5, 30.0
SERVED_FROM = 0.8


def buffered(town: Town, fixes: Fixes, lanes: Sequence[int]) -> dict[int, bool]:
    """By lane: whether it is within the buffer."""
    legs_s = np.diff(fixes.t_s)
    whole = legs_s <= max(CUT_AT_S, 1.5 * float(np.median(legs_s)))
    pairs = np.stack([fixes.xy[:-1], fixes.xy[1:]], axis=1)[whole]
    tree = shapely.STRtree([shapely.LineString(pair) for pair in pairs])
    served = {}
    for lane in lanes:
        along = np.arange(SAMPLE_M / 2, town.lengths[lane], SAMPLE_M)
        points = shapely.line_interpolate_point(town.shapes[lane], along)
        near, _ = tree.query(points, predicate="dwithin", distance=BUFFER_M)
        served[lane] = bool(len(np.unique(near)) >= SERVED_FROM * len(points))
    return served


@dataclass(frozen=True)
class Hop:
    """From one kept fix to the next: nodes of the way from the segment on which it starts to that
    on which it ends, and where on them the fixes lie."""

    nodes: tuple[int, ...]
    start: tuple[float, float]
    end: tuple[float, float]
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Stride:
    """A stretch of one lane between two kept fixes; `from_m` > `to_m` is against its line."""

    lane: int
    from_m: float
    to_m: float
    start_s: float
    end_s: float


class Matcher:
    """OSRM's match in a process of its own: the bindings hold the interpreter's lock."""

    def __init__(self, town: Town, cache: Path | None = None) -> None:
        self._town = town
        self._cache = cache or Path(tempfile.gettempdir()) / "safai-proof-bench"
        context = multiprocessing.get_context("spawn")
        self._pool = ProcessPoolExecutor(1, mp_context=context)

    def __enter__(self) -> Matcher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()

    def match(self, fixes: Fixes) -> list[list[Stride]]:
        """Matchings by time."""
        lonlat = [(float(x), float(y)) for x, y in self._town.plane.degrees(fixes.xy)]
        times = [int(t) for t in fixes.t_s]
        hops = self._pool.submit(_match, str(self._dataset), lonlat, times).result()
        return [list(self._strides(trail)) for trail in hops]

    def _strides(self, trail: list[Hop]) -> Iterator[Stride]:
        """Time is spread over a hop by distance."""
        starts = self._along([hop.nodes[:2] for hop in trail], [hop.start for hop in trail])
        ends = self._along([hop.nodes[-2:] for hop in trail], [hop.end for hop in trail])
        for hop, start_m, end_m in zip(trail, starts, ends, strict=True):
            pieces = []
            for number, pair in enumerate(pairwise(hop.nodes)):
                seat = self._seats.get(pair)
                if seat is None:
                    continue  # a way that is no street
                lane, from_m, to_m = seat
                a = start_m if number == 0 else from_m
                b = end_m if number == len(hop.nodes) - 2 else to_m
                pieces.append((lane, _held(a, from_m, to_m), _held(b, from_m, to_m)))
            total = sum(abs(b - a) for _, a, b in pieces)
            t = hop.start_s
            for lane, a, b in pieces:
                share = abs(b - a) / total if total > 0 else 1 / len(pieces)
                then = t + share * (hop.end_s - hop.start_s)
                yield Stride(lane, a, b, t, then)
                t = then

    def _along(
        self, pairs: list[tuple[int, ...]], lonlat: list[tuple[float, float]]
    ) -> list[float]:
        """Where on the lanes of those node pairs the points lie."""
        if not pairs:
            return []
        lanes = [self._seats.get((u, v), (0, 0.0, 0.0))[0] for u, v in pairs]
        points = shapely.points(self._town.plane.metres(lonlat))
        along: list[float] = shapely.line_locate_point(self._town.shapes[lanes], points).tolist()
        return along

    @cached_property
    def _seats(self) -> dict[tuple[int, int], tuple[int, float, float]]:
        """Lane and metres along it of each pair of neighbouring nodes, in both orders."""
        seats = {}
        for number, (lane, line) in enumerate(zip(self._town.lanes, self._town.lines, strict=True)):
            at_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))))
            for i, (u, v) in enumerate(pairwise(lane.nodes)):
                seats[u, v] = (number, float(at_m[i]), float(at_m[i + 1]))
                seats[v, u] = (number, float(at_m[i + 1]), float(at_m[i]))
        return seats

    @cached_property
    def _dataset(self) -> Path:
        self._cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache) as scratch:
            written = Path(scratch) / "town.osm"
            self._town.write(written)
            key = hashlib.sha256(written.read_bytes()).hexdigest()[:16]
            profile = VehicleProfile("tipper", 1.6)
            return build_dataset(written, profile, self._cache / key, lambda part, step: None)


_engines: dict[str, Any] = {}
"""In the child: engines by dataset."""


def _match(dataset: str, lonlat: list[tuple[float, float]], times: list[int]) -> list[list[Hop]]:
    import osrm

    if dataset not in _engines:
        _engines[dataset] = osrm.OSRM(
            storage_config=dataset,
            algorithm="MLD",
            use_shared_memory=False,
            use_mmap=False,
            max_locations_map_matching=-1,
        )
    parameters = osrm.MatchParameters(
        coordinates=lonlat,
        timestamps=times,
        radiuses=[RADIUS_M] * len(lonlat),
        gaps="ignore",
        tidy=True,
        annotations=["nodes"],
        overview="false",
        generate_hints=False,
    )
    try:
        answer = _engines[dataset].Match(parameters)
    except RuntimeError as error:
        if str(error).startswith("NoMatch"):
            return []
        raise
    kept: dict[int, list[tuple[float, tuple[float, float]]]] = defaultdict(list)
    # The arrays of the bindings are iterated only; a fix that was tidied away is None.
    for t, point in zip(times, answer["tracepoints"], strict=True):
        if point is not None:
            lon, lat = point["location"]
            kept[int(point["matchings_index"])].append((float(t), (lon, lat)))
    trails = []
    for number, matching in enumerate(answer["matchings"]):
        ways = [tuple(int(node) for node in leg["annotation"]["nodes"]) for leg in matching["legs"]]
        trails.append(
            [
                Hop(nodes, start, end, start_s, end_s)
                for nodes, ((start_s, start), (end_s, end)) in zip(
                    ways, pairwise(kept[number]), strict=True
                )
                if len(nodes) > 1
            ]
        )
    return trails


def _held(value: float, a: float, b: float) -> float:
    return min(max(value, min(a, b)), max(a, b))


class _Cells:
    """Which metres of some lanes are taken."""

    def __init__(self, town: Town, lanes: Iterable[int]) -> None:
        self._taken = {lane: np.zeros(max(1, round(town.lengths[lane])), bool) for lane in lanes}

    def take(self, lane: int, a: float, b: float) -> None:
        cells = self._taken.get(lane)
        if cells is not None:
            low, high = sorted((a, b))
            cells[int(low + 0.5) : int(high + 0.5)] = True

    def share(self, lane: int) -> float:
        return float(self._taken[lane].mean())


def matched(
    town: Town, trails: Sequence[Sequence[Stride]], lanes: Sequence[int]
) -> dict[int, bool]:
    """Without a service test: 80% of the lane lie on the matched way."""
    cells = _Cells(town, lanes)
    for trail in trails:
        for stride in trail:
            cells.take(stride.lane, stride.from_m, stride.to_m)
    return {lane: cells.share(lane) >= SERVED_FROM for lane in lanes}


def paced(town: Town, trails: Sequence[Sequence[Stride]], lanes: Sequence[int]) -> dict[int, bool]:
    """With the pace rule, by piece of way."""
    cells = _Cells(town, lanes)
    for trail in trails:
        for stride, pace in zip(trail, _paces(trail), strict=True):
            if pace < SLOW_MPS:
                cells.take(stride.lane, stride.from_m, stride.to_m)
    return {lane: cells.share(lane) >= SERVED_FROM for lane in lanes}


def _paces(trail: Sequence[Stride]) -> Floats:
    """Speed over ±20 m of travel around the middle of each stride."""
    gone = np.array([abs(s.to_m - s.from_m) for s in trail])
    took = np.array([s.end_s - s.start_s for s in trail])
    standing = gone < STANDING_MPS * took
    took = np.where(standing, np.minimum(took, STANDING_CAP_S), took)
    s = np.concatenate(([0.0], np.cumsum(gone)))
    t = np.concatenate(([0.0], np.cumsum(took)))
    s += np.arange(len(s)) * 1e-6
    middle = (s[1:] + s[:-1]) / 2
    low, high = np.maximum(middle - AROUND_M, 0), np.minimum(middle + AROUND_M, s[-1])
    took_s = np.maximum(np.interp(high, s, t) - np.interp(low, s, t), 1e-3)
    return np.asarray((high - low) / took_s, float)
