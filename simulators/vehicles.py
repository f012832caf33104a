"""A vehicle with its driver: follows the published route on its geometry and misses what it must.

It knows the wire shape of a route (`RouteView`), nothing else of the server. Time is in epoch
seconds, places in metres of a `Plane`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zlib import crc32

from simulators.gps import FIX_EVERY_S, Receiver
from simulators.motion import Knot, Plane, Point, cut, drive, length_m, serve, stand
from simulators.streetmap import StreetMap
from simulators.truth import SERVED, Truth, draw_misses

Visit = Mapping[str, Any]
"""`Visit` of the wire."""

ON_BEFORE_S, ON_AFTER_S = 300.0, 600.0
"""The unit is switched on this long before the route starts and off after it ends."""
ROAD_MPS = 6.0
THROUGH_MPS = 5.5
"""Speed along a lane that is driven through."""
STRAY_M = 60.0
"""Further from where the published approach begins, the driver finds a way of his own."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A visit that the driver is done with, whatever he truly did."""

    visit: Visit
    truth: Truth
    at_s: float


@dataclass(slots=True)
class Progress:
    """What one call of `advance` brought. A fix is the wire's."""

    fixes: list[dict[str, Any]] = field(default_factory=list)
    finished: list[Finished] = field(default_factory=list)


