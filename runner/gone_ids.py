"""Ids of what is gone on purpose: whoever asks for it once more does not want it run again. Pure.

Of jobs that workload files declare, as nobody else asks for the same again: those that were forgotten because they were
old, and tasks that were deleted, as long as their job is there. A row means nothing while the record itself is there
and is not going.
"""

from __future__ import annotations

import msgspec

from pools import Changes, Ledger, Table, folded

from .model import Job
from .task_model import TaskKey

_NAME = "gone"
_JOB = ""


class Gone(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    job_id: str
    #: "": the job itself
    task_id: str = _JOB
    #: an Instant
    time: float

    @property
    def key(self) -> TaskKey:
        """The same for all spellings of the ids."""
        return (folded(self.job_id), folded(self.task_id))


class GoneIds(Table[TaskKey, Gone]):
    """In memory are those of jobs; those of tasks, which may be many, are in the store alone."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__(ledger, _NAME)

    def job(self, job_id: str) -> Gone | None:
        """However its id is spelled."""
        return self.get((folded(job_id), _JOB))

    def forgotten(self, job: Job, now: float) -> None:
        """The job goes, or begins to, because it is old."""
        if job.declared:
            record = Gone(job_id=job.id, time=now)
            self.put(record.key, record)

    def deleted(self, key: TaskKey, now: float) -> None:
        """The task goes because somebody wants that."""
        record = Gone(job_id=key[0], task_id=key[1], time=now)
        self.put(record.key, record)
        self.let_go(record.key)

    def purge(self, job_id: str) -> None:
        """The job and its tasks may be run again."""
        self.let_go((folded(job_id), _JOB))
        self._ledger.purge(self.name, folded(job_id))


def forgotten(job: Job, now: float) -> Changes:
    """What to commit before the rows of an old job go, where no core does it."""
    ledger = Ledger()
    gone = GoneIds(ledger)
    gone.purge(job.id)
    gone.forgotten(job, now)
    return ledger.take()
