"""Follows the log of fixes and works out facts behind a stored watermark.

New fixes are read in the order of their commit, so that a late one is seen as well. Each touches a
stretch of its vehicle's time, which is worked out anew and held against the stored facts. Facts,
events and the place in the log are one transaction.

Fixes are gathered for `GATHER_S` of city time before lanes are looked at: matching a window costs
nearly the same for one new fix as for eight. Alarms do not wait for that.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from fleet.kit.settings import ClockMode
from fleet.kit.web import Kit
from tracking.facts.hearing import heard, last_heard, newest
from tracking.facts.lifts import is_lift, record_lifts
from tracking.facts.models import LaneTraversal, Watermark
from tracking.facts.recording import Book, write
from tracking.facts.stretch import Stretch, instant
from tracking.facts.tails import Row, Tail
from tracking.facts.town import Town, fingerprint, read_town
from tracking.facts.watermark import LANE_FACTS, NEVER, keep
from tracking.facts.working import facts_of
from tracking.fixes.fix import Fix
from tracking.fixes.log import Cursor, FixLog
from tracking.proof.track import Track

READ_FIXES = 20_000
GATHER_S = 40.0
SETTLE = timedelta(seconds=90)
"""Facts that ended this long before a new fix are not touched by it."""
CONTEXT = timedelta(seconds=45)
"""Fixes before and after a stretch that the matcher sees without judging them."""
LONGEST = timedelta(minutes=30)
"""A fact that began earlier is continued, not worked out from its beginning."""
FIRST = timedelta(minutes=10)
"""So far back is looked when a vehicle is seen for the first time since a start."""
QUIET_PASS = timedelta(seconds=60)
"""After so long a silence a pass has ended, as far as anybody can tell."""
QUIET = timedelta(minutes=30)
"""After so long without a pass a vehicle's day is worked out once more, whole."""
SETTLE_EVERY = timedelta(minutes=10)
_LOOKS_WHILE_TIME_STANDS = 5
_LOOK_EVERY_S = {ClockMode.STEPPED: 0.02, ClockMode.SCALED: 0.5, ClockMode.WALL: 1.0}


class Watch(Protocol):
    """Sees every new fix at once, marked ones too; after a restart some of them again."""

    def observe(self, session: Session, fixes: Iterable[Fix], now: datetime) -> None: ...


@dataclass(frozen=True, slots=True)
class _Span:
    since: datetime
    until: datetime
    """Facts outside these are settled."""
    known_from: datetime
    known_to: datetime
    """Fixes between these are looked at."""


