"""What the watch remembers of one vehicle, or of a unit that is in none."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from tracking.alarms.fences import Fence, Stay
from tracking.alarms.latch import Latch

NEVER = datetime(1970, 1, 1, tzinfo=UTC)

LATCHED = (
    "mains_cut",
    "low_battery",
    "low_backup",
    "overspeed",
    "idling",
    "off_shift",
    "outside_city",
)
"""Kinds whose rule has a memory of being on."""


@dataclass(slots=True)
class Vehicle:
    """Its newest good fix, how long it has stood, and which conditions are on."""

    key: str
    """The vehicle's id; a unit's own, while it is in no vehicle."""
    vehicle_id: str | None
    device_id: str
    t: datetime = NEVER
    told_t: datetime = NEVER
    """Newest time of anything that it said, a fix without a position included."""
    latches: dict[str, Latch] = field(default_factory=lambda: {k: Latch() for k in LATCHED})

    # standing
    lon: float = 0.0
    lat: float = 0.0
    stood_from: datetime = NEVER
    look_t: datetime = NEVER
    """Standing on until here leads to nothing."""
    load_kg: float | None = None
    """When it came to stand."""
    judged: bool = False
    """Whether this stand is unloading has been decided."""
    hoisted: bool = False

    # where and when
    near: tuple[Fence, ...] = ()
    stays: dict[str, Stay] = field(default_factory=dict)
    at_places: set[str] = field(default_factory=set)
    """Depots, stations and plants in which it is."""
    on_duty: bool = True
    duty_until: datetime = NEVER
    off_from: tuple[float, float] | None = None
    """Where it was when its shift ended, or where it stood last since."""

    # conditions that need a look at each fix, because one is on or begins
    unwell: bool = False
    hot: bool = False
    idles: bool = False
    away: bool = False
