"""Who carried which device when: in memory, and never older than the moment of a `refresh`.

A person holds a device only while on shift. A fix from before or after belongs to nobody: it is
stored like that of a unit without vehicle, and no read by holder ever finds it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fleet.kit.db import Database
from fleet.kit.outbox import OutboxRow
from fleet.org.assignments import TOPIC
from fleet.org.models import Assignment, City, FieldWorker
from fleet.org.staff import STAFF_TOPIC, is_person, within_shift
from tracking.fixes.fix import from_ms, to_ms

_LOOK_BACK = 200
"""PostgreSQL shows events out of the order of their ids for a moment; so many are seen again."""
_KEPT = 50_000


class Carriers:
    """The dated holders of devices, for one thread.

    A change of an assignment or of a person's shift comes with an event in the same commit: while
    none has come, what is in memory is what is stored, and one look at the newest event's id tells.
    """

    def __init__(self, db: Database) -> None:
        self._db = db
        self._held: dict[str, list[tuple[int, int | None, str]]] = {}
        """(from, to, holder) in milliseconds since 1970; to None: still."""
        self._shifts: dict[str, tuple[int, int]] = {}
        """Of persons, in seconds after local midnight."""
        self._tz = ZoneInfo("UTC")
        self._seen = -1
        self._known: set[int] = set()
        """Ids of the changes that a look back would find again."""

    def refresh(self, device_ids: Collection[str]) -> None:
        """Brings these devices' holders up to date."""
        with self._db.reading() as session:
            newest = session.scalar(select(func.max(OutboxRow.id))) or 0
            if newest != self._seen:
                changed = select(OutboxRow.id).where(
                    OutboxRow.id > self._seen - _LOOK_BACK,
                    OutboxRow.topic.in_((TOPIC, STAFF_TOPIC)),
                )
                ids = set(session.scalars(changed))
                if not ids <= self._known:
                    self.forget()
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
            self._add_shifts(session, (holder for d in unknown for _, _, holder in self._held[d]))

    def holder_at(self, device_id: str, t_ms: int) -> str | None:
        """The vehicle, or the person on shift, that held a refreshed device at an instant."""
        for from_ms_, to_ms_, holder in self._held[device_id]:
            if from_ms_ <= t_ms and (to_ms_ is None or t_ms < to_ms_):
                return holder if not is_person(holder) or self._on_shift(holder, t_ms) else None
        return None

    def forget(self) -> None:
        """Reads everything again when it is asked for."""
        self._held.clear()
        self._shifts.clear()

    def _on_shift(self, person_id: str, t_ms: int) -> bool:
        shift = self._shifts.get(person_id)
        return shift is not None and within_shift(*shift, from_ms(t_ms), self._tz)

    def _add_shifts(self, session: Session, holders: Iterable[str]) -> None:
        persons = {holder for holder in holders if is_person(holder)} - self._shifts.keys()
        if not persons:
            return
        city = session.get(City, 1)
        self._tz = ZoneInfo(city.tz if city is not None else "UTC")
        rows = session.execute(
            select(FieldWorker.id, FieldWorker.start_s, FieldWorker.end_s).where(
                FieldWorker.id.in_(persons)
            )
        )
        self._shifts |= {person_id: (start_s, end_s) for person_id, start_s, end_s in rows}
