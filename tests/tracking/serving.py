"""A real server on a real port, with tracking alone, in a thread of the test's process."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from fastapi import FastAPI

from fleet.kit import errors
from fleet.kit.web import Kit
from fleet.people import wiring as people
from tracking import wiring


def make_app(kit: Kit) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        ingest = wiring.install(app, kit)
        await ingest.start()
        async with app.state.gateway.serving(), app.state.puller.pulling():
            yield
        await ingest.stop()
        app.state.fixlog.close()

    app = FastAPI(lifespan=lifespan)
    app.state.kit = kit
    errors.install(app)
    for router in (*people.routers, *wiring.routers):
        app.include_router(router)
    return app


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = threading.Event()

    async def startup(self, sockets: list | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextmanager
def serving(app: FastAPI) -> Iterator[str]:
    """host:port of the running application."""
    server = _Server(
        uvicorn.Config(app, port=0, log_level="warning", ws="websockets-sansio", lifespan="on")
    )
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert server.listening.wait(20)
        yield f"127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
