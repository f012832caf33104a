"""What history answers, as the OpenAPI description says it. Times are RFC 3339 UTC."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import BaseModel


class StopView(BaseModel):
    start_t: str
    end_t: str
    duration_s: int
    lon: float
    lat: float
    place_id: str | None
    lane_id: str | None
    name: str
    name_hi: str


class TripRead(BaseModel):
    start_t: str
    end_t: str
    distance_m: int
    from_place: str | None
    to_place: str | None
    ended_by: Literal["place", "ignition", "day"]


class SilenceView(BaseModel):
    start_t: str
    end_t: str
    straight_m: int


class PassView(BaseModel):
    lane_id: str
    name: str
    name_hi: str
    start_t: str
    end_t: str
    forward: bool
    served_fraction: float
    driven_fraction: float
    gap: bool
    provisional: bool


class DayView(BaseModel):
    """A vehicle's service day."""

    vehicle_id: str
    service_date: date
    since: str
    until: str
    """From when to when the service day lasts."""
    resolution: Literal["raw", "compact"]
    """compact: its fixes have gone; the track is within 5 m of them."""
    track: list[list[float]]
    """[t in seconds since 1970, lon, lat], simplified, by t."""
    fixes: int
    marks: dict[str, int]
    """How many fixes were set aside, by reason."""
    start_t: str | None
    end_t: str | None
    distance_m: int
    """Noise is not summed; across silences, the straight line."""
    moving_s: int
    standing_s: int
    silent_s: int
    halts: int
    stops: list[StopView]
    trips: list[TripRead]
    gaps: list[SilenceView]
    passes: list[PassView]
