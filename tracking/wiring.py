"""What tracking brings to the composition.

The web process calls `install(app, kit)` before it serves; its lifespan awaits
`app.state.ingest.start()` and, at the end, `app.state.ingest.stop()`, then closes
`app.state.fixlog`.
`install` sets `app.state.fixlog`, `.live`, `.ingest`, `.reels`, `.device_connections`, `.layouts`
and `.gateway`, within whose `serving()` the application serves. The matcher runs
`make_follower(kit).run_forever(stop)`; the stepped clock waits on `watermark(session)`.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, FastAPI

from fleet.kit.jobs import JobKind
from fleet.kit.outbox import Handler
from fleet.kit.timers import Timer, every
from fleet.kit.web import Kit
from fleet.org.queries import policy
from tracking import api
from tracking.devices import api as devices_api
from tracking.devices import socket
from tracking.facts.follower import Follower, watermark
from tracking.facts.hearing import sweep
from tracking.fixes import open_fixlog
from tracking.gateway import api as gateway_api
from tracking.gateway.listener import Gateway
from tracking.history import api as history_api
from tracking.history import keep
from tracking.history.replay import Reels
from tracking.ingest import Ingest
from tracking.live import LiveState
from tracking.protocols.layouts import load
from tracking.weights import api as weights_api
from tracking.weights import booking

__all__ = [
    "handlers",
    "install",
    "job_kinds",
    "make_follower",
    "routers",
    "timers",
    "watermark",
]

routers: list[APIRouter] = [
    api.router,
    gateway_api.router,  # before the devices by id
    devices_api.router,
    socket.router,
    weights_api.router,
    history_api.router,
]
handlers: list[Handler] = [booking.handler]
job_kinds: list[JobKind] = [*keep.job_kinds]
timers: list[Timer] = [
    Timer("tracking.silent_devices", every(30), sweep),
    booking.timer,
    keep.timer,
]


def install(app: FastAPI, kit: Kit) -> Ingest:
    """Puts the log, the live state and ingest on the application; the tables must exist.

    Returns:
        The ingest, which the lifespan starts and stops.
    """
    with kit.db.reading() as session:
        silent_after_s = policy(session).silent_device_s
    app.state.fixlog = open_fixlog(kit.settings, kit.db)
    app.state.live = LiveState(silent_after_s)
    app.state.ingest = Ingest(kit, app.state.fixlog, app.state.live)
    app.state.reels = Reels(kit.monotonic)
    app.state.device_connections = socket.Connections()
    app.state.layouts = load(Path(more) if (more := kit.settings.units_layouts) else None)
    app.state.gateway = Gateway(kit, app.state.ingest, app.state.layouts)
    ingest: Ingest = app.state.ingest
    return ingest


def make_follower(kit: Kit) -> Follower:
    """The follower of the matcher process, on a log of its own."""
    return Follower(kit, open_fixlog(kit.settings, kit.db))
