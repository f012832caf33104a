"""Ingest between its senders and the log: order, holders, backpressure, and what is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from fleet.kit.settings import ClockMode, Settings
from fleet.kit.web import Kit
from fleet.org.assignments import assign
from tests.tracking.conftest import T0
from tests.tracking.drives import Town
from tracking import ingest as module
from tracking.carriers import Carriers
from tracking.devices.service import register_device
from tracking.fixes import open_fixlog
from tracking.fixes.fix import to_ms
from tracking.ingest import Ingest
from tracking.live import LiveState
from tracking.protocols.reading import Reading


def reading(s: float, lon: float = 75.86) -> tuple:
    return T0 + timedelta(seconds=s), Reading(T0.timestamp() + s, lon, 22.72)


@asynccontextmanager
async def running(kit: Kit) -> AsyncIterator[Ingest]:
    made = Ingest(kit, open_fixlog(kit.settings, kit.db), LiveState(120))
    await made.start()
    yield made
    await made.stop()


def run(kit: Kit, work: Callable[[Ingest], Coroutine[None, None, None]]) -> None:
    async def main() -> None:
        async with running(kit) as made:
            await work(made)

    asyncio.run(main())


@pytest.fixture
def city(kit: Kit, streets: Town) -> Kit:
    with kit.db.unit_of_work() as session:
        for device in ("d1", "d2"):
            register_device(session, id=device, label=device, now=T0)
        assign(session, "device_vehicle", "d1", "v1", T0 - timedelta(hours=1))
    return kit


@pytest.fixture
def wall(city: Kit) -> Kit:
    """With a commit window and a tick for positions, as in service."""
    settings = Settings(data_dir=city.settings.data_dir, clock=ClockMode.WALL)
    return replace(city, settings=settings)


def test_frames_of_a_window_are_one_commit_and_each_sender_is_told(wall: Kit) -> None:
    async def work(made: Ingest) -> None:
        commits: list[int] = []
        store = made._fixlog.append_rows
        made._fixlog.append_rows = lambda rows: commits.append(len(rows)) or store(rows)  # type: ignore[method-assign]
        asides = await asyncio.gather(
            *(made.submit("d1", [reading(s), reading(s + 1)]) for s in range(0, 40, 2))
        )
        assert asides == [[]] * 20
        assert commits == [40]
        assert made.empty()
        stored, _ = made._fixlog.received({}, 100)
        assert [(f.t - T0).seconds for f in stored] == list(range(40))

    run(wall, work)


def test_a_swap_counts_from_its_moment_though_holders_are_kept_in_memory(city: Kit) -> None:
    async def work(made: Ingest) -> None:
        await made.submit("d1", [reading(0)])
        for s, vehicle in ((10, "v2"), (20, "v1")):
            with city.db.unit_of_work() as session:
                assign(session, "device_vehicle", "d1", vehicle, T0 + timedelta(seconds=s))
            await made.submit("d1", [reading(s - 1), reading(s), reading(s + 1)])
        stored, _ = made._fixlog.received({}, 100)
        assert [f.vehicle_id for f in stored] == ["v1", *["v1", "v2", "v2"], *["v2", "v1", "v1"]]

    run(city, work)


def test_holders_are_read_again_only_after_a_change(city: Kit) -> None:
    carriers = Carriers(city.db)
    at = to_ms(T0)

    def look() -> str | None:
        carriers.refresh({"d1", "d2"})
        return carriers.holder_at("d1", at)

    assert look() == "v1"
    kept = carriers._held
    held = kept["d1"]
    assert (look(), carriers._held["d1"] is held) == ("v1", True)
    with city.db.unit_of_work() as session:
        assign(session, "device_vehicle", "d2", "v2", T0)
    assert (look(), carriers._held["d1"] is held) == ("v1", False)
    again = carriers._held["d1"]
    assert (look(), carriers._held["d1"] is again) == ("v1", True)
    assert carriers.holder_at("d2", at) == "v2"
    assert carriers.holder_at("d2", at - 1) is None


def test_senders_are_held_back_while_too_much_waits(
    wall: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAITING_FIXES", 10)
    monkeypatch.setattr(module, "COMMIT_FIXES", 5)

    async def work(made: Ingest) -> None:
        waiting: list[int] = []

        async def send(n: int) -> None:
            for k in range(10):
                await made.submit("d1", [reading(n * 100 + k)])
                waiting.append(made._fixes)

        await asyncio.gather(*(send(n) for n in range(30)))
        assert max(waiting) <= 10 + 30  # each sender may have passed the gate at once
        stored, _ = made._fixlog.received({}, 1000)
        assert len(stored) == 300

    run(wall, work)


def test_what_waits_is_stored_before_the_end(wall: Kit) -> None:
    told: list[BaseException | None] = []

    async def main() -> None:
        async with running(wall) as made:
            frame = [(to_ms(t), r) for t, r in [reading(0), reading(5)]]
            made.offer("d1", frame, lambda failure, aside: told.append(failure))

    asyncio.run(main())
    stored, _ = open_fixlog(wall.settings, wall.db).received({}, 10)
    assert (told, len(stored)) == ([None], 2)


def test_positions_reach_the_map_by_the_tick(wall: Kit) -> None:
    async def work(made: Ingest) -> None:
        await made.submit("d1", [reading(0)])
        await made.submit("d1", [reading(5, 75.8601)])
        for _ in range(40):
            if "v1" in wall.hub.positions():
                break
            await asyncio.sleep(0.1)
        assert wall.hub.positions()["v1"]["lon"] == 75.8601

    run(wall, work)


def test_a_failed_commit_is_told_to_all_and_the_next_works(city: Kit) -> None:
    async def work(made: Ingest) -> None:
        store = made._fixlog.append_rows

        def fail(rows: object) -> list[bool]:
            raise OSError("no space left")

        made._fixlog.append_rows = fail  # type: ignore[method-assign]
        with pytest.raises(OSError, match="no space"):
            await made.submit("d1", [reading(0)])
        made._fixlog.append_rows = store  # type: ignore[method-assign]
        assert await made.submit("d1", [reading(0)]) == []
        [stored], _ = made._fixlog.received({}, 10)
        assert stored.mark is None
        assert made.empty()

    run(city, work)
