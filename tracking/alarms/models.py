"""Tables of alarms and geofences."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base, JsonDict, UtcDateTime
from fleet.org.models import Packed


class AlarmState(StrEnum):
    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


OPEN = (AlarmState.RAISED, AlarmState.ACKNOWLEDGED)


class Alarm(Base):
    """One occurrence of an occasion (`key`), or a group of several (`kind` = group).

    Its life is raised → acknowledged → cleared, and back to raised when the occasion comes again
    within the rule's quiet time. `holding` is the rule's side of it: what the rule last saw. A
    person may clear an alarm whose occasion still holds; it is not raised again before the
    occasion has ended.
    """

    __tablename__ = "alarm"
    __table_args__ = (
        UniqueConstraint("key", "occurrence"),
        Index("ix_alarm_state_seen_t", "state", "seen_t"),
        Index("ix_alarm_service_date_zone_id", "service_date", "zone_id"),
        Index("ix_alarm_group_id", "group_id"),
        Index("ix_alarm_vehicle_id", "vehicle_id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column()
    key: Mapped[str] = mapped_column(String(200))
    occurrence: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    cause: Mapped[str] = mapped_column(String(20))
    severity: Mapped[str] = mapped_column(String(10))
    actionable: Mapped[bool]
    """False: it is only logged; no dispatcher is told."""
    seen_by: Mapped[str] = mapped_column(String(12))
    """dispatcher, or admin: only administrators see it."""
    state: Mapped[AlarmState] = mapped_column(String(14))
    holding: Mapped[bool]
    service_date: Mapped[date]
    shift: Mapped[str] = mapped_column(String(40))
    """Empty: outside any shift."""
    zone_id: Mapped[str | None] = mapped_column(String(80))
    ward_ids: Mapped[list[str]] = mapped_column(JsonDict)
    beat: Mapped[str | None] = mapped_column(String(80))
    vehicle_id: Mapped[str | None] = mapped_column(String(80))
    device_id: Mapped[str | None] = mapped_column(String(80))
    route_id: Mapped[str | None] = mapped_column(String(40))
    visit_id: Mapped[str | None] = mapped_column(String(40))
    lane_id: Mapped[str | None] = mapped_column(String(80))
    place_id: Mapped[str | None] = mapped_column(String(80))
    lon: Mapped[float | None]
    lat: Mapped[float | None]
    n: Mapped[int]
    """How many it stands for: stops missed, or open alarms of a group."""
    times: Mapped[int]
    """How often it was raised, the first time included."""
    t: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it was raised first."""
    raised_t: Mapped[datetime] = mapped_column(UtcDateTime)
    """When it was raised last."""
    seen_t: Mapped[datetime] = mapped_column(UtcDateTime)
    """When its rule last said something about it."""
    acknowledged_by: Mapped[str | None] = mapped_column(String(200))
    """Name of who did."""
    acknowledged_user: Mapped[str | None] = mapped_column(String(40))
    acknowledged_t: Mapped[datetime | None] = mapped_column(UtcDateTime)
    acknowledged_n: Mapped[int | None]
    """What `n` was then."""
    cleared_by: Mapped[str | None] = mapped_column(String(200))
    """Name of who did; None: the rule, or its time."""
    cleared_user: Mapped[str | None] = mapped_column(String(40))
    cleared_t: Mapped[datetime | None] = mapped_column(UtcDateTime)
    group_id: Mapped[str | None] = mapped_column(String(40))
    """The group that speaks for it."""
    text: Mapped[str] = mapped_column(String(500))
    words: Mapped[dict[str, Any]] = mapped_column(JsonDict)
    """The same sentence by language."""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's declared shape

    @property
    def is_open(self) -> bool:
        return self.state in OPEN

    def mark_raised(self, at: datetime) -> None:
        """Raised anew; who acknowledged or cleared it before is not responsible for this time."""
        self.state = AlarmState.RAISED
        self.raised_t = at
        self.acknowledged_by = self.acknowledged_user = None
        self.acknowledged_t = self.acknowledged_n = None
        self.cleared_by = self.cleared_user = self.cleared_t = None

    def mark_acknowledged(self, name: str, user_id: str, at: datetime) -> None:
        self.state = AlarmState.ACKNOWLEDGED
        self.acknowledged_by, self.acknowledged_user = name, user_id
        self.acknowledged_t, self.acknowledged_n = at, self.n

    def mark_cleared(
        self, at: datetime, *, name: str | None = None, user_id: str | None = None
    ) -> None:
        self.state = AlarmState.CLEARED
        self.cleared_by, self.cleared_user, self.cleared_t = name, user_id, at


class FenceKind(StrEnum):
    CIRCLE = "circle"
    POLYGON = "polygon"
    CORRIDOR = "corridor"


class Geofence(Base):
    """An area that administrators drew. `geometry` is GeoJSON in degrees: a Point (circle), a
    Polygon, or a LineString (corridor)."""

    __tablename__ = "geofence"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column()
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[FenceKind] = mapped_column(String(10))
    geometry: Mapped[dict[str, Any]] = mapped_column(Packed)
    radius_m: Mapped[float]
    """Of a circle; half the width of a corridor; 0 for a polygon."""
    dwell_s: Mapped[float]
    """Time inside before a stay counts as entering, and outside before it counts as leaving."""
    rules: Mapped[dict[str, Any]] = mapped_column(JsonDict)
    """`enter`, `leave`, `dwell_min` (minutes), `vehicles`: what raises an alarm."""
    changed_t: Mapped[datetime] = mapped_column(UtcDateTime)

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's declared shape
