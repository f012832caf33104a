"""Many devices' frames into few commits: one queue, one thread, order kept, bounded.

A frame's sender is told once the frame is committed. Frames gather for `WINDOW_S` and while a
commit runs, and go together into the next. When too many fixes wait, senders are held back.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import structlog

from fleet.kit.live import Lost
from fleet.kit.settings import ClockMode
from fleet.kit.web import Kit
from fleet.org.assignments import TOPIC as ASSIGNMENT_CHANGED
from fleet.org.models import City
from fleet.org.queries import policy
from fleet.org.staff import is_person
from tracking.carriers import Carriers
from tracking.filters import DAY_MS, Filter, Times
from tracking.fixes.fix import Row, payload_hash, to_ms
from tracking.fixes.log import FixLog
from tracking.live import LiveState
from tracking.protocols.reading import Limits, Reading

log = structlog.get_logger(__name__)

WINDOW_S = 0.05
"""How long frames gather before a commit; none while the clock is stepped."""
COMMIT_FIXES = 4_000
"""A commit takes no further frame once it has this many fixes."""
WAITING_FIXES = 20_000
"""With so many fixes waiting, senders are held back."""
PUBLISH_S = 0.5
"""Positions go to the map this often; at once while the clock is stepped."""
YOUNG_OBJECTS = 50_000
"""Made between two looks of the garbage collector; a commit makes some thousands."""

type Timed = Sequence[tuple[int, Reading]]
"""Readings with the times that their unit says, in milliseconds since 1970."""
type Aside = list[tuple[int, str]]
"""(index, mark) of readings whose time was of no use; they are stored, and prove nothing."""
type Done = Callable[[BaseException | None, Aside], None]
"""Called in the event loop after the commit, with what made it fail or what was set aside."""


@dataclass(slots=True)
class _Waiting:
    device_id: str
    readings: Timed
    done: Done
    aside: Aside
    holder: str | None = None
    """Whose they are, whoever holds the device: a file's vehicle."""
    new: list[bool] | None = None
    """After the commit, and only of frames with a holder: which were not there before."""


