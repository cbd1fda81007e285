"""Tasks that wait for a node, best first: priority, then age. Pure.

Per job a heap of the tasks that wait; per pool a heap of the jobs whose tasks may start, each with its oldest task.
What stops a job (disabled, held, as many tasks at nodes as it may have) takes the job out of its pool's heap, and its
tasks stay where they are. Heaps are cleaned when what is stale in them comes up.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from pools import Table

from .model import Job
from .states import TaskState
from .task_model import Task, TaskKey

#: So many places of jobs that are overtaken are kept in any case.
_SLACK = 64


class _Rank(NamedTuple):
    """Where a job stands in the queue of its pool."""

    pool_id: str
    #: -priority, sequence of its oldest task that waits, id
    order: tuple[int, int, str]


class TaskQueue:
    def __init__(self, tasks: Table[TaskKey, Task], jobs: Table[str, Job]) -> None:
        self._tasks = tasks
        self._jobs = jobs
        self._waiting: dict[str, list[tuple[int, TaskKey]]] = {}
        self._pools: dict[str, list[tuple[int, int, str]]] = {}
        self._ranks: dict[str, _Rank] = {}
        #: tasks of the job at nodes
        self._placed: dict[str, int] = {}
        #: those of them that have ended there: their outcomes are to come
        self._ended: dict[str, int] = {}
        #: jobs whose last task at a node has left it since somebody has looked
        self.vacated: dict[str, None] = {}
        self._aside: list[Task] = []
        self._jobs_aside: dict[str, None] = {}
        #: tasks of the job that have room kept for them, of those set aside
        self._claims: dict[str, int] = {}
        self._parked: dict[str, tuple[Hashable, list[Task]]] = {}

    # -- what waits ------------------------------------------------------------------------------------------

    def push(self, task: Task) -> None:
        """The task waits for a node."""
        heapq.heappush(self._waiting.setdefault(task.job_id, []), (task.sequence, task.key))
        rank = self._ranks.get(task.job_id)
        if rank is None or task.sequence < rank.order[1]:
            self._rank(task.job_id)

    def push_new(self, job_id: str, tasks: Mapping[TaskKey, Task]) -> None:
        """Tasks of the job that are younger than all others wait for a node, the oldest first."""
        # what comes after all others keeps the order of a heap
        self._waiting.setdefault(job_id, []).extend([(task.sequence, key) for key, task in tasks.items()])
        if job_id not in self._ranks:
            self._rank(job_id)

    def refresh(self, job_id: str) -> None:
        """The job's state, priority, limit or pool may have changed."""
        for pool_id in tuple(self._parked):
            self.unpark(pool_id, None)
        self._rank(job_id)

    def forget(self, job_id: str) -> None:
        """None of the job's tasks will start again."""
        self._waiting.pop(job_id, None)
        self._placed.pop(job_id, None)
        self._ended.pop(job_id, None)
        self._rank(job_id)

    def wanted(self, pool_id: str) -> bool:
        """Does anything wait for a node of the pool?"""
        return pool_id in self._parked or self.first(pool_id) is not None

    def first(self, pool_id: str) -> Task | None:
        """The next task that waits for a node of the pool."""
        while heap := self._ranked(pool_id):
            job_id = heap[0][2]
            task = self._head(job_id)
            if task is not None and task.sequence == heap[0][1] and self._starts(job_id):
                return task
            self._rank(job_id)
        return None

    def _ranked(self, pool_id: str) -> list[tuple[int, int, str]]:
        """The heap of the pool, without what is stale at its top; one that is empty is not kept."""
        heap = self._pools.get(pool_id, [])
        while heap and self._ranks.get(heap[0][2]) != (pool_id, heap[0]):
            heapq.heappop(heap)
        if not heap:
            self._pools.pop(pool_id, None)
        return heap

    def _head(self, job_id: str) -> Task | None:
        """The job's oldest task that waits."""
        heap = self._waiting.get(job_id)
        while heap:
            task = self._tasks.get(heap[0][1])
            if task is not None and task.state is TaskState.ACTIVE and task.node_id is None:
                return task
            heapq.heappop(heap)
        return None

    def _starts(self, job_id: str) -> bool:
        """May a further task of the job start now?"""
        job = self._jobs.get(job_id)
        if job is None or not job.takes_tasks or job.blocked or job_id in self._jobs_aside:
            return False
        limit = job.spec.max_parallel_tasks
        if limit < 0:
            return True
        count = self._placed.get(job_id, 0) - self._ended.get(job_id, 0) + self._claims.get(job_id, 0)
        return count < limit

    def _rank(self, job_id: str) -> None:
        head = self._head(job_id) if self._starts(job_id) else None
        before = self._ranks.get(job_id)
        if head is None:
            if before is not None:
                del self._ranks[job_id]
                self._ranked(before.pool_id)
            return
        job = self._jobs[job_id]
        rank = _Rank(job.pool_id, (-job.spec.priority, head.sequence, job_id))
        if before == rank:
            return
        self._ranks[job_id] = rank
        if before is not None and before.pool_id != rank.pool_id:
            self._ranked(before.pool_id)
        heap = self._pools.setdefault(job.pool_id, [])
        heapq.heappush(heap, rank.order)
        if len(heap) > 2 * len(self._ranks) + _SLACK:
            heap[:] = [rank.order for rank in self._ranks.values() if rank.pool_id == job.pool_id]
            heapq.heapify(heap)

    # -- what is at nodes ------------------------------------------------------------------------------------

    def placed(self, task: Task) -> None:
        """The task is at a node, and waits no more."""
        self._placed[task.job_id] = self._placed.get(task.job_id, 0) + 1
        if task.ended:
            self.ended(task)
        self._rank(task.job_id)

    def ended(self, task: Task) -> None:
        """The task, which is at a node, has ended there: another one of its job may have the slots."""
        self._ended[task.job_id] = self._ended.get(task.job_id, 0) + 1
        if task.job_id not in self._ranks:
            self._rank(task.job_id)

    def unplaced(self, task: Task) -> None:
        """The task has left its node."""
        if task.ended:
            self._ended[task.job_id] -= 1
        left = self._placed.pop(task.job_id) - 1
        if left:
            self._placed[task.job_id] = left
        else:
            self.vacated[task.job_id] = None
            self._ended.pop(task.job_id, None)
        if task.job_id not in self._ranks:
            self._rank(task.job_id)

    def placed_count(self, job_id: str) -> int:
        """Tasks of the job at nodes."""
        return self._placed.get(job_id, 0)

    def jobs_at_nodes(self) -> Iterable[str]:
        """The jobs that have tasks at nodes."""
        return self._placed

    # -- one pass over the queue -----------------------------------------------------------------------------

    def set_aside(self, task: Task, *, claims: bool = False) -> None:
        """Go on without the task, which is the first, until `bring_back`. `claims`: room is kept for it, so it counts
        for its job as one at a node."""
        self._take(task)
        self._aside.append(task)
        if claims:
            self._claims[task.job_id] = self._claims.get(task.job_id, 0) + 1
        self._rank(task.job_id)

    def _take(self, task: Task) -> None:
        """The task is the first of its job; one that was ended while it waited, and waits again, stands there twice."""
        heap = self._waiting[task.job_id]
        while heap and heap[0][1] == task.key:
            heapq.heappop(heap)

    def set_job_aside(self, job_id: str) -> None:
        """Go on without the job's tasks until `bring_back`."""
        self._jobs_aside[job_id] = None
        self._rank(job_id)

    def bring_back(self) -> None:
        """The pass is over: what was set aside has its place again."""
        jobs, tasks = self._jobs_aside, self._aside
        self._jobs_aside, self._aside, self._claims = {}, [], {}
        for task in tasks:
            self.push(task)
        for job_id in jobs:
            self._rank(job_id)

    def park(self, pool_id: str, task: Task, nodes: Hashable) -> None:
        """No node of the pool as it is (`nodes`) will ever have room for the task, which is the first: nobody looks at
        it again before there are others."""
        self._take(task)
        self._parked.setdefault(pool_id, (nodes, []))[1].append(task)
        self._rank(task.job_id)

    def has_parked(self, pool_id: str) -> bool:
        """Is there a task for which no node of the pool will ever have room, as they are?"""
        return pool_id in self._parked

    def unpark(self, pool_id: str, nodes: Hashable) -> None:
        """What was parked waits again if the pool's nodes are other ones now."""
        if pool_id in self._parked and self._parked[pool_id][0] != nodes:
            for task in self._parked.pop(pool_id)[1]:
                if task.job_id in self._waiting:
                    self.push(task)
