"""Clients of the public protocols that outlive a restart of the server.

Both send again until they are answered; the server takes the same frame or client-made id once.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidMessage

from simulators.journal import Journal

RETRY_S = 0.2
GIVE_UP_S = 300.0
ANSWER_WITHIN_S = 120.0
_UNAVAILABLE = frozenset({502, 503, 504})
_FATAL_CLOSE = frozenset({4400, 4401, 4413})


class RefusalError(Exception):
    """The server's problem+json answer."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {problem.get('type')}: {problem.get('detail')}")
        self.status = status
        self.problem = problem


class ServerGoneError(Exception):
    """No answer within `GIVE_UP_S`."""


class Api:
    """One caller of the HTTP API: anonymous, or signed in with `sign_in`."""

    def __init__(self, base_url: str, transport: httpx.AsyncBaseTransport) -> None:
        self._http = httpx.AsyncClient(
            base_url=base_url, transport=transport, timeout=ANSWER_WITHIN_S
        )
        self._headers: dict[str, str] = {}

    async def sign_in(self, account: Mapping[str, str]) -> None:
        answer = await self.post(
            "/api/sign-in",
            {"username": account["username"], "password": account["password"]},
        )
        self._headers["X-CSRF-Token"] = answer["csrf"]

    async def get(self, path: str, **query: str) -> Any:
        return await self._call("GET", path, params=query)

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        return await self._call("POST", path, json=body)

    async def upload(self, path: str, content: bytes, client_id: str) -> Any:
        """A JPEG."""
        headers = {"Content-Type": "image/jpeg", "X-Client-Id": client_id}
        return await self._call("POST", path, content=content, headers=headers)

    async def _call(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **rest: Any
    ) -> Any:
        deadline_s = time.monotonic() + GIVE_UP_S
        while True:
            try:
                answer = await self._http.request(
                    method, path, headers={**self._headers, **(headers or {})}, **rest
                )
            except httpx.TransportError as error:
                if time.monotonic() > deadline_s:
                    raise ServerGoneError(f"{method} {path}: {error!r}") from error
            else:
                if answer.status_code not in _UNAVAILABLE or time.monotonic() > deadline_s:
                    return _content(answer)
            await asyncio.sleep(RETRY_S)


def _content(answer: httpx.Response) -> Any:
    is_json = "json" in answer.headers.get("content-type", "")
    body = answer.json() if is_json else {"detail": answer.text[:300]}
    if answer.is_error:
        raise RefusalError(answer.status_code, body)
    return body


class DeviceLink:
    """A unit's socket. `send` returns when every fix so far is acknowledged."""

    def __init__(
        self, base_url: str, vehicle_id: str, device_id: str, token: str, journal: Journal
    ) -> None:
        self._url = f"{base_url.replace('http', 'ws', 1)}/ws/devices/{device_id}"
        self._token = token
        self._vehicle_id = vehicle_id
        self._journal = journal
        self._socket: ClientConnection | None = None
        self._seq = 0
        self._unacked: deque[tuple[int, Sequence[Mapping[str, Any]]]] = deque()

    async def send(self, fixes: Sequence[Mapping[str, Any]]) -> None:
        if fixes:
            self._seq += 1
            self._journal.fixes_sent += len(fixes)
            self._unacked.append((self._seq, fixes))
        deadline_s = time.monotonic() + GIVE_UP_S
        while self._unacked:
            try:
                await self._exchange()
            except ConnectionClosed as closed:
                self._socket = None
                if closed.rcvd and closed.rcvd.code in _FATAL_CLOSE:
                    raise
                await self._pause(deadline_s, closed)
            except (OSError, InvalidHandshake, InvalidMessage, TimeoutError) as error:
                self._socket = None
                await self._pause(deadline_s, error)

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    async def _pause(self, deadline_s: float, error: Exception) -> None:
        if time.monotonic() > deadline_s:
            raise ServerGoneError(f"{self._url}: {error!r}") from error
        await asyncio.sleep(RETRY_S)

    async def _exchange(self) -> None:
        """Sends everything unacknowledged, then waits for its acknowledgements."""
        if self._socket is None:
            self._socket = await connect(
                self._url,
                additional_headers={"Authorization": f"Bearer {self._token}"},
                compression=None,
                ping_interval=None,
                max_queue=None,
            )
        for seq, fixes in self._unacked:
            await self._socket.send(json.dumps({"seq": seq, "fixes": fixes}))
        while self._unacked:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                answer = json.loads(await self._socket.recv())
            while self._unacked and self._unacked[0][0] <= answer["ack"]:
                _, fixes = self._unacked.popleft()
                refused = {entry["i"] for entry in answer.get("refused", ())}
                self._journal.fixes_refused += len(refused)
                self._journal.fixes[self._vehicle_id] |= {
                    fix["t"] for i, fix in enumerate(fixes) if i not in refused
                }
