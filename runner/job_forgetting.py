"""Old jobs whose rows go bit by bit while the controller works on; until all are gone, nothing else gets their ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from . import job_events as jev
from .events import Event
from .job_errors import JobError
from .job_machine import JobMachine
from .model import Job
from .states import JobState


class JobForgetting:
    def __init__(self, jobs: JobMachine) -> None:
        self._jobs = jobs
        #: ids; not stored: after a restart it is begun anew
        self._under_way: set[str] = set()
        # a job that is deleted meanwhile goes when the others of its rows have
        jobs.closing.append(lambda job: job.state is not JobState.DELETING or job.id not in self._under_way)

    def handlers(self) -> Mapping[type[Event], Callable[[Any, float], object]]:
        return {jev.ForgetJob: self._begin, jev.JobForgotten: self._end}

    def _begin(self, event: jev.ForgetJob, now: float) -> None:
        job = self._job(event)
        if job is None:
            raise JobError("JobNotFound", f"there is no job {event.job_id!r} any more that ended at {event.ended}")
        self._under_way.add(job.id)
        # should this end half way, nobody takes the tasks that have gone for new ones
        self._jobs.tasks.gone.forgotten(job, now)

    def _end(self, event: jev.JobForgotten, now: float) -> None:
        self._under_way.discard(event.job_id)
        job = self._job(event)
        if job is not None and event.gone:
            self._jobs.delete(job.id, now)
            self._jobs.tasks.gone.forgotten(job, now)
        self._jobs.close_if_free(event.job_id, now)

    def _job(self, event: jev.ForgetJob) -> Job | None:
        """The very job that is meant, and not another of the same id."""
        job = self._jobs.jobs.get(event.job_id)
        completed = job is not None and job.state is JobState.COMPLETED
        return job if completed and job is not None and job.end_time == event.ended else None
