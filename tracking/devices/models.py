"""Tracking units."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base, UtcDateTime


class Device(Base):
    """A unit that may send fixes; which vehicle carries it is a dated assignment."""

    __tablename__ = "device"

    id: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str]
    kind: Mapped[str]
    """What the unit is, such as `gps`."""
    token_hash: Mapped[bytes]
    """SHA-256 of its token: 32 random bytes need no slow hash."""
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    disabled: Mapped[bool] = mapped_column(default=False)
