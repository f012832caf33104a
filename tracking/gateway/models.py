"""Frames that nobody understood, for the administrator to look at."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base, BigId


class UnknownFrame(Base):
    """The newest of the frames that are alike: from one peer, of one shape, for one reason."""

    __tablename__ = "unknown_frame"

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    at: Mapped[datetime] = mapped_column(index=True)
    """When the newest came."""
    peer: Mapped[str]
    """Address that it came from."""
    protocol: Mapped[str]
    """Empty: it began like none."""
    external_id: Mapped[str]
    """Who it says that it is; empty: it does not say."""
    device_id: Mapped[str | None]
    """The device whose connection it came on."""
    reason: Mapped[str]
    shape: Mapped[str]
    detail: Mapped[str]
    n: Mapped[int]
    """How many like it have come."""
    frame: Mapped[bytes]
    """Its first bytes."""
