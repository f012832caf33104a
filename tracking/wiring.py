"""What tracking brings to the composition.

The web process calls `install(app, kit)` before it serves; its lifespan awaits
`app.state.ingest.start()` and, at the end, `app.state.ingest.stop()`, then closes
`app.state.fixlog`.
`install` sets `app.state.fixlog`, `.live`, `.ingest`, `.reels`, `.device_connections`, `.layouts`
`.gateway`, `.door` and `.puller`; the application serves within the gateway's `serving()` and
the puller's `pulling()`. The matcher runs
`make_follower(kit).run_forever(stop)`; the stepped clock waits on `watermark(session)`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI

from fleet.kit.jobs import JobKind
from fleet.kit.outbox import Handler
from fleet.kit.timers import Timer, every
from fleet.kit.web import Kit
from fleet.org.queries import policy
from tracking import api
from tracking.alarms import wiring as alarms
from tracking.alarms.watch import Watch
from tracking.devices import api as devices_api
from tracking.devices import gpx_api, socket
from tracking.devices.service import check_carrier
from tracking.facts.hearing import sweep
from tracking.facts.watermark import watermark
from tracking.fixes import open_fixlog
from tracking.gateway import api as gateway_api
from tracking.gateway.http import api as http_edges
from tracking.gateway.http.door import Door
from tracking.gateway.listener import Gateway
from tracking.history import api as history_api
from tracking.history import keep
from tracking.history.replay import Reels
from tracking.ingest import Ingest
from tracking.live import LiveState
from tracking.presence import api as presence_api
from tracking.protocols.layouts import load
from tracking.pull import api as pull_api
from tracking.pull.puller import Puller
from tracking.weights import api as weights_api
from tracking.weights import booking

if TYPE_CHECKING:
    from tracking.facts.follower import Follower

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
    pull_api.router,
    devices_api.router,
    gpx_api.router,
    socket.router,
    http_edges.router,
    weights_api.router,
    history_api.router,
    presence_api.router,
    *alarms.routers,
]
handlers: list[Handler] = [booking.handler, *alarms.handlers]
job_kinds: list[JobKind] = [*keep.job_kinds]
timers: list[Timer] = [
    Timer("tracking.silent_devices", every(30), sweep),
    booking.timer,
    keep.timer,
    *alarms.timers,
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
    app.state.subject_checks = {"device_vehicle": check_carrier}
    app.state.layouts = load(Path(more) if (more := kit.settings.units_layouts) else None)
    app.state.gateway = Gateway(kit, app.state.ingest, app.state.layouts)
    app.state.door = Door(kit, app.state.ingest)
    app.state.puller = Puller(kit, app.state.ingest)
    ingest: Ingest = app.state.ingest
    return ingest


def make_follower(kit: Kit) -> Follower:
    """The follower of the matcher process, on a log of its own."""
    # Only that process imports what compiles machine code.
    from tracking.facts.follower import Follower

    fixlog = open_fixlog(kit.settings, kit.db)
    return Follower(kit, fixlog, Watch(kit, fixlog))
