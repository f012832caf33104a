"""Tables of routing: plans with their replayable parts, routes, visits, reports.

A plan is one run of the planner; its parts keep problem and solution compressed, so that any plan
can be solved again and explained. A route is one vehicle's shift on one service date; a visit is
one step of it. `version` is SQLAlchemy's optimistic counter on every contended row.
"""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    Boolean,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base, BigId, JsonDict, UtcDateTime
from fleet.org.models import Packed

Json = dict[str, Any]


class PlanStatus(StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"


class PlanKind(StrEnum):
    NIGHT = "night"
    SELECTION = "selection"


class VisitKind(StrEnum):
    START = "start"
    LANE = "lane"
    BIN = "bin"
    REQUEST = "request"
    DISPOSAL = "disposal"
    END = "end"


WORK_KINDS = (VisitKind.LANE, VisitKind.BIN, VisitKind.REQUEST)
"""Kinds of visit that collect waste; only they count as served, missed and so on."""


class VisitStatus(StrEnum):
    """Outcome of a visit, from facts only."""

    PENDING = "pending"
    SERVED = "served"
    PARTLY = "partly"
    DRIVEN_THROUGH = "driven_through"
    MISSED = "missed"
    UNKNOWN = "unknown"


class Plan(Base):
    """One run of the planner for a service date, over all wards or a selection."""

    __tablename__ = "routing_plan"
    __table_args__ = (Index("ix_routing_plan_service_date_status", "service_date", "status"),)

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, nullable=False)
    service_date: Mapped[date] = mapped_column(Date)
    shift: Mapped[str | None] = mapped_column(String(40))
    """None: every shift of the date."""
    status: Mapped[PlanStatus] = mapped_column(String(12), default=PlanStatus.DRAFT)
    kind: Mapped[PlanKind] = mapped_column(String(12))
    seed: Mapped[int] = mapped_column(Integer)
    iterations: Mapped[int] = mapped_column(Integer)
    ward_ids: Mapped[list[str]] = mapped_column(JsonDict)
    scope: Mapped[list[list[str]]] = mapped_column(JsonDict)
    """[vehicle, shift] pairs whose published routes this plan replaces."""
    cost: Mapped[Json] = mapped_column(JsonDict)
    unplanned: Mapped[list[Json]] = mapped_column(JsonDict)
    """Visits left out: kind, ref, name, ward_id, code, detail, kg."""
    summary: Mapped[Json] = mapped_column(JsonDict)
    solver_s: Mapped[float] = mapped_column(Float)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    published_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    based_on: Mapped[str | None] = mapped_column(String(40))
    job_id: Mapped[str | None] = mapped_column(String(40), unique=True)
    """The job that made it; a job that runs again finds its plan."""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's declared shape

    def mark_published(self, now: datetime) -> None:
        self.status = PlanStatus.PUBLISHED
        self.published_at = now

    def mark_superseded(self) -> None:
        self.status = PlanStatus.SUPERSEDED


