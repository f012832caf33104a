"""Plan-free facts as tables. Only the follower writes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base, JsonDict, UtcDateTime
from fleet.kit.times import iso

type Spans = list[list[float]]
"""Stretches of a lane as [from, to], shares of its length in the order of its geometry."""


class LaneTraversal(Base):
    """One pass of a vehicle along a lane, worked out from fixes."""

    __tablename__ = "lane_traversal"
    __table_args__ = (
        Index("ix_lane_traversal_lane_day", "lane_id", "service_date"),
        Index("ix_lane_traversal_vehicle_end", "vehicle_id", "end_t"),
        Index(
            "ix_lane_traversal_provisional",
            "vehicle_id",
            sqlite_where=text("provisional"),
            postgresql_where=text("provisional"),
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    lane_id: Mapped[str]
    vehicle_id: Mapped[str]
    service_date: Mapped[date]
    start_t: Mapped[datetime] = mapped_column(UtcDateTime)
    end_t: Mapped[datetime] = mapped_column(UtcDateTime)
    forward: Mapped[bool]
    """Driven in the order of the lane's geometry."""
    served_fraction: Mapped[float]
    """Share of the length passed at service pace, 0 to 1."""
    driven_fraction: Mapped[float]
    """Share of the length passed at all, 0 to 1."""
    served_spans: Mapped[Spans] = mapped_column(JsonDict)
    driven_spans: Mapped[Spans] = mapped_column(JsonDict)
    service_s: Mapped[float]
    """Time spent in it at service pace, long halts capped."""
    halts: Mapped[int]
    standing_s: Mapped[float]
    """Time of its halts, each capped."""
    offset_m: Mapped[float]
    """Root mean square of the fixes' distance from the lane."""
    gap: Mapped[bool]
    """A silence touches it: what the fractions leave out is unknown, not undone."""
    hidden_m: Mapped[float]
    """Metres that may have been served in the silence."""
    pace_mps: Mapped[float]
    """Length driven over the time of the pass, halts included."""
    provisional: Mapped[bool]
    """Worked out while the day went on; the whole day at once has not been looked at yet."""

    def view(self) -> dict[str, Any]:
        """The full state, as `tracking.lanes_traversed` carries it."""
        return {
            "id": self.id,
            "version": self.version,
            "lane_id": self.lane_id,
            "vehicle_id": self.vehicle_id,
            "service_date": self.service_date.isoformat(),
            "start_t": iso(self.start_t),
            "end_t": iso(self.end_t),
            "forward": self.forward,
            "served_fraction": self.served_fraction,
            "driven_fraction": self.driven_fraction,
            "served_spans": self.served_spans,
            "driven_spans": self.driven_spans,
            "service_s": self.service_s,
            "halts": self.halts,
            "standing_s": self.standing_s,
            "offset_m": self.offset_m,
            "gap": self.gap,
            "hidden_m": self.hidden_m,
            "pace_mps": self.pace_mps,
            "provisional": self.provisional,
        }


class Dwell(Base):
    """A vehicle stood at one place."""

    __tablename__ = "dwell"
    __table_args__ = (Index("ix_dwell_vehicle_end", "vehicle_id", "end_t"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str]
    lon: Mapped[float]
    lat: Mapped[float]
    start_t: Mapped[datetime] = mapped_column(UtcDateTime)
    end_t: Mapped[datetime] = mapped_column(UtcDateTime)
    """Last fix at the place so far."""
    ended: Mapped[bool]
    """The vehicle was seen elsewhere since."""


class Lift(Base):
    """A lifting gear or a scale told that a bin was emptied."""

    __tablename__ = "lift"
    __table_args__ = (Index("ix_lift_vehicle_t", "vehicle_id", "t"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    """Of device, time and kind, so that the same event read twice is one."""
    vehicle_id: Mapped[str]
    kind: Mapped[str]
    """lift | load."""
    t: Mapped[datetime] = mapped_column(UtcDateTime)
    lon: Mapped[float]
    lat: Mapped[float]

    def view(self) -> dict[str, Any]:
        """The full state, as `tracking.lifted` carries it."""
        return {
            "id": self.id,
            "vehicle_id": self.vehicle_id,
            "kind": self.kind,
            "t": iso(self.t),
            "lon": self.lon,
            "lat": self.lat,
        }


class GeofencePass(Base):
    """A vehicle was within the radius of a depot, a transfer station or a plant."""

    __tablename__ = "geofence_pass"
    __table_args__ = (Index("ix_geofence_pass_vehicle_left", "vehicle_id", "left_t"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    vehicle_id: Mapped[str]
    place_id: Mapped[str]
    place_kind: Mapped[str]
    entered_t: Mapped[datetime] = mapped_column(UtcDateTime)
    left_t: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Watermark(Base):
    """Up to which city time, and to which number of each day, a follower has worked."""

    __tablename__ = "watermark"

    name: Mapped[str] = mapped_column(primary_key=True)
    t: Mapped[datetime] = mapped_column(UtcDateTime)
    cursor: Mapped[dict[str, Any]] = mapped_column(JsonDict)


class Hearing(Base):
    """When a vehicle's device was last heard, and whether its silence was announced."""

    __tablename__ = "hearing"

    vehicle_id: Mapped[str] = mapped_column(primary_key=True)
    device_id: Mapped[str]
    last_t: Mapped[datetime] = mapped_column(UtcDateTime)
    ignition: Mapped[bool | None]
    silent: Mapped[bool] = mapped_column(default=False)
