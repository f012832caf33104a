"""The routing problem and its solution: frozen values between plans, engine and checker.

Seconds count from the service date's local midnight (`Problem.epoch` names that instant), so a
night shift simply runs past 86,400. Metres and kilograms are floats; matrices are integers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.int32]

UnplannedCode = Literal[
    "no_vehicle", "too_heavy", "unreachable", "window", "shift_full", "not_worth"
]

UNREACHABLE = 10**8
"""Seconds or metres from here on mean: there is no road."""


class ProblemError(Exception):
    """A problem that no engine should be asked to solve.

    `field` is a path such as `vehicles[2].shift_end_s`; `remedy` tells what to change.
    """

    def __init__(self, field: str, reason: str, remedy: str) -> None:
        super().__init__(f"{field}: {reason} {remedy}")
        self.field = field
        self.reason = reason
        self.remedy = remedy

    def __reduce__(self) -> tuple[type[ProblemError], tuple[str, str, str]]:
        return ProblemError, (self.field, self.reason, self.remedy)


@dataclass(frozen=True, slots=True)
class Compartment:
    """One chamber of a vehicle: the streams it takes, and what it holds.

    Chambers of one vehicle share no stream, unless they take the same streams: those count as one.
    """

    streams: tuple[str, ...]
    kg: float
    m3: float


@dataclass(frozen=True, slots=True)
class Vehicle:
    """One vehicle in one shift. `start` and `end` index `Problem.locations`."""

    id: str
    profile: str
    """Key of `Problem.travel`: the road engine's vehicle class."""
    start: int
    end: int
    shift_start_s: int
    shift_end_s: int
    compartments: tuple[Compartment, ...]
    fixed_cost_s: int = 3600
    """Price of using the vehicle at all, in seconds of work."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One way to serve a visit: enter at one location, leave at another (equal for a point)."""

    entry: int
    exit: int
    service_s: int
    length_m: float = 0.0
    reversed: bool = False
    """True when the lane is driven against the order of its stored geometry."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A lane (one or two passes to choose from) or a point (one pass)."""

    id: str
    kind: Literal["lane", "bin", "request"]
    passes: tuple[Pass, ...]
    demand_kg: Mapping[str, float]
    """kg per stream."""
    demand_m3: Mapping[str, float]
    vehicles: frozenset[str] | None = None
    """Vehicles that may serve it; None: all."""
    windows: tuple[tuple[int, int], ...] = ()
    drop_cost_s: int = 36_000
    """Price of leaving it unplanned, in seconds of work."""
    preferred_vehicle: str | None = None
    """Today's beat: serving it with another vehicle costs `Problem.change_cost_s`."""


@dataclass(frozen=True, slots=True)
class Disposal:
    """A transfer station or plant where every chamber is emptied.

    A vehicle unloads only where all the streams that it collects are taken.
    """

    id: str
    location: int
    service_s: int
    streams: frozenset[str]
    """Streams it takes; empty: all."""


@dataclass(frozen=True, slots=True)
class Travel:
    """Square matrices over `Problem.locations` for one road profile."""

    duration_s: Matrix
    distance_m: Matrix


@dataclass(frozen=True, slots=True)
class Problem:
    epoch: datetime
    """UTC instant of second 0: the local midnight that opens the service date."""
    locations: tuple[tuple[float, float], ...]
    """(lon, lat)."""
    travel: Mapping[str, Travel]
    vehicles: tuple[Vehicle, ...]
    visits: tuple[Visit, ...]
    disposals: tuple[Disposal, ...]
    change_cost_s: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """One step of a route. `ref` is a visit id or a disposal id; `load_kg` per stream on leaving.

    Where a window makes the vehicle wait, service begins at `departure_s` less the service time.
    """

    kind: Literal["visit", "disposal"]
    ref: str
    pass_index: int
    arrival_s: int
    departure_s: int
    load_kg: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Route:
    """A vehicle's shift, from its start on. It ends empty: the last stop is a disposal."""

    vehicle_id: str
    start_s: int
    end_s: int
    distance_m: float
    travel_s: int
    stops: tuple[Stop, ...]

    @property
    def trips(self) -> int:
        return sum(stop.kind == "disposal" for stop in self.stops)


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A visit left out, and why: `code` is stable, `detail` a sentence for a dispatcher.

    `values` holds what the sentence names (vehicle, minutes, kg), to say it in another language.
    """

    visit_id: str
    code: UnplannedCode
    detail: str
    values: Mapping[str, str | int | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Cost:
    """All in seconds of work, so that the parts add up."""

    travel_s: int
    service_s: int
    fixed_s: int
    dropped_s: int
    changed_s: int

    @property
    def total_s(self) -> int:
        return self.travel_s + self.service_s + self.fixed_s + self.dropped_s + self.changed_s


@dataclass(frozen=True, slots=True)
class Solution:
    routes: tuple[Route, ...]
    unplanned: tuple[Unplanned, ...]
    cost: Cost
    solver_s: float = field(compare=False)
