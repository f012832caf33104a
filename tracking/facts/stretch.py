"""Facts of one vehicle in a stretch of time, as worked out, with instants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

type Spans = Sequence[Sequence[float]]
"""Stretches of a lane as (from, to), shares of its length."""


@dataclass(frozen=True, slots=True)
class LaneFact:
    """A pass along a lane. Spans are shares of its length, times in seconds."""

    lane_id: str
    service_date: date
    start_t: datetime
    end_t: datetime
    forward: bool
    served_spans: list[list[float]]
    driven_spans: list[list[float]]
    service_s: float
    halts: int
    pace_mps: float
    standing_s: float
    offset_m: float
    gap: bool
    hidden_m: float
    open: bool = False
    """The vehicle may still be in the lane."""


@dataclass(frozen=True, slots=True)
class DwellFact:
    lon: float
    lat: float
    start_t: datetime
    end_t: datetime
    ended: bool


@dataclass(frozen=True, slots=True)
class StayFact:
    place_id: str
    place_kind: str
    entered_t: datetime
    left_t: datetime | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """All facts of one vehicle in a stretch of time that was worked out anew.

    Facts that end before `since` or begin after `until` are settled. Before `known_from` no fix
    was looked at: a fact that began earlier keeps its beginning and what it had proved.
    """

    vehicle_id: str
    since: datetime
    until: datetime
    known_from: datetime
    lanes: list[LaneFact] = field(default_factory=list)
    dwells: list[DwellFact] = field(default_factory=list)
    stays: list[StayFact] = field(default_factory=list)
    final: bool = False
    """The whole day was looked at."""


def fraction(spans: Spans) -> float:
    """Share of the lane that stretches cover, 0 to 1, as it is stored."""
    return round(covered(spans), 3)


def covered(spans: Spans) -> float:
    """Share of the lane that stretches cover, 0 to 1."""
    return min(1.0, sum(stop - start for start, stop in united(spans)))


def united(spans: Spans) -> list[list[float]]:
    """Stretches without overlap, in order.

    >>> united([[0.5, 0.9], [0.0, 0.2], [0.1, 0.3]])
    [[0.0, 0.3], [0.5, 0.9]]
    """
    found: list[list[float]] = []
    for start, stop in sorted((a, b) for a, b in spans):
        if found and start <= found[-1][1]:
            found[-1][1] = max(found[-1][1], stop)
        else:
            found.append([start, stop])
    return found


def instant(t_s: float) -> datetime:
    """The time of a fact, to a tenth of a second, from seconds since 1970."""
    return datetime.fromtimestamp(round(t_s, 1), UTC)
