"""Trips of a vehicle from its stays at depots and stations. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fleet.kit.geo import distance_m

DEPOT: Final = "depot"
DISPOSAL: Final = frozenset({"transfer_station", "plant"})
"""Kinds of places where a vehicle unloads."""
MOVED_M: Final = 25.0
"""A vehicle has moved when it is this far from where it was; less is a standing unit's noise."""


@dataclass(frozen=True, slots=True)
class Stay:
    """At a place from when to when; `left_t` None: still there as far as is known."""

    id: str
    place_id: str
    place_kind: str
    entered_t: datetime
    left_t: datetime | None


@dataclass(frozen=True, slots=True)
class Round:
    """A trip: from a place (None: with the shift) until the vehicle left a station."""

    pass_id: str
    from_place_id: str | None
    start_t: datetime
    station_id: str
    arrived_t: datetime
    left_t: datetime | None


@dataclass(frozen=True, slots=True)
class UnloadingRule:
    """`least_s`: a shorter stay is passing by; `return_s`: back within it is the same stay."""

    least_s: float
    return_s: float


def rounds(
    stays: Sequence[Stay],
    served: Sequence[tuple[datetime, datetime]],
    shift_starts: Sequence[datetime],
    rule: UnloadingRule,
    now: datetime,
) -> list[Round]:
    """Trips by arrival.

    A trip begins when the vehicle last left its depot before the first lane that it served since
    the trip before (or before it arrived, where it served none); else with the last shift that
    began by then; else where the trip before ended; else with that lane.

    Args:
        stays: of one vehicle, by time.
        served: from when to when it served a lane, by time.
        shift_starts: of its shifts on these days.
    """
    found: list[Round] = []
    since: datetime | None = None
    last_station: str | None = None
    for stay in _unloadings(stays, served, rule, now):
        first = next(
            (s for s, _ in served if (since is None or s >= since) and s < stay.entered_t), None
        )
        by = stay.entered_t if first is None else first
        departures = [
            (depot.left_t, depot.place_id)
            for depot in stays
            if depot.place_kind == DEPOT
            and depot.left_t is not None
            and (since is None or depot.left_t > since)
            and depot.left_t <= by
        ]
        shifts = [start for start in shift_starts if (since is None or start > since)]
        shifts = [start for start in shifts if start <= by]
        origin: str | None = None
        if departures:
            start, origin = max(departures)
        elif shifts:
            start = max(shifts)
        elif since is not None:
            start, origin = since, last_station
        else:
            start = by
        found.append(Round(stay.id, origin, start, stay.place_id, stay.entered_t, stay.left_t))
        if stay.left_t is None:
            break
        since, last_station = stay.left_t, stay.place_id
    return found


def _unloadings(
    stays: Sequence[Stay],
    served: Sequence[tuple[datetime, datetime]],
    rule: UnloadingRule,
    now: datetime,
) -> list[Stay]:
    """Stays at stations that look like unloading, those with a short absence between as one."""
    joined: list[Stay] = []
    for stay in stays:
        if stay.place_kind not in DISPOSAL:
            continue
        before = joined[-1] if joined else None
        if (
            before is not None
            and before.place_id == stay.place_id
            and before.left_t is not None
            and stay.entered_t - before.left_t <= timedelta(seconds=rule.return_s)
            and not any(before.left_t <= start < stay.entered_t for start, _ in served)
        ):
            joined[-1] = Stay(
                before.id, before.place_id, before.place_kind, before.entered_t, stay.left_t
            )
        else:
            joined.append(stay)
    least = timedelta(seconds=rule.least_s)
    return [stay for stay in joined if (stay.left_t or now) - stay.entered_t >= least]


def way_km(positions: Iterable[tuple[float, float]]) -> float | None:
    """Kilometres along positions (lon, lat); None without any.

    The way is measured in steps of at least 25 m: a unit that stands drifts by metres at each fix.

    >>> way_km([(75.86, 22.72), (75.86, 22.7201), (75.86, 22.73)])
    1.113
    """
    here: tuple[float, float] | None = None
    metres = 0.0
    for there in positions:
        if here is None:
            here = there
            continue
        step_m = distance_m(*here, *there)
        if step_m >= MOVED_M:
            metres += step_m
            here = there
    return None if here is None else round(metres / 1000, 3)
