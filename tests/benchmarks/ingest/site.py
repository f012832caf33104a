"""The servers under test and what they use: processor time and memory of every process of each."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from websockets.sync.client import connect

from fleet.kit.settings import Settings
from fleet.kit.web import Kit
from fleet.org.assignments import assign
from fleet.org.queries import lane_rows, vehicles
from fleet.people import Role, create_user
from simulators.synth import write_city
from tests.benchmarks.ingest.load import FIX_EVERY_S
from tracking.devices.service import register_device

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6
STAFF = {"username": "control", "password": "a long enough passphrase"}
READY_WITHIN_S = 240.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# --- what processes use


def _stat(pid: int) -> tuple[str, int, float, float] | None:
    """(name, parent, seconds of processor time with that of ended children, MB resident)."""
    try:
        name, rest = Path(f"/proc/{pid}/stat").read_text().split("(", 1)[1].rsplit(")", 1)
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = rest.split()
    return name, int(fields[1]), sum(map(int, fields[11:15])) * TICK_S, int(fields[21]) * PAGE_MB


def processes(roots: Sequence[int]) -> dict[int, tuple[str, float, float]]:
    """(what it is, seconds of processor time, MB) of the processes and all below them."""
    every = {int(p.name): _stat(int(p.name)) for p in Path("/proc").iterdir() if p.name.isdigit()}
    found = set(roots)
    while True:
        more = {pid for pid, stat in every.items() if stat and stat[1] in found} - found
        if not more:
            break
        found |= more
    return {
        pid: (_role(pid, stat[0]), stat[2], stat[3])
        for pid in found
        if (stat := every.get(pid)) is not None
    }


def _role(pid: int, name: str) -> str:
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if "fleet.main.cli" in words:
            return words[words.index("fleet.main.cli") + 1]
    return name


class Server:
    """A running server, pinned to the processors `cpus`."""

    def __init__(
        self,
        command: Sequence[str],
        port: int,
        environment: dict[str, str],
        cpus: set[int],
        log: Path,
    ) -> None:
        self.port = port
        self._log = log.open("ab")
        self._child = subprocess.Popen(
            [sys.executable, "-m", *command],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
            preexec_fn=lambda: os.sched_setaffinity(0, cpus),
        )
        self.others: list[int] = []
        """Servers that it uses, such as PostgreSQL's postmaster."""

    def wait(self, path: str) -> None:
        deadline_s = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline_s and self._child.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=5)
                return
            time.sleep(0.1)
        raise RuntimeError("The server did not become ready.")

    def usage(self) -> dict[str, tuple[float, float]]:
        """(seconds of processor time, MB) by what the process is; same ones added up."""
        total: dict[str, tuple[float, float]] = {}
        for name, cpu_s, mb in processes([self._child.pid, *self.others]).values():
            had = total.get(name, (0.0, 0.0))
            total[name] = had[0] + cpu_s, had[1] + mb
        return total

    def stop(self) -> None:
        self._child.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._child.wait(30)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.SIGKILL)
        self._child.wait()
        self._log.close()


def floor(folder: Path, window_s: float, cpus: set[int]) -> Server:
    folder.mkdir(exist_ok=True)
    port = free_port()
    command = ("tests.benchmarks.ingest.floor", str(port), str(folder), str(window_s))
    server = Server(command, port, {}, cpus, folder / "log")
    server.wait("/")
    return server


# --- the product


def settings_of(folder: Path, database_url: str, port: int, roads: int) -> dict[str, str]:
    return {
        "SAFAI_DATA_DIR": str(folder),
        "SAFAI_DATABASE_URL": database_url,
        "SAFAI_CLOCK": "scaled",
        # Noon: hours before and after the night plan, which is another benchmark's matter.
        "SAFAI_CLOCK_START": "2026-03-02T06:30:00Z",
        "SAFAI_LOG_LEVEL": "WARNING",
        "SAFAI_PORT": str(port),
        "SAFAI_OSRM_BASE_PORT": str(roads),
    }


@contextlib.contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def found_city(folder: Path, values: dict[str, str], wards: int, fleet: int) -> None:
    """Imports a made-up city with so many vehicles, and registers a unit for each."""
    city = folder.parent / "city"
    if not city.exists():
        write_city(city, wards=wards, seed=1)
        table = city / "fleet.csv"
        lines = table.read_text().splitlines()
        like = lines[1].split(",", 1)[1].rsplit(",no,", 1)
        lines += [f"BENCH-{i:05d},{like[0]},yes,{like[1]}" for i in range(fleet)]
        table.write_text("\n".join(lines) + "\n")
        # Units tell of hours ago, and nobody is missed for that: a storm of alarms about a
        # thousand silent vehicles is not what a fix costs.
        policy = city / "policy.toml"
        policy.write_text(policy.read_text() + "silent_device_s = 86400\n")
        # At work from morning to night: nobody drives without leave.
        shifts = city / "shifts.csv"
        rows = [f"BENCH-{i:05d},day,06:00,22:00" for i in range(fleet)]
        shifts.write_text(shifts.read_text() + "\n".join(rows) + "\n")
    subprocess.run(
        [sys.executable, "-m", "fleet.main.cli", "city", "import", str(city), "--complete"],
        env={**os.environ, **values},
        check=True,
        capture_output=True,
    )
    with environment(values):
        kit = Kit.open(Settings())
    devices: list[tuple[str, str]] = []
    with kit.db.unit_of_work() as session:
        now = kit.clock.now()
        create_user(session, **STAFF, name="Control", role=Role.DISPATCHER)
        for vehicle in vehicles(session):
            if vehicle.id.startswith("BENCH-"):
                name = f"unit-{vehicle.id.lower()}"
                token = register_device(session, id=name, label=name, now=now)
                assign(session, "device_vehicle", name, vehicle.id, now - timedelta(days=3))
                devices.append((name, token))
    kit.db.close()
    (folder / "devices.json").write_text(json.dumps(devices))


