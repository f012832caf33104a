"""The table of jobs, and what anybody may do with a job: ask for it, look at it, cancel it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from fleet.kit.db import Base, BigId
from fleet.kit.errors import Conflict, NotFound
from fleet.kit.i18n import speaking, t
from fleet.kit.ids import new_id
from fleet.kit.outbox import emit
from fleet.kit.times import iso


class JobStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE = (JobStatus.QUEUED, JobStatus.RUNNING)


class Job(Base):
    """One piece of work; times are city time."""

    __tablename__ = "jobs"
    __table_args__ = (Index("ix_jobs_status_created_at", "status", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    payload: Mapped[dict[str, Any]]
    status: Mapped[str]
    progress: Mapped[float] = mapped_column(default=0.0)
    message: Mapped[str] = mapped_column(default="")
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    holder: Mapped[str | None]
    beat: Mapped[int] = mapped_column(BigId, default=0)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    def view(self) -> dict[str, Any]:
        """The job as JSON for the wire."""
        return {
            "id": self.id,
            "kind": self.kind,
            "status": str(self.status),
            "progress": self.progress,
            "message": self.message,
            "result": self.result,
            "error": self.error,
            "created_at": iso(self.created_at),
            "ended_at": None if self.ended_at is None else iso(self.ended_at),
        }


def enqueue(
    session: Session, kind: str, payload: dict[str, Any], *, key: str, now: datetime
) -> Job:
    """Ask for work once: the same `key` answers the job that exists, in whatever state.

    Args:
        session: the caller's unit of work; the job starts after its commit.
        kind: name of a `JobKind`.
        payload: JSON for the job.
        key: what makes this request the same as another.
        now: city time.

    Raises:
        Conflict: the key belongs to a job of another kind.
    """
    job = _by_key(session, key)
    if job is None:
        job = Job(
            id=new_id("job"),
            kind=kind,
            key=key,
            payload=payload,
            status=JobStatus.QUEUED,
            progress=0.0,
            message="",
            cancel_requested=False,
            beat=0,
            attempts=0,
            created_at=now,
        )
        try:
            with session.begin_nested():
                session.add(job)
        except IntegrityError:  # another writer was faster
            job = _by_key(session, key)
            if job is None:
                raise
        else:
            announce(session, job)
    if job.kind != kind:
        raise Conflict(f"The key {key!r} belongs to a {job.kind} job.", remedy="Use another key.")
    return job


def cancel(session: Session, job_id: str, *, now: datetime) -> Job:
    """Stop a job: at once while it is queued, soon while it runs; an ended one stays as it is.

    Raises:
        NotFound: no such job.
    """
    job = get(session, job_id, for_update=True)
    if job.status == JobStatus.QUEUED:
        job.status = JobStatus.CANCELLED
        job.ended_at = now
        announce(session, job)
    elif job.status == JobStatus.RUNNING and not job.cancel_requested:
        job.cancel_requested = True
        job.message = "Stopping"
        announce(session, job)
    return job


def get(session: Session, job_id: str, *, for_update: bool = False) -> Job:
    """A job by its id.

    Raises:
        NotFound: no such job.
    """
    job = session.get(Job, job_id, with_for_update=for_update or None)
    if job is None:
        lang = speaking.get()
        raise NotFound(
            t(lang, "kit.job_unknown", id=job_id), field="id", remedy=t(lang, "kit.unknown_remedy")
        )
    return job


def active_count(session: Session) -> int:
    """How many jobs are queued or running."""
    return session.scalar(select(func.count()).where(Job.status.in_(ACTIVE))) or 0


def recent(session: Session, limit: int = 50) -> Sequence[Job]:
    """Latest jobs first."""
    return session.scalars(select(Job).order_by(Job.created_at.desc(), Job.id).limit(limit)).all()


def announce(session: Session, job: Job) -> None:
    """Emit ``job.changed`` with the job's full state."""
    emit(session, "job.changed", job.id, job.view())


def _by_key(session: Session, key: str) -> Job | None:
    return session.scalar(select(Job).where(Job.key == key))
