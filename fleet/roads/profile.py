"""A vehicle class as the road engine sees it, and its Lua profile."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from fleet.roads.lanes import CLOSED_ACCESS, PRIVATE_ACCESS, LaneSegment
from fleet.roads.widths import DEFAULT_SERVICE_WIDTH_M, DEFAULT_WIDTH_M, UNKNOWN_WIDTH_M

TEMPLATE = Path(__file__).parent / "profiles" / "vehicle.lua"

DEFAULT_SPEEDS_KMH = MappingProxyType(
    {
        "motorway": 50.0,
        "motorway_link": 30.0,
        "trunk": 40.0,
        "trunk_link": 25.0,
        "primary": 32.0,
        "primary_link": 22.0,
        "secondary": 28.0,
        "secondary_link": 20.0,
        "tertiary": 24.0,
        "tertiary_link": 18.0,
        "unclassified": 20.0,
        "residential": 16.0,
        "living_street": 9.0,
        "road": 15.0,
        "service": 10.0,
        "track": 8.0,
        "pedestrian": 6.0,
    }
)
"""Average speeds of a small collection vehicle between its stops, by highway class."""


@dataclass(frozen=True, slots=True)
class VehicleProfile:
    """What a vehicle class needs of a street, and how it moves on it."""

    id: str
    width_m: float
    speeds_kmh: Mapping[str, float] = field(default_factory=dict)
    """By highway class, over `DEFAULT_SPEEDS_KMH`; 0 keeps the vehicle out of a class."""
    factor: float = 1.0
    """Multiplies every speed: 0.8 is a fifth slower."""
    left_hand: bool = True
    """Traffic keeps to the left."""
    clearance_m: float = 0.5
    """Room that is needed beside the vehicle, both sides together."""
    u_turn_s: float = 25.0
    oncoming_turn_s: float = 4.0
    """Waiting for a gap when a turn crosses oncoming traffic."""

    def __post_init__(self) -> None:
        if not 0.5 <= self.width_m <= 4:
            raise ValueError(f"Expected width_m in [0.5, 4], but got {self.width_m}.")
        if not 0 < self.factor <= 3:
            raise ValueError(f"Expected factor in (0, 3], but got {self.factor}.")
        for highway, speed_kmh in self.speeds_kmh.items():
            if not 0 <= speed_kmh <= 130:
                raise ValueError(f"Expected a speed in [0, 130] for {highway}, got {speed_kmh}.")

    @property
    def needs_m(self) -> float:
        """The narrowest street that it enters."""
        return self.width_m + self.clearance_m

    @property
    def speeds(self) -> dict[str, float]:
        """Speed in km/h of each highway class that the vehicle enters."""
        merged = {**DEFAULT_SPEEDS_KMH, **self.speeds_kmh}
        return {highway: speed for highway, speed in sorted(merged.items()) if speed > 0}

    def may_enter(self, lane: LaneSegment) -> bool:
        """Whether the vehicle fits into a lane and may go there; private lanes as a destination."""
        return lane.highway in self.speeds and not lane.closed and lane.width_m >= self.needs_m

    def values(self) -> dict[str, object]:
        """What the Lua template reads as `VEHICLE`."""
        return {
            "width_m": self.width_m,
            "needs_m": self.needs_m,
            "speeds_kmh": self.speeds,
            "factor": self.factor,
            "left_hand": self.left_hand,
            "u_turn_s": self.u_turn_s,
            "oncoming_turn_s": self.oncoming_turn_s,
            "width_by_class_m": dict(DEFAULT_WIDTH_M),
            "service_width_m": dict(DEFAULT_SERVICE_WIDTH_M),
            "unknown_width_m": UNKNOWN_WIDTH_M,
            "closed_access": dict.fromkeys(sorted(CLOSED_ACCESS), True),
            "private_access": dict.fromkeys(sorted(PRIVATE_ACCESS), True),
        }

    def lua(self, library: Path) -> str:
        """A profile for `osrm-extract`; `library` is the folder of the profiles it ships."""
        return (
            f"package.path = {_lua(f'{library}/?.lua')} .. ';' .. package.path\n"
            f"VEHICLE = {_lua(self.values())}\n"
            f"return dofile({_lua(str(TEMPLATE))})\n"
        )


def _lua(value: object) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"[{_lua(k)}] = {_lua(v)}" for k, v in value.items()) + "}"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    # JSON's \uXXXX is not Lua's; without it every JSON string is a Lua string.
    return json.dumps(str(value), ensure_ascii=False)
