"""A door-to-door tipper's day in a ward, second by second, with its truth.

The crew serves planned lanes nearest first and deadheads on the quickest way between. Every
planned lane has a fate: served, served in part, only driven through, or skipped (nobody means to
go there; a deadhead may all the same). Truth is what was done, not what was meant.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count, pairwise

import numpy as np

from tests.benchmarks.proof.town import Floats, Town, length_m

WARD_LANES, PLANNED = 200, 150
SHORTEST_PLANNED_M = 25.0
OUTSIDE_S = 90.0
"""How far outside its ward a shift begins."""
TRIES = 500
FATES = {"served": 0.745, "part": 0.07, "through": 0.0875, "skip": 0.0975}
PART = (0.20, 0.75)
TURNS_BACK = 0.35
"""Of the lanes served in part: the crew turns round in mid-lane instead of driving on."""
BOTH_SIDES = 0.10
"""Of the served: one side on the way there, the other on the way back."""
WRONG_WAY = 0.35
"""Of the one-way streets that are served: against the arrow."""
WRONG_WAY_COST = 4.0
CRAWL_KMH, DEADHEAD_KMH, ROLLING_KMH = (5.0, 8.0), (20.0, 25.0), (6.0, 10.0)
DRIVER_FACTOR = (0.92, 1.08)
HALT_EVERY_M = (15.0, 40.0)
HALT_S, HALT_SPREAD, HALT_RANGE_S = 9.0, 0.7, (3.0, 40.0)
"""Median and spread of the log-normal."""
CROSSING_WAIT, CROSSING_MAJOR_WAIT = 0.15, 0.40
"""Chance of a wait where the deadhead reaches a junction; where a bigger street joins."""
TRAFFIC_HALT_EVERY_M = 800.0
WAIT_S, WAIT_SPREAD, WAIT_RANGE_S = 10.0, 0.7, (3.0, 45.0)
U_TURN_S = (6.0, 20.0)
CORNER_KMH = 12.0
ACCELERATION = 1.0
"""m/s², braking too."""
KEEP_LEFT_M = 1.5
_MAJOR = frozenset({"primary", "secondary", "tertiary", "trunk"})
SERVED_FROM = 0.8
"""Share of a lane's length from which it counts as served."""


class Rhythm(StrEnum):
    HALTING = "halting"
    ROLLING = "rolling"


@dataclass(frozen=True)
class Leg:
    """A stretch of one lane in one go; `from_m` > `to_m` is against its line."""

    lane: int
    from_m: float
    to_m: float
    serving: bool


@dataclass(frozen=True)
class Ward:
    number: int
    planned: list[int]
    start: int
    """The node outside where the shift begins and ends."""


@dataclass(frozen=True)
class Day:
    """One vehicle's truth."""

    ward: Ward
    t_s: Floats
    """Each second since the day's start."""
    xy: Floats
    served: dict[int, float]
    """Share of each planned lane's length that was served."""
    driven: dict[int, float]
    wrong_way_m: float
    turns: int

    def is_served(self, lane: int) -> bool:
        return self.served[lane] >= SERVED_FROM

    def is_driven_through(self, lane: int) -> bool:
        return self.served[lane] == 0.0 and self.driven[lane] >= SERVED_FROM


def wards_of(town: Town, count: int, rng: np.random.Generator) -> list[Ward]:
    """Wards apart from each other, each the streets around a random one."""
    wards: list[Ward] = []
    taken: set[int] = set()
    for _ in range(TRIES):
        if len(wards) == count:
            return wards
        seed = int(rng.integers(len(town.lanes)))
        found, outside = _around(town, town.lanes[seed].from_node)
        fit = [n for n in found if town.lengths[n] >= SHORTEST_PLANNED_M]
        if town.lanes[seed].highway == "residential" and len(fit) >= PLANNED and not taken & found:
            chosen = rng.choice(len(fit), PLANNED, replace=False)
            wards.append(Ward(len(wards), sorted(fit[i] for i in chosen), outside))
            taken |= found
    raise ValueError(f"Expected room for {count} wards of {WARD_LANES} lanes.")


