"""The server's WebSocket protocol reads ahead, and no further."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from websockets.sync.client import connect

from fleet.main.wsprotocol import AHEAD, ReadingAhead


class Slow:
    """Takes a message only when the test allows one; echoes it."""

    def __init__(self) -> None:
        self.allowed = threading.Semaphore(0)
        self.protocol: ReadingAhead | None = None
        self.most_queued = 0

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] != "websocket":
            return
        self.protocol = receive.__self__
        await receive()
        await send({"type": "websocket.accept"})
        while True:
            while not self.allowed.acquire(blocking=False):
                self.most_queued = max(self.most_queued, self.protocol.queue.qsize())
                await asyncio.sleep(0.001)
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return
            await send({"type": "websocket.send", "text": message["text"]})


@pytest.fixture
def slow() -> Iterator[tuple[Slow, str]]:
    app = Slow()
    server = uvicorn.Server(
        uvicorn.Config(app, port=0, log_level="warning", ws=ReadingAhead, lifespan="off")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        threading.Event().wait(0.01)
    yield app, f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    app.allowed.release(1000)
    server.should_exit = True
    thread.join(20)


def test_messages_come_in_order_and_none_is_lost(slow: tuple[Slow, str]) -> None:
    app, url = slow
    app.allowed.release(500)
    with connect(url) as socket:
        for i in range(500):
            socket.send(str(i))
        assert [socket.recv(timeout=10) for _ in range(500)] == [str(i) for i in range(500)]


def test_a_sender_is_held_back_while_the_application_does_not_take(slow: tuple[Slow, str]) -> None:
    """What lies in one read of the transport is parsed whole; no further read follows."""
    app, url = slow
    big = "x" * 100_000
    with connect(url, ping_interval=None) as socket:
        sender = threading.Thread(target=lambda: [socket.send(big) for _ in range(200)])
        sender.start()
        sender.join(1.5)
        # 200 messages lie in the kernel or wait at the sender, not in the server's memory.
        assert AHEAD < app.most_queued < 20
        app.allowed.release(200)
        assert all(socket.recv(timeout=20) == big for _ in range(200))
        sender.join(10)
