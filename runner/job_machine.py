"""The life of jobs and job schedules: creation, completion, recurrence. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pools import Command, Ids, Ledger, Node, Table, Timers, evolve

from .model import Ending, Job, JobSchedule, Task
from .recurrence import first_run, next_run
from .request_checks import JobError
from .spec import UNLIMITED, JobManagerTask, JobScheduleSpec, JobSpec, TaskSpec
from .states import (
    JobEvent,
    JobState,
    ScheduleEvent,
    ScheduleState,
    next_job_state,
    next_schedule_state,
)
from .task_machine import TaskMachine


class JobMachine:
    def __init__(
        self,
        ledger: Ledger,
        ids: Ids,
        timers: Timers,
        pool_exists: Callable[[str], bool],
        say: Callable[[Command], None],
        occurrences: int | None = None,
        node_of: Callable[[str], Node | None] = lambda node_id: None,
    ) -> None:
        self.jobs: Table[str, Job] = Table(ledger, "jobs")
        self.schedules: Table[str, JobSchedule] = Table(ledger, "job_schedules")
        self.tasks = TaskMachine(ledger, self.jobs, say, node_of)
        self._ids = ids
        self._timers = timers
        self._pool_exists = pool_exists
        #: `ebbtide run --occurrences N`: no schedule makes more than N jobs
        self.occurrences = occurrences
        self.draining = False

    # -- requests --------------------------------------------------------------------------------------------

    def add_job(
        self, spec: JobSpec, tasks: Sequence[TaskSpec], now: float, schedule: JobSchedule | None = None
    ) -> Job:
        """Record a job with its first tasks, all or nothing. Raises JobError."""
        if spec.id in self.jobs:
            raise JobError("JobExists", f"job {spec.id!r} exists already")
        self._require_pool(spec.pool_info.pool_id)
        manager = spec.job_manager_task
        self._check_new_tasks(spec.id, [*([manager] if manager else []), *tasks])
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
        for task in [*([manager] if manager else []), *tasks]:
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
        self._check_new_tasks(job_id, tasks)
        for task in tasks:
            self._add_task(job, task, now)

    def add_schedule(self, spec: JobScheduleSpec, now: float) -> JobSchedule:
        """Record a job schedule; its first job is made as soon as it may run. Raises JobError."""
        if spec.id in self.schedules:
            raise JobError("JobScheduleExists", f"job schedule {spec.id!r} exists already")
        self._require_pool(spec.job_specification.pool_info.pool_id)
        schedule = JobSchedule(
            created=now,
            modified=now,
            state_time=now,
            id=spec.id,
            spec=spec,
            next_run_time=first_run(spec.schedule, now),
        )
        self.schedules.put(spec.id, schedule)
        self._arm(schedule)
        return schedule

    def job(self, job_id: str) -> Job:
        job = self.jobs.get(job_id)
        if job is None:
            raise JobError("JobNotFound", f"there is no job {job_id!r}")
        return job

    def _require_pool(self, pool_id: str) -> None:
        if not self._pool_exists(pool_id):
            raise JobError("PoolNotFound", f"there is no pool {pool_id!r}; add the pool first")

    def _check_new_tasks(self, job_id: str, tasks: Sequence[TaskSpec]) -> None:
        seen = set()
        for task in tasks:
            if task.id in seen or (job_id, task.id) in self.tasks.tasks:
                raise JobError("TaskExists", f"job {job_id!r} has a task {task.id!r} already")
            seen.add(task.id)

    def _add_task(self, job: Job, spec: TaskSpec, now: float) -> None:
        manager = isinstance(spec, JobManagerTask)
        exclusive = isinstance(spec, JobManagerTask) and spec.run_exclusive
        if manager:
            spec = TaskSpec(**{name: getattr(spec, name) for name in TaskSpec.__struct_fields__})
        self.tasks.add(
            Task(
                created=now,
                modified=now,
                state_time=now,
                job_id=job.id,
                id=spec.id,
                uid=self._ids.new(),
                sequence=self.tasks.next_sequence(),
                spec=spec,
                is_job_manager=manager,
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
        if job.schedule_id is not None:
            self._after_job(self.schedules[job.schedule_id], now)

    # -- schedules -------------------------------------------------------------------------------------------

    def ring(self, schedule_id: str, now: float) -> None:
        """The schedule's next run is due."""
        schedule = self.schedules.get(schedule_id)
        if schedule is None or schedule.state is not ScheduleState.ACTIVE or self.draining:
            return
        recent = self.jobs.get(schedule.recent_job_id) if schedule.recent_job_id else None
        if schedule.next_run_time is None or schedule.next_run_time > now:
            return
        if not self.more_jobs(schedule) or (recent is not None and recent.state is not JobState.COMPLETED):
            return  # one job at a time: the end of that job looks here again
        due = schedule.next_run_time
        window = schedule.spec.schedule.start_window
        after = next_run(schedule.spec.schedule, due, now)
        if window is not None and now - due > window.total_seconds():
            # too late for this one; the next stands on the grid
            self._put(schedule, evolve(schedule, now, next_run_time=after), now)
            return
        if not self._pool_exists(schedule.spec.job_specification.pool_info.pool_id):
            # its pool was deleted: there is nothing that this run could go to
            self._put(schedule, evolve(schedule, now, next_run_time=after), now)
            return
        number = schedule.jobs_created + 1
        job_id = f"{schedule.id}:job-{number}"
        specification = schedule.spec.job_specification
        fields = {name: getattr(specification, name) for name in specification.__struct_fields__}
        changed = evolve(schedule, now, next_run_time=after, recent_job_id=job_id, jobs_created=number)
        self.schedules.put(schedule.id, changed)
        self.add_job(JobSpec(id=job_id, **fields), (), now, changed)
        self._arm(changed)

    def _put(self, schedule: JobSchedule, changed: JobSchedule, now: float) -> None:
        self.schedules.put(schedule.id, changed)
        self._arm(changed)
        if changed.next_run_time is None:
            self._after_job(changed, now)

    def more_jobs(self, schedule: JobSchedule) -> bool:
        """Will the schedule make another job, as far as this controller lets it?"""
        if schedule.state is not ScheduleState.ACTIVE or schedule.next_run_time is None:
            return False
        return self.occurrences is None or schedule.jobs_created < self.occurrences

    def _arm(self, schedule: JobSchedule) -> None:
        if schedule.next_run_time is not None and self.more_jobs(schedule):
            self._timers.set("schedule", schedule.id, schedule.next_run_time)

    def _after_job(self, schedule: JobSchedule, now: float) -> None:
        recent = self.jobs.get(schedule.recent_job_id) if schedule.recent_job_id else None
        if recent is not None and recent.state is not JobState.COMPLETED:
            return
        if schedule.next_run_time is None and schedule.state is ScheduleState.ACTIVE:
            state = next_schedule_state(
                schedule.id, schedule.state, ScheduleEvent.FINISHED, "has no next run"
            )
            self.schedules.put(schedule.id, evolve(schedule, now, state=state, end_time=now))
        else:
            self._arm(schedule)

    # -- questions -------------------------------------------------------------------------------------------

    def has_work(self, pool_id: str) -> bool:
        """Is there, or will there be, anything to do for the pool? (Slow: asked when pools are planned.)"""
        counts = self.tasks.counts(pool_id)
        return bool(counts.active or counts.running) or any(
            s.spec.job_specification.pool_info.pool_id == pool_id and self.more_jobs(s)
            for s in self.schedules
        )

    def unfinished(self) -> bool:
        """Is any task waiting or running, any job ending, or any further job to come?"""
        return (
            any(self.tasks.open_tasks(job.id) for job in self.jobs if job.state is JobState.ACTIVE)
            or any(job.state is JobState.TERMINATING for job in self.jobs)
            or any(self.more_jobs(schedule) for schedule in self.schedules)
        )

    def expire(self, job_id: str, now: float) -> None:
        """The job's maxWallClockTime is over."""
        self.terminate(job_id, "MaxWallClockTimeExpiry", now)

    def recover(self, now: float) -> None:
        """Set the timers, and ask again for the end of what was to end."""
        for schedule in self.schedules:
            self._arm(schedule)
        for job in tuple(self.jobs):
            self._limit(job)
            if job.state is JobState.TERMINATING:
                for task in self.tasks.placed_tasks(job.id):
                    if not task.ended:
                        self.tasks.end(task, Ending.TERMINATE, now)
                self._close_if_free(job.id, now)
