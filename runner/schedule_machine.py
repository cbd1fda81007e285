"""The life of job schedules: when the next job is made. Pure."""

from __future__ import annotations

from pools import Ledger, Table, Timers, evolve

from .job_machine import JobMachine
from .model import Job, JobSchedule
from .recurrence import first_run, next_run
from .request_checks import JobError
from .spec import JobScheduleSpec, JobSpec
from .states import JobState, ScheduleEvent, ScheduleState, next_schedule_state


class ScheduleMachine:
    def __init__(self, ledger: Ledger, timers: Timers, jobs: JobMachine, occurrences: int | None = None) -> None:
        self.schedules: Table[str, JobSchedule] = Table(ledger, "job_schedules")
        self._timers = timers
        self._jobs = jobs
        #: `ebbtide run --occurrences N`: no schedule makes more than N jobs
        self.occurrences = occurrences
        jobs.on_closed.append(self._job_closed)

    # -- requests --------------------------------------------------------------------------------------------

    def add(self, spec: JobScheduleSpec, now: float) -> JobSchedule:
        """Record a job schedule; its first job is made as soon as it may run. Raises JobError."""
        if spec.id in self.schedules:
            raise JobError("JobScheduleExists", f"job schedule {spec.id!r} exists already")
        self._jobs.require_pool(spec.job_specification.pool_info)
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

    # -- progress --------------------------------------------------------------------------------------------

    def ring(self, schedule_id: str, now: float) -> None:
        """The schedule's next run is due."""
        schedule = self.schedules.get(schedule_id)
        if schedule is None or schedule.state is not ScheduleState.ACTIVE or self._jobs.draining:
            return
        recent = self._jobs.jobs.get(schedule.recent_job_id) if schedule.recent_job_id else None
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
        if not self._jobs.has_pool(schedule.spec.job_specification.pool_info):
            # its pool was deleted: there is nothing that this run could go to
            self._put(schedule, evolve(schedule, now, next_run_time=after), now)
            return
        number = schedule.jobs_created + 1
        job_id = f"{schedule.id}:job-{number}"
        specification = schedule.spec.job_specification
        fields = {name: getattr(specification, name) for name in specification.__struct_fields__}
        changed = evolve(schedule, now, next_run_time=after, recent_job_id=job_id, jobs_created=number)
        self.schedules.put(schedule.id, changed)
        self._jobs.add_job(JobSpec(id=job_id, **fields), (), now, changed)
        self._arm(changed)

    def _put(self, schedule: JobSchedule, changed: JobSchedule, now: float) -> None:
        self.schedules.put(schedule.id, changed)
        self._arm(changed)
        if changed.next_run_time is None:
            self._after_job(changed, now)

    def _arm(self, schedule: JobSchedule) -> None:
        if schedule.next_run_time is not None and self.more_jobs(schedule):
            self._timers.set("schedule", schedule.id, schedule.next_run_time)

    def _job_closed(self, job: Job, now: float) -> None:
        schedule = self.schedules.get(job.schedule_id) if job.schedule_id is not None else None
        if schedule is not None:
            self._after_job(schedule, now)

    def _after_job(self, schedule: JobSchedule, now: float) -> None:
        recent = self._jobs.jobs.get(schedule.recent_job_id) if schedule.recent_job_id else None
        if recent is not None and recent.state is not JobState.COMPLETED:
            return
        if schedule.next_run_time is None and schedule.state is ScheduleState.ACTIVE:
            state = next_schedule_state(
                schedule.id, schedule.state, ScheduleEvent.FINISHED, "has no next run"
            )
            self.schedules.put(schedule.id, evolve(schedule, now, state=state, end_time=now))
        else:
            self._arm(schedule)

    # -- questions, restart ----------------------------------------------------------------------------------

    def more_jobs(self, schedule: JobSchedule) -> bool:
        """Will the schedule make another job, as far as this controller lets it?"""
        if schedule.state is not ScheduleState.ACTIVE or schedule.next_run_time is None:
            return False
        return self.occurrences is None or schedule.jobs_created < self.occurrences

    def need(self, pool_id: str) -> bool:
        """Will a further job want this pool? (Slow: asked when pools are planned.)"""
        return any(
            s.spec.job_specification.pool_info.pool_id == pool_id and self.more_jobs(s) for s in self.schedules
        )

    def recover(self) -> None:
        for schedule in self.schedules:
            self._arm(schedule)
