"""When the jobs of a schedule are made, and when it is over. Pure.

Beyond the service: a run that comes due while the present job is not completed waits for that (or is left out), a run
that nobody looked at in time is left out (or made up for by one job), and anybody may ask for a run.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pools import Ledger, MissedRuns, NamedTable, Overlap, ScheduleOptions, Timers, evolve, options_of_schedule

from .job_machine import JobMachine
from .model import Job, JobSchedule
from .recurrence import ended, latest_run, next_run, not_later
from .spec import UNLIMITED, JobScheduleSpec, JobSpec
from .states import JobState, ScheduleEvent, ScheduleState, next_schedule_state

#: A run that is looked at so many seconds after its time was missed: the controller was off, its machine slept, its
#: clock was set forward, or it could not write. A restart in between misses nothing.
MISSED = 60.0
#: States in which a job may be made, if only at somebody's request.
LIVE = (ScheduleState.ACTIVE, ScheduleState.DISABLED)


class ScheduleRuns:
    def __init__(self, ledger: Ledger, timers: Timers, jobs: JobMachine, occurrences: int | None = None) -> None:
        self.schedules: NamedTable[JobSchedule] = NamedTable(ledger, "job_schedules")
        self._timers = timers
        self._jobs = jobs
        #: `ebbtide run --occurrences N`: no schedule makes more than N jobs
        self.occurrences = occurrences
        #: called with each schedule that is completed, or gone
        self.on_over: list[Callable[[JobSchedule, float], None]] = []
        #: those that wait for the end of a job, or for their jobs to be gone
        self._watched: dict[str, None] = {}
        jobs.on_closed.append(self._job_closed)

    # -- progress --------------------------------------------------------------------------------------------

    def ring(self, schedule_id: str, now: float) -> None:
        """The schedule's next run is due, or what it waited for is over."""
        schedule = self.schedules.get(schedule_id)
        if schedule is None or self._jobs.draining:
            return
        if schedule.run_requested and schedule.state in LIVE and self._present_job(schedule) is None:
            self._make_requested(schedule, now)
            return
        due = schedule.next_run_time
        if due is None or due > now:
            return
        if schedule.state is ScheduleState.DISABLED:
            # what comes due now is left out
            self._leave_out(schedule, now)
        elif self.more_jobs(schedule):
            self._come_due(schedule, due, now)

    def _come_due(self, schedule: JobSchedule, first: float, now: float) -> None:
        times, options = schedule.spec.schedule, _options(schedule)
        due = latest_run(times, first, now, options)
        if self._lapsed(schedule, due, now):
            self._leave_out(schedule, now)
        elif self._present_job(schedule) is None:
            after = next_run(times, due, now, options)
            self._make_job(schedule, now, next_run_time=after, last_run_time=due, waiting=False)
        elif options.overlap is Overlap.SKIP:
            self._leave_out(schedule, now)
        elif not schedule.waiting:
            self._put(evolve(schedule, now, waiting=True))

    def _lapsed(self, schedule: JobSchedule, due: float, now: float) -> bool:
        """Is it too late for the run that was due at `due`, or is there nothing that it could go to?"""
        times, late = schedule.spec.schedule, now - due
        window = times.start_window
        if ended(times, now) or (window is not None and late > window.total_seconds()):
            return True
        made = schedule.last_run_time
        if made is not None and due <= made <= now:  # the clock was put back before it, and is past it again
            return True
        missed = late > MISSED and not schedule.waiting
        if missed and _missed_runs(_options(schedule)) is MissedRuns.SKIP:
            return True
        return not self._jobs.has_pool(schedule.spec.job_specification.pool_info)  # its pool was deleted

    def _make_job(self, schedule: JobSchedule, now: float, **changes: Any) -> None:
        number = schedule.jobs_created + 1
        job_id = f"{schedule.id}:job-{number}"
        specification = schedule.spec.job_specification
        fields = {name: getattr(specification, name) for name in specification.__struct_fields__}
        changes |= {"recent_job_id": job_id, "jobs_created": number, "run_requested": False}
        changed = evolve(schedule, now, **changes)
        self._put(changed)
        self._jobs.add_job(JobSpec(id=job_id, **fields), (), now, changed)

    def _leave_out(self, schedule: JobSchedule, now: float) -> None:
        """No job for what is due; the next run stands on the grid."""
        changed = evolve(schedule, now, next_run_time=self._from_now(schedule, now), waiting=False)
        if changed.next_run_time == schedule.next_run_time:
            return  # the only run of a disabled schedule: it is there when it is enabled
        self._put(changed)
        self._finish_if_over(changed, now)

    def _from_now(self, schedule: JobSchedule, now: float) -> float | None:
        """The first run of its times that has not come due."""
        times, due = schedule.spec.schedule, schedule.next_run_time
        if due is None or due > now or ended(times, now):
            return None if ended(times, now) else due
        if schedule.state is not ScheduleState.ACTIVE and not recurs(schedule.spec):
            return due
        return next_run(times, due, now, _options(schedule))

    def _put(self, schedule: JobSchedule) -> None:
        self.schedules.put(schedule.id, schedule)
        self._arm(schedule)

    def _arm(self, schedule: JobSchedule) -> None:
        due = schedule.next_run_time
        if due is None or schedule.waiting or schedule.run_requested:
            self._watched[schedule.id] = None
        only_one = schedule.state is ScheduleState.DISABLED and not recurs(schedule.spec)
        if due is not None and not schedule.waiting and not only_one and self._may_make(schedule):
            self._timers.set("schedule", schedule.id, due)
        else:
            self._timers.cancel("schedule", schedule.id)

    def _job_closed(self, job: Job, now: float) -> None:
        if job.schedule_id is not None:
            self._watched[job.schedule_id] = None

    def settle(self, now: float) -> None:
        """End of a batch: what follows from jobs that are completed, or gone. Jobs are made by `ring`, in the next."""
        for schedule_id in tuple(self._watched):
            schedule = self.schedules.get(schedule_id)
            if schedule is None or schedule.state is ScheduleState.COMPLETED:
                del self._watched[schedule_id]
            elif schedule.state is ScheduleState.DELETING:
                self._remove_if_empty(schedule, now)
            elif self._present_job(schedule) is None:
                del self._watched[schedule_id]
                self._job_over(schedule, now)

    def _make_requested(self, schedule: JobSchedule, now: float) -> None:
        if self._jobs.has_pool(schedule.spec.job_specification.pool_info):
            self._make_job(schedule, now)
        else:
            schedule = evolve(schedule, now, run_requested=False)
            self._put(schedule)
            self._finish_if_over(schedule, now)

    def _job_over(self, schedule: JobSchedule, now: float) -> None:
        if schedule.state in LIVE and (schedule.run_requested or schedule.waiting):
            self._timers.set("schedule", schedule.id, now)
        else:
            self._finish_if_over(schedule, now)

    def _finish_if_over(self, schedule: JobSchedule, now: float) -> None:
        """A schedule is completed when it has no next run and no job that is not."""
        ending = schedule.state is ScheduleState.TERMINATING
        if not ending and (schedule.state not in LIVE or schedule.next_run_time is not None or schedule.run_requested):
            return
        if self._present_job(schedule) is None:
            schedule = self._moved(schedule, ScheduleEvent.FINISHED, now, end_time=now)
            self._put(schedule)
            for tell in self.on_over:
                tell(schedule, now)

    def _end_present_job(self, schedule: JobSchedule, now: float) -> None:
        present = self._present_job(schedule)
        if present is not None and present.state not in (JobState.TERMINATING, JobState.DELETING):
            self._jobs.terminate(present.id, "JobScheduleTerminated", now)

    def _delete_jobs(self, schedule_id: str, now: float) -> None:
        for job in self._jobs_of(schedule_id):
            if job.state is not JobState.DELETING:
                self._jobs.delete(job.id, now)

    def _remove_if_empty(self, schedule: JobSchedule, now: float) -> None:
        if not self._jobs_of(schedule.id):
            del self._watched[schedule.id]
            self._timers.cancel("schedule", schedule.id)
            self.schedules.remove(schedule.id)
            for tell in self.on_over:
                tell(schedule, now)

    # -- questions, restart ----------------------------------------------------------------------------------

    def more_jobs(self, schedule: JobSchedule) -> bool:
        """Will the schedule make another job, as far as this controller lets it?"""
        if schedule.run_requested and schedule.state in LIVE:
            return True
        if schedule.state is not ScheduleState.ACTIVE or schedule.next_run_time is None:
            return False
        return self._may_make(schedule)

    def goes_on(self, schedule: JobSchedule) -> bool:
        """Will it make another job without somebody's help? It waits for the end of the present one."""
        present = self._present_job(schedule)
        if present is None or not self.more_jobs(schedule):
            return present is None and self.more_jobs(schedule)
        limit = present.spec.constraints.max_wall_clock_time
        limited = present.lives and limit is not None and limit < UNLIMITED
        return limited or self._jobs.goes_on(present)

    def need(self, pool_id: str) -> bool:
        """Will a further job want this pool? (Slow: asked when pools are planned.)"""
        return any(
            s.spec.job_specification.pool_info.pool_id == pool_id and self.goes_on(s) for s in self.schedules
        )

    def recover(self, now: float) -> None:
        """Set the timers, and ask again for the end of what was to end."""
        for schedule in self.schedules:
            due = schedule.next_run_time
            if due is not None and due > now:  # not later than it could be, had the clock not been put back meanwhile
                due = now if schedule.waiting else not_later(schedule.spec.schedule, due, now, _options(schedule))
            if due == schedule.next_run_time:
                self._arm(schedule)
            else:
                self._put(evolve(schedule, now, next_run_time=due))
            self._watched[schedule.id] = None
            if schedule.state is ScheduleState.TERMINATING:
                self._end_present_job(schedule, now)
            elif schedule.state is ScheduleState.DELETING:
                self._delete_jobs(schedule.id, now)

    def _may_make(self, schedule: JobSchedule) -> bool:
        return self.occurrences is None or schedule.jobs_created < self.occurrences

    def _jobs_of(self, schedule_id: str) -> list[Job]:
        return [job for job in self._jobs.jobs if job.schedule_id == schedule_id]

    def _present_job(self, schedule: JobSchedule) -> Job | None:
        """The one that is not completed."""
        recent = self._jobs.jobs.get(schedule.recent_job_id) if schedule.recent_job_id else None
        return recent if recent is not None and recent.state is not JobState.COMPLETED else None

    def _moved(self, schedule: JobSchedule, event: ScheduleEvent, now: float, **changes: Any) -> JobSchedule:
        story = f"is {schedule.state} since {schedule.state_time:.3f}, recent job {schedule.recent_job_id or 'none'}"
        state = next_schedule_state(schedule.id, schedule.state, event, story)
        return evolve(schedule, now, state=state, **changes)


def _options(schedule: JobSchedule) -> ScheduleOptions:
    return options_of_schedule(schedule.spec.metadata)


def _missed_runs(options: ScheduleOptions) -> MissedRuns:
    if options.missed_runs is not None:
        return options.missed_runs
    return MissedRuns.SKIP if options.cron is not None else MissedRuns.ONCE


def recurs(spec: JobScheduleSpec) -> bool:
    """Has it more than one run?"""
    return spec.schedule.recurrence_interval is not None or options_of_schedule(spec.metadata).cron is not None
