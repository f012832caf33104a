"""The hub: order, loss, conflation, and threads."""

from __future__ import annotations

import asyncio
import threading

import pytest

from fleet.kit.live import Event, Hub, Lost, Subscription
from tests.conftest import START


def event(n: int) -> Event:
    return Event(n, "thing", "a", {}, START)


def test_events_from_a_thread_arrive_in_order_and_end_with_the_subscription() -> None:
    async def play() -> list[int]:
        hub = Hub()
        with hub.subscribe() as subscription:
            thread = threading.Thread(target=lambda: [hub.publish(event(n)) for n in range(50)])
            thread.start()
            seen = [(await anext(subscription)).n for _ in range(50)]
            thread.join()
        with pytest.raises(StopAsyncIteration):
            await anext(subscription)
        hub.publish(event(99))
        return seen

    assert asyncio.run(play()) == list(range(50))


def test_a_slow_subscriber_is_lost_and_the_others_are_not() -> None:
    async def play() -> None:
        hub = Hub()
        slow, quick = hub.subscribe(queue_size=2), hub.subscribe(queue_size=10)
        for n in range(3):
            hub.publish(event(n))
        with pytest.raises(Lost):
            await anext(slow)
        assert (await anext(quick)).n == 0

    asyncio.run(play())


def test_closing_wakes_a_waiting_subscriber() -> None:
    async def play() -> list[Event]:
        subscription = Hub().subscribe()
        waiting = asyncio.ensure_future(_all(subscription))
        await asyncio.sleep(0)
        subscription.close()
        return await waiting

    async def _all(subscription: Subscription) -> list[Event]:
        return [item async for item in subscription]

    assert asyncio.run(play()) == []


def test_positions_are_conflated_by_vehicle() -> None:
    async def play() -> None:
        hub = Hub()
        subscription = hub.subscribe()
        hub.publish_position("v1", {"lon": 1})
        hub.publish_position("v2", {"lon": 2})
        hub.publish_position("v1", {"lon": 3})
        assert sorted(p["lon"] for p in subscription.take_positions()) == [2, 3]
        assert subscription.take_positions() == []
        assert hub.positions() == {"v1": {"lon": 3}, "v2": {"lon": 2}}

    asyncio.run(play())


def test_a_loop_that_is_gone_does_no_harm() -> None:
    hub = Hub()

    async def subscribe() -> None:
        hub.subscribe()

    asyncio.run(subscribe())
    hub.publish(event(1))
    assert hub.positions() == {}
