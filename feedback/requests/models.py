"""Requests of residents, and the timeline that each resident follows."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Date, ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from fleet.kit.db import Base, JsonDict, UtcDateTime


class Status(StrEnum):
    """Where a request stands; `done` is the crew's word, `closed` is proved or decided."""

    RECEIVED = "received"
    CHECKED = "checked"
    STOP_PLANNED = "stop_planned"
    ON_THE_WAY = "on_the_way"
    DONE = "done"
    CLOSED = "closed"
    ANSWERED = "answered"


OPEN = frozenset(
    {Status.RECEIVED, Status.CHECKED, Status.STOP_PLANNED, Status.ON_THE_WAY, Status.DONE}
)


class Request(Base):
    """One request. `version` guards it: whoever saw an older one must look again."""

    __tablename__ = "requests"
    __table_args__ = (UniqueConstraint("client_id"),)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    version: Mapped[int] = mapped_column(nullable=False)
    code: Mapped[str] = mapped_column(String(12), unique=True)
    client_id: Mapped[str] = mapped_column(String(64))
    body_hash: Mapped[str] = mapped_column(String(64))
    service_code: Mapped[str] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(16), index=True)
    lon: Mapped[float]
    lat: Mapped[float]
    address: Mapped[str]
    words: Mapped[str]
    contact: Mapped[str]
    lang: Mapped[str] = mapped_column(String(8))
    photo_ids: Mapped[list[str]] = mapped_column(JsonDict)
    ward_id: Mapped[str] = mapped_column(String(64), index=True)
    zone_id: Mapped[str] = mapped_column(String(64), index=True)
    lane_id: Mapped[str | None] = mapped_column(String(80))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, index=True)
    promised_at: Mapped[datetime] = mapped_column(UtcDateTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    verdict: Mapped[str | None] = mapped_column(String(20))
    verdict_key: Mapped[str | None] = mapped_column(String(60))
    verdict_values: Mapped[dict[str, Any]] = mapped_column(JsonDict)
    nearest_pass: Mapped[dict[str, Any] | None] = mapped_column(JsonDict)
    visit_id: Mapped[str | None] = mapped_column(String(40), index=True)
    route_id: Mapped[str | None] = mapped_column(String(40))
    vehicle_id: Mapped[str | None] = mapped_column(String(64))
    eta: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deferred_to: Mapped[date | None] = mapped_column(Date)
    rating: Mapped[str | None] = mapped_column(String(12))
    rating_words: Mapped[str] = mapped_column(default="")

    timeline: Mapped[list[Entry]] = relationship(
        back_populates="request", order_by="Entry.id", lazy="raise", cascade="all, delete-orphan"
    )

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - the name is SQLAlchemy's


class Entry(Base):
    """One line of a timeline: a text key with its values, told in the reader's language."""

    __tablename__ = "request_entries"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    request_id: Mapped[str] = mapped_column(ForeignKey("requests.id"), index=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    key: Mapped[str] = mapped_column(String(60))
    values: Mapped[dict[str, Any]] = mapped_column(JsonDict)
    photo_id: Mapped[str | None] = mapped_column(String(40))

    request: Mapped[Request] = relationship(back_populates="timeline", lazy="raise")
