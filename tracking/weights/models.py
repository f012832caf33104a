"""Tickets, trips, excuses and weighbridges as tables."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base, UtcDateTime

_CURRENT = text("superseded_t IS NULL")


class Weighbridge(Base):
    """A station's own computer: a device with a token that may bring this station's tickets."""

    __tablename__ = "weighbridge"

    device_id: Mapped[str] = mapped_column(primary_key=True)
    station_id: Mapped[str]


class Ticket(Base):
    """One weighing, as last corrected; earlier versions stay, superseded."""

    __tablename__ = "ticket"
    __table_args__ = (
        Index(
            "uq_ticket_current_number",
            "station_id",
            "number",
            unique=True,
            sqlite_where=_CURRENT,
            postgresql_where=_CURRENT,
        ),
        Index("ix_ticket_number", "number"),
        Index("ix_ticket_service_date", "service_date"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    """The same over all versions."""
    version: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    station_id: Mapped[str]
    number: Mapped[str]
    vehicle_id: Mapped[str]
    """As the fleet spells it; as the bridge wrote it where the fleet did not know it."""
    service_date: Mapped[date]
    """Of the vehicle's shift that holds `in_t`."""
    stream: Mapped[str | None]
    """None: mixed, or not said."""
    gross_kg: Mapped[float]
    tare_kg: Mapped[float]
    net_kg: Mapped[float]
    in_t: Mapped[datetime] = mapped_column(UtcDateTime)
    """By the bridge's clock, as is `out_t`."""
    out_t: Mapped[datetime] = mapped_column(UtcDateTime)
    void: Mapped[bool]
    """Withdrawn by a correction: it weighs nothing."""
    source: Mapped[str]
    """api, csv or correction; and who brought it."""
    raw: Mapped[str]
    """The line or object as it arrived."""
    words: Mapped[str]
    """Why it was corrected; empty for a ticket as it arrived."""
    received_t: Mapped[datetime] = mapped_column(UtcDateTime)
    superseded_t: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Trip(Base):
    """A round of a vehicle by GPS: from its depot or a station until it left a station unloaded."""

    __tablename__ = "trip"
    __table_args__ = (
        Index("ix_trip_service_date", "service_date"),
        Index("ix_trip_unsettled", "settled", "left_t"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int]
    vehicle_id: Mapped[str]
    service_date: Mapped[date]
    """Of the shift in which it arrived."""
    pass_id: Mapped[str] = mapped_column(unique=True)
    """The geofence pass with which the stay began: by it the trip is known again."""
    from_place_id: Mapped[str | None]
    """None: it began with the shift."""
    start_t: Mapped[datetime] = mapped_column(UtcDateTime)
    station_id: Mapped[str]
    arrived_t: Mapped[datetime] = mapped_column(UtcDateTime)
    left_t: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """None: still there, or its unit fell silent there."""
    km: Mapped[float | None]
    """None: not measured yet, or no fixes."""
    measured_t: Mapped[datetime | None] = mapped_column(UtcDateTime)
    settled: Mapped[bool]
    """Measured when late fixes had had their time; it is not measured again."""
    superseded_t: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Later fixes showed that there was no such trip."""


class Excuse(Base):
    """A dispatcher's word that a trip or ticket is to be paid although it does not agree."""

    __tablename__ = "excuse"
    __table_args__ = (Index("ix_excuse_subject", "subject_id"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    subject_id: Mapped[str]
    """A trip's id, or that of a ticket without a trip."""
    words: Mapped[str]
    """Empty: the excuse before it is withdrawn."""
    by_user: Mapped[str]
    by_name: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    superseded_t: Mapped[datetime | None] = mapped_column(UtcDateTime)
