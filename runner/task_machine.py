"""The life of a task: queued, placed, running, ended or given back.

Rules that data hangs on:
- the placement is recorded before the start command leaves, and a task is placed anew only when its former
  execution is certain to run no more (outcome, loss reported by the node, or the VM gone);
- a task is completed in the same commit that holds its output; only then is the node told to forget it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from pools import Command, FailureInfo, Ledger, Node, NodeDeallocationOption, Table, evolve

from .commands import Acknowledge, RecallExecutions
from .completion import completion, reactivation
from .earlier_attempts import EarlierAttempts, why_gone
from .endings import ending_by, stronger
from .events import Outcome
from .exit_conditions import Consequence, consequence
from .failure import ENDED_ON_REQUEST, ended_with, failure_of, is_lost_too_often, lost_too_often, retries_left
from .kept_outputs import KeptOutputs
from .model import Job
from .placed_tasks import PlacedTasks
from .scheduler import Stage
from .states import TaskEvent, TaskState
from .task_model import Ending, Task, TaskKey
from .task_tally import DoneTotals

E = TaskEvent


class TaskMachine(PlacedTasks):
    def __init__(
        self,
        ledger: Ledger,
        jobs: Table[str, Job],
        say: Callable[[Command], None],
        node_of: Callable[[str], Node | None] = lambda node_id: None,
        kept_attempts: int = 10,
    ) -> None:
        """`node_of`: the record of a node, by its id. `kept_attempts`: see PoolSettings."""
        super().__init__(ledger, jobs, say, node_of)
        self.outputs = KeptOutputs(ledger)
        self._earlier = EarlierAttempts(self.outputs, kept_attempts)
        self._node_of = node_of
        #: tasks that completed, or went, in this batch
        self.completed: list[Task] = []
        #: what the ends of tasks ask of their jobs in this batch: (job id, "disable" or "terminate")
        self.actions: list[tuple[str, str]] = []

    # -- records ---------------------------------------------------------------------------------------------

    def load(self, tasks: dict[TaskKey, Task], done: dict[str, dict[str, int]], sequence: int) -> None:
        """See TaskRecords.load_records; nodes are added by `node_known` before or after."""
        self.load_records(tasks, done, sequence)
        for task in sorted(tasks.values(), key=lambda t: t.sequence):
            self._register(task)
            if task.node_id is not None:
                self._place_record(task)
            elif task.state is TaskState.ACTIVE and not task.waiting:
                self.queue.push(task)
        self.resume_waiting(self.open_jobs())

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
        self.enqueue(task)
        return task

    def restate(self, job: Job) -> None:
        """Record a job whose tasks may start no more, or may again: those that wait count as queued if they may."""
        waiting = [task for task in self.open_of(job.id) if task.state is TaskState.ACTIVE]
        pool_id = self._jobs[job.id].pool_id
        self._tally.recount(waiting, lambda: self._jobs.put(job.id, job))
        if pool_id != job.pool_id:
            self._tally.moved(job.id, pool_id, job.pool_id)
        self.restated(job.id)

    # -- reports ---------------------------------------------------------------------------------------------

    def started(self, node_id: str, execution_id: str, time: float, now: float) -> None:
        task = self._current(node_id, execution_id)
        if task is None or task.state is TaskState.RUNNING:
            return
        self.heard(node_id, now)
        if not task.ended:
            self.slots[node_id].move(execution_id, Stage.HOLDS, now)
        state = task.after(E.STARTED)
        self.costs.started(self.put(task, evolve(task, now, state=state, start_time=time)))

    def ended(self, node_id: str, execution_id: str, now: float) -> None:
        """The slot is free; the outcome follows when the output is in the store."""
        task = self._current(node_id, execution_id)
        if task is not None and not task.ended:
            self.slots[node_id].move(execution_id, Stage.ENDED, now)
            self.touched.add(node_id)
            self.queue.ended(self.put(task, evolve(task, now, ended=True)))

    def outcome(self, report: Outcome, now: float) -> Task | None:
        """Record an outcome. Returns the task as it was; None: the report is stale, and only acknowledged."""
        task = self._current(report.node_id, report.execution_id)
        self._say(Acknowledge(report.node_id, (report.execution_id,)))
        if task is not None:
            self.heard(report.node_id, now)
            self._take_outcome(task, report, now)
        return task

    def _take_outcome(self, task: Task, report: Outcome, now: float) -> None:
        if task.ending is Ending.DELETE:
            self.remove(task, now, report)
            return
        if report.start_time is not None:
            self.durations.add(task.job_id, max(0.0, report.end_time - report.start_time))
        # also those of an attempt that is tried again: its user wants to see what it did
        self.outputs.keep(report.outputs, "task", task.job_id, task.id, task.attempt)
        if report.killed and not report.timed_out and task.ending is Ending.REQUEUE:
            self.give_back(task, now, requeued=True, report=report)
            return
        failure = failure_of(report, task.ending, task.ending_reason)
        job = self._jobs[task.job_id]
        if failure is None or task.ending is Ending.TERMINATE or not retries_left(task, job, failure, report.exit_code):
            self._complete(task, now, failure, report)
            return
        self._queue_again(
            task,
            now,
            report,
            failure.message,
            exit_code=report.exit_code,
            container_id=report.container_id,
            failure=failure,
            retry_count=task.retry_count + 1,
            last_retry_time=now,
            last_node_id=report.node_id,
        )

    def _queue_again(self, task: Task, now: float, report: Outcome | None, reason: str, **changes: Any) -> None:
        """`reason`: why the attempt that has ended was not the last; "": it never began."""
        if reason:
            changes["earlier"] = self._earlier.with_present(task, now, reason, report)
        changes |= self.costs.charge(task, now, report)
        self._unplace(task)
        changes["state"] = task.after(E.GIVEN_BACK)
        task = self.put(task, evolve(task, now, node_id=None, ended=False, ending=None, ending_reason="", **changes))
        self.queue.push(task)

    def _complete(self, task: Task, now: float, failure: FailureInfo | None, report: Outcome | None) -> None:
        job, meaning = self._jobs[task.job_id], Consequence("none", False)
        if failure is None or failure.code != "TaskEnded" or (report is not None and report.timed_out):
            conditions = task.spec.exit_conditions if task.conditional else None
            meaning = consequence(conditions, report.exit_code if report is not None else None, failure)
        changes = completion(task, job.pool_id, failure, meaning.satisfies, report, now)
        changes |= self.costs.charge(task, now, report)
        if task.node_id is not None:
            self._unplace(task)
        task = self.put(task, evolve(task, now, **changes))
        self.completed.append(task)
        self.settle_dependants(task, now)
        if meaning.job_action != "none" and job.spec.on_task_failure == "performexitoptionsjobaction":
            self.actions.append((job.id, meaning.job_action))

    def give_back(
        self, task: Task, now: float, *,
        requeued: bool, lost: bool = False, report: Outcome | None = None, reason: str = "",
    ) -> None:
        """The present execution runs no more and has no outcome: the task queues again; `requeued` counts it, apart
        from retries, `lost` as a loss too, and `reason` says why, unless somebody asked for it. A task that was to be
        terminated ends instead, one that was to be deleted goes."""
        if task.ending is Ending.DELETE:
            self.remove(task, now, report)
            return
        if task.ending is Ending.TERMINATE or not self._jobs[task.job_id].lives:
            self._complete(task, now, ended_with(task, self._jobs[task.job_id]), None)
            return
        changes: dict[str, Any] = {"start_time": None}
        if requeued:
            reason = task.ending_reason or reason or "it was given back"
            changes |= {"requeue_count": task.requeue_count + 1, "losses": task.losses + lost}
            changes |= {"last_requeue_reason": reason, "last_requeue_time": now, "last_node_id": task.node_id}
        self._queue_again(task, now, report, reason if requeued else "", **changes)

    def lost(self, node_id: str, execution_id: str, reason: str, now: float) -> None:
        """The node lives, but lost the execution; a task that kills its supervisor each time fails in the end."""
        task = self._current(node_id, execution_id)
        self._say(Acknowledge(node_id, (execution_id,)))
        if task is not None and not is_lost_too_often(task):
            self.give_back(task, now, requeued=True, lost=True, reason=reason)
        elif task is not None:
            self._complete(task, now, lost_too_often(task.losses, reason), None)

    def recalled(self, node_id: str, execution_id: str, now: float) -> None:
        task = self._current(node_id, execution_id)
        if task is not None:
            self.give_back(task, now, requeued=False)

    # -- requests --------------------------------------------------------------------------------------------

    def terminate(self, task: Task, now: float) -> None:
        """End a task that is not completed: at once if it is nowhere, else when its execution has ended."""
        if task.node_id is None:
            self._complete(task, now, ENDED_ON_REQUEST, None)
        else:
            self.end(task, Ending.TERMINATE, now)

    def reactivate(self, task: Task, now: float) -> None:
        """Let a completed task run again."""
        state = task.after(E.REACTIVATE)
        waiting, changes = task.spec.depends_on is not None, reactivation()
        if task.attempt:
            why = task.failure.message if task.failure is not None else "the task was reactivated"
            changes["earlier"] = self._earlier.with_present(task, now, why, None)
        task = self.put(task, evolve(task, now, state=state, waiting=waiting, **changes))
        self.dependencies.undone(task)
        self.enqueue(task)
        self.tell_missing((self.tasks[task.key],), now)

    def delete(self, task: Task, now: float) -> None:
        """Forget a task and its outputs: at once, or when its execution has ended."""
        if task.node_id is None:
            self.remove(task, now, None)
        else:
            self.end(task, Ending.DELETE, now)

    def remove(self, task: Task, now: float, report: Outcome | None) -> None:
        """The task, of which nothing runs any more, goes with its outputs; its job knows what it has cost."""
        charged = self.costs.charge(task, now, report)
        if task.node_id is not None:
            self._unplace(task)
        self.drop(task, now)
        self.outputs.purge("task", task.job_id, task.id)
        self.dependencies.undone(task)
        self.completed.append(task)
        cost = charged.get("cost", task.cost)
        unpriced = charged.get("unpriced_seconds", task.unpriced_seconds)
        if cost or unpriced:
            job = self._jobs[task.job_id]
            cost, unpriced = job.deleted_cost + cost, job.deleted_unpriced_seconds + unpriced
            self._jobs.put(job.id, evolve(job, now, deleted_cost=cost, deleted_unpriced_seconds=unpriced))

    # -- nodes that leave ------------------------------------------------------------------------------------

    def evict(self, node_id: str, option: NodeDeallocationOption, now: float) -> None:
        """End, give back or let finish what is placed on a node that leaves."""
        tasks = [task for task in self._placed_on(node_id) if not task.ended]
        ending = ending_by(option)
        if ending is None:
            self.take_back(node_id, [task for task in tasks if task.state is not TaskState.RUNNING], now)
            return
        for task in tasks:
            self.end(task, ending, now, why_gone(node_id, self._node_of(node_id)))

    def take_back(self, node_id: str, tasks: Iterable[Task], now: float) -> None:
        """Take back what has not begun there: the node is asked. Not if the start is held back, or `reconcile` is to
        see to it: it could leave after the question, and take effect after the answer that the node knows of none."""
        sent = []
        for task in tasks:
            execution_id = task.execution_at(node_id)  # None: of several instances, the one that was there is over
            if execution_id is not None and self.is_held_back(task, node_id):
                self.recalled(node_id, execution_id, now)
            elif execution_id is not None:
                sent.append(execution_id)
        if sent and self.is_connected(node_id):
            self._say(RecallExecutions(node_id, tuple(sent)))

    def end(self, task: Task, ending: Ending, now: float, reason: str = "") -> None:
        """Ask the node to end the present execution of a placed task. `reason`: in words."""
        assert task.node_id is not None
        if stronger(ending, task.ending):
            self.put(task, evolve(task, now, ending=ending, ending_reason=reason))
        self._kill(task, task.node_id, task.execution_id)

    def node_gone(self, node_id: str, died: str | None, now: float, begun: Callable[[Task], bool]) -> None:
        """`died`: why, if it failed by itself (was not preempted, not taken out). See `lost`. `begun`: may the
        task have begun there unheard? That counts as requeued too."""
        self.costs.node_gone(node_id)
        for task in self._placed_on(node_id):
            running = task.state is TaskState.RUNNING
            if running and died is not None and is_lost_too_often(task):
                self._complete(task, now, lost_too_often(task.losses, died), None)
            else:
                reason = why_gone(node_id, self._node_of(node_id))
                self.give_back(task, now, requeued=running or begun(task), lost=died is not None, reason=reason)
        self.slots.pop(node_id, None)
        self.touched.discard(node_id)
