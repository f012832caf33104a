"""Stepped time: `POST /api/clock/advance` settles the server at every due timer, then at `to`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from ipaddress import ip_address

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel

from fleet.kit import jobs
from fleet.kit.clock import SteppedClock
from fleet.kit.errors import Busy, Forbidden, Malformed, NotFound
from fleet.kit.outbox import Relay
from fleet.kit.timers import Scheduler
from fleet.kit.web import Kit, KitDep
from tracking.facts.watermark import watermark

LOOK_EVERY_S = 0.004
SETTLE_WITHIN_S = 900.0
LONGEST_STEP = timedelta(days=2)
"""Timers that are due are listed before they fire; a century of them would fill the memory."""

router = APIRouter(tags=["clock"])


class Advance(BaseModel):
    to: AwareDatetime


class Advanced(BaseModel):
    now: datetime


class Stepper:
    """Moves a stepped clock. One caller at a time; `ingest_empty` tells when no frame waits."""

    def __init__(
        self,
        kit: Kit,
        clock: SteppedClock,
        relay: Relay,
        scheduler: Scheduler,
        ingest_empty: Callable[[], bool],
    ) -> None:
        self._kit = kit
        self._clock = clock
        self._relay = relay
        self._scheduler = scheduler
        self._ingest_empty = ingest_empty
        self._turn = threading.Lock()

    def advance(self, to: datetime) -> datetime:
        """Fire what is due up to `to`, each with the clock at its own time; returns city time.

        Raises:
            Malformed: `to` lies before the present city time, or too far ahead.
            Busy: the server did not come to rest in time.
        """
        with self._turn:
            now = self._clock.now()
            if to < now:
                raise Malformed(
                    "City time does not run backwards.",
                    field="to",
                    remedy="Ask for a time that is not before /api/city's clock.now.",
                )
            if to - now > LONGEST_STEP:
                raise Malformed(
                    f"The step is longer than {LONGEST_STEP // timedelta(hours=1)} hours.",
                    field="to",
                    remedy="Take several steps.",
                )
            settled_at: datetime | None = None
            for at, timer in self._scheduler.due(to):
                if at != settled_at:
                    self._settle(at)
                    settled_at = at
                self._scheduler.fire(at, timer)
                self._rest()
            if settled_at != to:
                self._settle(to)
            return self._clock.now()

    def _settle(self, at: datetime) -> None:
        self._wait(self._ingest_empty, "ingest")
        self._clock.set(max(at, self._clock.now()))
        self._wait(lambda: self._facts_at(at), "the matcher")
        self._rest()

    def _rest(self) -> None:
        """Outbox drained and no job left; handlers may make jobs and jobs make events."""
        self._wait(self._at_rest, "jobs and events")

    def _at_rest(self) -> bool:
        self._relay.pump()
        if not self._relay.drained():
            return False
        with self._kit.db.reading() as session:
            return jobs.active_count(session) == 0

    def _facts_at(self, at: datetime) -> bool:
        with self._kit.db.reading() as session:
            return watermark(session) >= at

    def _wait(self, done: Callable[[], bool], what: str) -> None:
        deadline_s = self._kit.monotonic.now_s() + SETTLE_WITHIN_S
        while not done():
            if self._kit.monotonic.now_s() > deadline_s:
                raise Busy(
                    f"The server did not come to rest: {what} is still at work.",
                    remedy="Look at the server's log, then ask again.",
                )
            time.sleep(LOOK_EVERY_S)


@router.post("/api/clock/advance", summary="Move a stepped clock (this machine only)")
def advance(body: Advance, request: Request, kit: KitDep) -> Advanced:
    """For headless days: answers when everything due up to `to` has happened."""
    stepper: Stepper | None = request.app.state.stepper
    if stepper is None or not kit.settings.allow_advance:
        raise NotFound(
            "City time is not stepped here.",
            remedy="Start the server with --clock stepped and SAFAI_ALLOW_ADVANCE=1.",
        )
    if not _is_loopback(request):
        raise Forbidden(
            "Only callers on this machine may move the clock.",
            remedy="Call it by 127.0.0.1 on the server itself.",
        )
    return Advanced(now=stepper.advance(body.to))


def _is_loopback(request: Request) -> bool:
    """Whether the peer is this machine; one without an IP address is not known to be."""
    try:
        return request.client is not None and ip_address(request.client.host).is_loopback
    except ValueError:
        return False
