"""Tasks that wait for a node, best first: priority, then age. Pure."""

from __future__ import annotations

import heapq

from pools import Table

from .model import Job, Task, TaskKey
from .states import TaskState


class TaskQueue:
    """One heap per pool. Entries of tasks that no longer wait stay until they come up, and are skipped
    then."""

    def __init__(self, tasks: Table[TaskKey, Task], jobs: Table[str, Job]) -> None:
        self._tasks = tasks
        self._jobs = jobs
        self._heaps: dict[str, list[tuple[int, int, TaskKey]]] = {}

    def push(self, task: Task) -> None:
        """The task waits, if its job lets tasks start."""
        job = self._jobs[task.job_id]
        if job.takes_tasks:
            heap = self._heaps.setdefault(job.pool_id, [])
            heapq.heappush(heap, (-job.spec.priority, task.sequence, task.key))

    def first(self, pool_id: str) -> Task | None:
        """The next task that waits for a node of the pool."""
        heap = self._heaps.get(pool_id, [])
        while heap:
            task = self._tasks.get(heap[0][2])
            waits = task is not None and task.state is TaskState.ACTIVE and task.node_id is None
            if task is not None and waits and self._jobs[task.job_id].takes_tasks:
                return task
            heapq.heappop(heap)
        return None

    def drop_first(self, pool_id: str) -> None:
        heapq.heappop(self._heaps[pool_id])
