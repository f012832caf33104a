"""A real server with simulated vehicles, and Chromium: `uv run pytest tests/browser`."""

from __future__ import annotations

import asyncio
import os
import shutil
import threading
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from simulators.server import Server
from simulators.synth import write_city
from simulators.world import World

START = datetime(2026, 3, 2, 0, 20, tzinfo=UTC)
"""05:50 in India: ten minutes before the first shift."""
SERVICE_DATE = "2026-03-02"
STEP = timedelta(seconds=60)
PICTURES = Path(__file__).parents[2] / "test-results"
FLAGS = [
    "--no-sandbox",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium; without it the tests skip, and fail where a browser is required."""
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        if os.environ.get("SAFAI_REQUIRE_BROWSER"):
            pytest.fail("Chromium is required here: install Debian's package `chromium`.")
        pytest.skip("needs Chromium (Debian's package `chromium`)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Town:
    """One ward on a running day. The vehicles drive when a test says so, and nobody taps."""

    def __init__(self, folder: Path) -> None:
        self.server = Server(folder / "data", START.isoformat(), folder / "server.log")
        self.log = folder / "server.log"
        self.now = START
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        write_city(folder / "city", wards=1, seed=1)
        self.server.command("city", "import", str(folder / "city"))
        self.accounts = self.server.accounts()
        self.server.command("plan", "night", "--service-date", SERVICE_DATE, "--publish")
        self.server.start()
        self.run(self.server.ready())
        self.world: World = self.run(
            World.enter(self.server.base_url, self.accounts, seed=1, taps=False)
        )
        self.run(self.world.look_at_routes(SERVICE_DATE, START.timestamp()))

    @property
    def url(self) -> str:
        return self.server.base_url

    def run[T](self, work: Coroutine[Any, Any, T]) -> T:
        """Run the simulators' coroutines beside the browser's own loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=300)

    def get(self, path: str, **query: Any) -> Any:
        """What a dispatcher is answered."""
        return self.run(self.world.dispatcher.api.get(path, **query))

    def drive(self, until: datetime) -> None:
        """Let the vehicles drive, step by step, and the server settle after each."""
        while self.now < until:
            self.now += STEP
            self.run(self._step(self.now))

    async def _step(self, now: datetime) -> None:
        await self.world.move(now.timestamp())
        await self.world.dispatcher.api.post("/api/clock/advance", {"to": now.isoformat()})

    def follow(self) -> None:
        """The drivers take on what changed in their routes."""
        self.run(self.world.look_at_routes(SERVICE_DATE, self.now.timestamp()))

    def routes(self) -> list[Any]:
        return [
            self.get(f"/api/routes/{route['id']}")
            for route in self.get("/api/routes", service_date=SERVICE_DATE)
        ]

    def events_of(self, vehicle_id: str) -> list[Any]:
        """Taps of a vehicle's driver, as the server kept them."""
        api = self.world.drivers[vehicle_id].api
        return list(self.run(api.get("/api/cab/events", service_date=SERVICE_DATE)))

    def driver_of(self, vehicle_id: str) -> dict[str, str]:
        return next(d for d in self.accounts["drivers"] if d["vehicle_id"] == vehicle_id)

    def restart(self) -> None:
        """Start the killed server again."""
        self.server.start()
        self.run(self.server.ready())

    def close(self) -> None:
        self.run(self.world.leave())
        self.server.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    built = Town(tmp_path_factory.mktemp("town"))
    yield built
    built.close()


class Watched:
    """A browser context that notes what a page must never do."""

    def __init__(self, context: BrowserContext, own: str) -> None:
        self.context = context
        self.outside: list[str] = []
        self.errors: list[str] = []
        context.on("request", lambda request: self._ask(request.url, own))
        context.on("weberror", lambda error: self.errors.append(str(error.error)))
        context.on("console", self._say)

    def _ask(self, url: str, own: str) -> None:
        if not url.startswith((own, "data:", "blob:")):
            self.outside.append(url)

    def _say(self, message: Any) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.errors.append(message.text)

    def check(self) -> None:
        assert self.outside == []
        assert self.errors == []


@pytest.fixture
def people(chromium: Browser, town: Town) -> Iterator[Any]:
    """Make a person's browser: `people(width, height, lang)` answers a fresh, watched context."""
    watched: list[Watched] = []

    def person(width: int, height: int, lang: str = "en-IN", **more: Any) -> BrowserContext:
        context = chromium.new_context(
            viewport={"width": width, "height": height}, locale=lang, base_url=town.url, **more
        )
        context.set_default_timeout(20_000)
        watched.append(Watched(context, town.url))
        return context

    yield person
    for one in watched:
        one.context.close()
    for one in watched:
        one.check()


@pytest.fixture(scope="session")
def pictures() -> Path:
    PICTURES.mkdir(exist_ok=True)
    return PICTURES


def healthy(town: Town) -> bool:
    return httpx.get(f"{town.url}/healthz").is_success
