"""The units: one process, many sockets, frames sent when they are due whatever the server does.

    python -m tests.benchmarks.ingest.load PLAN.pickle

Connects, says `ready`, waits for `go BASE_T` on standard input, and prints what came of it.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pickle
import struct
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

FIX_EVERY_S = 5
START_AFTER_S = 3.0
"""From `go` to the first frame: the time to write the frames."""
ACKS_WITHIN_S = 20.0
CONNECT_TOGETHER = 50


@dataclass(frozen=True)
class Plan:
    """What one round sends: each device `frames` frames of `fixes_a_frame` fixes."""

    port: int
    devices: list[tuple[str, str]]
    """(id, token)."""
    tracks: np.ndarray
    """Of each sending device, fixes as (lon, lat, speed_mps, course_deg)."""
    fixes_a_frame: int
    every_s: float
    """Between two frames of a device."""

    @property
    def frames(self) -> int:
        return self.tracks.shape[1] // self.fixes_a_frame


class Unit(asyncio.Protocol):
    """A device's WebSocket, as little of it as a client needs."""

    def __init__(self, device: tuple[str, str], port: int, latencies: list[float]) -> None:
        self._device = device
        self._port = port
        self._latencies = latencies
        self._sent: dict[int, float] = {}
        self._buffer = b""
        self.open = asyncio.get_running_loop().create_future()
        self.aside = 0
        self.refused = 0
        self.closed: str | None = None

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        name, token = self._device
        key = base64.b64encode(os.urandom(16)).decode()
        transport.write(
            f"GET /ws/devices/{name} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()
        )

    def connection_lost(self, error: Exception | None) -> None:
        self.closed = self.closed or f"lost: {error}"
        if not self.open.done():
            self.open.set_exception(ConnectionError(self.closed))

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self.open.done():
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            if not found:
                return
            if b" 101 " not in head.split(b"\r\n", 1)[0]:
                self.open.set_exception(ConnectionError(head.decode()))
                return
            self._buffer = rest
            self.open.set_result(None)
        while len(self._buffer) >= 2:
            size, at = self._buffer[1], 2
            if size == 126:
                if len(self._buffer) < 4:
                    return
                (size,), at = struct.unpack(">H", self._buffer[2:4]), 4
            if len(self._buffer) < at + size:
                return
            kind, payload = self._buffer[0] & 15, self._buffer[at : at + size]
            self._buffer = self._buffer[at + size :]
            if kind == 1:
                self._take(payload)
            elif kind == 9:
                self._transport.write(framed(payload, 10))
            elif kind == 8:
                self.closed = f"closed: {payload!r}"

    def _take(self, payload: bytes) -> None:
        answer = json.loads(payload)
        self._latencies.append(time.monotonic() - self._sent.pop(answer["ack"]))
        self.aside += len(answer.get("aside", ()))
        self.refused += len(answer.get("refused", ()))

    def send(self, seq: int, frame: bytes) -> None:
        self._sent[seq] = time.monotonic()
        self._transport.write(frame)

    @property
    def waiting(self) -> int:
        return len(self._sent)


def framed(payload: bytes, kind: int = 1) -> bytes:
    """A client's frame; a mask of zeroes is a mask."""
    size = len(payload)
    if size < 126:
        head = bytes((0x80 | kind, 0x80 | size))
    elif size < 1 << 16:
        head = struct.pack(">BBH", 0x80 | kind, 0x80 | 126, size)
    else:
        head = struct.pack(">BBQ", 0x80 | kind, 0x80 | 127, size)
    return head + bytes(4) + payload


def written(plan: Plan, base_t: float) -> list[list[bytes]]:
    """Every frame of every device; fix number k of a device is of `base_t` + 5 s · k."""
    return [
        [
            framed(
                msgspec.json.encode(
                    {
                        "seq": seq,
                        "fixes": [
                            {
                                "t": base_t + FIX_EVERY_S * k,
                                "lon": round(track[k][0], 6),
                                "lat": round(track[k][1], 6),
                                "speed_mps": round(track[k][2], 2),
                                "course_deg": round(track[k][3], 1),
                                "hdop": 0.9,
                                "sats": 11,
                                # Off at the end: who is switched off between rounds is at rest.
                                "ignition": k + 1 < plan.frames * plan.fixes_a_frame,
                                "battery_v": 12.6,
                            }
                            for k in range(seq * plan.fixes_a_frame, (seq + 1) * plan.fixes_a_frame)
                        ],
                    }
                )
            )
            for seq in range(plan.frames)
        ]
        for track in plan.tracks.tolist()
    ]


async def main(plan: Plan) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    latencies: list[float] = []
    units: list[Unit] = []
    for i in range(0, len(plan.devices), CONNECT_TOGETHER):
        made = [
            loop.create_connection(
                lambda d=d: Unit(d, plan.port, latencies), "127.0.0.1", plan.port
            )
            for d in plan.devices[i : i + CONNECT_TOGETHER]
        ]
        fresh: list[Any] = [protocol for _, protocol in await asyncio.gather(*made)]
        await asyncio.gather(*(unit.open for unit in fresh))
        units += fresh
    print("ready", flush=True)
    said = (await loop.run_in_executor(None, sys.stdin.readline)).split()
    start_s = loop.time() + START_AFTER_S
    frames = written(plan, float(said[1]))
    late_s = loop.time() - start_s
    if late_s > 0:
        raise RuntimeError(f"Writing the frames took {late_s:.1f} s too long.")
    senders = units[: len(frames)]
    for i, (unit, own) in enumerate(zip(senders, frames, strict=True)):
        phase = i / len(senders) * plan.every_s
        loop.call_at(start_s + phase, step, loop, unit, own, 0, start_s + phase, plan.every_s)
    total = len(senders) * plan.frames
    end_s = start_s + plan.frames * plan.every_s
    while loop.time() < end_s + ACKS_WITHIN_S and (loop.time() < end_s or len(latencies) < total):
        await asyncio.sleep(0.1)
    answered = np.array(latencies or [np.nan])
    return {
        "frames": total,
        "acknowledged": len(latencies),
        "aside": sum(unit.aside for unit in units),
        "refused": sum(unit.refused for unit in units),
        "closed": [unit.closed for unit in units if unit.closed][:5],
        "held": sum(unit.closed is None for unit in units),
        "p50_ack_ms": round(float(np.percentile(answered, 50)) * 1000, 1),
        "p99_ack_ms": round(float(np.percentile(answered, 99)) * 1000, 1),
        "cpu_s": round(time.process_time(), 2),
    }


def step(
    loop: asyncio.AbstractEventLoop,
    unit: Unit,
    frames: list[bytes],
    seq: int,
    due_s: float,
    every_s: float,
) -> None:
    """Sends what is due, and is called again when the next is."""
    if unit.closed:
        return
    unit.send(seq, frames[seq])
    if seq + 1 < len(frames):
        due_s += every_s
        loop.call_at(due_s, step, loop, unit, frames, seq + 1, due_s, every_s)


if __name__ == "__main__":
    # The module has another name when it is run; the pickle knows it by its own.
    from tests.benchmarks.ingest import load

    planned: Plan = pickle.loads(Path(sys.argv[1]).read_bytes())
    assert isinstance(planned, load.Plan)
    print(json.dumps(asyncio.run(main(planned))), flush=True)