def _around(town: Town, node: int) -> tuple[set[int], int]:
    """The nearest lanes, and a node behind them (or the last there is)."""
    found: set[int] = set()
    outside = node
    edge_s: float | None = None
    for cost, outside, _ in _ways_from(town, node, wrong_way_cost=1.0):
        if edge_s is None:
            found.update(arm.lane for arm in town.arms[outside])
            if len(found) >= WARD_LANES:
                edge_s = cost
        elif cost > edge_s + OUTSIDE_S:
            break
    return found, outside


def drive(town: Town, ward: Ward, rng: np.random.Generator, rhythm: Rhythm) -> Day:
    fates = rng.choice(list(FATES), len(ward.planned), p=list(FATES.values()))
    crew = _Crew(town, rng, ward.start)
    crew.work(dict(zip(ward.planned, (str(f) for f in fates), strict=True)))
    crew.deadhead_to({ward.start})
    t_s, xy = _Motion(town, crew.legs, rng, rhythm).run()
    served, driven = _shares(town, crew.legs, ward.planned)
    wrong = sum(
        leg.from_m - leg.to_m
        for leg in crew.legs
        if town.lanes[leg.lane].oneway and leg.from_m > leg.to_m
    )
    turns = sum(a.lane == b.lane and _back(a) != _back(b) for a, b in pairwise(crew.legs))
    return Day(ward, t_s, xy, served, driven, wrong, turns)


@dataclass
class _Crew:
    """Decides where to go."""

    town: Town
    rng: np.random.Generator
    node: int
    legs: list[Leg] = field(default_factory=list)

    def work(self, fates: dict[int, str]) -> None:
        town, rng = self.town, self.rng
        open_at: dict[int, list[int]] = defaultdict(list)
        for lane, fate in fates.items():
            if fate == "skip":
                continue
            ends = [town.lanes[lane].from_node, town.lanes[lane].to_node]
            if town.lanes[lane].oneway and len(set(ends)) > 1:
                ends = [ends[1] if rng.random() < WRONG_WAY else ends[0]]
            for node in set(ends):
                open_at[node].append(lane)
        while True:
            wanted = {node for node, lanes in open_at.items() if lanes}
            if not wanted or not self.deadhead_to(wanted):
                return
            lane = open_at[self.node][int(rng.integers(len(open_at[self.node])))]
            for lanes in open_at.values():
                if lane in lanes:
                    lanes.remove(lane)
            self._visit(lane, fates[lane])

    def deadhead_to(self, wanted: set[int]) -> bool:
        """Along the quickest way to the nearest of those nodes."""
        before: dict[int, Leg | None] = {}
        for _, node, leg in _ways_from(self.town, self.node, wrong_way_cost=WRONG_WAY_COST):
            before[node] = leg
            if node in wanted:
                break
        else:
            return False
        path: list[Leg] = []
        at = node
        while (leg := before[at]) is not None:
            path.append(leg)
            lane = self.town.lanes[leg.lane]
            at = lane.to_node if _back(leg) else lane.from_node
        self.legs += reversed(path)
        self.node = node
        return True

    def _visit(self, lane: int, fate: str) -> None:
        rng, total = self.rng, float(self.town.lengths[lane])
        ends = (self.town.lanes[lane].from_node, self.town.lanes[lane].to_node)
        forward = self.node == ends[0]
        stub = len(self.town.arms[ends[1] if forward else ends[0]]) == 1

        def go(a: float, b: float, serving: bool) -> None:
            a, b = (a, b) if forward else (total - a, total - b)
            self.legs.append(Leg(lane, a, b, serving))

        returned = stub
        if fate == "through":
            go(0, total, False)
        elif fate == "served":
            go(0, total, True)
            if rng.random() < BOTH_SIDES and not stub:
                go(total, 0, True)
                returned = True
                stub = False
        else:
            share = float(rng.uniform(*PART))
            if stub or rng.random() < TURNS_BACK:
                go(0, share * total, True)
                go(share * total, 0, False)
                returned, stub = True, False
            elif rng.random() < 0.5:
                go(0, share * total, True)
                go(share * total, total, False)
            else:
                go(0, (1 - share) * total, False)
                go((1 - share) * total, total, True)
        if stub:
            go(total, 0, bool(fate == "served" and rng.random() < 0.3))
        if not returned:
            self.node = ends[1] if forward else ends[0]


