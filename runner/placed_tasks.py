"""The tasks that are placed on nodes: what the records say of it, and what the scheduler goes by. Pure."""

from __future__ import annotations

from collections.abc import Callable

from pools import Ledger, Node, Table, evolve

from .job_costs import JobCosts
from .model import Job, Task
from .scheduler import Durations, NodeSlots, Placement, Stage
from .states import TaskEvent, TaskState, next_task_state
from .waiting_tasks import WaitingTasks


class PlacedTasks(WaitingTasks):
    def __init__(self, ledger: Ledger, jobs: Table[str, Job], node_of: Callable[[str], Node | None]) -> None:
        """`node_of`: the record of a node, by its id."""
        super().__init__(ledger, jobs)
        self.slots: dict[str, NodeSlots] = {}
        self.durations = Durations()
        self.costs = JobCosts(self.slots, node_of)
        #: nodes whose load changed in this batch
        self.touched: set[str] = set()

    def place(self, task: Task, node: NodeSlots, holds: bool, now: float) -> Task:
        """Record that the task's next execution is placed on `node`; with `holds` False it waits there."""
        state = next_task_state(task.id, task.state, TaskEvent.PLACED, task.story) if holds else task.state
        changes = {"state": state, "attempt": task.attempt + 1, "node_id": node.node_id, "ended": False}
        task = self.put(task, evolve(task, now, **changes))
        slots = node.slots if task.exclusive else task.slots
        stage = Stage.HOLDS if holds else Stage.QUEUED
        node.place(task.execution_id, Placement(task.key, slots, now, stage))
        self.queue.placed(task)
        self.touched.add(node.node_id)
        return task

    def _place_record(self, task: Task) -> None:
        assert task.node_id is not None
        node = self.slots.get(task.node_id)
        if node is None:
            job = self._jobs[task.job_id]
            node = self.slots[task.node_id] = NodeSlots(task.node_id, job.pool_id, 1)
        slots = node.slots if task.exclusive else task.slots
        stage = Stage.QUEUED if task.state is TaskState.ACTIVE else Stage.HOLDS
        stage = Stage.ENDED if task.ended else stage
        node.place(task.execution_id, Placement(task.key, slots, task.modified, stage))
        self.queue.placed(task)

    def node_known(self, node_id: str, pool_id: str, slots: int) -> NodeSlots:
        node = self.slots.setdefault(node_id, NodeSlots(node_id, pool_id, slots))
        node.slots = slots
        return node

    def busy(self, node_id: str) -> int:
        node = self.slots.get(node_id)
        return len(node.placements) if node is not None else 0

    def _current(self, node_id: str, execution_id: str) -> Task | None:
        """The task whose present execution this is, or None if the report is stale."""
        task = self.task_of(execution_id)
        if task is None or task.state is TaskState.COMPLETED:
            return None
        return task if task.execution_id == execution_id and task.node_id == node_id else None

    def _unplace(self, task: Task) -> None:
        assert task.node_id is not None
        node = self.slots[task.node_id]
        node.unplace(task.execution_id)
        self.queue.unplaced(task)
        self.touched.add(task.node_id)

    def _placed_on(self, node_id: str) -> list[Task]:
        node = self.slots.get(node_id)
        return [self.tasks[p.key] for p in node.placements.values()] if node is not None else []
