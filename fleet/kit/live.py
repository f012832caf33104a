"""The live hub: events and positions from any thread to subscribers in the event loop.

A subscriber that does not keep up is marked lost and starts again from a snapshot; it never slows
the others. Positions are conflated: only the latest of each vehicle is kept.
"""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Event:
    """A committed fact: its number, what it is about, its full state, and its city time."""

    n: int
    topic: str
    key: str
    data: dict[str, Any]
    at: datetime


class Lost(Exception):  # noqa: N818 - a state, not a fault
    """The subscriber was too slow: events are missing, start again from a snapshot."""


class Subscription:
    """Events in order, as an async iterator, and positions on demand. Close it, or use ``with``.

    Iterating raises `Lost` once the subscriber is further behind than its queue is long.
    """

    def __init__(self, hub: Hub, loop: asyncio.AbstractEventLoop, queue_size: int) -> None:
        self._hub = hub
        self._loop = loop
        self._queue_size = queue_size
        self._events: deque[Event] = deque()
        self._positions: dict[str, dict[str, Any]] = {}
        self._ready = asyncio.Event()
        self._lock = threading.Lock()
        self._lost = False
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        while True:
            with self._lock:
                if self._lost:
                    raise Lost(f"More than {self._queue_size} events behind.")
                if self._events:
                    return self._events.popleft()
                if self._closed:
                    raise StopAsyncIteration
                self._ready.clear()
            await self._ready.wait()

    def take_positions(self) -> list[dict[str, Any]]:
        """Latest position of each vehicle that moved since the last call."""
        with self._lock:
            positions, self._positions = self._positions, {}
        return list(positions.values())

    def close(self) -> None:
        self._hub.drop(self)
        with self._lock:
            self._closed = True
        self._wake()

    def offer(self, event: Event) -> None:
        """Hub only, from any thread."""
        with self._lock:
            if self._lost or self._closed:
                return
            self._events.append(event)
            if len(self._events) > self._queue_size:
                self._lost = True
                self._events.clear()
        self._wake()

    def offer_position(self, vehicle_id: str, position: dict[str, Any]) -> None:
        """Hub only, from any thread."""
        with self._lock:
            self._positions[vehicle_id] = position

    def _wake(self) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ready.set)


class Hub:
    """Publishes to all subscriptions of this process; remembers each vehicle's latest position."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscriptions: set[Subscription] = set()
        self._latest: dict[str, dict[str, Any]] = {}

    def publish(self, event: Event) -> None:
        """Hand an event to every subscriber; from any thread."""
        self._each(lambda subscription: subscription.offer(event))

    def publish_position(self, vehicle_id: str, position: dict[str, Any]) -> None:
        """Replace a vehicle's position; from any thread."""
        with self._lock:
            self._latest[vehicle_id] = position
        self._each(lambda subscription: subscription.offer_position(vehicle_id, position))

    def positions(self) -> dict[str, dict[str, Any]]:
        """Latest position by vehicle, for snapshots."""
        with self._lock:
            return dict(self._latest)

    def subscribe(self, queue_size: int = 10_000) -> Subscription:
        """A new subscription; call it in the event loop that will iterate it."""
        subscription = Subscription(self, asyncio.get_running_loop(), queue_size)
        with self._lock:
            self._subscriptions.add(subscription)
        return subscription

    def drop(self, subscription: Subscription) -> None:
        with self._lock:
            self._subscriptions.discard(subscription)

    def _each(self, offer: Callable[[Subscription], None]) -> None:
        with self._lock:
            subscriptions = list(self._subscriptions)
        for subscription in subscriptions:
            offer(subscription)
