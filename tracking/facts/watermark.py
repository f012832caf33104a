"""How far a follower of the log has come: stored, and read by whoever waits for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from tracking.facts.models import Watermark

LANE_FACTS = "lane_facts"
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def watermark(session: Session, name: str = LANE_FACTS) -> datetime:
    """City time up to which committed fixes have become facts; 1970 before the first run."""
    row = session.get(Watermark, name)
    return NEVER if row is None else row.t


def keep(session: Session, cursor: Mapping[str, int], t: datetime | None) -> None:
    """Stores the place in the log, and the time unless there is more to read (None)."""
    row = session.get(Watermark, LANE_FACTS)
    if row is None:
        row = Watermark(name=LANE_FACTS, t=NEVER, cursor={})
        session.add(row)
    row.cursor = dict(cursor)
    if t is not None:
        row.t = max(row.t, t)
