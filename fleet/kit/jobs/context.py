"""What a running job sees of the world."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleet.kit.jobs.rows import Job, JobStatus, announce
from fleet.kit.jobs.spawned import Stopped, call_spawned
from fleet.kit.web import Kit

PROGRESS_EVERY_S = 0.25


class JobCancelled(Exception):  # noqa: N818 - asked for, not a fault
    """Raised inside a job that should stop: let it pass through."""


@dataclass(frozen=True)
class JobKind:
    """A kind of job: `run(context)` answers the result as JSON, or raises."""

    name: str
    run: Callable[[JobContext], dict[str, Any]]


class JobContext:
    """Handed to `JobKind.run`.

    Attributes:
        payload: the job's JSON.
        job_id: its id; write effects under it, for the job may run again after a kill.
        kit: the worker's kit.
    """

    def __init__(self, kit: Kit, job: Job, stop: threading.Event) -> None:
        self.payload: dict[str, Any] = job.payload
        self.job_id = job.id
        self.kit = kit
        self._holder = job.holder
        self._stop = stop
        self._told_at_s: float | None = None

    @property
    def now(self) -> datetime:
        """City time."""
        return self.kit.clock.now()

    def progress(self, fraction: float, message: str) -> None:
        """Tell how far the job is; what comes too fast to be read is left out.

        Args:
            fraction: 0 to 1.
            message: what is being done, for the dispatcher.

        Raises:
            JobCancelled: the job should stop.
        """
        if self.cancelled():
            raise JobCancelled
        now_s = self.kit.monotonic.now_s()
        if self._told_at_s is not None and now_s - self._told_at_s < PROGRESS_EVERY_S:
            return
        self._told_at_s = now_s
        with self.kit.db.unit_of_work() as session:
            job = session.get(Job, self.job_id, with_for_update=True)
            if job is None or job.holder != self._holder or job.status != JobStatus.RUNNING:
                raise JobCancelled
            job.progress = min(1.0, max(0.0, fraction))
            job.message = message
            announce(session, job)

    def cancelled(self) -> bool:
        """Whether the job should stop: cancelled, taken over, or the worker is going down."""
        return self._stop.is_set()

    def spawn[**P, R](self, fn: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Run a function in a spawned process, which is killed when the job should stop.

        Function, arguments and result are pickled: module-level functions and values only.

        Raises:
            JobCancelled: the job should stop.
            Problem: the function raised one.
            SpawnFailed: it raised something else, or its process died; the text says which.
        """
        try:
            return call_spawned(self.cancelled, fn, *args, **kwargs)
        except Stopped:
            raise JobCancelled from None