class _Motion:
    """Legs → a position each second."""

    def __init__(
        self, town: Town, legs: Sequence[Leg], rng: np.random.Generator, rhythm: Rhythm
    ) -> None:
        self._rng = rng
        self._rhythm = rhythm
        self._factor = rng.uniform(*DRIVER_FACTOR)
        points: list[Floats] = []
        self._until_m: list[float] = []
        """Where each leg ends, along the whole path."""
        self._speed: list[float] = []
        self._gates: list[tuple[float, float, float]] = []
        """(along the path, greatest speed there, seconds of standing)."""
        along = 0.0
        for number, leg in enumerate(legs):
            line = _piece(town.lines[leg.lane], leg)
            leg_m = length_m(line)
            if leg_m < 0.1:
                continue
            points.append(line)
            self._plan_leg(leg, along, leg_m)
            along += leg_m
            if number + 1 < len(legs):
                self._plan_junction(town, leg, legs[number + 1], line, along)
            self._until_m.append(along)
        self._line = np.concatenate(points)
        self._total_m = along

    def _plan_leg(self, leg: Leg, along: float, leg_m: float) -> None:
        rng = self._rng
        kmh = DEADHEAD_KMH
        if leg.serving:
            kmh = ROLLING_KMH if self._rhythm is Rhythm.ROLLING else CRAWL_KMH
        self._speed.append(rng.uniform(*kmh) / 3.6 * self._factor)
        if leg.serving and self._rhythm is Rhythm.HALTING:
            at = rng.uniform(*HALT_EVERY_M) / 2
            while at < leg_m:
                halt_s = self._log_normal(HALT_S, HALT_SPREAD, HALT_RANGE_S)
                self._gates.append((along + at, 0.0, halt_s))
                at += rng.uniform(*HALT_EVERY_M)
        elif not leg.serving:
            at = rng.exponential(TRAFFIC_HALT_EVERY_M)
            if at < leg_m:
                wait_s = self._log_normal(WAIT_S, WAIT_SPREAD, WAIT_RANGE_S)
                self._gates.append((along + at, 0.0, wait_s))

    def _plan_junction(self, town: Town, leg: Leg, then: Leg, line: Floats, along: float) -> None:
        rng = self._rng
        ahead = _piece(town.lines[then.lane], then)
        if len(line) < 2 or len(ahead) < 2:
            return
        if leg.lane == then.lane:
            if _back(leg) != _back(then):
                self._gates.append((along, 0.0, rng.uniform(*U_TURN_S)))
            return
        bend = _turn(line[-1] - line[-2], ahead[1] - ahead[0])
        if bend > 150:
            self._gates.append((along, 0.0, rng.uniform(*U_TURN_S)))
        elif not leg.serving:
            node = town.lanes[leg.lane].from_node if _back(leg) else town.lanes[leg.lane].to_node
            arms = town.arms[node]
            bigger = any(town.lanes[arm.lane].highway in _MAJOR for arm in arms)
            chance = CROSSING_MAJOR_WAIT if bigger else CROSSING_WAIT
            if len(arms) > 2 and rng.random() < chance:
                wait = self._log_normal(WAIT_S, WAIT_SPREAD, WAIT_RANGE_S)
                self._gates.append((along - min(4.0, length_m(line) / 2), 0.0, wait))
        if 45 < bend <= 150:
            self._gates.append((along, CORNER_KMH / 3.6, 0.0))

    def _log_normal(self, median: float, spread: float, limits: tuple[float, float]) -> float:
        return float(np.clip(median * math.exp(self._rng.normal(0, spread)), *limits))

    def run(self) -> tuple[Floats, Floats]:
        along = np.array(self._walk())
        steps = np.hypot(*np.diff(self._line, axis=0).T)
        at_m = np.concatenate(([0.0], np.cumsum(steps)))
        xy = np.stack([np.interp(along, at_m, self._line[:, i]) for i in (0, 1)], axis=1)
        heading = np.gradient(xy, axis=0)
        norm = np.hypot(*heading.T)
        moving = norm > 0.2
        left = np.zeros_like(xy)
        left[moving] = heading[moving][:, ::-1] * (-1, 1) / norm[moving][:, None] * KEEP_LEFT_M
        # A standing vehicle keeps the side on which it stopped.
        last = np.maximum.accumulate(np.where(moving, np.arange(len(xy)), 0))
        return np.arange(len(xy), dtype=float), xy + left[last]

    def _walk(self) -> list[float]:
        """Metres along the path, each second: limits of legs, braking in time for what is ahead."""
        gates = sorted(self._gates)
        at, v, leg, gate, wait = 0.0, 0.0, 0, 0, 0.0
        walked = [0.0]
        while at < self._total_m - 0.05:
            if wait >= 1.0:
                wait -= 1.0
                walked.append(at)
                continue
            while leg + 1 < len(self._until_m) and at >= self._until_m[leg]:
                leg += 1
            allowed = self._speed[leg]
            ahead = leg + 1
            while ahead < len(self._until_m) and self._until_m[ahead - 1] - at < 30.0:
                room = self._until_m[ahead - 1] - at
                allowed = min(allowed, math.sqrt(self._speed[ahead] ** 2 + 2 * ACCELERATION * room))
                ahead += 1
            for place, speed, _ in gates[gate : gate + 4]:
                room = max(0.0, place - at)
                allowed = min(allowed, math.sqrt(speed**2 + 2 * ACCELERATION * room))
            v = min(v + ACCELERATION, max(allowed, 0.3))
            target = at + v
            if gate < len(gates) and target >= gates[gate][0] - 0.3:
                place, speed, wait = gates[gate]
                gate += 1
                if wait > 0:
                    target, v = max(at, place), 0.0
            at = min(target, self._total_m)
            walked.append(at)
        return walked


