"""A job's preparation task on each node (see job_preparation.py), and its release task, once the job ends or the node
is taken out of its pool.

A job is not over, and a node does not go, while a preparation or release task of it runs there, or is to run.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from pools import Context, FailureInfo, Ledger, NodeState, evolve

from .commands import Acknowledge, KillExecution
from .events import Outcome
from .execution import Executions
from .execution_ids import present_id
from .failure import ENDED_ON_REQUEST, LOST_LIMIT, failure_of, is_retried, lost_too_often
from .job_machine import JobMachine
from .job_node_records import Key
from .job_preparation import JobPreparation, ended_execution
from .model import Job, JobNode, NodeExecution
from .states import JobNodeEvent, JobNodeState
from .task_model import Ending

_NODE_GONE = FailureInfo("servererror", "NodeGone", "its node went while it ran")

S, E = JobNodeState, JobNodeEvent


class JobNodes(JobPreparation):
    def __init__(self, ctx: Context, ledger: Ledger, jobs: JobMachine, executions: Executions) -> None:
        super().__init__(ctx, ledger, jobs, executions)
        #: executions of preparations whose end was asked for on the present connection
        self._asked: dict[Key, str] = {}
        #: jobs that wait for the end of their releases, each with nodes where something was left to do for it
        self._closing: dict[str, list[str]] = {}
        jobs.closing.append(self._may_close)
        jobs.on_closed.append(lambda job, now: self._forget_job(job.id))

    def load(self, stored: Mapping[Key, JobNode]) -> None:
        """Jobs and nodes are there already. Nothing is issued: that happens when the nodes are connected."""
        self.load_records(stored, self._is_needed)
        for node in self._ctx.nodes:
            if node.state in (NodeState.LEAVING_POOL, NodeState.REIMAGING):
                self._leaves(node.id)

    def let_go(self, record: JobNode) -> None:
        super().let_go(record)
        self._asked.pop(record.key, None)

    def _is_needed(self, record: JobNode) -> bool:
        node, job = self._ctx.nodes.get(record.node_id), self._jobs.jobs.get(record.job_id)
        there = node is not None and not node.vm_gone and record.generation == node.generation
        return there and job is not None and job.end_time is None

    # -- reports ---------------------------------------------------------------------------------------------

    def started(self, node_id: str, execution_id: str, time: float, now: float) -> None:
        record = self.current(node_id, execution_id)
        if record is not None and _execution(record).start_time is None:
            self._put_execution(record, replace(_execution(record), start_time=time), now)

    def outcome(self, report: Outcome, now: float) -> None:
        """Record an outcome; a stale or repeated one is only acknowledged."""
        record = self.current(report.node_id, report.execution_id)
        self._ctx.say(Acknowledge(report.node_id, (report.execution_id,)))
        if record is None:
            return
        owner = "jobpreparation" if record.state is S.PREPARING else "jobrelease"
        attempt = _execution(record).attempt
        self._tasks.outputs.keep(report.outputs, owner, record.job_id, record.node_id, attempt)
        failure = failure_of(report, Ending.TERMINATE if report.killed else None)
        if record.state is S.RELEASING:
            self._released(record, now, failure, report)
            return
        retries, limit = _execution(record).retry_count, self._retries(record)
        if report.killed or self._is_unwanted(record):
            self._prepared(record, now, failure, report)
        elif failure is None and self._is_outdated(record):  # it is told only now, after the node has started anew
            self._prepare_again(record, now, "the node has started anew", report)
        elif failure is None or 0 <= limit <= retries or not is_retried(failure, report.exit_code):
            self._prepared(record, now, failure, report)
        else:
            self._prepare_again(record, now, failure.message, report, retry_count=retries + 1)

    def lost(self, node_id: str, execution_id: str, reason: str, now: float) -> None:
        """It was started, and runs no more. A preparation runs again, as often as tasks do; a release does not."""
        record = self.current(node_id, execution_id)
        self._ctx.say(Acknowledge(node_id, (execution_id,)))
        if record is not None:
            self._lost(record, reason, now)

    def _lost(self, record: JobNode, reason: str, now: float) -> None:
        times = _execution(record).lost
        failure = lost_too_often(times, reason)
        if record.state is S.RELEASING:
            self._released(record, now, failure, None)
        elif self._is_unwanted(record):
            begun = replace(_execution(record), lost=times + 1)
            self._prepared(replace(record, preparation=begun), now, ENDED_ON_REQUEST, None)
        elif times >= LOST_LIMIT:
            self._prepared(record, now, failure, None)
        else:
            self._prepare_again(record, now, reason, None, lost=times + 1)

    def recalled(self, node_id: str, execution_id: str, now: float) -> None:
        """Its end was asked for before it had started."""
        record = self.current(node_id, execution_id)
        if record is not None and record.state is S.PREPARING:
            self._prepared(record, now, ENDED_ON_REQUEST, None)

    def _put_execution(self, record: JobNode, execution: NodeExecution, now: float) -> None:
        part = "preparation" if record.state is S.PREPARING else "release"
        self.put(evolve(record, now, **{part: execution}))

    # -- connections -----------------------------------------------------------------------------------------

    def reconcile(self, node_id: str, known: frozenset[str], boot: str, now: float) -> frozenset[str]:
        """See Reconciliation. Returns what is under way there; no task waits for a preparation any more that does not
        `admit` itself anew."""
        self._boots[node_id] = boot
        under_way = set()
        for record in self.on_node(node_id):
            self.waiting.pop(record.key, None)
            self.stirred[record.key] = None
            execution_id = present_id(record)
            if execution_id is None:
                continue
            under_way.add(execution_id)
            self._asked.pop(record.key, None)
            if execution_id in known:
                continue
            if _execution(record).start_time is not None:
                self._lost(record, "the node came back without it", now)
            elif record.state is S.RELEASING or not self._is_unwanted(record):
                self._issue(evolve(record, now, boot=boot))
            # else it is asked to end (see _wind_up): it is recalled, or the node tells that it began and was lost
        return frozenset(under_way)

    def node_gone(self, node_id: str, now: float) -> None:
        """The node's VM is certain to be gone."""
        for record in self.on_node(node_id):
            if present_id(record) is not None:
                preparing = record.state is S.PREPARING
                state = self._next(record, E.FAILED if preparing else E.RELEASED)
                record = evolve(record, now, state=state)
                part = "preparation" if preparing else "release"
                ended = ended_execution(getattr(record, part), now, _NODE_GONE, None)
                self.put(replace(record, **{part: ended}))
            self.let_go(record)
        self._boots.pop(node_id, None)
        self._leaving.pop(node_id, None)

    # -- release ---------------------------------------------------------------------------------------------

    def evict(self, node_id: str) -> None:
        """The node leaves: what runs there of jobs ends, then their releases run."""
        self._leaves(node_id)

    def _leaves(self, node_id: str) -> None:
        self._leaving[node_id] = None
        there = dict.fromkeys(self.keys_on(node_id))
        self._tasks.asked_to_end.update(there)
        self.stirred.update(there)

    def stay(self, node_id: str) -> bool:
        """It does not leave after all, unless something of a job has ended there, or ends, that its next tasks need."""
        living = [record for record in self.on_node(node_id) if self._jobs.jobs[record.job_id].lives]
        stays = all(record.state is S.PREPARED for record in living)
        if stays:
            self._leaving.pop(node_id, None)
        return stays

    def busy(self, node_id: str) -> int:
        """Preparations and releases that run on the node, or are to run before it goes."""
        if not self.has_records(node_id):
            return 0
        leaving = node_id in self._leaving
        return sum(present_id(r) is not None or (leaving and self._owes_release(r)) for r in self.on_node(node_id))

    def _may_close(self, job: Job) -> bool:
        """Is nothing of it under way any more, or to come? Asked of a job whose tasks have ended, in each batch until
        it is so: a node where something is left to do is reason enough, and only without one all are looked at."""
        left = self._closing.get(job.id)
        if left is None:
            self.stirred.update(dict.fromkeys(record.key for record in self.of_job(job.id)))
        while left:
            record = self.records.get((job.id, left[-1]))
            if record is not None and self._is_left_to_do(record):
                return False
            left.pop()
        left = [record.node_id for record in self.of_job(job.id) if self._is_left_to_do(record)]
        if left:
            self._closing[job.id] = left
        return not left

    def _is_left_to_do(self, record: JobNode) -> bool:
        return present_id(record) is not None or self._owes_release(record)

    def _owes_release(self, record: JobNode) -> bool:
        """Is the release task yet to run there? Not on a node that dies: nobody waits for that."""
        job, node = self._jobs.jobs[record.job_id], self._ctx.nodes.get(record.node_id)
        if job.spec.job_release_task is None or record.state not in (S.PREPARED, S.FAILED) or node is None:
            return False
        if record.preparation is None or not record.preparation.has_run:
            return False
        dying = node.destroying or node.reclaim_at is not None
        return not dying and NodeState.UNUSABLE not in (node.state, node.previous_state)

    def settle(self, now: float) -> None:
        """Draw the consequences of tasks that are to end, of jobs that end, and of nodes that leave."""
        self._take_back_ended(now)
        for job_id in tuple(self._closing):
            job = self._jobs.jobs.get(job_id)
            if job is None or job.lives or self._may_close(job):
                del self._closing[job_id]
                if job is not None:
                    self._jobs.close_if_free(job_id, now)
        self._wind_up_stirred(now)

    def _wind_up_stirred(self, now: float) -> None:
        """Of jobs that end, and nodes that leave: where preparations and releases, tasks, or nodes stand differently
        than before."""
        vacated, altered = self._tasks.vacated, self._ctx.altered
        if self._closing or self._leaving:
            self.stirred.update(vacated)
            for node_id in self.with_records(altered):
                self.stirred.update(dict.fromkeys(self.keys_on(node_id)))
        vacated.clear()
        altered.clear()
        stirred, self.stirred = self.stirred, {}
        for key in stirred:
            record = self.records.get(key)
            if record is not None and (record.job_id in self._closing or record.node_id in self._leaving):
                self._wind_up(record, now)

    def _wind_up(self, record: JobNode, now: float) -> None:
        """Nothing more of the job will run there."""
        node = self._ctx.nodes.get(record.node_id)
        if node is None or node.destroying or self._has_tasks(record):
            return
        if record.state is S.PREPARING:
            execution_id = present_id(record)
            if execution_id is not None and self._asked.get(record.key) != execution_id:
                self._asked[record.key] = execution_id
                self._ctx.say(KillExecution(record.node_id, execution_id))
        elif self._owes_release(record):
            self._issue(evolve(record, now, state=self._next(record, E.RELEASE), release=NodeExecution()))

    def _has_tasks(self, record: JobNode) -> bool:
        slots = self._tasks.slots.get(record.node_id)
        return slots is not None and any(p.key[0] == record.job_id for p in slots.placements.values())

    def _released(self, record: JobNode, now: float, failure: FailureInfo | None, report: Outcome | None) -> None:
        assert record.release is not None
        ended = ended_execution(record.release, now, failure, report)
        self.put(evolve(record, now, state=self._next(record, E.RELEASED), release=ended))
        self._tasks.touched.add(record.node_id)

    def _forget_job(self, job_id: str) -> None:
        for record in self.of_job(job_id):
            self.let_go(record)
        self._closing.pop(job_id, None)
        self.forgive(job_id)

def _execution(record: JobNode) -> NodeExecution:
    """The one that is under way."""
    execution = record.preparation if record.state is S.PREPARING else record.release
    assert execution is not None
    return execution
