"""How far each source has been read, and how the last attempts went."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base, UtcDateTime
from fleet.org.models import Packed


class PullSource(Base):
    """State of one source of `pull.toml`."""

    __tablename__ = "pull_source"

    name: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime | None] = mapped_column(UtcDateTime)
    """Time of the newest fix that was stored; None: nothing yet."""
    last_ok_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_fixes: Mapped[int] = mapped_column(default=0)
    """How many fixes were new in the last answer."""
    failures: Mapped[int] = mapped_column(default=0)
    """Attempts that failed since the last that did not."""
    last_error_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    last_error: Mapped[str | None]
    unknown_units: Mapped[list[str]] = mapped_column(Packed, default=list)
    """Units of the last answer that no device is registered for; the first hundred."""