def serve(folder: Path, values: dict[str, str], cpus: set[int]) -> Server:
    server = Server(
        ("fleet.main.cli", "serve"), int(values["SAFAI_PORT"]), values, cpus, folder / "log"
    )
    server.wait("/healthz")
    return server


def city_s(values: dict[str, str]) -> float:
    """City time in seconds since 1970."""
    with environment(values):
        return Settings().open_clock().now().timestamp()


def look(values: dict[str, str]) -> tuple[int, int]:
    """(stored facts of lanes, stored fixes)."""
    from sqlalchemy import text

    from tracking.fixes import open_fixlog

    with environment(values):
        kit = Kit.open(Settings())
    try:
        with kit.db.reading() as session:
            facts = session.execute(text("SELECT count(*) FROM lane_traversal")).scalar_one()
        log = open_fixlog(kit.settings, kit.db)
        cursor: Any = {}
        fixes = 0
        while True:
            batch, cursor = log.received_batch(cursor, 50_000)
            if not len(batch):
                break
            fixes += len(batch)
        log.close()
        return int(facts), fixes
    finally:
        kit.db.close()


class ControlRoom:
    """A signed-in dispatcher's socket, read in a thread."""

    def __init__(self, port: int) -> None:
        import threading

        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as http:
            http.post("/api/sign-in", json=STAFF).raise_for_status()
            cookie = "; ".join(f"{k}={v}" for k, v in http.cookies.items())
        self._socket = connect(
            f"ws://127.0.0.1:{port}/ws/control",
            additional_headers={"Cookie": cookie, "Origin": f"http://127.0.0.1:{port}"},
            max_size=None,
        )
        self.messages = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with contextlib.suppress(Exception):
            while True:
                self._socket.recv()
                self.messages += 1

    def leave(self) -> None:
        self._socket.close()
        self._thread.join(5)


# --- vehicles on the city's lanes


class Drives:
    """Vehicles that go from lane to lane, some served and some passed, with a receiver's noise."""

    def __init__(self, folder: Path, values: dict[str, str], count: int) -> None:
        with environment(values):
            kit = Kit.open(Settings())
        with kit.db.reading() as session:
            lines = [np.array(lane.geometry) for lane in lane_rows(session)]
        kit.db.close()
        self._rng = np.random.default_rng(1)
        self._east_m = 111_195 * float(np.cos(np.radians(lines[0][0][1])))
        self._ends: dict[tuple[float, float], list[np.ndarray]] = {}
        for line in lines:
            for way in (line, line[::-1]):
                self._ends.setdefault(_key(way[0]), []).append(way)
        self._lines = lines
        self._left: list[np.ndarray] = [np.zeros((0, 4))] * count

    def next(self, fixes: int) -> np.ndarray:
        """(vehicle, fix, (lon, lat, speed_mps, course_deg)): what comes after the last call."""
        out = np.empty((len(self._left), fixes, 4))
        for i, left in enumerate(self._left):
            parts, have = [left], len(left)
            while have < fixes:
                end = parts[-1][-1, :2] if have else None
                parts.append(self._lane(end))
                have += len(parts[-1])
            whole = np.concatenate(parts)
            out[i], self._left[i] = whole[:fixes], whole[fixes:]
        out[:, :, :2] += self._rng.normal(0, 3.0, out[:, :, :2].shape) / (self._east_m, 111_195)
        return out

    def _lane(self, after: np.ndarray | None) -> np.ndarray:
        """Fixes along one further lane, its end the last of them."""
        ways = self._ends.get(_key(after), []) if after is not None else []
        way = (
            ways[self._rng.integers(len(ways))]
            if ways
            else self._lines[self._rng.integers(len(self._lines))]
        )
        steps = np.diff(way, axis=0) * (self._east_m, 111_195)
        along_m = np.r_[0.0, np.cumsum(np.hypot(steps[:, 0], steps[:, 1]))]
        speed_mps = 1.3 if self._rng.random() < 0.7 else 5.0
        at_m = np.r_[
            np.arange(speed_mps * FIX_EVERY_S, along_m[-1], speed_mps * FIX_EVERY_S), along_m[-1]
        ]
        course = np.degrees(np.arctan2(steps[:, 0], steps[:, 1])) % 360
        leg = np.clip(np.searchsorted(along_m, at_m, side="left") - 1, 0, len(course) - 1)
        return np.column_stack(
            [
                np.interp(at_m, along_m, way[:, 0]),
                np.interp(at_m, along_m, way[:, 1]),
                np.full(len(at_m), speed_mps),
                course[leg],
            ]
        )


def _key(point: np.ndarray) -> tuple[float, float]:
    return round(float(point[0]), 6), round(float(point[1]), 6)
