"""How many tasks stand where, kept up to date with every change so that nobody ever counts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable

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


class TaskTally:
    def __init__(self, jobs: Table[str, Job]) -> None:
        self._jobs = jobs
        self._pools: dict[str, list[int]] = {}
        self._open: dict[str, int] = {}
        self._ready: dict[str, int] = {}

    def move(self, old: Task, new: Task) -> None:
        """Count a task's next version for the one before."""
        if _standing(old) != _standing(new):
            self.add(old, -1)
            self.add(new, +1)

    def add(self, task: Task, by: int) -> None:
        """Count the task as it stands (+1), or no longer (-1)."""
        job = self._jobs[task.job_id]
        counts = self._pools.get(job.pool_id)
        if counts is None:
            counts = self._pools[job.pool_id] = [0, 0, 0, 0]
        if task.state is TaskState.COMPLETED:
            counts[2 if task.result is ExecutionResult.SUCCESS else 3] += by
            return
        self._open[job.id] = self._open.get(job.id, 0) + by
        if task.state is not TaskState.ACTIVE or (not task.waiting and task.scheduling_error is None):
            self._ready[job.id] = self._ready.get(job.id, 0) + by
        if task.size > 1:
            by *= task.size  # a multi-instance task counts as often as it has instances
        if task.state is not TaskState.ACTIVE:
            counts[1] += by
        elif job.takes_tasks and not job.blocked and not task.waiting and task.scheduling_error is None:
            # those that wait for other tasks are no active ones to formulas (Batch: $ActiveTasks)
            counts[0] += by

    def add_done(self, job_id: str, totals: DoneTotals) -> None:
        counts = self._pools.setdefault(self._jobs[job_id].pool_id, [0, 0, 0, 0])
        counts[2] += totals.succeeded
        counts[3] += totals.failed

    def move_done(self, old_pool: str, new_pool: str, succeeded: int, failed: int) -> None:
        """A job with so many completed tasks has changed its pool."""
        for pool_id, by in ((old_pool, -1), (new_pool, +1)):
            counts = self._pools.setdefault(pool_id, [0, 0, 0, 0])
            counts[2] += by * succeeded
            counts[3] += by * failed

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
        return self._open.get(job_id, 0)

    def ready_tasks(self, job_id: str) -> int:
        """Tasks of the job that run, or may start: what waits for others goes on only when these end."""
        return self._ready.get(job_id, 0)


def _standing(task: Task) -> tuple[object, ...]:
    """All of a task that it is counted by, as long as its job stays as it is."""
    state = task.state
    if state is TaskState.COMPLETED:
        return (2, task.result)
    return (state is TaskState.ACTIVE, task.waiting, task.scheduling_error is None)
