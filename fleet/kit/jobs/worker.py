"""The worker: claims jobs, keeps its leases alive, and writes down how each job ended."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog
from sqlalchemy import select, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from fleet.kit.db import now_of
from fleet.kit.errors import Problem
from fleet.kit.ids import new_id
from fleet.kit.jobs.context import JobCancelled, JobContext, JobKind
from fleet.kit.jobs.rows import Job, JobStatus, announce
from fleet.kit.jobs.spawned import SpawnFailed
from fleet.kit.leases import Observer, holder_name
from fleet.kit.web import Kit

log = structlog.get_logger(__name__)

LEASE_S = 10.0
BEAT_EVERY_S = 1.0
LOOK_EVERY_S = 0.2
MOST_ATTEMPTS = 3


class Worker:
    """Runs jobs of the given kinds.

    Args:
        kit: the process's kit.
        kinds: what it can run; jobs of other kinds are left to other workers.
        parallel: how many jobs at the same time in `run_forever`.
        lease_s: how long a running job's counter must stand still before it is taken over.
        beat_every_s: how often the counter of a job of ours moves.
    """

    def __init__(
        self,
        kit: Kit,
        kinds: Sequence[JobKind],
        parallel: int = 2,
        *,
        lease_s: float = LEASE_S,
        beat_every_s: float = BEAT_EVERY_S,
    ) -> None:
        self._kit = kit
        self._kinds = {kind.name: kind for kind in kinds}
        self._parallel = parallel
        self._beat_every_s = beat_every_s
        self._name = holder_name()
        self._observer = Observer(kit.monotonic, lease_s)
        self._claiming = threading.Lock()
        self._ours: set[str] = set()
        self._going_down = threading.Event()

    def run_once(self) -> bool:
        """Claim one job and run it to its end in this thread; False when there was none."""
        with self._claiming:
            job = self._claim()
            if job is None:
                return False
            self._ours.add(job.id)
        try:
            self._run(job)
        finally:
            self._ours.discard(job.id)
        return True

    def run_forever(self, stop: threading.Event | None = None) -> None:
        """Run jobs until `stop`; what runs then is put back into the queue."""
        self._going_down = stop or threading.Event()
        threads = [
            threading.Thread(target=self._loop, name=f"jobs-{number}")
            for number in range(self._parallel)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _loop(self) -> None:
        while not self._going_down.is_set():
            try:
                idle = not self.run_once()
            except (Problem, DBAPIError) as error:
                # A busy or restarting database; a job of ours is taken over when its lease ends.
                log.error("worker_interrupted", exc_info=error)
                idle = True
            if idle:
                self._going_down.wait(LOOK_EVERY_S)

    def _claim(self) -> Job | None:
        """Take the oldest queued job, or else one whose worker is dead."""
        with self._kit.db.reading() as session:
            found = (
                self._abandoned(session)
                or session.scalars(
                    select(Job)
                    .where(Job.status == JobStatus.QUEUED, Job.kind.in_(self._kinds))
                    .order_by(Job.created_at, Job.id)
                    .limit(1)
                ).first()
            )
        if found is None:
            return None
        with self._kit.db.unit_of_work() as session:
            job = session.get(Job, found.id, with_for_update=True)
            if job is None or (job.status, job.holder, job.beat) != (
                found.status,
                found.holder,
                found.beat,
            ):
                return None  # another worker was faster, or the holder lives after all
            return job if self._take(session, job) else None

    def _abandoned(self, session: Session) -> Job | None:
        running = session.scalars(
            select(Job)
            .where(Job.status == JobStatus.RUNNING, Job.kind.in_(self._kinds))
            .order_by(Job.created_at, Job.id)
        ).all()
        self._observer.forget(keep=frozenset(job.id for job in running))
        for job in running:
            if job.id not in self._ours and self._observer.expired(job.id, job.holder, job.beat):
                return job
        return None

    def _take(self, session: Session, job: Job) -> bool:
        """Make it ours; False when it ends here instead."""
        if job.status == JobStatus.RUNNING:
            log.warning("job_taken_over", job=job.id, kind=job.kind, from_holder=job.holder)
        if job.cancel_requested:
            _end(session, job, JobStatus.CANCELLED)
            return False
        if job.attempts >= MOST_ATTEMPTS:
            _end(
                session,
                job,
                JobStatus.FAILED,
                error=f"The worker died {job.attempts} times while it ran this job.",
            )
            return False
        job.status = JobStatus.RUNNING
        job.holder = f"{self._name}:{new_id('run')}"
        job.beat += 1
        job.attempts += 1
        job.progress = 0.0
        job.message = ""
        job.started_at = now_of(session)
        announce(session, job)
        return True

    def _run(self, job: Job) -> None:
        with self._kept_alive(job) as stop:
            status, result, error = self._outcome(JobContext(self._kit, job, stop), job)
        with self._kit.db.unit_of_work() as session:
            row = session.get(Job, job.id, with_for_update=True)
            if row is None or row.holder != job.holder or row.status != JobStatus.RUNNING:
                log.warning("job_lost", job=job.id, kind=job.kind)
                return
            if status is JobStatus.CANCELLED and not row.cancel_requested:
                row.status = JobStatus.QUEUED  # the worker is going down, nobody cancelled it
                row.holder = None
                row.attempts -= 1
                announce(session, row)
                return
            _end(session, row, status, result=result, error=error)

    def _outcome(
        self, context: JobContext, job: Job
    ) -> tuple[JobStatus, dict[str, Any] | None, str | None]:
        try:
            return JobStatus.DONE, self._kinds[job.kind].run(context), None
        except JobCancelled:
            return JobStatus.CANCELLED, None, None
        except (Problem, SpawnFailed) as error:
            log.warning("job_failed", job=job.id, kind=job.kind, error=str(error))
            return JobStatus.FAILED, None, str(error)
        except Exception as error:  # a job may fail in any way: its row says how
            log.error("job_failed", job=job.id, kind=job.kind, exc_info=error)
            text = "".join(traceback.format_exception_only(error)).strip()
            return JobStatus.FAILED, None, text

    @contextmanager
    def _kept_alive(self, job: Job) -> Iterator[threading.Event]:
        """Move the job's counter meanwhile; the event is set when the job should stop."""
        stop, done = threading.Event(), threading.Event()

        def beat() -> None:
            while not done.is_set():
                if self._going_down.is_set() or not self._beat(job):
                    stop.set()
                done.wait(self._beat_every_s)

        thread = threading.Thread(target=beat, name=f"beat-{job.id}")
        thread.start()
        try:
            yield stop
        finally:
            done.set()
            thread.join()

    def _beat(self, job: Job) -> bool:
        """Move the counter; False when the job is no longer ours, or is to be cancelled."""
        try:
            with self._kit.db.unit_of_work() as session:
                cancel_requested = session.scalar(
                    update(Job)
                    .where(
                        Job.id == job.id,
                        Job.holder == job.holder,
                        Job.status == JobStatus.RUNNING,
                    )
                    .values(beat=Job.beat + 1)
                    .returning(Job.cancel_requested)
                )
        except (Problem, DBAPIError) as error:  # a busy database: the next beat may be in time
            log.warning("job_beat_missed", job=job.id, error=str(error))
            return True
        return cancel_requested is False


def _end(
    session: Session,
    job: Job,
    status: JobStatus,
    *,
    result: dict[str, Any] | None = None,
    error: str | None = None,
) -> None:
    job.status = status
    job.result = result
    job.error = error
    job.ended_at = now_of(session)
    if status is JobStatus.DONE:
        job.progress = 1.0
    announce(session, job)
