"""A job's preparation task on each node, before the first task of the job there.

What a task waits for is recorded before the task is placed; its start leaves only when the preparation has succeeded,
so until then it can be taken back without asking the node.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from pools import (
    Attempt,
    Context,
    ExecutionResult,
    FailureInfo,
    Ledger,
    Node,
    evolve,
    with_attempt,
)

from .events import Outcome
from .execution import Executions
from .job_machine import JobMachine
from .job_node_records import JobNodeRecords, Key
from .model import Job, JobNode, NodeExecution
from .states import JobNodeEvent, JobNodeState, next_job_node_state
from .task_model import Task
from .task_spec import JobPreparationTask

S, E = JobNodeState, JobNodeEvent


class JobPreparation(JobNodeRecords):
    def __init__(self, ctx: Context, ledger: Ledger, jobs: JobMachine, executions: Executions) -> None:
        super().__init__(ledger)
        self._ctx = ctx
        self._jobs = jobs
        self._tasks = jobs.tasks
        self._executions = executions
        #: what names the time since each node started, as it told last
        self._boots: dict[str, str] = {}
        #: by job: how often it has failed since it succeeded last
        self._failures: dict[str, int] = {}
        #: nodes that leave their pools
        self._leaving: dict[str, None] = {}
        executions.gate = self
        jobs.tasks.is_held_back = self._holds_back
        jobs.admitting.append(lambda job, node_id: not self.refuses(job.id, node_id))

    def refuses(self, job_id: str, node_id: str) -> bool:
        """May no task of the job be placed on the node?"""
        record = self.records.get((job_id, node_id))
        if record is None or record.state in (S.PREPARING, S.PREPARED):
            return False
        return record.state is not S.FAILED or self._preparation(job_id).wait_for_success

    def failures(self, job_id: str) -> int:
        """How often it has failed since it succeeded last, on whatever nodes."""
        return self._failures.get(job_id, 0)

    def last_failure(self, job_id: str) -> str | None:
        """Why it failed the last time, on a node that is there."""
        failed = [record for record in self.of_job(job_id) if record.state is S.FAILED]
        last = max(failed, key=lambda record: record.state_time, default=None)
        ended = last.preparation.failure if last is not None and last.preparation is not None else None
        return ended.message if ended is not None else None

    def is_prepared(self, job_id: str) -> bool:
        """Is there a node where it has succeeded, or runs?"""
        return any(record.state in (S.PREPARING, S.PREPARED) for record in self.of_job(job_id))

    def forgive(self, job_id: str) -> None:
        """What has failed before counts no more."""
        self._failures.pop(job_id, None)

    def is_ready(self, job_id: str, node_id: str) -> bool:
        """May a start of the job's tasks leave for the node at once?"""
        if self._jobs.jobs[job_id].spec.job_preparation_task is None:
            return True
        record = self.records.get((job_id, node_id))
        return record is not None and not self._is_stale(record) and self._lets_start(record)

    def admit(self, task: Task, node: Node, now: float) -> bool:
        """A task has been placed on the node: may its start leave? If not it will, when the preparation that runs there
        then has succeeded."""
        job = self._jobs.jobs[task.job_id]
        if job.spec.job_preparation_task is None:
            return True
        record = self.records.get((job.id, node.id))
        if record is None:
            record = self._begin(job, node, now)
        elif self._is_stale(record):
            record = self._prepare_again(record, now, "the node has started anew", None, retry_count=0, lost=0)
        if self._lets_start(record):
            return True
        execution_id = task.execution_at(node.id)
        assert execution_id is not None, "the task has just been placed there"
        self.waiting.setdefault(record.key, {})[execution_id] = task.key
        return False

    def _preparation(self, job_id: str) -> JobPreparationTask:
        spec = self._jobs.jobs[job_id].spec.job_preparation_task
        assert spec is not None, "a job keeps the preparation task that it was made with"
        return spec

    def _lets_start(self, record: JobNode) -> bool:
        return record.state is S.PREPARED or not self._preparation(record.job_id).wait_for_success

    def _is_stale(self, record: JobNode) -> bool:
        """Is the preparation to run again before the next task?"""
        return record.state is S.PREPARED and self._is_outdated(record)

    def _is_outdated(self, record: JobNode) -> bool:
        """Has the node started anew since the preparation was run, and does that matter?"""
        again = self._preparation(record.job_id).rerun_on_node_reboot_after_success
        return again and self._boots.get(record.node_id, record.boot) != record.boot

    def _begin(self, job: Job, node: Node, now: float) -> JobNode:
        if node.generation > 1:
            # a record of the node's VM before may be kept: this one takes its place, and its attempts have the same
            # numbers
            for owner in ("jobpreparation", "jobrelease"):
                self._tasks.outputs.purge(owner, job.id, node.id)
        record = JobNode(
            created=now,
            modified=now,
            state_time=now,
            job_id=job.id,
            node_id=node.id,
            pool_id=node.pool_id,
            uid=self._ctx.ids.new(),
            preparation=NodeExecution(),
            boot=self._boots.get(node.id, ""),
            generation=node.generation,
        )
        return self._issue(record)

    def _prepare_again(
        self, record: JobNode, now: float, reason: str, report: Outcome | None, **changes: Any
    ) -> JobNode:
        """`reason`: why the attempt before was not the last. `report`: of its end, if it is not recorded yet."""
        former = record.preparation or NodeExecution()
        ended = former if report is None else ended_execution(former, now, None, report)
        one = Attempt(
            number=former.attempt,
            node_id=record.node_id,
            start_time=ended.start_time,
            end_time=ended.end_time or now,
            exit_code=ended.exit_code,
            reason=reason,
        )
        earlier, forgotten = with_attempt(former.earlier, one, self._ctx.settings.kept_attempts)
        self._tasks.outputs.forget(forgotten, "jobpreparation", record.job_id, record.node_id)
        kept: dict[str, Any] = {"attempt": former.attempt + 1, "earlier": earlier}
        kept |= {"retry_count": former.retry_count, "lost": former.lost}
        preparation = NodeExecution(**{**kept, **changes})
        state = self._next(record, E.AGAIN)
        boot = self._boots.get(record.node_id, record.boot)
        return self._issue(evolve(record, now, state=state, preparation=preparation, boot=boot))

    def _issue(self, record: JobNode) -> JobNode:
        self.put(record)
        self._tasks.touched.add(record.node_id)
        self._ctx.say(self._executions.of_job_node(record, self._ctx.nodes[record.node_id]))
        return record

    def _prepared(self, record: JobNode, now: float, failure: FailureInfo | None, report: Outcome | None) -> None:
        """The preparation has ended for good."""
        assert record.preparation is not None
        if failure is None:
            self._failures.pop(record.job_id, None)
        elif not self._is_unwanted(record):
            self._failures[record.job_id] = self.failures(record.job_id) + 1
        state = self._next(record, E.FAILED if failure is not None else E.SUCCEEDED)
        ended = ended_execution(record.preparation, now, failure, report)
        record = self.put(evolve(record, now, state=state, preparation=ended))
        self._tasks.touched.add(record.node_id)
        if self._lets_start(record):
            self._take_back_at(record.key, now)
            if record.node_id not in self._ctx.connected:
                return  # the next connection may stand, and have told what is known there: see `reconcile`
            node = self._ctx.nodes[record.node_id]
            for key in self.waiting.pop(record.key, {}).values():
                self._ctx.say(self._executions.start(self._tasks.tasks[key], node))
        else:
            for execution_id in self.waiting.pop(record.key, {}):
                self._tasks.recalled(record.node_id, execution_id, now)

    def _holds_back(self, task: Task, node_id: str) -> bool:
        """Does it wait for a preparation there?"""
        return task.execution_at(node_id) in self.waiting.get((task.job_id, node_id), ())

    def _is_unwanted(self, record: JobNode) -> bool:
        """Will no further task of the job run there?"""
        return not self._jobs.jobs[record.job_id].lives or record.node_id in self._leaving

    def _retries(self, record: JobNode) -> int:
        return self._preparation(record.job_id).constraints.max_task_retry_count or 0

    def _take_back_ended(self, now: float) -> None:
        """Tasks that wait for a preparation and are to end: their node has never heard of them. Looks only where tasks
        were asked to end: a job may have tasks that wait on every node of its pool."""
        asked, self._tasks.asked_to_end = self._tasks.asked_to_end, {}
        for key in asked:
            self._take_back_at(key, now)

    def _take_back_at(self, key: Key, now: float) -> None:
        node_id, executions = key[1], self.waiting.get(key, {})
        for execution_id, task_key in tuple(executions.items()):
            task = self._tasks.tasks.get(task_key)
            if task is None or task.execution_at(node_id) != execution_id:
                del executions[execution_id]
            elif task.is_ending or node_id in self._leaving:
                del executions[execution_id]
                self._tasks.recalled(node_id, execution_id, now)

    def _next(self, record: JobNode, event: JobNodeEvent) -> JobNodeState:
        return next_job_node_state(f"{record.job_id} on {record.node_id}", record.state, event, record.story)


def ended_execution(
    execution: NodeExecution, now: float, failure: FailureInfo | None, report: Outcome | None
) -> NodeExecution:
    return replace(
        execution,
        state="completed",
        start_time=report.start_time if report is not None and report.start_time else execution.start_time,
        end_time=report.end_time if report is not None else now,
        exit_code=report.exit_code if report is not None else None,
        result=ExecutionResult.SUCCESS if failure is None else ExecutionResult.FAILURE,
        failure=failure,
    )
