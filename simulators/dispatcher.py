"""A dispatcher who clicks "stop today" on what the trails confirm, and answers what they refute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Set
from typing import Any

from simulators.client import Api, RefusalError

SHOWN_WITHIN_S = 60.0
LOOK_EVERY_S = 0.02

Shown = Callable[[str, str], Awaitable[bool]]
"""(vehicle_id, visit_id) -> whether the stop is in that driver's route now."""


class Dispatcher:
    """Works through the queue of checked requests. `shown` asks the driver's tablet."""

    def __init__(self, api: Api, shown: Shown) -> None:
        self.api = api
        self._shown = shown
        self.seconds_to_stop: list[float] = []
        """Wall seconds from the click until the stop stood in the driver's route."""
        self.placed: set[str] = set()
        """Codes of requests that became stops."""

    async def act(self, codes: Set[str]) -> None:
        """Decide on those of `codes` that wait; what people report themselves is left to people."""
        for request in await self.api.get("/api/requests", status="checked"):
            if request["code"] not in codes:
                continue
            try:
                if request["verdict"] == "served":
                    await self._answer(request)
                else:
                    await self._stop(request)
            except RefusalError as refusal:
                # It moved meanwhile; the next look shows how.
                if refusal.status != 409:
                    raise

    async def _stop(self, request: Mapping[str, Any]) -> None:
        clicked_s = time.perf_counter()
        answer = await self.api.post(
            f"/api/requests/{request['id']}/stop", {"version": request["version"], "when": "today"}
        )
        if not answer["placed"]:
            return
        self.placed.add(request["code"])
        deadline_s = time.monotonic() + SHOWN_WITHIN_S
        while not await self._shown(answer["vehicle_id"], answer["visit_id"]):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"The stop {answer['visit_id']} never came to the tablet.")
            await asyncio.sleep(LOOK_EVERY_S)
        self.seconds_to_stop.append(time.perf_counter() - clicked_s)

    async def _answer(self, request: Mapping[str, Any]) -> None:
        words = (
            "गाड़ी आज आपकी गली में रुकी थी। कल फिर आएगी।"
            if request["lang"] == "hi"
            else "The vehicle served your lane today. It comes again tomorrow."
        )
        await self.api.post(
            f"/api/requests/{request['id']}/close", {"version": request["version"], "words": words}
        )
