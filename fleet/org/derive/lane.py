"""A lane with everything that was derived for it."""

from __future__ import annotations

from dataclasses import dataclass

from fleet.org.derive.access import Access
from fleet.org.derive.demand import Premises
from fleet.roads.lanes import LaneSegment


@dataclass(frozen=True, slots=True)
class DerivedLane:
    """`ward` is the index of its ward in the files; `middle` its (lon, lat) half-way along."""

    segment: LaneSegment
    ward: int
    middle: tuple[float, float]
    premises: Premises
    access: Access