class Ingest:
    """The one writer of fixes. `start` and `stop` belong into the application's lifespan."""

    def __init__(self, kit: Kit, fixlog: FixLog, live: LiveState) -> None:
        self._kit = kit
        self._fixlog = fixlog
        self._live = live
        stepped = kit.settings.clock is ClockMode.STEPPED
        self._window_s = 0.0 if stepped else WINDOW_S
        self._publish_s = 0.0 if stepped else PUBLISH_S
        self._pending: list[_Waiting] = []
        self._open = 0
        """Frames whose sender was not yet told."""
        self._fixes = 0
        """Fixes in `_pending`."""
        self._arrived = asyncio.Event()
        self._room = asyncio.Event()
        self._room.set()
        self._bridge = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._tasks: list[asyncio.Task[None]] = []
        self._filters: dict[str, Filter] = {}
        self._carriers = Carriers(kit.db)
        self._bbox: Sequence[float] | None = None
        self._moved: set[str] = set()
        self.limits = Limits(kit.settings.device_frame_max_fixes, 0.0, 1)

    async def start(self) -> None:
        """Rebuilds the live state from the log and begins to write."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._bridge, self._restore)
        _spare_the_collector()
        self._tasks = [loop.create_task(self._write()), loop.create_task(self._follow_city())]
        if self._publish_s:
            self._tasks.append(loop.create_task(self._publish_forever()))

    async def stop(self) -> None:
        """Commits what waits, then ends."""
        while self._open:
            await asyncio.sleep(0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._bridge.shutdown()

    async def submit(self, device_id: str, readings: Sequence[tuple[datetime, Reading]]) -> Aside:
        """Returns once the readings are stored; raises what the commit raised.

        Readings of one device are stored in the order of the calls.
        """
        if not readings:
            return []
        await self.room()
        told: asyncio.Future[Aside] = asyncio.get_running_loop().create_future()

        def done(failure: BaseException | None, aside: Aside) -> None:
            if told.done():  # the sender has gone
                return
            if failure is None:
                told.set_result(aside)
            else:
                told.set_exception(failure)

        self.offer(device_id, [(to_ms(t), reading) for t, reading in readings], done)
        return await told

    async def submit_file(
        self, source: str, holder: str, readings: Sequence[tuple[datetime, Reading]]
    ) -> list[bool]:
        """Stores readings of a vehicle that no device has sent; returns which of them are new.

        Args:
            source: stands where a device's id does; no device has it.
        """
        await self.room()
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def done(failure: BaseException | None, aside: Aside) -> None:
            if told.done():
                return
            if failure is None:
                told.set_result(None)
            else:
                told.set_exception(failure)

        timed = [(to_ms(t), reading) for t, reading in readings]
        waiting = _Waiting(source, timed, done, [], holder, [])
        self._put(waiting)
        await told
        return waiting.new or []

    async def room(self) -> None:
        """Returns when so little waits that more may be offered."""
        while self._fixes >= WAITING_FIXES:
            await self._room.wait()

    def offer(self, device_id: str, readings: Timed, done: Done) -> None:
        """`submit` without a wait, in the event loop: `done` is called after the commit."""
        self._put(_Waiting(device_id, readings, done, []))

    def _put(self, waiting: _Waiting) -> None:
        self._open += 1
        self._fixes += len(waiting.readings)
        if self._fixes >= WAITING_FIXES:
            self._room.clear()
        self._pending.append(waiting)
        self._arrived.set()

    def empty(self) -> bool:
        """Whether no reading waits for its commit; what a stepped clock waits for."""
        return self._open == 0

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            if self._window_s and self._fixes < COMMIT_FIXES:
                await asyncio.sleep(self._window_s)
            batch = self._take()
            failure: BaseException | None = None
            try:
                await loop.run_in_executor(self._bridge, self._commit, batch)
            except Exception as error:
                # Every waiting sender gets it, and its device sends the frame again.
                log.exception("fixes_not_stored", frames=len(batch))
                failure = error
            self._open -= len(batch)
            for waiting in batch:
                waiting.done(failure, waiting.aside)

    def _take(self) -> list[_Waiting]:
        """The frames of the next commit."""
        taken = fixes = 0
        for waiting in self._pending:
            if fixes >= COMMIT_FIXES:
                break
            fixes += len(waiting.readings)
            taken += 1
        batch, self._pending = self._pending[:taken], self._pending[taken:]
        self._fixes -= fixes
        if self._fixes < WAITING_FIXES:
            self._room.set()
        if not self._pending:
            self._arrived.clear()
        return batch

    def _commit(self, batch: Sequence[_Waiting]) -> None:
        """In the bridge's thread, as all that touches filters and holders."""
        rows: list[Row] = []
        now = self._kit.clock.now()
        times = self._times(now)
        self._carriers.refresh({waiting.device_id for waiting in batch})
        try:
            for waiting in batch:
                self._add_rows(rows, waiting, times)
            new = self._fixlog.append_rows(rows)
        except BaseException:
            # Filters have seen what is not stored; they begin again from the last stored fix.
            for waiting in batch:
                self._filters.pop(waiting.device_id, None)
            raise
        at = 0
        for waiting in batch:
            if waiting.new is not None:
                waiting.new += new[at : at + len(waiting.readings)]
            at += len(waiting.readings)
        moved = self._live.update_rows(row for row, is_new in zip(rows, new, strict=True) if is_new)
        self._moved |= moved
        if not self._publish_s:
            self._publish()

    def _add_rows(self, rows: list[Row], waiting: _Waiting, times: Times) -> None:
        device_id = waiting.device_id
        own = self._filter(device_id)
        holder_at = self._carriers.holder_at
        for i, (said, r) in enumerate(waiting.readings):
            t, mark = own.time(said, times)
            if mark is not None:
                waiting.aside.append((i, mark))
            if not r.valid:
                mark = "invalid"
            elif mark is None:
                mark = own.mark(t, r.lon, r.lat, r.hdop)
            raw = None if t == said else said
            # What `Row(…)` does, without a call that takes two dozen arguments apart.
            row = tuple.__new__(
                Row,
                (
                    device_id,
                    waiting.holder or holder_at(device_id, t),
                    t,
                    times.now,
                    r.lon,
                    r.lat,
                    r.speed_mps,
                    r.course_deg,
                    r.hdop,
                    r.sats,
                    r.ignition,
                    r.battery_v,
                    r.load_kg,
                    r.alt_m,
                    r.mains,
                    r.backup_v,
                    r.inputs,
                    r.event,
                    mark,
                    raw,
                    payload_hash(r, raw),
                ),
            )
            rows.append(row)

    def _times(self, now: datetime) -> Times:
        now_ms, limits = to_ms(now), self.limits
        return Times(
            now_ms,
            earliest=now_ms - limits.retention_days * DAY_MS,
            latest=now_ms + round(limits.future_s * 1000),
        )

    def _filter(self, device_id: str) -> Filter:
        own = self._filters.get(device_id)
        if own is None:
            own = self._filters[device_id] = Filter(self._bbox)
            last = self._live.last_of_device(device_id)
            if last is not None:
                own.anchor(to_ms(last.t), last.lon, last.lat)
        return own

    def _restore(self) -> None:
        self._read_rules()
        self._moved |= self._live.update(self._fixlog.latest())
        self._publish()

    def _publish(self) -> None:
        """The positions of those that have moved since the last time."""
        moved, self._moved = self._moved, set()
        now = self._kit.clock.now()
        for vehicle_id in moved:
            if is_person(vehicle_id):
                continue  # where people are is told to those who ask and may know
            self._kit.hub.publish_position(vehicle_id, self._live.view(vehicle_id, now))

    async def _publish_forever(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._publish_s)
            if self._moved:
                await loop.run_in_executor(self._bridge, self._publish)

    def _read_rules(self) -> None:
        with self._kit.db.reading() as session:
            rules = policy(session)
            city = session.get(City, 1)
        settings = self._kit.settings
        self.limits = Limits(
            most_fixes=settings.device_frame_max_fixes,
            future_s=settings.fix_future_tolerance_s,
            retention_days=rules.retention_fixes_days,
        )
        self._live.silent_after_s = rules.silent_device_s
        self._bbox = city.bbox if city is not None else None
        self._filters.clear()
        self._carriers.forget()

    async def _follow_city(self) -> None:
        """Another import may bring another policy and another extent."""
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(Lost), self._kit.hub.subscribe() as events:
                async for event in events:
                    if event.topic == "org.city_imported":
                        await loop.run_in_executor(self._bridge, self._read_rules)
                    elif event.topic == ASSIGNMENT_CHANGED:
                        await loop.run_in_executor(self._bridge, self._carriers.forget)
            await loop.run_in_executor(self._bridge, self._read_rules)


def _spare_the_collector() -> None:
    """Leaves what is loaded by now out of garbage collection, and lets a commit's worth of young
    objects pass between two collections: they die by reference counting all the same."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *gc.get_threshold()[1:])
