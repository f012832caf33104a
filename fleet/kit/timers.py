"""Things that happen at city times, on a running clock and on a stepped one alike.

`Scheduler.run_forever` serves a wall or scaled clock. A stepped clock asks `due(until)` for the
occurrences in order, moves the clock to each and calls `fire`. Timers must bear being fired again
for the same time (a kill between the run and its mark): give jobs a key made of the time.
"""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Mapped, mapped_column

from fleet.kit.db import Base
from fleet.kit.errors import Busy
from fleet.kit.web import Kit

log = structlog.get_logger(__name__)

LOOK_EVERY_S = 0.2

NextAfter = Callable[[datetime], datetime]


@dataclass(frozen=True)
class Timer:
    """`run(kit, at)` is called for each city time that `next_after` names, in order."""

    name: str
    next_after: NextAfter
    run: Callable[[Kit, datetime], None]


class TimerRow(Base):
    """When a timer was last fired (city time), and how its last run failed, if it did."""

    __tablename__ = "timers"

    name: Mapped[str] = mapped_column(primary_key=True)
    fired_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]


def every(seconds: float) -> NextAfter:
    """City times that are whole multiples of `seconds` since the epoch."""
    if seconds <= 0:
        raise ValueError(f"Expected more than 0 seconds, got {seconds}.")
    step = timedelta(seconds=seconds)
    epoch = datetime(1970, 1, 1, tzinfo=UTC)

    def next_after(t: datetime) -> datetime:
        return epoch + ((t - epoch) // step + 1) * step

    return next_after


def daily(local_time: time, tz: ZoneInfo) -> NextAfter:
    """Each day at a local time; a time that a clock change skips comes as its shifted instant."""

    def next_after(t: datetime) -> datetime:
        day = t.astimezone(tz).date() - timedelta(days=1)
        while True:
            at = datetime.combine(day, local_time, tzinfo=tz).astimezone(UTC)
            if at > t:
                return at
            day += timedelta(days=1)

    return next_after


class Scheduler:
    """Knows what is due; remembers in the database what has been fired.

    After a time without server the missed occurrences of a timer count as one, the latest.
    A new timer starts at the present city time.
    """

    def __init__(self, kit: Kit, timers: Sequence[Timer]) -> None:
        self._kit = kit
        self._timers = tuple(timers)
        if len({timer.name for timer in timers}) != len(timers):
            raise ValueError("Expected timers with unique names.")
        self._fired_at = self._load()

    def due(self, until: datetime) -> list[tuple[datetime, Timer]]:
        """Occurrences up to and including `until` that are not fired yet, by time, then name."""
        found = []
        for timer in self._timers:
            at = timer.next_after(self._fired_at[timer.name])
            while at <= until:
                found.append((at, timer))
                at = timer.next_after(at)
        return sorted(found, key=lambda entry: (entry[0], entry[1].name))

    def fire(self, at: datetime, timer: Timer) -> None:
        """Run one occurrence and note it; a failure is stored and logged, the next one comes.

        Raises:
            Busy: the database had no turn for us; it is not noted and stays due.
        """
        error: str | None = None
        try:
            timer.run(self._kit, at)
        except (Busy, OperationalError):
            raise
        except Exception as failure:  # a timer may fail in any way; its row and the log tell
            error = "".join(traceback.format_exception_only(failure)).strip()
            log.error("timer_failed", timer=timer.name, at=at.isoformat(), exc_info=failure)
        with self._kit.db.unit_of_work() as session:
            row = session.get(TimerRow, timer.name)
            if row is None:
                row = TimerRow(name=timer.name, failures=0)
                session.add(row)
            row.fired_at = at
            row.error = error
            row.failures += error is not None
        self._fired_at[timer.name] = at

    def run_forever(self, stop: threading.Event) -> None:
        """Fire what is due on a running clock, until `stop`."""
        while not stop.wait(LOOK_EVERY_S):
            for at, timer in self.due(self._kit.clock.now()):
                if stop.is_set():
                    return
                try:
                    self.fire(at, timer)
                except (Busy, OperationalError) as error:
                    # A busy or restarting database: it stays due.
                    log.error("timers_interrupted", timer=timer.name, exc_info=error)
                    break

    def _load(self) -> dict[str, datetime]:
        now = self._kit.clock.now()
        with self._kit.db.reading() as session:
            rows = {timer.name: session.get(TimerRow, timer.name) for timer in self._timers}
        fired_at: dict[str, datetime] = {}
        for timer in self._timers:
            row = rows[timer.name]
            fired_at[timer.name] = now if row is None else _skip_missed(timer, row.fired_at, now)
        return fired_at


def _skip_missed(timer: Timer, fired_at: datetime, now: datetime) -> datetime:
    """The occurrence before the latest missed one."""
    at = timer.next_after(fired_at)
    while at <= now and (later := timer.next_after(at)) <= now:
        fired_at, at = at, later
    return fired_at