class Vehicle:
    """Follows one route. `advance` may be called with any steps: the outcome is the same."""

    def __init__(
        self, vehicle_id: str, route: Mapping[str, Any], streets: StreetMap, *, seed: int
    ) -> None:
        self.id = vehicle_id
        self.route_id: str = route["id"]
        self.version: int = route["version"]
        self.service_date: str = route["service_date"]
        self.start_s, self.end_s = epoch_s(route["start_t"]), epoch_s(route["end_t"])
        self._seed = seed
        self._streets = streets
        self._plane: Plane = streets.plane
        self._visits: Sequence[Visit] = route["visits"]
        self._begun: set[str] = set()
        self._last: Visit | None = None
        self._astray = False
        self.misses = draw_misses(
            seed, vehicle_id, (v["ref"] for v in self._visits if v["kind"] == "lane")
        )
        self._gps = Receiver(seed, vehicle_id, self.start_s)
        self._knots: list[Knot] = []
        """Where it is going; the first is behind or at the present fix."""
        self._coming: list[Finished] = []
        depot = self._place(self._visits[0])
        on_s = self.start_s - ON_BEFORE_S
        self._knots += stand(depot, on_s, ON_BEFORE_S)
        # Relative to the start, so that a shifted day gives the same fixes.
        self._next_fix_s = on_s + crc32(vehicle_id.encode()) % FIX_EVERY_S
        self.home = False

    @property
    def off(self) -> bool:
        """Home, and every fix taken."""
        return self.home and self._next_fix_s > self._knots[-1][0]

    def follow(self, route: Mapping[str, Any]) -> None:
        """A newer version of the route: its order holds behind what is being done.

        A route that replaces this one has new visit ids: what was begun is known by its place.
        """
        if route["id"] != self.route_id:
            done = {(v["kind"], v["ref"]) for v in self._visits if v["id"] in self._begun}
            done -= {key for key in done if key[0] == "disposal"}
            behind = [n for n, v in enumerate(route["visits"]) if (v["kind"], v["ref"]) in done]
            self._begun = {v["id"] for v in route["visits"][: max(behind, default=0) + 1]}
            self.route_id, self._astray = route["id"], True
        self.version = route["version"]
        self.end_s = epoch_s(route["end_t"])
        self._visits = route["visits"]

    def resume(self, now_s: float) -> None:
        """Begin in the middle of the day: at the first visit without an outcome, at `now_s`."""
        if now_s <= self.start_s:
            return
        for visit in self._visits:
            if visit["kind"] not in ("start", "disposal", "end") and visit["status"] == "pending":
                break
            self._begun.add(visit["id"])
            self._last = visit
        at = self._leaves(self._last) if self._last else self._place(self._visits[0])
        self._knots = [(now_s - 1.0, *at), (now_s, *at)]
        self._next_fix_s += max(0.0, math.ceil((now_s - self._next_fix_s) / FIX_EVERY_S)) * (
            FIX_EVERY_S
        )

    def advance(self, until_s: float) -> Progress:
        """Drive on to `until_s`: the fixes of that time, and the visits finished in it."""
        progress = Progress()
        while self._next_fix_s <= until_s:
            while not self.home and self._knots[-1][0] < self._next_fix_s:
                self._begin_next()
            if self._next_fix_s > self._knots[-1][0]:
                break
            self._take_fix(progress)
            self._next_fix_s += FIX_EVERY_S
        while self._coming and self._coming[0].at_s <= until_s:
            progress.finished.append(self._coming.pop(0))
        return progress

    # --- where to

    def _begin_next(self) -> None:
        """Appends the way to the next visit and the work there."""
        visit = next((v for v in self._visits if v["id"] not in self._begun), None)
        now_s, *here = self._knots[-1]
        at = (here[0], here[1])
        if visit is None:
            self._knots += stand(at, now_s, ON_AFTER_S)
            self.home = True
            return
        self._begun.add(visit["id"])
        truth = self.misses.get(visit["ref"], SERVED) if visit["kind"] == "lane" else SERVED
        if truth.kind == "skipped":
            self._coming.append(Finished(visit, truth, now_s))
            self._astray = True
            return
        if visit["kind"] != "start":
            self._approach(visit, at)
        self._work(visit, truth)
        self._last = visit
        self._coming.append(Finished(visit, truth, self._knots[-1][0]))

    def _approach(self, visit: Visit, at: Point) -> None:
        rng = self._rng(visit, "approach")
        line = self._plane.line(visit.get("approach") or [])
        planned = bool(line) and not self._astray and math.dist(line[0], at) <= STRAY_M
        speed_mps = self._published_mps(visit) if planned else ROAD_MPS
        target = self._enters(visit)
        if not planned:
            skipped = frozenset(r for r, t in self.misses.items() if t.kind == "skipped")
            line = self._streets.way(at, target, skipped) or [*(line or [at]), target]
        self._astray = False
        way = [at, *line, target]
        traffic = rng.uniform(0.85, 1.12)
        self._knots += drive(way, self._knots[-1][0], speed_mps * traffic)
        if length_m(way) > 300 and rng.random() < 0.3:
            self._knots += stand(target, self._knots[-1][0], rng.uniform(5, 25))

    def _published_mps(self, visit: Visit) -> float:
        """Road speed that the plan reckons with between the last visit and this one.

        The plan's time holds turns as well; between them nobody drives slower than `ROAD_MPS`.
        """
        if self._last is None or not visit.get("approach_m"):
            return ROAD_MPS
        planned_s = epoch_s(visit["planned_arrival"]) - epoch_s(self._last["planned_departure"])
        if planned_s <= 0:
            return ROAD_MPS
        return min(14.0, max(ROAD_MPS, float(visit["approach_m"]) / planned_s))

    def _work(self, visit: Visit, truth: Truth) -> None:
        rng = self._rng(visit, "work")
        now_s = self._knots[-1][0]
        seconds = float(visit["service_s"]) * rng.uniform(0.88, 1.12)
        path = self._path(visit)
        if visit["kind"] == "start":
            self._knots += stand(path[0], now_s, max(0.0, self.start_s - now_s))
        elif visit["kind"] == "end":
            self._knots += stand(path[0], now_s, 1.0)
        elif len(path) < 2:
            share = {"driven_through": 0.0}.get(truth.kind, truth.fraction)
            self._knots += stand(path[0], now_s, max(1.0, seconds * share))
        elif truth.kind == "driven_through":
            self._knots += drive(path, now_s, THROUGH_MPS * rng.uniform(0.9, 1.2))
        elif truth.kind == "partly":
            total_m = length_m(path)
            turn_m = truth.fraction * total_m
            self._knots += serve(cut(path, 0, turn_m), now_s, seconds * truth.fraction, rng)
            self._knots += drive(cut(path, turn_m, total_m), self._knots[-1][0], THROUGH_MPS)
        else:
            self._knots += serve(path, now_s, seconds, rng)

    def _path(self, visit: Visit) -> list[Point]:
        """Line that the vehicle follows while it works; one point where it waits."""
        path = self._plane.line(visit.get("path") or [])
        if visit["kind"] != "lane" or visit.get("on_foot") or len(path) < 2:
            return [self._place(visit)]
        return path

    def _place(self, visit: Visit) -> Point:
        return self._plane.metres(visit["lon"], visit["lat"])

    def _enters(self, visit: Visit) -> Point:
        return self._path(visit)[0]

    def _leaves(self, visit: Visit) -> Point:
        return self._path(visit)[-1]

    def _rng(self, visit: Visit, what: str) -> random.Random:
        # A request's id is drawn by the server; its place is the same on every run.
        place = f"{visit['lon']:.4f},{visit['lat']:.4f}"
        ref = place if visit["kind"] == "request" else visit["ref"]
        return random.Random(f"{self._seed}:{self.id}:{ref}:{visit['kind']}:{what}")

    # --- what the unit sends

    def _take_fix(self, progress: Progress) -> None:
        t_s = self._next_fix_s
        while len(self._knots) > 2 and self._knots[1][0] <= t_s:
            self._knots.pop(0)
        (t0, x0, y0), (t1, x1, y1) = self._knots[0], self._knots[1]
        span = t1 - t0
        share = min(1.0, max(0.0, (t_s - t0) / span)) if span > 0 else 1.0
        metres = math.hypot(x1 - x0, y1 - y0)
        x, y, hdop = self._gps.observe(x0 + share * (x1 - x0), y0 + share * (y1 - y0))
        if self._gps.silent(t_s):
            return
        lon, lat = self._plane.lonlat(x, y)
        speed = self._gps.speed(metres / span if span > 0 else 0.0)
        fix = {
            "t": int(t_s),
            "lon": round(lon, 6),
            "lat": round(lat, 6),
            "speed_mps": round(speed, 2),
            "hdop": hdop,
            "sats": 9,
            "ignition": True,
        }
        if metres > 0:
            fix["course_deg"] = round(math.degrees(math.atan2(x1 - x0, y1 - y0)) % 360, 1) % 360
        progress.fixes.append(fix)


def epoch_s(text: str) -> float:
    """Epoch seconds of an RFC 3339 time.

    >>> epoch_s("1970-01-01T00:01:00Z")
    60.0
    """
    return datetime.fromisoformat(text).timestamp()
