"""What the executions of each job take of nodes. Pure.

An execution costs its share of its node (its slots of all the node's task slots) for as long as its process runs; all
executions count, also those that were retried or requeued. One whose end nobody has heard of counts until its node is
gone; if there are more of those than the node has slots, they share the node. What else a pool costs is boot and idle
time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pools import Cost, Node, cost_of

from .events import Outcome
from .model import Job
from .scheduler import NodeSlots
from .states import TaskState
from .task_model import Instance, Task, TaskKey
from .task_tally import DoneTotals


class JobCosts:
    def __init__(self, slots: Mapping[str, NodeSlots], node_of: Callable[[str], Node | None]) -> None:
        self._slots = slots
        self._node_of = node_of
        self._ended: dict[str, Cost] = {}
        self._running: dict[str, dict[TaskKey, Task]] = {}
        #: the node that has gone, and by what the shares of its executions are too large
        self._gone = ("", 1.0)
        #: jobs whose executions started or ended since somebody has looked
        self.touched: set[str] = set()

    def known(self, task: Task) -> None:
        """The task is there, with what its former executions have cost."""
        if task.cost or task.unpriced_seconds:
            self._add(task.job_id, Cost(task.cost, task.unpriced_seconds))
        if task.state is TaskState.RUNNING or task.instances:  # the primary may be the last to start
            self.started(task)

    def add_done(self, job_id: str, totals: DoneTotals) -> None:
        self._add(job_id, Cost(totals.cost, totals.unpriced_seconds))

    def recover(self, jobs: Iterable[Job]) -> None:
        """What tasks have cost that were deleted."""
        for job in jobs:
            if job.deleted_cost or job.deleted_unpriced_seconds:
                self._add(job.id, Cost(job.deleted_cost, job.deleted_unpriced_seconds))

    def started(self, task: Task) -> None:
        self._running.setdefault(task.job_id, {})[task.key] = task
        self.touched.add(task.job_id)

    def _add(self, job_id: str, cost: Cost) -> None:
        before = self._ended.get(job_id)
        self._ended[job_id] = cost if before is None else before + cost

    def charge(self, task: Task, now: float, report: Outcome | None = None) -> dict[str, Any]:
        """The task's present execution has ended, as `report` says or unheard: what changes in the task's record. To be
        called before the task leaves its node."""
        self._running.get(task.job_id, {}).pop(task.key, None)
        if task.node_id is None or task.instances:  # those of a multi-instance task were charged one by one
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
        share = share_of(task, self._slots[task.node_id].slots)
        if report is None:
            share *= self._gone[1] if self._gone[0] == task.node_id else self._crowding(task.node_id)
        cost = cost_of((end - start) * share, node.price_per_hour if node is not None else None)
        self._add(task.job_id, cost)
        self.touched.add(task.job_id)
        return {"cost": task.cost + cost.known, "unpriced_seconds": task.unpriced_seconds + cost.unpriced}

    def charge_instance(
        self, task: Task, instance: Instance, now: float, report: Outcome | None = None
    ) -> dict[str, Any]:
        """The same for one instance of a multi-instance task."""
        node, start, end = self._node_of(instance.node_id), instance.start_time, now
        if report is not None:
            start, end = report.start_time, report.end_time
        elif node is not None and node.vm_ended is not None:
            end = min(end, node.vm_ended)
        if start is None or end <= start:
            return {}
        share = share_of(task, self._slots[instance.node_id].slots)
        cost = cost_of((end - start) * share, node.price_per_hour if node is not None else None)
        self._add(task.job_id, cost)
        self.touched.add(task.job_id)
        return {"cost": task.cost + cost.known, "unpriced_seconds": task.unpriced_seconds + cost.unpriced}

    def node_gone(self, node_id: str) -> None:
        """What runs there is charged next."""
        self._gone = (node_id, self._crowding(node_id) if node_id in self._slots else 1.0)

    def _crowding(self, node_id: str) -> float:
        """More executions than a node has slots: some of them have ended, and nobody knows which."""
        node = self._slots[node_id]
        return min(1.0, node.slots / node.used) if node.used else 1.0

    def ended(self, job_id: str) -> Cost:
        """What the job's executions that have ended did cost."""
        return self._ended.get(job_id, Cost())

    def running(self, job_id: str) -> Iterable[tuple[float, float, float | None]]:
        """Of each execution that runs: since when, its share of its node, and the node's price per hour."""
        for task in self._running.get(job_id, {}).values():
            for node_id, since in _places(task):
                node, share = self._node_of(node_id), share_of(task, self._slots[node_id].slots)
                price = node.price_per_hour if node is not None else None
                yield since, share * self._crowding(node_id), price

    def forget(self, job_id: str) -> None:
        """The job is over, or gone: nobody asks any more, and another of that id has had no execution."""
        self._running.pop(job_id, None)
        self._ended.pop(job_id, None)


def _places(task: Task) -> Iterator[tuple[str, float]]:
    """Where the task's present execution, or instances of it, run, and since when."""
    if task.instances:
        for each in task.instances:
            if each.start_time is not None and not each.over:
                yield each.node_id, each.start_time
    elif task.node_id is not None and task.start_time is not None:
        yield task.node_id, task.start_time


def share_of(task: Task, slots: int) -> float:
    """The part of a node with so many slots that an execution of the task takes."""
    return 1.0 if task.exclusive else min(1.0, task.slots / slots)


def task_cost(task: Task, node: Node | None, slots: int, now: float) -> Cost:
    """What all executions of the task have cost, with the one that runs (on `node`) until now."""
    cost = Cost(task.cost, task.unpriced_seconds)
    if task.state is not TaskState.RUNNING or task.start_time is None or node is None:
        return cost
    end = now if node.vm_ended is None else node.vm_ended
    share = share_of(task, slots)
    if task.instances:  # the nodes of a pool cost about the same
        running = sum(max(0.0, end - since) for _, since in _places(task))
        return cost + cost_of(running * share, node.price_per_hour)
    return cost + cost_of(max(0.0, end - task.start_time) * share, node.price_per_hour)
