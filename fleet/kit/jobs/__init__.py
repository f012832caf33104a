"""Jobs: rows that a worker leases, runs, and finishes, whatever is killed on the way.

A worker proves itself alive by a counter in the job's row. Another worker that sees the counter
stand still for a whole lease, by its own monotonic clock, takes the job over and runs it again: so
a job's effects must bear a second run (write them under the job's id, in one unit of work).
Each change of a job emits ``job.changed`` with its full state.
"""

from fleet.kit.jobs.context import JobCancelled, JobContext, JobKind
from fleet.kit.jobs.rows import (
    ACTIVE,
    Job,
    JobStatus,
    active_count,
    cancel,
    enqueue,
    get,
    recent,
)
from fleet.kit.jobs.spawned import SpawnFailed
from fleet.kit.jobs.worker import Worker

__all__ = [
    "ACTIVE",
    "Job",
    "JobCancelled",
    "JobContext",
    "JobKind",
    "JobStatus",
    "SpawnFailed",
    "Worker",
    "active_count",
    "cancel",
    "enqueue",
    "get",
    "recent",
]
