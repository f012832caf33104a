"""A trip's kilograms, shared out over the lanes that it served. Pure; sums are kept to the gram."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise


@dataclass(frozen=True, slots=True)
class ServedLane:
    """A lane served in a trip: what it gives on an ordinary day, and how much of it was served."""

    lane_id: str
    kg_day: Mapping[str, float]
    fraction: float


def apportion(net_kg: float, stream: str | None, lanes: Sequence[ServedLane]) -> dict[str, float]:
    """Kilograms by lane, in proportion to its expected kg of the stream times its served fraction.

    Where no lane expects any of the stream, by all its kg; where none expects anything, by the
    fraction alone. Without lanes nothing is shared out.

    Args:
        net_kg: not below 0.
        stream: None: mixed, shared by all streams together.
    """
    served = [lane for lane in lanes if lane.fraction > 0]
    if not served:
        return {}
    expected = [
        lane.fraction
        * (sum(lane.kg_day.values()) if stream is None else lane.kg_day.get(stream, 0.0))
        for lane in served
    ]
    if sum(expected) <= 0:
        expected = [lane.fraction * sum(lane.kg_day.values()) for lane in served]
    if sum(expected) <= 0:
        expected = [lane.fraction for lane in served]
    grams = _shared(round(net_kg * 1000), expected)
    return {lane.lane_id: g / 1000 for lane, g in zip(served, grams, strict=True)}


def _shared(grams: int, weights: Sequence[float]) -> list[int]:
    """Whole grams in proportion to weights: each ends where the rounded running sum does."""
    whole = sum(weights)
    ends = [round(grams * reached / whole) for reached in accumulate(weights)]
    ends[-1] = grams
    return [end - start for start, end in pairwise([0, *ends])]


def covered(spans: Iterable[tuple[float, float]]) -> float:
    """Share of a lane that stretches (from, to) cover together, 0 to 1.

    >>> covered([(0.0, 0.5), (0.25, 0.75)])
    0.75
    """
    total, reach = 0.0, 0.0
    for low, high in sorted((min(a, b), max(a, b)) for a, b in spans):
        low = max(low, reach)
        if high > low:
            total += high - low
            reach = high
    return min(total, 1.0)
