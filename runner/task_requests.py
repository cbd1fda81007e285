"""What users ask of single tasks: which is legal when, with the Batch REST API's codes, then handed to the machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from pools import ApplicationPackageReference, ExecutionResult, evolve

from . import job_events as jev
from .events import Event
from .job_errors import JobError
from .job_machine import JobMachine
from .model import Job
from .states import JobState, TaskState
from .task_checks import check_constraints
from .task_model import Ending, Task
from .task_spec import packed

_OVER = {
    JobState.TERMINATING: "JobBeingTerminated",
    JobState.COMPLETED: "JobCompleted",
    JobState.DELETING: "JobBeingDeleted",
}


class TaskRequests:
    """A request that is refused raises JobError and changes nothing."""

    def __init__(
        self, jobs: JobMachine, check_packages: Callable[[Iterable[ApplicationPackageReference]], None]
    ) -> None:
        """`check_packages`: raises JobError if one of them is not there."""
        self._jobs = jobs
        self._check_packages = check_packages
        self._tasks = jobs.tasks

    def handlers(self) -> Mapping[type[Event], Callable[[Any, float], object]]:
        return {
            jev.TerminateTask: self._terminate,
            jev.ReactivateTask: self._reactivate,
            jev.DeleteTask: self._delete,
            jev.UpdateTask: self._update,
        }

    def _terminate(self, event: jev.TerminateTask, now: float) -> None:
        task = self._unfinished(event)
        self._tasks.terminate(task, now)

    def _reactivate(self, event: jev.ReactivateTask, now: float) -> None:
        task = self._task(event)
        if task.state is not TaskState.COMPLETED:
            raise JobError("TaskNotCompleted", f"{_name(task)} is {task.state}; only a completed one can run again")
        if task.result is ExecutionResult.SUCCESS:
            raise JobError("TaskSucceeded", f"{_name(task)} has succeeded; only one that failed can run again")
        self._require_living(task)
        self._check_packages(task.spec.application_package_references)
        self._tasks.reactivate(task, now)

    def _delete(self, event: jev.DeleteTask, now: float) -> None:
        task = self._task(event)
        job = self._jobs.job(task.job_id)
        if job.state is JobState.DELETING:
            raise _over(job)
        self._tasks.delete(task, now)

    def _update(self, event: jev.UpdateTask, now: float) -> None:
        """Of a completed one too: it may be reactivated."""
        check_constraints(f"task {event.task_id!r}", event.constraints)
        task = self._task(event)
        self._require_living(task)
        self._tasks.put(
            task, evolve(task, now, raw_spec=packed(replace(task.spec, constraints=event.constraints)))
        )

    def _unfinished(self, event: jev.OfTask) -> Task:
        """A task that is not completed, in a job that goes on."""
        task = self._task(event)
        if task.state is TaskState.COMPLETED:
            raise JobError("TaskCompleted", f"{_name(task)} is completed")
        self._require_living(task)
        return task

    def _require_living(self, task: Task) -> None:
        job = self._jobs.job(task.job_id)
        if not job.lives:
            raise _over(job)

    def _task(self, event: jev.OfTask) -> Task:
        job = self._jobs.job(event.job_id)
        task = self._tasks.tasks.get((event.job_id, event.task_id))
        if task is None or task.ending is Ending.DELETE:
            raise JobError("TaskNotFound", f"job {job.id!r} has no task {event.task_id!r}")
        return task


def _name(task: Task) -> str:
    return f"task {task.id!r} of job {task.job_id!r}"


def _over(job: Job) -> JobError:
    return JobError(_OVER[job.state], f"job {job.id!r} is {job.state}")
