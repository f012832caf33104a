"""Tracking units that send without end, and again what was not acknowledged."""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

CLOCK_START = datetime(2026, 3, 2, 6, 30, tzinfo=UTC)
FIRST_FIX = CLOCK_START + timedelta(minutes=1)
"""After the units got their vehicles."""
STEP_MS = 100
"""City time between the fixes of a unit."""
FIXES_A_FRAME = (1, 6)
UNDER_WAY = 6
"""Frames that a unit sends ahead of their acknowledgements."""
PAUSE_S = 0.08
"""At most, between its frames."""
RETRY_S = 0.1
ANSWER_WITHIN_S = 10.0


@dataclass
class Unit:
    """A tracking unit that keeps what was not acknowledged."""

    name: str
    token: str
    base_url: str
    rng: random.Random
    acknowledged: list[int] = field(default_factory=list)
    """Milliseconds since 1970, in the order of sending."""
    refused: int = 0
    connections: int = 0
    answered_on: int = 0
    """The number of the connection that brought the last answer."""
    sent_again: int = 0
    _next: int = 0
    _frames: deque[tuple[int, list[int]]] = field(default_factory=deque)

    @property
    def last_t(self) -> datetime:
        """Of its last fix, acknowledged or not."""
        return FIRST_FIX + timedelta(milliseconds=STEP_MS * self._next)

    async def run(self, stop: asyncio.Event) -> None:
        """Until `stop`, and then until everything sent is acknowledged."""
        while not (stop.is_set() and not self._frames):
            with contextlib.suppress(
                ConnectionClosed, OSError, InvalidHandshake, InvalidMessage, TimeoutError
            ):
                async with connect(
                    f"{self.base_url.replace('http', 'ws', 1)}/ws/devices/{self.name}",
                    additional_headers={"Authorization": f"Bearer {self.token}"},
                    compression=None,
                    ping_interval=None,
                    open_timeout=5,
                    close_timeout=1,
                ) as socket:
                    await self._talk(socket, stop)
            await asyncio.sleep(RETRY_S)

    async def _talk(self, socket: ClientConnection, stop: asyncio.Event) -> None:
        self.connections += 1
        for seq, times in self._frames:
            self.sent_again += len(times)
            await socket.send(self._frame(seq, times))
        while self._frames or not stop.is_set():
            while len(self._frames) < UNDER_WAY and not stop.is_set():
                frame = self._another()
                await socket.send(self._frame(*frame))
                await asyncio.sleep(self.rng.uniform(0, PAUSE_S))
            async with asyncio.timeout(ANSWER_WITHIN_S):
                self._take(json.loads(await socket.recv()))

    def _another(self) -> tuple[int, list[int]]:
        count = self.rng.randint(*FIXES_A_FRAME)
        first = round(FIRST_FIX.timestamp() * 1000)
        times = [first + STEP_MS * (self._next + i) for i in range(count)]
        frame = (self._next, times)
        self._next += count
        self._frames.append(frame)
        return frame

    def _frame(self, seq: int, times: Sequence[int]) -> str:
        number = (times[0] // STEP_MS) % 100_000
        fixes = [
            {"t": t / 1000, "lon": 75.86 + (number + i) * 1e-7, "lat": 22.72, "speed_mps": 1.5}
            for i, t in enumerate(times)
        ]
        return json.dumps({"seq": seq, "fixes": fixes})

    def _take(self, answer: Mapping[str, Any]) -> None:
        seq, times = self._frames.popleft()
        if seq != answer["ack"]:
            raise AssertionError(f"Expected an answer to {seq}, but got {answer}.")
        refused = {entry["i"] for entry in answer.get("refused", ())}
        self.refused += len(refused)
        self.answered_on = self.connections
        self.acknowledged += [t for i, t in enumerate(times) if i not in refused]