class PlanPart(Base):
    """One solved problem of a plan: zlib-compressed JSON, enough to solve it again."""

    __tablename__ = "routing_plan_part"

    plan_id: Mapped[str] = mapped_column(
        ForeignKey("routing_plan.id", ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(80), primary_key=True)
    problem: Mapped[bytes] = mapped_column(LargeBinary)
    solution: Mapped[bytes] = mapped_column(LargeBinary)


class Route(Base):
    """One vehicle's shift on a service date, as one plan has it."""

    __tablename__ = "routing_route"
    __table_args__ = (
        Index(
            "uq_routing_route_published",
            "vehicle_id",
            "service_date",
            "shift",
            unique=True,
            sqlite_where=text("status = 'published'"),
            postgresql_where=text("status = 'published'"),
        ),
        Index("ix_routing_route_service_date_status", "service_date", "status"),
        Index("ix_routing_route_plan_id", "plan_id"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, nullable=False)
    plan_id: Mapped[str] = mapped_column(ForeignKey("routing_plan.id", ondelete="CASCADE"))
    vehicle_id: Mapped[str] = mapped_column(String(80))
    profile: Mapped[str] = mapped_column(String(40))
    service_date: Mapped[date] = mapped_column(Date)
    shift: Mapped[str] = mapped_column(String(40))
    shift_end_t: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[PlanStatus] = mapped_column(String(12), default=PlanStatus.DRAFT)
    start_t: Mapped[datetime] = mapped_column(UtcDateTime)
    end_t: Mapped[datetime] = mapped_column(UtcDateTime)
    km: Mapped[float] = mapped_column(Float)
    hours: Mapped[float] = mapped_column(Float)
    trips: Mapped[int] = mapped_column(Integer)
    kg: Mapped[Json] = mapped_column(JsonDict)
    """By stream."""
    ward_ids: Mapped[list[str]] = mapped_column(JsonDict)
    compartments: Mapped[list[Json]] = mapped_column(JsonDict)
    """Chambers: streams, kg, m3."""

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's declared shape


class RouteProgress(Base):
    """How far a published route has come. Apart from `Route`, whose version only moves with it."""

    __tablename__ = "routing_route_progress"

    route_id: Mapped[str] = mapped_column(
        ForeignKey("routing_route.id", ondelete="CASCADE"), primary_key=True
    )
    late_s: Mapped[int] = mapped_column(Integer, default=0)
    next_visit_id: Mapped[str | None] = mapped_column(String(40))
    last_fact_t: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed: Mapped[bool] = mapped_column(Boolean, default=False)
    """The shift and its grace are over and every visit has an outcome."""
    rhythm: Mapped[float] = mapped_column(Float, default=1.0)
    """Time that the crew takes today for what is planned to take 1."""


class Visit(Base):
    """One step of a route. `status` comes from facts, `report` from the driver's taps."""

    __tablename__ = "routing_visit"
    __table_args__ = (
        Index("ix_routing_visit_route_id_seq", "route_id", "seq"),
        Index("ix_routing_visit_ref_service_date", "ref", "service_date"),
    )

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[int] = mapped_column(Integer, nullable=False)
    route_id: Mapped[str] = mapped_column(ForeignKey("routing_route.id", ondelete="CASCADE"))
    service_date: Mapped[date] = mapped_column(Date)
    seq: Mapped[int] = mapped_column(Integer)
    kind: Mapped[VisitKind] = mapped_column(String(10))
    ref: Mapped[str] = mapped_column(String(80))
    """Lane, bin, request, place or depot, by kind."""
    lane_id: Mapped[str | None] = mapped_column(String(80))
    name: Mapped[str] = mapped_column(String(200))
    name_hi: Mapped[str | None] = mapped_column(String(200))
    ward_id: Mapped[str | None] = mapped_column(String(80))
    lon: Mapped[float] = mapped_column(Float)
    lat: Mapped[float] = mapped_column(Float)
    path: Mapped[list[list[float]]] = mapped_column(Packed)
    approach: Mapped[list[list[float]]] = mapped_column(Packed)
    approach_m: Mapped[float] = mapped_column(Float)
    approach_s: Mapped[int] = mapped_column(Integer)
    planned_arrival: Mapped[datetime] = mapped_column(UtcDateTime)
    planned_departure: Mapped[datetime] = mapped_column(UtcDateTime)
    service_s: Mapped[int] = mapped_column(Integer)
    kg: Mapped[Json] = mapped_column(JsonDict)
    service_mode: Mapped[str | None] = mapped_column(String(10))
    on_foot: Mapped[bool] = mapped_column(Boolean, default=False)
    households: Mapped[float] = mapped_column(Float, default=0.0)
    status: Mapped[VisitStatus] = mapped_column(String(16), default=VisitStatus.PENDING)
    at_risk: Mapped[bool] = mapped_column(Boolean, default=False)
    seen: Mapped[VisitStatus | None] = mapped_column(String(16))
    """What facts say while it is pending and a later pass may still serve it."""
    recheck: Mapped[bool] = mapped_column(Boolean, default=False)
    """It was judged, and has newer facts; or only standing proved it so far."""
    proved_t: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """When a vehicle had served it, wholly or partly, or left the place."""
    since_t: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Facts from before this do not count; None: those of the whole shift do."""
    evidence: Mapped[Json | None] = mapped_column(JsonDict)
    report: Mapped[Json | None] = mapped_column(JsonDict)
    request_id: Mapped[str | None] = mapped_column(String(40))
    request_code: Mapped[str | None] = mapped_column(String(20))

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's declared shape

    @property
    def is_work(self) -> bool:
        return self.kind in WORK_KINDS

    @property
    def is_point(self) -> bool:
        """Whether standing near it proves it, rather than driving along it slowly."""
        return len(self.path) < 2

    @property
    def exit(self) -> tuple[float, float]:
        """(lon, lat) where the vehicle leaves the visit."""
        lon, lat = self.path[-1] if self.path else (self.lon, self.lat)
        return lon, lat


class Judgement(Base):
    """What was said of a visit, and when. Rows are added, never changed: the newest holds."""

    __tablename__ = "routing_judgement"
    __table_args__ = (Index("ix_routing_judgement_visit_id", "visit_id"),)

    n: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    visit_id: Mapped[str] = mapped_column(
        String(40), ForeignKey("routing_visit.id", ondelete="CASCADE")
    )
    made_t: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[VisitStatus] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(40))
    evidence: Mapped[Json | None] = mapped_column(JsonDict)


class CabEvent(Base):
    """A driver's tap, kept as it came. The client made `id`; `body_hash` guards its reuse."""

    __tablename__ = "routing_cab_event"
    __table_args__ = (
        UniqueConstraint("user_id", "id"),
        Index("ix_routing_cab_event_user_id_service_date", "user_id", "service_date"),
    )

    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    user_id: Mapped[str] = mapped_column(String(40))
    id: Mapped[str] = mapped_column(String(64))
    body_hash: Mapped[str] = mapped_column(String(64))
    kind: Mapped[str] = mapped_column(String(16))
    vehicle_id: Mapped[str | None] = mapped_column(String(80))
    visit_id: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str | None] = mapped_column(String(80))
    words: Mapped[str | None] = mapped_column(String(1000))
    photo_id: Mapped[str | None] = mapped_column(String(80))
    kg: Mapped[float | None] = mapped_column(Float)
    t: Mapped[datetime] = mapped_column(UtcDateTime)
    received_t: Mapped[datetime] = mapped_column(UtcDateTime)
    service_date: Mapped[date] = mapped_column(Date)


class DeferredStop(Base):
    """A resident's stop that waits for the plan of `service_date`."""

    __tablename__ = "routing_deferred_stop"
    __table_args__ = (Index("ix_routing_deferred_stop_service_date", "service_date"),)

    request_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    code: Mapped[str] = mapped_column(String(20))
    service_date: Mapped[date] = mapped_column(Date)
    lon: Mapped[float] = mapped_column(Float)
    lat: Mapped[float] = mapped_column(Float)
    service_s: Mapped[int] = mapped_column(Integer)
    kg: Mapped[Json] = mapped_column(JsonDict)
    lane_id: Mapped[str | None] = mapped_column(String(80))
    ward_id: Mapped[str] = mapped_column(String(80))
    words: Mapped[str] = mapped_column(String(1000))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    planned_in: Mapped[str | None] = mapped_column(String(40))
    """The published plan that took it up."""
