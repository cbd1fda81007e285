"""What the executions of each job take of nodes. Pure.

An execution costs its share of its node (its slots of all the node's task slots) for as long as its process runs; all
executions count, also those that were retried or requeued. What else a pool costs is boot and idle time.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pools import Cost, Node, cost_of

from .events import Outcome
from .model import Task, TaskKey
from .scheduler import NodeSlots
from .states import TaskState


class JobCosts:
    def __init__(self, slots: Mapping[str, NodeSlots], node_of: Callable[[str], Node | None]) -> None:
        self._slots = slots
        self._node_of = node_of
        self._ended: dict[str, Cost] = {}
        self._running: dict[str, dict[TaskKey, Task]] = defaultdict(dict)
        #: jobs whose executions started or ended since somebody has looked
        self.touched: set[str] = set()

    def known(self, task: Task) -> None:
        """The task is there, with what its former executions have cost."""
        if task.cost or task.unpriced_seconds:
            self._add(task.job_id, Cost(task.cost, task.unpriced_seconds))
        if task.state is TaskState.RUNNING:
            self.started(task)

    def started(self, task: Task) -> None:
        self._running[task.job_id][task.key] = task
        self.touched.add(task.job_id)

    def _add(self, job_id: str, cost: Cost) -> None:
        self._ended[job_id] = self._ended.get(job_id, Cost()) + cost

    def charge(self, task: Task, now: float, report: Outcome | None = None) -> dict[str, Any]:
        """The task's present execution has ended, as `report` says or unheard: what changes in the task's record. To be
        called before the task leaves its node."""
        self._running[task.job_id].pop(task.key, None)
        if task.node_id is None:
            return {}
        node, end, start = self._node_of(task.node_id), now, None
        if task.state is TaskState.RUNNING:
            start = task.start_time
        if report is not None:
            start, end = report.start_time, report.end_time  # by the node's clock, both
        elif node is not None and node.vm_ended is not None:
            end = min(end, node.vm_ended)
        if start is None or end <= start:
            return {}
        cost = cost_of((end - start) * self._share(task), node.price_per_hour if node is not None else None)
        self._add(task.job_id, cost)
        self.touched.add(task.job_id)
        return {"cost": task.cost + cost.known, "unpriced_seconds": task.unpriced_seconds + cost.unpriced}

    def _share(self, task: Task) -> float:
        """Of its node."""
        assert task.node_id is not None
        return share_of(task, self._slots[task.node_id].slots)

    def ended(self, job_id: str) -> Cost:
        """What the job's executions that have ended did cost."""
        return self._ended.get(job_id, Cost())

    def running(self, job_id: str) -> Iterable[tuple[float, float, float | None]]:
        """Of each execution that runs: since when, its share of its node, and the node's price per hour."""
        for task in self._running[job_id].values():
            if task.node_id is not None and task.start_time is not None:
                node = self._node_of(task.node_id)
                yield task.start_time, self._share(task), node.price_per_hour if node is not None else None

    def forget(self, job_id: str) -> None:
        """The job is over: nobody asks for what its executions take at present."""
        self._running.pop(job_id, None)


def share_of(task: Task, slots: int) -> float:
    """The part of a node with so many slots that an execution of the task takes."""
    return 1.0 if task.exclusive else min(1.0, task.spec.required_slots / slots)


def task_cost(task: Task, node: Node | None, slots: int, now: float) -> Cost:
    """What all executions of the task have cost, with the one that runs (on `node`) until now."""
    cost = Cost(task.cost, task.unpriced_seconds)
    if task.state is not TaskState.RUNNING or task.start_time is None or node is None:
        return cost
    end = now if node.vm_ended is None else node.vm_ended
    return cost + cost_of(max(0.0, end - task.start_time) * share_of(task, slots), node.price_per_hour)
