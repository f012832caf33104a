"""Many devices' frames into few commits: one queue, one thread, order kept, bounded.

Sockets wait in `submit` until their frame is committed. While a commit runs, other frames gather
in the queue and go together into the next. A full queue holds its senders back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

import structlog

from fleet.kit.live import Lost
from fleet.kit.web import Kit
from fleet.org.models import City
from fleet.org.queries import policy
from fleet.org.staff import is_person
from tracking.devices.holders import Holding, holder_at, holdings
from tracking.filters import Filter
from tracking.fixes.fix import Fix
from tracking.fixes.log import FixLog
from tracking.live import LiveState
from tracking.protocols.reading import Limits, Reading

log = structlog.get_logger(__name__)

QUEUE_FRAMES = 256
BATCH_FIXES = 2_000
"""A commit takes no further frame once it has this many fixes."""


@dataclass(frozen=True)
class _Waiting:
    device_id: str
    readings: Sequence[tuple[datetime, Reading]]
    received_t: datetime
    holder: str | None
    """Whose they are whatever the device holds, such as of a file for one vehicle."""
    committed: asyncio.Future[list[bool]]


class Ingest:
    """The one writer of fixes. `start` and `stop` belong into the application's lifespan."""

    def __init__(self, kit: Kit, fixlog: FixLog, live: LiveState) -> None:
        self._kit = kit
        self._fixlog = fixlog
        self._live = live
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue(QUEUE_FRAMES)
        self._bridge = ThreadPoolExecutor(1, thread_name_prefix="ingest")
        self._tasks: list[asyncio.Task[None]] = []
        self._open = 0
        self._filters: dict[str, Filter] = {}
        self._bbox: Sequence[float] | None = None
        self._tz = ZoneInfo("UTC")
        self.limits = Limits(kit.settings.device_frame_max_fixes, 0.0, 1)

    async def start(self) -> None:
        """Rebuilds the live state from the log and begins to write."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._bridge, self._restore)
        self._tasks = [loop.create_task(self._write()), loop.create_task(self._follow_city())]

    async def stop(self) -> None:
        """Commits what waits, then ends."""
        await self._queue.join()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._bridge.shutdown()

    async def submit(
        self,
        device_id: str,
        readings: Sequence[tuple[datetime, Reading]],
        *,
        holder: str | None = None,
    ) -> list[bool]:
        """Returns once the readings are stored, which of them are new; raises what the commit
        raised.

        Readings of one device are stored in the order of the calls. Without `holder` they belong
        to whom the device is assigned at their time.
        """
        if not readings:
            return []
        committed: asyncio.Future[list[bool]] = asyncio.get_running_loop().create_future()
        now = self._kit.clock.now()
        self._open += 1
        try:
            await self._queue.put(_Waiting(device_id, readings, now, holder, committed))
            return await committed
        finally:
            self._open -= 1

    def empty(self) -> bool:
        """Whether no reading waits for its commit; what a stepped clock waits for."""
        return self._open == 0

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty() and sum(len(w.readings) for w in batch) < BATCH_FIXES:
                batch.append(self._queue.get_nowait())
            failure: BaseException | None = None
            new: list[bool] = []
            try:
                new = await loop.run_in_executor(self._bridge, self._commit, batch)
            except Exception as error:
                # Every waiting socket gets it, and its device sends the frame again.
                log.exception("fixes_not_stored", frames=len(batch))
                failure = error
            told = iter(new)
            for waiting in batch:
                own = list(islice(told, len(waiting.readings)))
                if not waiting.committed.done():
                    if failure is None:
                        waiting.committed.set_result(own)
                    else:
                        waiting.committed.set_exception(failure)
                self._queue.task_done()

    def _commit(self, batch: Sequence[_Waiting]) -> list[bool]:
        with self._kit.db.reading() as session:
            # Read for each commit: a swap counts from its moment on, and one indexed read beside
            # a commit costs little.
            holders = holdings(session, {waiting.device_id for waiting in batch})
        fixes = [
            self._fix(waiting, t, reading, holders.get(waiting.device_id, ()))
            for waiting in batch
            for t, reading in waiting.readings
        ]
        new = self._fixlog.append(fixes)
        moved = self._live.update(fix for fix, is_new in zip(fixes, new, strict=True) if is_new)
        now = self._kit.clock.now()
        for vehicle_id in moved:
            if not is_person(vehicle_id):  # where people are is told to those who ask and may
                self._kit.hub.publish_position(vehicle_id, self._live.view(vehicle_id, now))
        return new

    def _fix(
        self, waiting: _Waiting, t: datetime, reading: Reading, held: Sequence[Holding]
    ) -> Fix:
        return Fix(
            device_id=waiting.device_id,
            vehicle_id=waiting.holder or holder_at(held, t, self._tz),
            t=t,
            received_t=waiting.received_t,
            lon=reading.lon,
            lat=reading.lat,
            speed_mps=reading.speed_mps,
            course_deg=reading.course_deg,
            hdop=reading.hdop,
            sats=reading.sats,
            ignition=reading.ignition,
            battery_v=reading.battery_v,
            load_kg=reading.load_kg,
            alt_m=reading.alt_m,
            mains=reading.mains,
            backup_v=reading.backup_v,
            inputs=reading.inputs,
            event=reading.event,
            mark=(
                self._filter(waiting.device_id).mark(t, reading.lon, reading.lat, reading.hdop)
                if reading.valid
                else "invalid"
            ),
        )

    def _filter(self, device_id: str) -> Filter:
        own = self._filters.get(device_id)
        if own is None:
            own = self._filters[device_id] = Filter(self._bbox)
            last = self._live.last_of_device(device_id)
            if last is not None:
                own.anchor(last.t, last.lon, last.lat)
        return own

    def _restore(self) -> None:
        self._read_rules()
        now = self._kit.clock.now()
        for vehicle_id in self._live.update(self._fixlog.latest()):
            if is_person(vehicle_id):
                continue
            self._kit.hub.publish_position(vehicle_id, self._live.view(vehicle_id, now))

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
        self._tz = ZoneInfo(city.tz if city is not None else "UTC")
        self._filters.clear()

    async def _follow_city(self) -> None:
        """Another import may bring another policy and another extent."""
        loop = asyncio.get_running_loop()
        while True:
            with contextlib.suppress(Lost), self._kit.hub.subscribe() as events:
                async for event in events:
                    if event.topic == "org.city_imported":
                        await loop.run_in_executor(self._bridge, self._read_rules)
            await loop.run_in_executor(self._bridge, self._read_rules)
