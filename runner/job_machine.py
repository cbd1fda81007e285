"""The life of jobs, from creation to completion. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from pools import Command, Ids, Ledger, NamedTable, Node, Timers, evolve

from .failure import why_over
from .job_errors import JobError, over
from .model import Job, JobSchedule
from .multi_instance import MultiInstanceTasks
from .spec import UNLIMITED, JobSpec, PoolInfo
from .states import JobEvent, JobState, TaskState, next_job_state
from .task_model import Ending, Task
from .task_spec import TaskSpec

_DISABLED = "its job was disabled"
#: A job in one of these comes to another by itself.
_ENDING = (JobState.DISABLING, JobState.TERMINATING, JobState.DELETING)


class JobPools(Protocol):
    """Where jobs run."""

    def refusal(self, info: PoolInfo) -> ValueError | None:
        """Why no job can go there; None: one can."""

    def made_for(self, spec: JobSpec, schedule: JobSchedule | None, now: float) -> str | None:
        """The id of the pool that was made for the job, or its schedule; None: it goes to one that is there."""


class JobMachine:
    def __init__(
        self,
        ledger: Ledger,
        ids: Ids,
        timers: Timers,
        pools: JobPools,
        say: Callable[[Command], None],
        node_of: Callable[[str], Node | None] = lambda node_id: None,
        kept_attempts: int = 10,
    ) -> None:
        self.jobs: NamedTable[Job] = NamedTable(ledger, "jobs")
        self.tasks = MultiInstanceTasks(ledger, self.jobs, say, node_of, kept_attempts)
        self._ids = ids
        self._timers = timers
        self._pools = pools
        self._ledger = ledger
        #: called with each job that is over, and with each that is gone
        self.on_closed: list[Callable[[Job, float], None]] = []
        #: asked when nothing of a job that ends is at a node any more: may it close? Who says no calls `close_if_free`
        #: when things have changed
        self.closing: list[Callable[[Job], bool]] = []
        #: asked with a job and a node's id: may tasks of the job start there at present?
        self.admitting: list[Callable[[Job, str], bool]] = []
        self.draining = False

    # -- requests --------------------------------------------------------------------------------------------

    def add_job(
        self, spec: JobSpec, tasks: Sequence[TaskSpec], now: float,
        schedule: JobSchedule | None = None, declared: bool = False,
    ) -> Job:
        """Record a job with its first tasks, all or nothing. Raises JobError."""
        present = self.jobs.spelled(spec.id)
        if present is not None:
            raise JobError("JobExists", f"job {present!r} exists already")
        self.require_pool(spec.pool_info)
        manager = spec.job_manager_task
        self._check_new_tasks(spec.id, first := [*([manager.as_task()] if manager else []), *tasks])
        self.tasks.check_new(spec.id, first, complete=True)
        auto_pool_id = self._pools.made_for(spec, schedule, now)
        job = Job(
            created=now, modified=now, state_time=now, start_time=now,
            id=spec.id,
            spec=spec,
            schedule_id=schedule.id if schedule else None,
            number=schedule.jobs_created if schedule else 1,
            auto_pool_id=auto_pool_id,
            declared=declared,
        )
        self.jobs.put(job.id, job)
        if manager is not None:
            self._add_task(job, manager.as_task(), now, is_job_manager=True, exclusive=manager.run_exclusive)
        self._add_all(job, tasks, now)
        self._limit(job, now)
        if self._all_done(job):
            self.terminate(job.id, "AllTasksComplete", now)
        return self.jobs[job.id]

    def _limit(self, job: Job, now: float) -> None:
        limit = job.spec.constraints.max_wall_clock_time
        if limit is not None and limit < UNLIMITED and job.lives:
            self._timers.set("job", job.id, min(job.created, now) + limit.total_seconds())  # the clock was put back?
        else:
            self._timers.cancel("job", job.id)

    def add_tasks(self, job_id: str, tasks: Sequence[TaskSpec], now: float) -> tuple[Task, ...]:
        """Tasks for an active job, all or nothing; as they are recorded. Those that they depend on may come later: the
        official SDKs send them in parts, the last first. Raises JobError."""
        job = self.living_job(job_id)
        self._check_new_tasks(job_id, tasks)
        self.tasks.check_new(job_id, tasks, complete=False)
        return self.tasks.tell_missing(self._add_all(job, tasks, now), now)

    def job(self, job_id: str) -> Job:
        job = self.jobs.get(job_id)
        if job is None:
            raise JobError("JobNotFound", f"there is no job {job_id!r}")
        return job

    def living_job(self, job_id: str) -> Job:
        """Raises JobError if there is none, or it is over or ending."""
        job = self.job(job_id)
        if not job.lives:
            raise over(job.id, job.state)
        return job

    def has_pool(self, info: PoolInfo) -> bool:
        """Is there, or can there be, a pool that takes jobs?"""
        return self._pools.refusal(info) is None

    def require_pool(self, info: PoolInfo) -> None:
        """Raises JobError or PoolError if there is none."""
        if (refused := self._pools.refusal(info)) is not None:
            raise refused

    def _check_new_tasks(self, job_id: str, tasks: Sequence[TaskSpec]) -> None:
        present = self.tasks.taken(job_id, [task.id for task in tasks])
        if present is not None:
            raise JobError("TaskExists", f"job {job_id!r} has a task {present!r} already")

    def _add_all(self, job: Job, specs: Sequence[TaskSpec], now: float) -> Sequence[Task]:
        if self.tasks.are_free(job.id, specs):
            return self.tasks.add_new(job, specs, self._ids.several(len(specs)), now)
        return [self._add_task(job, spec, now) for spec in specs]

    def _add_task(
        self, job: Job, spec: TaskSpec, now: float, *, is_job_manager: bool = False, exclusive: bool = False
    ) -> Task:
        uid = self._ids.new()
        new = self.tasks.new(job, spec, uid, now, is_job_manager=is_job_manager, exclusive=exclusive)
        return self.tasks.tasks[self.tasks.add(new).key]

    # -- what changes ----------------------------------------------------------------------------------------

    def restate(self, job: Job, now: float) -> None:
        """Record a job with another specification or state, with all that hangs on these."""
        self.tasks.restate(job)
        self._limit(job, now)
        if self._all_done(job):
            self.terminate(job.id, "AllTasksComplete", now)

    def _all_done(self, job: Job) -> bool:
        # a job without tasks has completed all of them (Batch REST API: onAllTasksComplete)
        closes = job.spec.on_all_tasks_complete == "terminatejob"
        return job.lives and closes and not self.tasks.open_tasks(job.id)

    def disable(self, job_id: str, tasks: str, now: float) -> None:
        """Let no further task start. `tasks`: what becomes of those that run: "requeue", "terminate" or "wait"; another
        word may follow as long as they do."""
        job = self.job(job_id)
        if not job.lives or job.state is JobState.DISABLED:
            return
        if job.state is not JobState.DISABLING:
            state = next_job_state(job.id, job.state, JobEvent.DISABLE, job.story)
            self.tasks.restate(evolve(job, now, state=state))
        for task in self._at_nodes(job_id):
            if tasks != "wait":
                self.tasks.end(task, Ending.REQUEUE if tasks == "requeue" else Ending.TERMINATE, now, _DISABLED)
            elif task.state is not TaskState.RUNNING and task.node_id is not None:
                self.tasks.take_back(task.node_id, (task,), now)
        self.close_if_free(job_id, now)

    def enable(self, job_id: str, now: float) -> None:
        """Let tasks start again."""
        job = self.job(job_id)
        if job.state not in (JobState.DISABLING, JobState.DISABLED):
            return
        for event in (JobEvent.ENABLE, JobEvent.ENABLED):  # nothing has to be done for it to be active
            job = evolve(job, now, state=next_job_state(job.id, job.state, event, job.story))
        self.tasks.restate(job)

    def terminate(self, job_id: str, reason: str, now: float) -> None:
        """End a job: its running tasks are ended, its waiting ones stay as they are."""
        job = self.job(job_id)
        if job.lives:
            state = next_job_state(job.id, job.state, JobEvent.TERMINATE, job.story)
            self._end(evolve(job, now, state=state, terminate_reason=reason), now)

    def delete(self, job_id: str, now: float) -> None:
        """End a job, and let it go with its tasks and what is kept of them."""
        job = self.job(job_id)
        if job.state is not JobState.DELETING:
            self._end(evolve(job, now, state=next_job_state(job.id, job.state, JobEvent.DELETE, job.story)), now)

    def _end(self, job: Job, now: float) -> None:
        self.tasks.restate(job)
        for task in self._at_nodes(job.id):
            self.tasks.end(task, Ending.TERMINATE, now, why_over(job))
        self.close_if_free(job.id, now)

    def _at_nodes(self, job_id: str) -> list[Task]:
        """The job's tasks whose executions have not ended."""
        placed = self.tasks.placed_tasks(job_id) if self.tasks.queue.placed_count(job_id) else ()
        return [task for task in placed if not task.ended]

    # -- progress --------------------------------------------------------------------------------------------

    def settle(self, now: float) -> None:
        """Draw the consequences of tasks that completed, or left their nodes, in this batch."""
        self._act(now)
        vacated = self.tasks.queue.vacated
        while self.tasks.completed or vacated:
            if not self.tasks.completed:
                job_id, _ = vacated.popitem()
                self.close_if_free(job_id, now)
                continue
            task = self.tasks.completed.pop()
            job = self.jobs.get(task.job_id)
            reason = self._completion(job, task) if job is not None and job.lives else None
            if reason is not None:
                self.terminate(task.job_id, reason, now)

    def _act(self, now: float) -> None:
        """Do with jobs what the ends of their tasks ask for."""
        actions, self.tasks.actions = self.tasks.actions, []
        for job_id, action in actions:
            if job_id in self.jobs and self.jobs[job_id].lives:
                if action == "terminate":
                    self.terminate(job_id, "TaskFailed", now)
                else:
                    self.disable(job_id, "requeue", now)

    def _completion(self, job: Job, task: Task) -> str | None:
        manager = job.spec.job_manager_task
        if task.is_job_manager and manager is not None and manager.kill_job_on_completion:
            return "JMComplete"
        return "AllTasksComplete" if self._all_done(job) else None

    def close_if_free(self, job_id: str, now: float) -> None:
        """Nothing of the job may be at a node any more: if it waits for that, it comes to its next state."""
        job = self.jobs.get(job_id)
        if job is None or self.tasks.queue.placed_count(job_id):
            return
        if job.state is JobState.DISABLING:
            state = next_job_state(job.id, job.state, JobEvent.NOTHING_RUNS, job.story)
            self.tasks.restate(evolve(job, now, state=state))
            return
        # every one is asked, so that each can begin what it waits for
        if job.state in (JobState.TERMINATING, JobState.DELETING) and not [ask for ask in self.closing if not ask(job)]:
            self._close(job, now)

    def _close(self, job: Job, now: float) -> None:
        self._timers.cancel("job", job.id)
        if job.state is JobState.DELETING:
            self.tasks.remove_job(job.id)
            # the next of that id may come in this batch
            self.tasks.completed = [task for task in self.tasks.completed if task.job_id != job.id]
            self.tasks.actions = [each for each in self.tasks.actions if each[0] != job.id]
            for owner in ("task", "jobpreparation", "jobrelease"):
                self.tasks.outputs.purge(owner, job.id)
            self._ledger.purge("job_nodes", job.id)
            self.jobs.remove(job.id)
        else:
            state = next_job_state(job.id, job.state, JobEvent.TASKS_ENDED, job.story)
            error = None if job.blocked else job.scheduling_error  # nothing of it waits any more
            job = self.jobs.put(job.id, evolve(job, now, state=state, end_time=now, scheduling_error=error))
            self.tasks.forget_job(job.id)
        for tell in self.on_closed:
            tell(job, now)

    # -- questions -------------------------------------------------------------------------------------------

    def goes_on(self, job: Job) -> bool:
        """Does any task of it run, may one start, or does the job end? All others wait for somebody."""
        if job.state is not JobState.ACTIVE:
            return job.state in _ENDING
        may_start = job.takes_tasks and not job.blocked and self.tasks.ready_tasks(job.id) > 0
        return may_start or self.tasks.queue.placed_count(job.id) > 0

    def expire(self, job_id: str, now: float) -> None:
        """The job's maxWallClockTime is over, unless the clock that was put back is right again."""
        job = self.job(job_id)
        limit = job.spec.constraints.max_wall_clock_time
        if limit is not None and job.created <= now < job.created + limit.total_seconds():
            self._limit(job, now)
        else:
            self.terminate(job_id, "MaxWallClockTimeExpiry", now)

    def recover(self, now: float) -> None:
        """Set the timers, and ask again for the end of what was to end."""
        for job in tuple(self.jobs):
            self._limit(job, now)
            if job.state in (JobState.TERMINATING, JobState.DELETING):
                for task in self._at_nodes(job.id):
                    self.tasks.end(task, Ending.TERMINATE, now, why_over(job))
            self.close_if_free(job.id, now)
