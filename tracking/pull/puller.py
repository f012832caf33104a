"""Asks each source in its interval and stores what is new, until the application ends.

A source is a task of its own: one that hangs or fails waits longer each time and holds up nobody.
Vendors live in real time, so that nothing is asked on a stepped or scaled clock.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import structlog
from sqlalchemy import select
from starlette.concurrency import run_in_threadpool

from fleet.kit.settings import ClockMode
from fleet.kit.web import Kit
from tracking.devices.models import Device
from tracking.devices.service import CARRIED
from tracking.ingest import Ingest
from tracking.protocols.reading import Reading, Refusal, check
from tracking.pull.fetching import NotFetched, make_client, pages
from tracking.pull.models import PullSource
from tracking.pull.sources import Source, Sources, read_sources

log = structlog.get_logger(__name__)

LONGEST_WAIT_S: Final = 900.0
MOST_UNKNOWN: Final = 100


@dataclass(slots=True)
class Pulled:
    """What one asking brought."""

    stored: int = 0
    newest: datetime | None = None
    unknown: dict[str, None] = field(default_factory=dict)
    """Units without a device, in the order of the answer."""
    unreadable: int = 0
    refused: int = 0


class Puller:
    """All sources of the data folder's `pull.toml`."""

    def __init__(self, kit: Kit, ingest: Ingest) -> None:
        self._kit = kit
        self._ingest = ingest
        self.sources: Sources = read_sources(kit.settings.data_dir)
        self._last: dict[tuple[str, str], float | str] = {}
        """Time of the newest reading of each source's unit: services repeat the last position."""

    @contextlib.asynccontextmanager
    async def pulling(self) -> AsyncIterator[None]:
        """Asks the sources while the block runs."""
        for name, fault in self.sources.faults.items():
            log.error("pull_source_unusable", source=name, why=fault)
        real = self._kit.settings.clock is ClockMode.WALL
        async with make_client() as client:
            tasks = [
                asyncio.create_task(self._ask_forever(client, source))
                for source in (self.sources.good if real else ())
            ]
            try:
                yield
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    async def ask(self, client: httpx.AsyncClient, source: Source) -> Pulled:
        """One round: everything that the source has, stored; how it went is written down.

        Raises:
            NotFetched: there is no whole answer; what came before that is stored.
        """
        since = await run_in_threadpool(self._since, source)
        pulled = Pulled()
        try:
            async for page in pages(client, source, since):
                pulled.unreadable += len(page.faults)
                await self._store(source, page.readings, pulled)
        except Exception as failure:
            # Only what was foreseen has words that may be shown.
            error = str(failure) if isinstance(failure, NotFetched) else type(failure).__name__
            await run_in_threadpool(self._note, source, pulled, error)
            raise
        await run_in_threadpool(self._note, source, pulled, None)
        return pulled

    async def _ask_forever(self, client: httpx.AsyncClient, source: Source) -> None:
        failures = 0
        while True:
            try:
                pulled = await self.ask(client, source)
                failures = 0
                log.info(
                    "pulled",
                    source=source.name,
                    stored=pulled.stored,
                    unknown=len(pulled.unknown),
                    unreadable=pulled.unreadable,
                )
            except Exception as error:
                # Whatever it was, this source is asked again, later, and the others meanwhile.
                failures += 1
                expected = isinstance(error, NotFetched)
                log.warning("not_pulled", source=source.name, why=str(error), exc_info=not expected)
            await asyncio.sleep(wait_s(source.interval_s, failures))

    async def _store(
        self, source: Source, readings: Sequence[tuple[str, Reading]], pulled: Pulled
    ) -> None:
        devices = await run_in_threadpool(self._devices, source, {unit for unit, _ in readings})
        latest = self._kit.clock.now() + timedelta(seconds=self._ingest.limits.future_s)
        by_device: dict[str, list[tuple[datetime, Reading]]] = {}
        last: dict[tuple[str, str], float | str] = {}
        for i, (unit, reading) in enumerate(readings):
            if unit not in devices:
                pulled.unknown[unit] = None
                continue
            if self._last.get((source.name, unit)) == reading.t:
                continue
            last[source.name, unit] = reading.t
            checked = check(i, reading)
            if isinstance(checked, Refusal):
                pulled.refused += 1
                continue
            by_device.setdefault(devices[unit], []).append(checked)
            if checked[0] <= latest and (pulled.newest is None or checked[0] > pulled.newest):
                pulled.newest = checked[0]
        await asyncio.gather(
            *(
                self._ingest.submit(device_id, sorted(own, key=lambda one: one[0]))
                for device_id, own in by_device.items()
            )
        )
        self._last |= last
        pulled.stored += sum(map(len, by_device.values()))

    def _since(self, source: Source) -> datetime | None:
        with self._kit.db.reading() as session:
            row = session.get(PullSource, source.name)
            return None if row is None else row.since

    def _devices(self, source: Source, units: Collection[str]) -> dict[str, str]:
        """Device by the vendor's id, for those that are registered for this source."""
        with self._kit.db.reading() as session:
            rows = session.execute(
                select(Device.external_id, Device.id).where(
                    Device.protocol == "pull",
                    Device.layout == source.name,
                    Device.kind.in_(CARRIED),
                    Device.disabled.is_(False),
                )
            )
            return {
                unit: device_id for unit, device_id in rows if unit is not None and unit in units
            }

    def _note(self, source: Source, pulled: Pulled, error: str | None) -> None:
        now = self._kit.clock.now()
        with self._kit.db.unit_of_work() as session:
            row = session.get(PullSource, source.name)
            if row is None:
                row = PullSource(name=source.name, last_fixes=0, failures=0, unknown_units=[])
                session.add(row)
            if pulled.newest is not None and (row.since is None or pulled.newest > row.since):
                row.since = pulled.newest
            if error is None:
                row.last_ok_at, row.failures = now, 0
                row.last_fixes = pulled.stored
                row.unknown_units = _printable(pulled.unknown)
            else:
                row.last_error, row.last_error_at = error[:500], now
                row.failures += 1


def wait_s(interval_s: float, failures: int) -> float:
    """Until a source is asked again: twice as long with each failure, to a quarter of an hour.

    >>> [wait_s(60, failures) for failures in (0, 1, 3, 50)]
    [60, 120, 480, 900.0]
    """
    if failures == 0:
        return interval_s
    doubled: float = interval_s * 2 ** min(failures, 10)
    return max(interval_s, min(doubled, LONGEST_WAIT_S))


def _printable(units: Collection[str]) -> list[str]:
    return [unit[:120] for unit in units if unit.isprintable()][:MOST_UNKNOWN]


def views(kit: Kit, sources: Sources) -> list[dict[str, Any]]:
    """How each source is doing, by name; faulty ones with their fault."""
    with kit.db.reading() as session:
        rows = {row.name: row for row in session.scalars(select(PullSource))}
    found: list[dict[str, Any]] = []
    for source in sources.good:
        row = rows.get(source.name)
        found.append(
            {
                "name": source.name,
                "host": source.origin[1],
                "interval_s": source.interval_s,
                "since": row.since if row else None,
                "last_ok_t": row.last_ok_at if row else None,
                "last_fixes": row.last_fixes if row else 0,
                "failures": row.failures if row else 0,
                "last_error": row.last_error if row else None,
                "last_error_t": row.last_error_at if row else None,
                "unknown_units": row.unknown_units if row else [],
                "fault": None,
            }
        )
    found += [{"name": name, "fault": fault} for name, fault in sources.faults.items()]
    return sorted(found, key=lambda view: str(view["name"]))
