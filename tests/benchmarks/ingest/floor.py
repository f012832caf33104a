"""The floor: FastAPI, websockets-sansio and a batched, durable writer of SQLite, and no more.
`python -m tests.benchmarks.ingest.floor PORT FOLDER WINDOW_S`: one token, no index, no checks.
"""

from __future__ import annotations

import asyncio
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import uvicorn
from fastapi import FastAPI, WebSocket, WebSocketDisconnect

TOKEN, pending = "floor", list[tuple]()
TEXT = """t lon lat speed_mps course_deg hdop sats ignition battery_v load_kg alt_m mains
    backup_v inputs event mark raw_t payload cell"""
NAMES = TEXT.split()
Fix = msgspec.defstruct("Fix", [(name, float | bool | None, None) for name in NAMES])
Frame = msgspec.defstruct("Frame", [("seq", int), ("fixes", list[Fix])])
decode = msgspec.json.Decoder(Frame, strict=False).decode
columns = ["device_id", "received_t", *NAMES]
insert = f"INSERT INTO fix ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def commit(db: sqlite3.Connection, batch: list[tuple]) -> None:
    now = time.time()
    rows = [(d, now, *msgspec.structs.astuple(fix)) for d, frame, _ in batch for fix in frame.fixes]
    db.execute("BEGIN IMMEDIATE")
    db.executemany(insert, rows)
    db.execute("COMMIT")


async def write(db: sqlite3.Connection, window_s: float) -> None:
    loop, thread = asyncio.get_running_loop(), ThreadPoolExecutor(1)
    while True:
        await asyncio.sleep(window_s)
        if batch := pending[:]:
            del pending[:]
            await loop.run_in_executor(thread, commit, db, batch)
            for _, _, committed in batch:
                committed.set_result(None)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    db = sqlite3.connect(Path(sys.argv[2]) / "floor", isolation_level=None, check_same_thread=False)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute(f"CREATE TABLE IF NOT EXISTS fix (n INTEGER PRIMARY KEY, {', '.join(columns)})")
    writing = asyncio.create_task(write(db, float(sys.argv[3])))
    yield
    writing.cancel()


app = FastAPI(lifespan=lifespan)


@app.websocket("/ws/devices/{device_id}")
async def device(socket: WebSocket, device_id: str) -> None:
    await socket.accept()
    known = socket.headers.get("authorization") == f"Bearer {TOKEN}"
    try:
        while known:
            frame = decode(await socket.receive_text())
            committed = asyncio.get_running_loop().create_future()
            pending.append((device_id, frame, committed))
            await committed
            await socket.send_text(f'{{"ack":{frame.seq}}}')
    except WebSocketDisconnect:
        return


if __name__ == "__main__":
    uvicorn.run(app, port=int(sys.argv[1]), ws="websockets-sansio", log_level="warning")
