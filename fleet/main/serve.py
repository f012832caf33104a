"""`safai serve` and its children: the supervisor, and what each process runs."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from typing import override

import httpx
import structlog
import uvicorn

from fleet.kit.jobs import Worker
from fleet.kit.logs import configure
from fleet.kit.settings import Settings
from fleet.kit.web import Kit
from fleet.main import wiring
from fleet.main.app import create_app
from fleet.main.processes import Service, Supervisor, python_service, stop_on_signals
from fleet.main.webbuild import ensure_built
from fleet.main.wsprotocol import ReadingAhead
from fleet.roads.routed_process import routed_command, routed_url, wait_ready
from fleet.roads.wiring import datasets, ports
from tracking import wiring as tracking

log = structlog.get_logger("serve")

READY_WITHIN_S = 180.0


def prepare(settings: Settings) -> Kit:
    """Open the kit with tables up to date."""
    configure(settings.log_level, as_json=settings.log_json)
    kit = Kit.open(settings)
    kit.db.upgrade()
    return kit


def services(settings: Settings) -> list[Service]:
    """Roads first, then matcher and worker, and the web process once all else is there."""
    port_of = ports(settings)
    roads = [
        Service(
            f"roads-{profile}",
            routed_command(dataset, port_of[profile]),
            ready=partial(_roads_ready, profile, port_of[profile]),
            foreign=True,
        )
        for profile, dataset in datasets(settings).items()
    ]
    return [
        *roads,
        python_service("matcher", "matcher"),
        python_service("worker", "worker"),
        python_service("web", "web", ready=lambda: wait_for_web(settings)),
    ]


def _roads_ready(profile: str, port: int) -> None:
    if not wait_ready(routed_url(port)):
        raise TimeoutError(f"The road engine of {profile} did not answer on port {port}.")


def serve(
    settings: Settings,
    extra: Mapping[str, tuple[str, ...]] | None = None,
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Run the server until SIGINT or SIGTERM. `extra`: further children by name and command."""
    prepare(settings).db.close()
    ensure_built(progress=lambda line: log.info("web_build", step=line))
    children = services(settings) + [
        python_service(name, *arguments) for name, arguments in (extra or {}).items()
    ]
    supervisor = Supervisor(children)
    stop_on_signals(supervisor.stop)
    try:
        supervisor.start()
        if not supervisor.stop.is_set():
            log.info("ready", url=settings.effective_public_url)
            on_ready()
        supervisor.watch()
    finally:
        supervisor.end()


def wait_for_web(settings: Settings) -> None:
    """Return once `/healthz` answers; raises `TimeoutError`."""
    url = f"http://{settings.host}:{settings.port}/healthz"
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s:
        try:
            if httpx.get(url, timeout=2).is_success:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError(f"The web process did not answer on port {settings.port}.")


def run_web(settings: Settings) -> None:
    """The web process."""
    configure(settings.log_level, as_json=settings.log_json)
    app = create_app(Kit.open(settings))
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        ws=ReadingAhead,
        ws_max_size=settings.device_frame_max_bytes * 2,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=3,
        proxy_headers=False,
    )
    server = WebServer(config)
    stop = threading.Event()
    stop_on_signals(stop)
    server.stop_when(stop)
    server.run()


class WebServer(uvicorn.Server):
    """uvicorn that leaves signals to us: the supervisor speaks for the terminal."""

    @override
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None of its own: `stop_on_signals` has set them."""
        yield

    def stop_when(self, stop: threading.Event) -> None:
        def wait() -> None:
            stop.wait()
            self.should_exit = True

        threading.Thread(target=wait, name="stop-web", daemon=True).start()


def run_worker(settings: Settings) -> None:
    """The process that runs jobs."""
    configure(settings.log_level, as_json=settings.log_json)
    stop = threading.Event()
    stop_on_signals(stop)
    kit = Kit.open(settings)
    Worker(kit, wiring.job_kinds(), settings.job_parallel).run_forever(stop)


def run_matcher(settings: Settings) -> None:
    """The process that turns stored fixes into facts."""
    configure(settings.log_level, as_json=settings.log_json)
    os.nice(2)  # ingest and the map come first on a small machine
    stop = threading.Event()
    stop_on_signals(stop)
    tracking.make_follower(Kit.open(settings)).run_forever(stop)
