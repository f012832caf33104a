"""A unit sends again what was not acknowledged, and only that, whatever the line does."""

from __future__ import annotations

import asyncio
import json

import pytest
from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosedError

from simulators import client
from simulators.client import DeviceLink
from simulators.journal import Journal


def link(port: int, journal: Journal) -> DeviceLink:
    return DeviceLink(f"http://127.0.0.1:{port}", "V1", "unit", "secret", journal)


def port_of(server: object) -> int:
    port: int = server.sockets[0].getsockname()[1]  # type: ignore[attr-defined]
    return port


def test_an_unanswered_frame_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The far end stores the first frame and dies before it answers."""
    monkeypatch.setattr(client, "RETRY_S", 0.0)
    seen: list[int] = []

    async def unit(socket: ServerConnection) -> None:
        assert socket.request is not None
        assert socket.request.headers["Authorization"] == "Bearer secret"
        async for text in socket:
            frame = json.loads(text)
            seen.append(frame["seq"])
            if len(seen) == 1:
                await socket.close(1011)
                return
            await socket.send(json.dumps({"ack": frame["seq"]}))

    async def talk() -> Journal:
        journal = Journal()
        async with serve(unit, "127.0.0.1", 0) as server:
            device = link(port_of(server), journal)
            await device.send([{"t": 5}, {"t": 10}])
            await device.send([{"t": 15}])
            await device.close()
        return journal

    journal = asyncio.run(talk())
    assert seen == [1, 1, 2]
    assert journal.fixes == {"V1": {5, 10, 15}}
    assert (journal.fixes_sent, journal.fixes_acknowledged) == (3, 3)


def test_a_refused_fix_is_not_acknowledged() -> None:
    async def unit(socket: ServerConnection) -> None:
        async for text in socket:
            refused = [{"i": 1, "field": "lon", "reason": "", "remedy": ""}]
            await socket.send(json.dumps({"ack": json.loads(text)["seq"], "refused": refused}))

    async def talk() -> Journal:
        journal = Journal()
        async with serve(unit, "127.0.0.1", 0) as server:
            device = link(port_of(server), journal)
            await device.send([{"t": 5}, {"t": 10}])
            await device.close()
        return journal

    journal = asyncio.run(talk())
    assert journal.fixes == {"V1": {5}}
    assert journal.fixes_refused == 1


def test_a_wrong_token_is_not_tried_for_ever() -> None:
    async def unit(socket: ServerConnection) -> None:
        await socket.close(4401, "Unknown device, or not its token.")

    async def talk() -> None:
        async with serve(unit, "127.0.0.1", 0) as server:
            await link(port_of(server), Journal()).send([{"t": 5}])

    with pytest.raises(ConnectionClosedError, match="4401"):
        asyncio.run(talk())
