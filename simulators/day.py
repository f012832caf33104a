"""One whole working day, headless and as fast as it goes, over the public protocols.

The server is a child process that is killed at midday and started again. What truly happened is
read only after it has exited.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from simulators import report, shifts
from simulators.drivers import rfc3339
from simulators.report import DayReport
from simulators.server import Server
from simulators.synth import write_city
from simulators.truth import TruthLog, read_truth, shuffled
from simulators.world import World

SERVICE_DATE = date(2026, 11, 3)
BEFORE_SHIFT = timedelta(minutes=30)
AFTER_LAST_ROUTE_S = 3600.0
STEP_S, IDLE_STEP_S = 120.0, 300.0
"""The server takes fixes that lie up to two minutes ahead of its clock."""

Progress = Callable[[str], None]


def run_day(
    *,
    wards: int,
    seed: int,
    city_dir: Path | None = None,
    taps: bool = True,
    shift_by: int = 0,
    progress: Progress = lambda _line: None,
) -> DayReport:
    """Runs the day in a folder of its own, which is removed, and reports.

    Args:
        wards: size of the synthesised city; not used with `city_dir`.
        city_dir: a city folder to take instead.
        taps: whether drivers tap.
        shift_by: hours by which every shift is moved.
        progress: called with a line whenever something is worth telling.
    """
    with tempfile.TemporaryDirectory(prefix="safai-day-") as folder:
        return asyncio.run(
            _Day(Path(folder), seed, taps, progress).run(city_dir, wards=wards, shift_by=shift_by)
        )


class _Day:
    def __init__(self, work: Path, seed: int, taps: bool, progress: Progress) -> None:
        self._work = work
        self._seed = seed
        self._taps = taps
        self._tell = progress
        self._began_s = time.monotonic()

    async def run(self, city_dir: Path | None, *, wards: int, shift_by: int) -> DayReport:
        folder = city_dir or self._work / "city"
        if city_dir is None:
            self._say(f"Synthesising {wards} wards")
            write_city(folder, wards=wards, seed=self._seed)
        if shift_by:
            folder = shifts.moved(folder, self._work / "moved", shift_by)
        start = shifts.start_of_day(folder, SERVICE_DATE, BEFORE_SHIFT)
        server = Server(self._work / "data", rfc3339(start.timestamp()), self._work / "server.log")
        self._say("Importing the city")
        server.command("city", "import", str(folder), "--complete")
        accounts = server.accounts()
        self._say("Planning the day")
        server.command("plan", "night", "--service-date", SERVICE_DATE.isoformat(), "--publish")
        truth_path = self._work / "truth.jsonl"
        truth = TruthLog(truth_path)
        self._say("Starting the server")
        server.start()
        try:
            await server.ready()
            world = await World.enter(
                server.base_url, accounts, seed=self._seed, taps=self._taps, truth=truth
            )
            await self._drive(world, server, start.timestamp())
            self._say("Reading what the server knows")
            known = await self._read(world, start.timestamp())
            await world.leave()
        finally:
            server.stop()
            truth.close()
        return self._report(world, known, read_truth(truth_path))

    async def _drive(self, world: World, server: Server, now_s: float) -> None:
        """From `now_s` to an hour after the last route, with one kill at half time."""
        service_date = SERVICE_DATE.isoformat()
        await world.look_at_routes(service_date, now_s)
        starts = [vehicle.start_s for vehicle in world.vehicles.values()]
        if not starts:
            raise ValueError("Expected a published plan with routes, got none.")
        kill_at_s = (min(starts) + max(v.end_s for v in world.vehicles.values())) / 2
        killed = False
        told_h = -1
        while now_s < self._end_s(world):
            await world.act(service_date, now_s)
            idle = all(v.off or v.start_s - 600 > now_s for v in world.vehicles.values())
            to_s = now_s + (IDLE_STEP_S if idle else STEP_S)
            moving = world.move(to_s)
            if not killed and to_s > kill_at_s:
                killed = True
                self._say("Killing the server while fixes are on their way")
                await asyncio.gather(moving, self._kill(server))
            else:
                await moving
            await world.dispatcher.api.post("/api/clock/advance", {"to": rfc3339(to_s)})
            now_s = to_s
            if (hour := int(now_s // 3600)) != told_h:
                told_h = hour
                self._say(f"{rfc3339(now_s)} {world.journal.fixes_acknowledged} fixes")
        await world.act(service_date, now_s)
        await world.residents.look()

    def _end_s(self, world: World) -> float:
        return max(vehicle.end_s for vehicle in world.vehicles.values()) + AFTER_LAST_ROUTE_S

    async def _kill(self, server: Server) -> None:
        await asyncio.to_thread(server.kill)
        server.start()
        await server.ready()

    async def _read(self, world: World, start_s: float) -> dict[str, Any]:
        """Outcomes and everything acknowledged, over the public API."""
        api, service_date = world.dispatcher.api, SERVICE_DATE.isoformat()
        summaries = await api.get("/api/routes", service_date=service_date)
        stored: dict[str, set[int]] = {}
        for vehicle_id in world.drivers:
            trail = await api.get(
                f"/api/vehicles/{vehicle_id}/trail",
                since=rfc3339(start_s),
                until=rfc3339(self._end_s(world) + AFTER_LAST_ROUTE_S),
            )
            stored[vehicle_id] = {round(fix[0]) for fix in trail["fixes"]}
        events = {
            vehicle_id: {
                event["id"]
                for event in await driver.api.get("/api/cab/events", service_date=service_date)
            }
            for vehicle_id, driver in world.drivers.items()
        }
        return {
            "routes": [await api.get(f"/api/routes/{summary['id']}") for summary in summaries],
            "plans": await api.get("/api/plans", service_date=service_date),
            "proofs": await api.get("/api/proof", service_date=service_date),
            "requests": await api.get("/api/requests"),
            "stored": stored,
            "events": events,
            "codes": {
                code
                for code in sorted(world.journal.requests)
                if (await api.get(f"/api/r/{code}"))["code"] == code
            },
        }

    def _report(self, world: World, known: dict[str, Any], truth: dict[str, str]) -> DayReport:
        lost = report.lost_of(world.journal, known["stored"], known["events"], known["codes"])
        return DayReport(
            {
                "fixes": report.fix_figures(world.journal, known["stored"]),
                "visits": report.visit_figures(known["routes"], truth),
                "proof": report.proof_figures(known["proofs"], truth, world.residents.patience),
                "proof_shuffled": report.proof_figures(
                    known["proofs"], shuffled(truth, self._seed), world.residents.patience
                ),
                "complaints": report.complaint_figures(
                    world.residents.complaints,
                    known["requests"],
                    world.dispatcher.placed,
                    world.dispatcher.seconds_to_stop,
                ),
                "routes": report.route_figures(known["routes"], known["plans"]),
                "events": {
                    "acknowledged": sum(len(ids) for ids in world.journal.events.values()),
                    "refused": world.journal.events_refused,
                },
                "lost": lost.total,
                "lost_by_kind": {
                    "fixes": lost.fixes,
                    "events": lost.events,
                    "requests": lost.requests,
                },
                "wall_s": round(time.monotonic() - self._began_s, 1),
            }
        )

    def _say(self, line: str) -> None:
        self._tell(f"[{time.monotonic() - self._began_s:6.1f} s] {line}")
