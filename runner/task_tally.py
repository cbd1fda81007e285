"""How many tasks stand where, kept up to date with every change so that nobody ever counts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec

from pools import ExecutionResult, Table, TaskCounts

from .model import Job
from .states import TaskState
from .task_model import Task


class DoneTotals(msgspec.Struct, frozen=True):
    """Over the completed tasks of a job; `unpriced_seconds` of nodes whose price was not known."""

    succeeded: int = 0
    failed: int = 0
    cost: float = 0.0
    unpriced_seconds: float = 0.0

    def __add__(self, other: DoneTotals) -> DoneTotals:
        return DoneTotals(
            self.succeeded + other.succeeded,
            self.failed + other.failed,
            self.cost + other.cost,
            self.unpriced_seconds + other.unpriced_seconds,
        )


@dataclass(slots=True)
class _OfJob:
    """Tasks of one job; `open` are those that are not completed, `ready` those of them that wait for no other."""

    open: int = 0
    ready: int = 0
    succeeded: int = 0
    failed: int = 0


class TaskTally:
    def __init__(self, jobs: Table[str, Job]) -> None:
        self._jobs = jobs
        #: active, running, succeeded and failed ones, of all jobs that the pool has
        self._pools: dict[str, list[int]] = {}
        self._of: dict[str, _OfJob] = {}

    def move(self, old: Task, new: Task) -> None:
        """Count a task's next version for the one before."""
        state = new.state
        if state is old.state and (state is TaskState.RUNNING or _standing(old) == _standing(new)):
            return  # that is all that it is counted by
        self.add(old, -1)
        self.add(new, +1)

    def add(self, task: Task, by: int) -> None:
        """Count the task as it stands (+1), or no longer (-1)."""
        job = self._jobs[task.job_id]
        counts, own = self._pools.get(job.pool_id), self._of.get(job.id)
        if counts is None:
            counts = self._pools[job.pool_id] = [0, 0, 0, 0]
        if own is None:
            own = self._of[job.id] = _OfJob()
        state = task.state
        if state is TaskState.COMPLETED:
            if task.result is ExecutionResult.SUCCESS:
                counts[2] += by
                own.succeeded += by
            else:
                counts[3] += by
                own.failed += by
            return
        own.open += by
        active = state is TaskState.ACTIVE
        if active and (task.waiting or task.scheduling_error is not None):
            return  # those that wait for other tasks are no active ones to formulas (Batch: $ActiveTasks)
        own.ready += by
        if task.size > 1:
            by *= task.size  # a multi-instance task counts as often as it has instances
        if not active:
            counts[1] += by
        elif job.takes_tasks and not job.blocked:
            counts[0] += by

    def add_new(self, job_id: str, tasks: Iterable[Task]) -> None:
        """Count tasks of the job that have just been made."""
        plain = 0
        for task in tasks:
            if task.size or task.waiting or task.scheduling_error is not None or task.state is not TaskState.ACTIVE:
                self.add(task, +1)
            else:
                plain += 1
        job, own = self._jobs[job_id], self._of.setdefault(job_id, _OfJob())
        counts = self._pools.setdefault(job.pool_id, [0, 0, 0, 0])
        own.open += plain
        own.ready += plain
        if job.takes_tasks and not job.blocked:
            counts[0] += plain

    def add_done(self, job_id: str, totals: DoneTotals) -> None:
        own = self._of.setdefault(job_id, _OfJob())
        own.succeeded += totals.succeeded
        own.failed += totals.failed
        self._count_done(own, self._jobs[job_id].pool_id, +1)

    def _count_done(self, own: _OfJob, pool_id: str, by: int) -> None:
        """Count a job's completed tasks for the pool (+1), or no longer (-1)."""
        counts = self._pools.setdefault(pool_id, [0, 0, 0, 0])
        counts[2] += by * own.succeeded
        counts[3] += by * own.failed
        if not any(counts):
            del self._pools[pool_id]

    def moved(self, job_id: str, old_pool: str, new_pool: str) -> None:
        """The job has changed its pool, and its other tasks have been counted anew."""
        own = self._of.get(job_id, _OfJob())
        self._count_done(own, old_pool, -1)
        self._count_done(own, new_pool, +1)

    def forget(self, job_id: str) -> None:
        """The job goes, with its completed tasks; the others are not counted any more."""
        self._count_done(self._of.pop(job_id, _OfJob()), self._jobs[job_id].pool_id, -1)

    def recount(self, tasks: Iterable[Task], restate: Callable[[], object]) -> None:
        """`restate` changes how the job of these tasks stands, and with it what they count as."""
        tasks = tuple(tasks)
        for task in tasks:
            self.add(task, -1)
        restate()
        for task in tasks:
            self.add(task, +1)

    def of_pool(self, pool_id: str) -> TaskCounts:
        return TaskCounts(*self._pools.get(pool_id, (0, 0, 0, 0)))

    def open_tasks(self, job_id: str) -> int:
        """Tasks of the job that are not completed."""
        own = self._of.get(job_id)
        return own.open if own is not None else 0

    def ready_tasks(self, job_id: str) -> int:
        """Tasks of the job that run, or may start: what waits for others goes on only when these end."""
        own = self._of.get(job_id)
        return own.ready if own is not None else 0


def _standing(task: Task) -> tuple[object, ...]:
    """All of a task that it is counted by, as long as its job stays as it is."""
    state = task.state
    if state is TaskState.COMPLETED:
        return (2, task.result)
    return (state is TaskState.ACTIVE, task.waiting, task.scheduling_error is None)
