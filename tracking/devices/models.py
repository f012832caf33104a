"""Tracking units."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base, UtcDateTime

type Kind = Literal["gps", "person", "feed", "weighbridge"]
KINDS: Final = ("gps", "person", "feed", "weighbridge")
type Protocol = Literal["websocket", "osmand", "owntracks", "traccar", "ais140", "gt06", "pull"]
PROTOCOLS: Final = ("websocket", "osmand", "owntracks", "traccar", "ais140", "gt06", "pull")


class Device(Base):
    """A unit that may send fixes; which vehicle carries it is a dated assignment."""

    __tablename__ = "device"

    id: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    kind: Mapped[str] = mapped_column(default="gps")
    """gps: a unit in a vehicle; person: a phone or watch; feed: another server that forwards its
    units; weighbridge: a scale that sends tickets."""
    external_id: Mapped[str | None] = mapped_column(unique=True)
    """What the unit calls itself, such as its IMEI."""
    protocol: Mapped[str | None]
    """The one protocol that it may speak; None: any."""
    layout: Mapped[str | None]
    """Its vendor's frame layout, or the source that it is pulled from; None: recognised."""
    token_hash: Mapped[bytes]
    """SHA-256 of its token: 32 random bytes need no slow hash."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled: Mapped[bool] = mapped_column(default=False)
