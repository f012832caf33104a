"""Everybody outside the server for `safai demo`, at the pace of the server's own clock."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from simulators.vehicles import epoch_s
from simulators.world import World

TICK_S = 1.0
"""Real seconds between two looks at the clock."""


async def simulate(
    base_url: str, accounts: Mapping[str, Any], *, seed: int, stop: threading.Event
) -> None:
    """Drives on until `stop`; joins a day that has begun at the visits without an outcome."""
    world = await World.enter(base_url, accounts, seed=seed)
    service_date = ""
    while not stop.is_set():
        city = await world.dispatcher.api.get("/api/city")
        now_s = epoch_s(city["clock"]["now"])
        if city["service_date"] != service_date:
            service_date = city["service_date"]
            await world.look_at_routes(service_date, now_s)
        await world.move(now_s)
        await world.act(service_date, now_s)
        await asyncio.sleep(TICK_S)
    await world.leave()
