"""Which chamber of a vehicle takes which stream, and whether a load fits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from routing.problem import Disposal, ProblemError, Vehicle

Load = tuple[float, ...]
"""kg of each chamber, then m³ of each chamber."""

TOLERANCE = 1e-6
"""kg or m³ that a sum of floats may be over."""


@dataclass(frozen=True, slots=True)
class Chambers:
    """The chambers of one vehicle; those that take the same streams are one."""

    streams: tuple[frozenset[str], ...]
    kg: Load
    m3: Load

    @property
    def capacity(self) -> Load:
        return self.kg + self.m3

    @property
    def taken(self) -> frozenset[str]:
        """Every stream that the vehicle collects."""
        return frozenset[str]().union(*self.streams)

    def load(self, demand_kg: Mapping[str, float], demand_m3: Mapping[str, float]) -> Load | None:
        """The demand by chamber, or None where a stream has no chamber."""
        of_stream = {stream: i for i, taken in enumerate(self.streams) for stream in taken}
        sums = [0.0] * (2 * len(self.streams))
        for shift, demand in ((0, demand_kg), (len(self.streams), demand_m3)):
            for stream, amount in demand.items():
                if amount <= 0:
                    continue
                if stream not in of_stream:
                    return None
                sums[of_stream[stream] + shift] += amount
        return tuple(sums)

    def holds(self, *loads: Sequence[float]) -> bool:
        """Whether the loads together fit every chamber."""
        return all(
            sum(parts) <= room + TOLERANCE
            for room, *parts in zip(self.capacity, *loads, strict=True)
        )


def chambers_of(vehicle: Vehicle) -> Chambers:
    """The vehicle's chambers.

    Raises:
        ProblemError: Two chambers share a stream but do not take the same streams.
    """
    rooms: dict[frozenset[str], tuple[float, float]] = {}
    for compartment in vehicle.compartments:
        streams = frozenset(compartment.streams)
        kg, m3 = rooms.get(streams, (0.0, 0.0))
        rooms[streams] = (kg + compartment.kg, m3 + compartment.m3)
    if sum(map(len, rooms)) != len(frozenset[str]().union(*rooms)):
        raise ProblemError(
            f"vehicle {vehicle.id}: compartments",
            "Expected each stream in one chamber, but two different chambers share one.",
            "Give the chambers the same streams, or streams of their own.",
        )
    return Chambers(
        tuple(rooms), tuple(kg for kg, _ in rooms.values()), tuple(m3 for _, m3 in rooms.values())
    )


def takes(disposal: Disposal, vehicle: Vehicle) -> bool:
    """Whether the vehicle can be emptied there."""
    if not disposal.streams:
        return True
    return all(disposal.streams.issuperset(room.streams) for room in vehicle.compartments)
