"""The life of jobs, from creation to completion. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from pools import Command, Ids, Ledger, Node, Table, Timers, evolve

from .model import Ending, Job, JobSchedule, Task
from .request_checks import JobError
from .spec import UNLIMITED, JobSpec, PoolInfo
from .states import JobEvent, JobState, next_job_state
from .task_machine import TaskMachine
from .task_spec import TaskSpec, packed


class JobMachine:
    def __init__(
        self,
        ledger: Ledger,
        ids: Ids,
        timers: Timers,
        pool_exists: Callable[[str], bool],
        say: Callable[[Command], None],
        node_of: Callable[[str], Node | None] = lambda node_id: None,
    ) -> None:
        self.jobs: Table[str, Job] = Table(ledger, "jobs")
        self.tasks = TaskMachine(ledger, self.jobs, say, node_of)
        self._ids = ids
        self._timers = timers
        self._pool_exists = pool_exists
        #: called with each job that is over
        self.on_closed: list[Callable[[Job, float], None]] = []
        self.draining = False

    # -- requests --------------------------------------------------------------------------------------------

    def add_job(
        self, spec: JobSpec, tasks: Sequence[TaskSpec], now: float, schedule: JobSchedule | None = None
    ) -> Job:
        """Record a job with its first tasks, all or nothing. Raises JobError."""
        if spec.id in self.jobs:
            raise JobError("JobExists", f"job {spec.id!r} exists already")
        self.require_pool(spec.pool_info)
        manager = spec.job_manager_task
        self._check_new_tasks(spec.id, [*([manager.id] if manager else []), *(task.id for task in tasks)])
        job = Job(
            created=now,
            modified=now,
            state_time=now,
            id=spec.id,
            spec=spec,
            schedule_id=schedule.id if schedule else None,
            number=schedule.jobs_created if schedule else 1,
            start_time=now,
        )
        self.jobs.put(job.id, job)
        if manager is not None:
            self._add_task(job, manager.as_task(), now, is_job_manager=True, exclusive=manager.run_exclusive)
        for task in tasks:
            self._add_task(job, task, now)
        self._limit(job)
        if spec.on_all_tasks_complete == "terminatejob" and not self.tasks.open_tasks(job.id):
            # a job without tasks has completed all of them (Batch REST API: onAllTasksComplete)
            self.terminate(job.id, "AllTasksComplete", now)
        return self.jobs[job.id]

    def _limit(self, job: Job) -> None:
        limit = job.spec.constraints.max_wall_clock_time
        if limit is not None and limit < UNLIMITED and job.state is JobState.ACTIVE:
            self._timers.set("job", job.id, job.created + limit.total_seconds())

    def add_tasks(self, job_id: str, tasks: Sequence[TaskSpec], now: float) -> None:
        """Add tasks to an active job, all or nothing. Raises JobError."""
        job = self.job(job_id)
        if job.state is not JobState.ACTIVE:
            raise JobError("JobCompleted", f"job {job_id!r} is {job.state} and takes no more tasks")
        self._check_new_tasks(job_id, [task.id for task in tasks])
        for task in tasks:
            self._add_task(job, task, now)

    def job(self, job_id: str) -> Job:
        job = self.jobs.get(job_id)
        if job is None:
            raise JobError("JobNotFound", f"there is no job {job_id!r}")
        return job

    def has_pool(self, info: PoolInfo) -> bool:
        """Is there a pool that takes jobs?"""
        return self._pool_exists(info.pool_id or "")

    def require_pool(self, info: PoolInfo) -> None:
        """Raises JobError if there is none."""
        if not self.has_pool(info):
            raise JobError("PoolNotFound", f"there is no pool {info.pool_id!r}; add the pool first")

    def _check_new_tasks(self, job_id: str, ids: Iterable[str]) -> None:
        seen = set()
        for task_id in ids:
            if task_id in seen or self.tasks.exists((job_id, task_id)):
                raise JobError("TaskExists", f"job {job_id!r} has a task {task_id!r} already")
            seen.add(task_id)

    def _add_task(
        self, job: Job, spec: TaskSpec, now: float, *, is_job_manager: bool = False, exclusive: bool = False
    ) -> None:
        self.tasks.add(
            Task(
                created=now,
                modified=now,
                state_time=now,
                job_id=job.id,
                id=spec.id,
                uid=self._ids.new(),
                sequence=self.tasks.next_sequence(),
                raw_spec=packed(spec),
                slots=spec.required_slots,
                is_job_manager=is_job_manager,
                exclusive=exclusive,
            )
        )

    # -- progress --------------------------------------------------------------------------------------------

    def terminate(self, job_id: str, reason: str, now: float) -> None:
        """End a job: its running tasks are ended, its waiting ones stay as they are."""
        job = self.job(job_id)
        if job.state is not JobState.ACTIVE:
            return
        state = next_job_state(job.id, job.state, JobEvent.TERMINATE, job.story)
        self.tasks.restate(evolve(job, now, state=state, terminate_reason=reason))
        for task in self.tasks.placed_tasks(job_id):
            if not task.ended:
                self.tasks.end(task, Ending.TERMINATE, now)
        self._close_if_free(job_id, now)

    def settle(self, now: float) -> None:
        """Draw the consequences of tasks that completed in this batch."""
        while self.tasks.completed:
            task = self.tasks.completed.pop()
            job = self.jobs[task.job_id]
            if job.state is JobState.ACTIVE:
                reason = self._completion(job, task)
                if reason is not None:
                    self.terminate(job.id, reason, now)
            else:
                self._close_if_free(job.id, now)

    def _completion(self, job: Job, task: Task) -> str | None:
        manager = job.spec.job_manager_task
        if task.is_job_manager and manager is not None and manager.kill_job_on_completion:
            return "JMComplete"
        if job.spec.on_all_tasks_complete == "terminatejob" and self.tasks.open_tasks(job.id) == 0:
            return "AllTasksComplete"
        return None

    def _close_if_free(self, job_id: str, now: float) -> None:
        job = self.jobs[job_id]
        if job.state is not JobState.TERMINATING or self.tasks.placed_tasks(job_id):
            return
        state = next_job_state(job.id, job.state, JobEvent.TASKS_ENDED, job.story)
        self.jobs.put(job.id, evolve(job, now, state=state, end_time=now))
        self._timers.cancel("job", job_id)
        self.tasks.durations.forget(job_id)
        self.tasks.costs.forget(job_id)
        self.tasks.forget_job(job_id)
        for tell in self.on_closed:
            tell(self.jobs[job_id], now)

    # -- questions -------------------------------------------------------------------------------------------

    def unfinished(self) -> bool:
        """Is any task waiting or running, or any job ending?"""
        return any(self.tasks.open_tasks(job.id) for job in self.jobs if job.state is JobState.ACTIVE) or any(
            job.state is JobState.TERMINATING for job in self.jobs
        )

    def expire(self, job_id: str, now: float) -> None:
        """The job's maxWallClockTime is over."""
        self.terminate(job_id, "MaxWallClockTimeExpiry", now)

    def recover(self, now: float) -> None:
        """Set the timers, and ask again for the end of what was to end."""
        for job in tuple(self.jobs):
            self._limit(job)
            if job.state is JobState.TERMINATING:
                for task in self.tasks.placed_tasks(job.id):
                    if not task.ended:
                        self.tasks.end(task, Ending.TERMINATE, now)
                self._close_if_free(job.id, now)