class Follower:
    """The one writer of facts; runs in the matcher process.

    Args:
        watch: what raises alarms from fixes, if anything.
    """

    def __init__(self, kit: Kit, fixlog: FixLog, watch: Watch | None = None) -> None:
        self._kit = kit
        self._fixlog = fixlog
        self._watch = watch
        self._town: Town | None = None
        self._worked_t = NEVER
        self._settled_t = NEVER
        self._start_over()

    def _start_over(self) -> None:
        """Nothing is known but what is stored."""
        self._cursor: Cursor | None = None
        """How far the log was read; the stored one lags behind by what was gathered."""
        self._gathered: dict[str, tuple[datetime, datetime]] = {}
        """First and last good fix of each vehicle since lanes were looked at."""
        self._latest: dict[str, Fix] = {}
        self._lifts: list[Fix] = []
        self._tails: dict[str, Tail] = {}
        self._open_from: dict[str, datetime] = {}
        """Where passes begin that were not stored, because they go on."""
        self._book = Book()

    def run_forever(self, stop: threading.Event) -> None:
        """Follows the clock until `stop`."""
        pause_s = _LOOK_EVERY_S[self._kit.settings.clock]
        stepped = self._kit.settings.clock is ClockMode.STEPPED
        seen: datetime | None = None
        looks = 0
        while not stop.is_set():
            now = self._kit.clock.now()
            # While time stands, somebody waits only for its next step: look less often.
            if now != seen or looks % _LOOKS_WHILE_TIME_STANDS == 0:
                self.run_to(now, gather=not stepped)
            seen, looks = now, looks + 1
            stop.wait(pause_s)

    def run_to(self, t: datetime, *, gather: bool = False) -> None:
        """Works up all committed fixes, then sets the watermark to `t`.

        Args:
            gather: lanes may wait until `GATHER_S` have passed, and the watermark with them.
        """
        try:
            while not self._read(t):
                self._work(None)
            if gather and (t - self._worked_t).total_seconds() < GATHER_S:
                return
            self._work(t)
            if t - self._settled_t >= SETTLE_EVERY:
                self._settle(t)
                self._settled_t = t
        except BaseException:
            # What was read but not written is read again.
            self._start_over()
            raise

    # --- reading

    def _read(self, now: datetime) -> bool:
        """Takes in what is new; True when that was all."""
        if self._cursor is None:
            with self._kit.db.reading() as session:
                row = session.get(Watermark, LANE_FACTS)
                self._cursor = {} if row is None else row.cursor
        fixes, self._cursor = self._fixlog.received(self._cursor, READ_FIXES)
        if not fixes:
            return True
        if self._watch is not None:
            with self._kit.db.unit_of_work() as session:
                self._watch.observe(session, fixes, now)
        for vehicle_id, fix in newest(fixes).items():
            known = self._latest.get(vehicle_id)
            if known is None or known.t < fix.t:
                self._latest[vehicle_id] = fix
        self._gather(fixes)
        return len(fixes) < READ_FIXES

    def _gather(self, fixes: Iterable[Fix]) -> None:
        for fix in fixes:
            vehicle_id = fix.vehicle_id
            if vehicle_id is None or fix.mark is not None:
                continue
            if is_lift(fix):
                self._lifts.append(fix)
            first, last = self._gathered.get(vehicle_id, (fix.t, fix.t))
            self._gathered[vehicle_id] = min(first, fix.t), max(last, fix.t)
            tail = self._tails.get(vehicle_id)
            if tail is not None and self._town is not None:
                tail.add(_row(fix, self._town))

    # --- working

    def _work(self, t: datetime | None) -> None:
        """Turns what was gathered into facts; `t` None: there is more to read."""
        with self._kit.db.reading() as session:
            self._refresh(session)
            row = session.get(Watermark, LANE_FACTS)
            at, cursor = (NEVER, {}) if row is None else (row.t, row.cursor)
        assert self._cursor is not None
        if t is not None:
            self._close_quiet(t)
        if not self._gathered and cursor == self._cursor and (t is None or at >= t):
            return
        stretches = self._stretches(t)
        with self._kit.db.unit_of_work() as session:
            write(session, self._book.apply(stretches))
            record_lifts(session, self._lifts)
            heard(session, self._latest)
            keep(session, self._cursor, t)
        self._gathered.clear()
        self._latest.clear()
        self._lifts.clear()
        self._worked_t = t or self._worked_t

    def _refresh(self, session: Session) -> None:
        """Reads the town again after an import."""
        found = fingerprint(session)
        if found is None or (self._town is not None and self._town.fingerprint == found):
            return
        self._town = read_town(session, self._kit.settings.data_dir / "city" / "calibration")
        self._tails.clear()
        self._open_from.clear()

    def _close_quiet(self, t: datetime) -> None:
        """Passes of vehicles that fell silent are not waited for any longer."""
        for vehicle_id in self._open_from.keys() - self._gathered.keys():
            last_t = instant(self._tails[vehicle_id].last_s)
            if last_t < t - QUIET_PASS:
                self._gathered[vehicle_id] = last_t, last_t

    def _stretches(self, t: datetime | None) -> list[Stretch]:
        town = self._town
        if town is None or not self._gathered:
            return []
        with self._kit.db.reading() as session:
            last_t = last_heard(session, self._gathered)
            spans = {}
            for v, (a, b) in self._gathered.items():
                # A silence that ends with these fixes casts doubt on what came before it.
                since = max(min(a, last_t.get(v, a)), a - LONGEST) - SETTLE
                spans[v] = since, b + SETTLE
            self._book.load(session, {v: s - LONGEST - CONTEXT for v, (s, _) in spans.items()})
        return [self._stretch(town, v, spans[v], t) for v in sorted(spans)]

    def _stretch(
        self,
        town: Town,
        vehicle_id: str,
        settled: tuple[datetime, datetime],
        t: datetime | None,
    ) -> Stretch:
        span = self._span(vehicle_id, *settled)
        stretch, open_from = facts_of(
            town,
            vehicle_id,
            self._track(town, vehicle_id, span),
            since=span.since,
            until=span.until,
            known_from=span.known_from,
            inside=self._book.places_inside(vehicle_id, span.known_from),
            ended=t is not None and self._gathered[vehicle_id][1] < t - QUIET_PASS,
        )
        if open_from is None:
            self._open_from.pop(vehicle_id, None)
        else:
            self._open_from[vehicle_id] = open_from
        return stretch

    def _span(self, vehicle_id: str, since: datetime, until: datetime) -> _Span:
        """How far fixes must be looked at so that passes in the stretch are seen whole."""
        starts = self._book.pass_starts(vehicle_id, since, until)
        goes_on_from = self._open_from.get(vehicle_id, since)
        # What went on before a restart was not stored, and is not known to go on.
        looks_from = goes_on_from if vehicle_id in self._tails else since - FIRST
        known_from = max(min(*starts, looks_from, since), since - LONGEST)
        # Once a vehicle moves on, a halt of long ago turns out to be part of the pass before.
        since = max(min(since, goes_on_from), known_from)
        return _Span(since, until, known_from - CONTEXT, until + CONTEXT)

    def _track(self, town: Town, vehicle_id: str, span: _Span) -> Track:
        since_s, until_s = span.known_from.timestamp(), span.known_to.timestamp()
        tail = self._tails.get(vehicle_id)
        if tail is None or tail.complete_from_s > since_s:
            until = max(span.known_to, self._gathered[vehicle_id][1]) + timedelta(seconds=1)
            if tail is not None:
                until = max(until, instant(tail.last_s) + timedelta(seconds=1))
            fixes = self._fixlog.window(vehicle_id, span.known_from, until)
            tail = Tail((_row(fix, town) for fix in fixes), complete_from_s=since_s)
            self._tails[vehicle_id] = tail
        return tail.track(since_s, until_s)

    # --- whole days

    def _settle(self, t: datetime) -> None:
        """Works out whole days of vehicles that have come to rest, with the same core."""
        town = self._town
        if town is None:
            return
        with self._kit.db.reading() as session:
            rows = session.execute(
                select(
                    LaneTraversal.vehicle_id,
                    func.min(LaneTraversal.start_t),
                    func.max(LaneTraversal.end_t),
                )
                .where(LaneTraversal.provisional)
                .group_by(LaneTraversal.vehicle_id)
            ).all()
        for vehicle_id, start_t, end_t in rows:
            if end_t < t - QUIET:
                self._settle_day(town, vehicle_id, start_t - FIRST, end_t + FIRST)

    def _settle_day(self, town: Town, vehicle_id: str, since: datetime, until: datetime) -> None:
        book = Book()
        with self._kit.db.reading() as session:
            book.load(session, {vehicle_id: since})
        fixes = self._fixlog.window(vehicle_id, since, until)
        stretch, _ = facts_of(
            town,
            vehicle_id,
            Tail(_row(fix, town) for fix in fixes).track(since.timestamp(), until.timestamp()),
            since=since,
            until=until,
            known_from=since,
            inside=book.places_inside(vehicle_id, since),
            ended=True,
            final=True,
        )
        with self._kit.db.unit_of_work() as session:
            write(session, book.apply([stretch]))
        self._book.forget(vehicle_id)


def _row(fix: Fix, town: Town) -> Row:
    x, y = town.graph.plane.to_m(fix.lon, fix.lat)
    nan = float("nan")
    return (
        fix.t.timestamp(),
        x,
        y,
        nan if fix.speed_mps is None else fix.speed_mps,
        nan if fix.course_deg is None else fix.course_deg,
    )
