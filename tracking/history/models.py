"""Compact day tracks: what stays of a vehicle's day when its fixes have gone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base, JsonDict, UtcDateTime
from tracking.facts.models import LaneTraversal


class DayTrack(Base):
    """One vehicle's service day, simplified, with the figures worked out from all its fixes."""

    __tablename__ = "day_track"
    __table_args__ = (Index("ix_day_track_service_date", "service_date"),)

    vehicle_id: Mapped[str] = mapped_column(primary_key=True)
    service_date: Mapped[date] = mapped_column(primary_key=True)
    made_t: Mapped[datetime] = mapped_column(UtcDateTime)
    """City time at which it was worked out."""
    fixes: Mapped[int]
    """How many stored fixes it was worked out from."""
    sealed: Mapped[bool] = mapped_column(default=False)
    """Its fixes may be deleted by now: it is never worked out again."""
    track: Mapped[bytes] = mapped_column(LargeBinary)
    """`tracks.pack`."""
    summary: Mapped[dict[str, Any]] = mapped_column(JsonDict)
    """`day.Summary` as JSON."""


# Coverage reads every lane of some days; the facts' own index finds one lane's days.
Index("ix_lane_traversal_day_lane", LaneTraversal.service_date, LaneTraversal.lane_id)
