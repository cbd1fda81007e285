"""The tasks that are placed on nodes: what the records say of it, and what the scheduler goes by. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pools import Command, Ledger, Node, Table, evolve

from .commands import KillExecution
from .job_costs import JobCosts
from .model import Job
from .open_nodes import OpenNodes
from .scheduler import Durations, NodeSlots, Placement, Stage
from .states import TaskEvent, TaskState
from .task_model import Instance, Task
from .waiting_tasks import WaitingTasks


class PlacedTasks(WaitingTasks):
    def __init__(
        self,
        ledger: Ledger,
        jobs: Table[str, Job],
        say: Callable[[Command], None],
        node_of: Callable[[str], Node | None],
    ) -> None:
        """`node_of`: the record of a node, by its id."""
        super().__init__(ledger, jobs)
        self._say = say
        self.slots: dict[str, NodeSlots] = {}
        self.open_nodes = OpenNodes(self.slots)
        self.durations = Durations()
        self.costs = JobCosts(self.slots, node_of)
        #: is the start of the task, which is placed on the node, still to leave?
        self.is_held_back: Callable[[Task, str], bool] = lambda task, node_id: False
        #: has it been heard that the node is connected?
        self.is_connected: Callable[[str], bool] = lambda node_id: True
        #: nodes whose load changed in this batch
        self.touched: set[str] = set()
        #: (job id, node id) where executions have been asked to end since somebody has looked
        self.asked_to_end: dict[tuple[str, str], None] = {}
        #: (job id, node id) that executions have left since somebody has looked
        self.vacated: dict[tuple[str, str], None] = {}

    def forget_job(self, job_id: str) -> None:
        super().forget_job(job_id)
        self.durations.forget(job_id)
        self.costs.forget(job_id)

    def place(self, task: Task, node: NodeSlots, holds: bool, now: float) -> Task:
        """Record that the task's next execution is placed on `node`; with `holds` False it waits there."""
        state = task.after(TaskEvent.PLACED) if holds else task.state
        changes = {"state": state, "attempt": task.attempt + 1, "node_id": node.node_id, "ended": False}
        task = self.put(task, evolve(task, now, **changes))
        slots = node.slots if task.exclusive else task.slots
        stage = Stage.HOLDS if holds else Stage.QUEUED
        node.place(task.execution_id, Placement(task.key, slots, now, stage))
        self.queue.placed(task)
        self.touched.add(node.node_id)
        return task

    def place_together(self, task: Task, nodes: Sequence[NodeSlots], now: float) -> Task:
        """Record that the next attempt of a multi-instance task is placed on these, the primary on the first."""
        state = task.after(TaskEvent.PLACED)
        instances = tuple(Instance(node_id=node.node_id, state_time=now) for node in nodes)
        changes = {"state": state, "attempt": task.attempt + 1, "node_id": nodes[0].node_id, "instances": instances}
        task = self.put(task, evolve(task, now, **changes))
        for number, node in enumerate(nodes):
            node.place(task.execution_of(number), Placement(task.key, task.slots, now, Stage.HOLDS))
            self.touched.add(node.node_id)
        self.queue.placed(task)
        return task

    def _place_record(self, task: Task) -> None:
        assert task.node_id is not None
        if task.instances:
            for number, each in enumerate(task.instances):
                if not each.over:
                    stage = Stage.ENDED if each.ended else Stage.HOLDS
                    placement = Placement(task.key, task.slots, each.state_time, stage)
                    self.slots[each.node_id].place(task.execution_of(number), placement)
            self.queue.placed(task)
            return
        node = self.slots.get(task.node_id)
        if node is None:
            job = self._jobs[task.job_id]
            node = self.node_known(task.node_id, job.pool_id, 1)
        slots = node.slots if task.exclusive else task.slots
        stage = Stage.QUEUED if task.state is TaskState.ACTIVE else Stage.HOLDS
        stage = Stage.ENDED if task.ended else stage
        node.place(task.execution_id, Placement(task.key, slots, task.modified, stage))
        self.queue.placed(task)

    def node_known(self, node_id: str, pool_id: str, slots: int) -> NodeSlots:
        node = self.slots.get(node_id)
        if node is None:
            node = self.slots[node_id] = NodeSlots(node_id, pool_id, slots, changed=self.open_nodes.changed)
        node.slots = slots
        return node

    def busy(self, node_id: str) -> int:
        node = self.slots.get(node_id)
        return len(node.placements) if node is not None else 0

    def heard(self, node_id: str, now: float) -> None:
        """The node has told of an execution."""
        node = self.slots.get(node_id)
        if node is not None:
            node.heard = now

    def may_begin(self, task: Task) -> bool:
        """Of one that is placed: may what has not been started of it still be?"""
        return task.state is TaskState.RUNNING or self._jobs[task.job_id].takes_tasks

    def unheard(self, node_id: str, until: float) -> frozenset[str]:
        """The executions that may have begun on the node before `until`, as far as it has told: all that had slots, and
        of those that waited there as many as could follow since it last told of one, if they are as short as the
        shortest of their job.
        """
        node = self.slots.get(node_id)
        if node is None:
            return frozenset()
        begun, follow, seconds = set(), 2 * node.slots, node.slots * (until - node.heard)
        for execution_id, placement in node.placements.items():
            if placement.stage is Stage.QUEUED:
                if follow > 0:
                    follow -= 1
                elif seconds > 0:
                    seconds -= self.durations.shortest(placement.key[0])
                else:
                    continue
            begun.add(execution_id)
        return frozenset(begun)

    def _current(self, node_id: str, execution_id: str) -> Task | None:
        """The task whose present execution this is, or None if the report is stale."""
        task = self.task_of(execution_id)
        if task is None or task.state is TaskState.COMPLETED:
            return None
        return task if task.execution_id == execution_id and task.node_id == node_id else None

    def _kill(self, task: Task, node_id: str, execution_id: str) -> None:
        """Ask the node to end what is there of the task."""
        self.asked_to_end[task.job_id, node_id] = None
        self._say(KillExecution(node_id, execution_id))

    def _unplace(self, task: Task) -> None:
        assert task.node_id is not None
        if task.instances:  # each of them has left its node when it ended
            self.queue.unplaced(task)
            return
        self._leaves(task, task.node_id, task.execution_id)
        self.queue.unplaced(task)

    def _leaves(self, task: Task, node_id: str, execution_id: str) -> None:
        self.slots[node_id].unplace(execution_id)
        self.touched.add(node_id)
        self.vacated[task.job_id, node_id] = None

    def _placed_on(self, node_id: str) -> list[Task]:
        """The tasks on the node, but for multi-instance ones."""
        return [task for task in self._all_on(node_id) if not task.instances]

    def _all_on(self, node_id: str) -> list[Task]:
        node = self.slots.get(node_id)
        return [self.tasks[p.key] for p in node.placements.values()] if node is not None else []