def _ways_from(
    town: Town, start: int, *, wrong_way_cost: float
) -> Iterator[tuple[float, int, Leg | None]]:
    """Nodes by rising cost (seconds at about 20 km/h), each with the leg that leads to it."""
    done: set[int] = set()
    ties = count()
    heap: list[tuple[float, int, int, Leg | None]] = [(0.0, next(ties), start, None)]
    while heap:
        cost, _, node, leg = heapq.heappop(heap)
        if node in done:
            continue
        done.add(node)
        yield cost, node, leg
        for arm in town.arms[node]:
            if arm.to_node in done:
                continue
            total = float(town.lengths[arm.lane])
            wrong = town.lanes[arm.lane].oneway and not arm.forward
            step = total / 5.5 * (wrong_way_cost if wrong else 1.0)
            ends = (0.0, total) if arm.forward else (total, 0.0)
            onward = Leg(arm.lane, *ends, serving=False)
            heapq.heappush(heap, (cost + step, next(ties), arm.to_node, onward))


def _back(leg: Leg) -> bool:
    return leg.from_m > leg.to_m


def _turn(a: Floats, b: Floats) -> float:
    """Degrees between two headings."""
    size = float(np.hypot(*a) * np.hypot(*b)) or 1.0
    return math.degrees(math.acos(float(np.clip(a @ b / size, -1, 1))))


def _piece(line: Floats, leg: Leg) -> Floats:
    """The stretch of a lane's line that a leg covers, in its direction."""
    low, high = sorted((leg.from_m, leg.to_m))
    at_m = np.concatenate(([0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))))
    inner = line[(at_m > low + 0.01) & (at_m < high - 0.01)]
    ends = [[np.interp(m, at_m, line[:, i]) for i in (0, 1)] for m in (low, high)]
    piece = np.concatenate(([ends[0]], inner, [ends[1]]))
    return piece[::-1] if _back(leg) else piece


def _shares(
    town: Town, legs: Sequence[Leg], planned: Sequence[int]
) -> tuple[dict[int, float], dict[int, float]]:
    served = {lane: np.zeros(200, dtype=bool) for lane in planned}
    driven = {lane: np.zeros(200, dtype=bool) for lane in planned}
    for leg in legs:
        if leg.lane not in served:
            continue
        low, high = sorted((leg.from_m, leg.to_m))
        middle = (np.arange(200) + 0.5) / 200 * town.lengths[leg.lane]
        covered = (middle >= low) & (middle <= high)
        driven[leg.lane] |= covered
        if leg.serving:
            served[leg.lane] |= covered
    return (
        {lane: float(cells.mean()) for lane, cells in served.items()},
        {lane: float(cells.mean()) for lane, cells in driven.items()},
    )
