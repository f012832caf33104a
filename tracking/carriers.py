"""Who carried which device when: in memory, and never older than the moment of a `refresh`."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import func, select

from fleet.kit.db import Database
from fleet.kit.outbox import OutboxRow
from fleet.org.assignments import TOPIC
from fleet.org.models import Assignment
from tracking.fixes.fix import to_ms

type Held = Sequence[tuple[int, int | None, str]]
"""(from, to, holder) in milliseconds since 1970; to None: still."""

_LOOK_BACK = 200
"""PostgreSQL shows events out of the order of their ids for a moment; so many are seen again."""
_KEPT = 50_000


class Carriers:
    """The dated holders of devices, for one thread.

    A change of an assignment comes with an event in the same commit: while none has come, what is
    in memory is what is stored, and one look at the newest event's id tells.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._held: dict[str, list[tuple[int, int | None, str]]] = {}
        self._seen = -1
        self._known: set[int] = set()
        """Ids of the changes that a look back would find again."""

    def refresh(self, device_ids: Collection[str]) -> None:
        """Brings these devices' holders up to date."""
        with self._db.reading() as session:
            newest = session.scalar(select(func.max(OutboxRow.id))) or 0
            if newest != self._seen:
                changed = select(OutboxRow.id).where(
                    OutboxRow.id > self._seen - _LOOK_BACK, OutboxRow.topic == TOPIC
                )
                ids = set(session.scalars(changed))
                if not ids <= self._known:
                    self._held.clear()
                self._seen, self._known = newest, ids
            unknown = [device_id for device_id in device_ids if device_id not in self._held]
            if not unknown:
                return
            if len(self._held) + len(unknown) > _KEPT:
                self._held.clear()
                unknown = list(device_ids)
            for device_id in unknown:
                self._held[device_id] = []
            rows = session.execute(
                select(
                    Assignment.subject, Assignment.from_at, Assignment.to_at, Assignment.object
                ).where(Assignment.kind == "device_vehicle", Assignment.subject.in_(unknown))
            )
            for subject, from_at, to_at, holder in rows:
                to = None if to_at is None else to_ms(to_at)
                self._held[subject].append((to_ms(from_at), to, holder))

    def held(self, device_id: str) -> Held:
        """The holders of a refreshed device."""
        return self._held[device_id]

    def forget(self) -> None:
        """Reads everything again when it is asked for."""
        self._held.clear()
