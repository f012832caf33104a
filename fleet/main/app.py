"""The web process: HTTP, sockets, outbox relay, live hub and timers in one FastAPI application."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib.metadata import version

from fastapi import FastAPI, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from feedback.categories import categories
from fleet.kit import errors
from fleet.kit.clock import ScaledClock, SteppedClock
from fleet.kit.logs import RequestContext
from fleet.kit.outbox import Relay
from fleet.kit.timers import Scheduler
from fleet.kit.web import Kit
from fleet.main import advance, control, pages, replay, wiring
from fleet.main.advance import Stepper
from fleet.roads.wiring import engines
from tracking import wiring as tracking


def create_app(kit: Kit) -> FastAPI:
    """The application over an opened kit; tables must be up to date."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            ingest = tracking.install(app, kit)
            await ingest.start()
            stack.push_async_callback(ingest.stop)
            await stack.enter_async_context(app.state.gateway.serving())
            await stack.enter_async_context(app.state.puller.pulling())
            relay = Relay(kit.db, kit.hub, wiring.handlers(), kit.monotonic)
            scheduler = Scheduler(kit, wiring.timers())
            threads: list[Callable[[threading.Event], None]] = [relay.run_forever]
            app.state.stepper = None
            if isinstance(kit.clock, SteppedClock):
                app.state.stepper = Stepper(kit, kit.clock, relay, scheduler, ingest.empty)
            else:
                threads.append(scheduler.run_forever)
            if isinstance(kit.clock, ScaledClock):
                threads.append(kit.clock.keep_forever)
            stack.callback(_start(threads))
            yield

    app = FastAPI(
        title="safai",
        version=version("safai"),
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=errors.RESPONSES,
    )
    app.state.kit = kit
    app.state.roads = engines(kit.settings)
    app.state.categories = [category.public() for category in categories().values()]
    errors.install(app)
    for router in wiring.routers():
        app.include_router(router)
    app.include_router(advance.router)
    app.include_router(control.router)
    app.include_router(replay.router)

    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        with kit.db.reading() as session:
            session.connection()
        return {"status": "ok"}

    @app.get("/metrics", include_in_schema=False)
    def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    app.include_router(pages.router)
    app.add_middleware(RequestContext)
    return app


def _start(loops: Sequence[Callable[[threading.Event], None]]) -> Callable[[], None]:
    """Run each loop in a thread of its own; the returned function stops and awaits them."""
    stop = threading.Event()
    threads = [threading.Thread(target=loop, args=(stop,), daemon=True) for loop in loops]
    for thread in threads:
        thread.start()

    def end() -> None:
        stop.set()
        for thread in threads:
            thread.join(timeout=10)

    return end
