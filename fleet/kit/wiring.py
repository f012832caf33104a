"""What kit brings to the composition: its own upkeep."""

from __future__ import annotations

from datetime import datetime, timedelta

from fleet.kit.outbox import prune
from fleet.kit.timers import Timer, every
from fleet.kit.web import Kit

KEEP_EVENTS = timedelta(days=3)
"""City time for which a client that was away can resume from its last event."""


def _prune_outbox(kit: Kit, at: datetime) -> None:
    with kit.db.unit_of_work() as session:
        prune(session, at - KEEP_EVENTS)


timers: list[Timer] = [Timer("kit.prune_outbox", every(3600), _prune_outbox)]
