"""The life of a task: queued, placed, running, ended or given back.

Rules that data hangs on:
- the placement is recorded before the start command leaves, and a task is placed anew only when its former
  execution is certain to run no more (outcome, loss reported by the node, or the VM gone);
- a task is completed in the same commit that holds its output; only then is the node told to forget it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from pools import (
    Command,
    FailureInfo,
    Ledger,
    Log,
    Node,
    NodeDeallocationOption,
    Table,
    evolve,
)

from .commands import Acknowledge, KillExecution, RecallExecutions
from .completion import completion
from .events import Outcome
from .failure import ENDED_ON_REQUEST, LOST_LIMIT, failure_of, lost_too_often, retries_left
from .job_costs import JobCosts
from .model import Ending, Job, Output, Task, TaskKey
from .scheduler import Durations, NodeSlots, Placement, Stage
from .states import JobState, TaskEvent, TaskState, next_task_state
from .task_queue import TaskQueue
from .task_records import TaskRecords
from .task_tally import DoneTotals

E = TaskEvent


class TaskMachine(TaskRecords):
    def __init__(
        self,
        ledger: Ledger,
        jobs: Table[str, Job],
        say: Callable[[Command], None],
        node_of: Callable[[str], Node | None] = lambda node_id: None,
    ) -> None:
        """`node_of`: the record of a node, by its id."""
        super().__init__(ledger, jobs)
        self.outputs: Log[tuple[str, str, str, str], Output] = Log(ledger, "outputs")
        self._jobs = jobs
        self._say = say
        #: tasks that wait for a node
        self.queue = TaskQueue(self.tasks, jobs)
        self.slots: dict[str, NodeSlots] = {}
        self.durations = Durations()
        self.costs = JobCosts(self.slots, node_of)
        #: told of tasks that completed, and of nodes whose load changed, in this batch
        self.completed: list[Task] = []
        self.touched: set[str] = set()

    # -- records ---------------------------------------------------------------------------------------------

    def load(self, tasks: dict[TaskKey, Task], done: dict[str, dict[str, int]], sequence: int) -> None:
        """See TaskRecords.load_records; nodes are added by `node_known` before or after."""
        self.load_records(tasks, done, sequence)
        for task in sorted(tasks.values(), key=lambda t: t.sequence):
            self._register(task)
            if task.node_id is not None:
                self._place_record(task)
            elif task.state is TaskState.ACTIVE:
                self.queue.push(task)

    def known_totals(self, job_id: str, totals: DoneTotals) -> None:
        """What the job's completed tasks came to, as they were loaded."""
        self.known_done(job_id, totals)
        self.costs.add_done(job_id, totals)

    def _register(self, task: Task) -> None:
        self.register(task)
        self.costs.known(task)

    def add(self, task: Task) -> Task:
        self.tasks.put(task.key, task)
        self._register(task)
        self.queue.push(task)
        return task

    def restate(self, job: Job) -> None:
        """Record a job whose tasks may start no more, or may again: those that wait count as queued if they may."""
        waiting = [task for task in self.open_of(job.id) if task.state is TaskState.ACTIVE]
        self._tally.recount(waiting, lambda: self._jobs.put(job.id, job))
        for task in waiting:
            if task.node_id is None:
                self.queue.push(task)

    # -- placement -------------------------------------------------------------------------------------------

    def place(self, task: Task, node: NodeSlots, holds: bool, now: float) -> Task:
        """Record that the task's next execution is placed on `node`; with `holds` False it waits there."""
        state = next_task_state(task.id, task.state, E.PLACED, task.story) if holds else task.state
        changes = {"state": state, "attempt": task.attempt + 1, "node_id": node.node_id, "ended": False}
        task = self.put(task, evolve(task, now, **changes))
        slots = node.slots if task.exclusive else task.slots
        stage = Stage.HOLDS if holds else Stage.QUEUED
        node.place(task.execution_id, Placement(task.key, slots, now, stage))
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
        self.touched.add(task.node_id)

    # -- reports ---------------------------------------------------------------------------------------------

    def started(self, node_id: str, execution_id: str, time: float, now: float) -> None:
        task = self._current(node_id, execution_id)
        if task is None or task.state is TaskState.RUNNING:
            return
        if not task.ended:
            self.slots[node_id].move(execution_id, Stage.HOLDS, now)
        state = next_task_state(task.id, task.state, E.STARTED, task.story)
        self.costs.started(self.put(task, evolve(task, now, state=state, start_time=time)))

    def ended(self, node_id: str, execution_id: str, now: float) -> None:
        """The slot is free; the outcome follows when the output is in the store."""
        task = self._current(node_id, execution_id)
        if task is not None and not task.ended:
            self.slots[node_id].move(execution_id, Stage.ENDED, now)
            self.touched.add(node_id)
            self.put(task, evolve(task, now, ended=True))

    def outcome(self, report: Outcome, now: float) -> None:
        """Record an outcome; a stale or repeated one is only acknowledged."""
        task = self._current(report.node_id, report.execution_id)
        self._say(Acknowledge(report.node_id, (report.execution_id,)))
        if task is None:
            return
        if report.start_time is not None:
            self.durations.add(task.job_id, max(0.0, report.end_time - report.start_time))
        if report.killed and task.ending is Ending.REQUEUE:
            self.give_back(task, now, requeued=True, report=report)
            return
        # also those of an attempt that is tried again: its user wants to see why it failed
        for output in report.outputs:
            output = replace(output, owner="task", parent_id=task.job_id, id=task.id)
            self.outputs.append(output.key, output)
        failure = failure_of(report, task.ending)
        again = task.ending is not Ending.TERMINATE and retries_left(task, self._jobs[task.job_id])
        if failure is None or not again:
            self._complete(task, now, failure, report)
            return
        self._queue_again(
            task,
            now,
            report,
            exit_code=report.exit_code,
            failure=failure,
            retry_count=task.retry_count + 1,
            last_retry_time=now,
            last_node_id=report.node_id,
        )

    def _queue_again(self, task: Task, now: float, report: Outcome | None, **changes: Any) -> None:
        changes |= self.costs.charge(task, now, report)
        self._unplace(task)
        changes["state"] = next_task_state(task.id, task.state, E.GIVEN_BACK, task.story)
        task = self.put(task, evolve(task, now, node_id=None, ended=False, ending=None, **changes))
        self.queue.push(task)

    def _complete(self, task: Task, now: float, failure: FailureInfo | None, report: Outcome | None) -> None:
        changes = completion(task, self._jobs[task.job_id].pool_id, failure, report, now)
        changes |= self.costs.charge(task, now, report)
        if task.node_id is not None:
            self._unplace(task)
        self.completed.append(self.put(task, evolve(task, now, **changes)))

    def give_back(self, task: Task, now: float, *, requeued: bool, report: Outcome | None = None) -> None:
        """The present execution runs no more and has no outcome: the task queues again; `requeued` counts it, apart
        from retries. A task that was to be terminated ends instead."""
        if task.ending is Ending.TERMINATE or self._jobs[task.job_id].state is not JobState.ACTIVE:
            self._complete(task, now, ENDED_ON_REQUEST, None)
            return
        changes: dict[str, Any] = {"start_time": None}
        if requeued:
            changes |= {
                "requeue_count": task.requeue_count + 1,
                "last_requeue_time": now,
                "last_node_id": task.node_id,
            }
        self._queue_again(task, now, report, **changes)

    def lost(self, node_id: str, execution_id: str, reason: str, now: float) -> None:
        """The node lives, but lost the execution; a task that kills its supervisor each time fails in the end."""
        task = self._current(node_id, execution_id)
        self._say(Acknowledge(node_id, (execution_id,)))
        if task is not None and task.requeue_count < LOST_LIMIT:
            self.give_back(task, now, requeued=True)
        elif task is not None:
            self._complete(task, now, lost_too_often(task.requeue_count, reason), None)

    def recalled(self, node_id: str, execution_id: str, now: float) -> None:
        task = self._current(node_id, execution_id)
        if task is not None:
            self.give_back(task, now, requeued=False)

    # -- nodes that leave ------------------------------------------------------------------------------------

    def _placed_on(self, node_id: str) -> list[Task]:
        node = self.slots.get(node_id)
        return [self.tasks[p.key] for p in node.placements.values()] if node is not None else []

    def evict(self, node_id: str, option: NodeDeallocationOption, now: float) -> None:
        """End, give back or let finish what is placed on a node that leaves."""
        tasks = [task for task in self._placed_on(node_id) if not task.ended]
        if option in (NodeDeallocationOption.REQUEUE, NodeDeallocationOption.TERMINATE):
            ending = Ending.REQUEUE if option is NodeDeallocationOption.REQUEUE else Ending.TERMINATE
            for task in tasks:
                self.end(task, ending, now)
            return
        unstarted = tuple(task.execution_id for task in tasks if task.state is not TaskState.RUNNING)
        if unstarted:
            self._say(RecallExecutions(node_id, unstarted))

    def end(self, task: Task, ending: Ending, now: float) -> None:
        """Ask the node to end the present execution of a placed task."""
        assert task.node_id is not None
        if task.ending not in (ending, Ending.TERMINATE):
            self.put(task, evolve(task, now, ending=ending))
        self._say(KillExecution(task.node_id, task.execution_id))

    def node_gone(self, node_id: str, died: str | None, now: float) -> None:
        """`died`: why, if it failed by itself (was not preempted, not taken out). See `lost`."""
        self.costs.node_gone(node_id)
        for task in self._placed_on(node_id):
            running = task.state is TaskState.RUNNING
            if running and died is not None and task.requeue_count >= LOST_LIMIT:
                self._complete(task, now, lost_too_often(task.requeue_count, died), None)
            else:
                self.give_back(task, now, requeued=running)
        self.slots.pop(node_id, None)
        self.touched.discard(node_id)
