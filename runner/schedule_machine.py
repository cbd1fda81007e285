"""What can be asked about job schedules, and their states. Pure."""

from __future__ import annotations

from typing import Any

import msgspec

from pools import Overlap, evolve, options_of_schedule

from .job_errors import JobError
from .model import JobSchedule
from .recurrence import ended, first_run
from .schedule_runs import LIVE, ScheduleRuns
from .spec import JobScheduleSpec
from .states import ScheduleEvent, ScheduleState

_REFUSALS = {
    ScheduleState.COMPLETED: "JobScheduleCompleted",
    ScheduleState.TERMINATING: "JobScheduleBeingTerminated",
    ScheduleState.DELETING: "JobScheduleBeingDeleted",
}
_NO_RUN = {"next_run_time": None, "waiting": False, "run_requested": False}


class ScheduleMachine(ScheduleRuns):
    """A request that is refused raises JobError and changes nothing."""

    def add(self, spec: JobScheduleSpec, now: float) -> JobSchedule:
        """Record a job schedule; its first job is made as soon as it may run. Raises JobError."""
        present = self.schedules.spelled(spec.id)
        if present is not None:
            raise JobError("JobScheduleExists", f"job schedule {present!r} exists already")
        self._jobs.require_pool(spec.job_specification.pool_info)
        schedule = JobSchedule(
            created=now,
            modified=now,
            state_time=now,
            id=spec.id,
            spec=spec,
            next_run_time=first_run(spec.schedule, now, options_of_schedule(spec.metadata)),
        )
        self._put(schedule)
        self._finish_if_over(schedule, now)
        return self.schedules[spec.id]

    def disable(self, schedule_id: str, now: float) -> None:
        """It makes no further job until it is enabled again; its present job goes on. Raises JobError."""
        schedule = self._live(schedule_id)
        if schedule.state is ScheduleState.ACTIVE:
            self._put(self._moved(schedule, ScheduleEvent.DISABLE, now, waiting=False))

    def enable(self, schedule_id: str, now: float) -> None:
        """Runs that came due meanwhile are left out, but for the one of a schedule that has only one. Raises
        JobError."""
        schedule = self._live(schedule_id)
        if schedule.state is ScheduleState.DISABLED:
            schedule = self._moved(schedule, ScheduleEvent.ENABLE, now, next_run_time=self._from_now(schedule, now))
            self._put(schedule)
            self._finish_if_over(schedule, now)

    def terminate(self, schedule_id: str, now: float) -> None:
        """Its present job is terminated; it is completed when that one is. Raises JobError."""
        schedule = self._live(schedule_id)
        self._put(self._moved(schedule, ScheduleEvent.TERMINATE, now, **_NO_RUN))
        self._end_present_job(schedule, now)
        self._finish_if_over(self.schedules[schedule_id], now)

    def delete(self, schedule_id: str, now: float) -> None:
        """It goes with all its jobs. Raises JobError."""
        schedule = self._known(schedule_id)
        if schedule.state is ScheduleState.DELETING:
            raise _refused(schedule)
        self._put(self._moved(schedule, ScheduleEvent.DELETE, now, **_NO_RUN))
        self._delete_jobs(schedule_id, now)

    def replace(self, spec: JobScheduleSpec, changed: frozenset[str], now: float) -> None:
        """The attributes named in `changed` are those of `spec` from now on, for jobs to come. Raises JobError."""
        new, schedule = self.changed_spec(spec, changed), self._live(spec.id)
        self._jobs.require_pool(new.job_specification.pool_info)
        times: dict[str, Any] = {}
        old_times = (schedule.spec.schedule, options_of_schedule(schedule.spec.metadata))
        if old_times != (new.schedule, options_of_schedule(new.metadata)):
            times = {"next_run_time": _after_change(new, schedule, now), "waiting": False}
        changed_schedule = evolve(schedule, now, spec=new, **times)
        self._put(changed_schedule)
        self._finish_if_over(changed_schedule, now)

    def changed_spec(self, spec: JobScheduleSpec, changed: frozenset[str]) -> JobScheduleSpec:
        """What `replace` would make of the schedule's specification. Raises JobError."""
        present = self._live(spec.id).spec
        return msgspec.structs.replace(present, **{name: getattr(spec, name) for name in changed})

    def run_now(self, schedule_id: str, now: float, at_once: bool = True) -> None:
        """Make a job, whatever the times of the schedule say, also of a disabled one; they stay as they are. While a
        job is not completed it waits for that, or with `overlap` skip is refused. Not `at_once`: see RunJobSchedule.
        Raises JobError."""
        schedule = self._live(schedule_id)
        if self._jobs.draining:
            raise JobError("ServerBusy", "the controller is about to end and takes no new work")
        present = self._present_job(schedule)
        if present is None:
            self._jobs.require_pool(schedule.spec.job_specification.pool_info)
            if at_once:
                self._make_job(schedule, now)
                return
        elif options_of_schedule(schedule.spec.metadata).overlap is Overlap.SKIP:
            raise JobError(
                "JobScheduleHasActiveJob",
                f"job {present.id!r} of the schedule is {present.state}, and its metadata say `overlap: skip`; "
                "wait for that job, terminate it, or say `queue`",
            )
        if not schedule.run_requested:
            self._put(evolve(schedule, now, run_requested=True))

    # -- look-up --------------------------------------------------------------------------------------------

    def _known(self, schedule_id: str) -> JobSchedule:
        schedule = self.schedules.get(schedule_id)
        if schedule is None:
            raise JobError("JobScheduleNotFound", f"there is no job schedule {schedule_id!r}")
        return schedule

    def _live(self, schedule_id: str) -> JobSchedule:
        """One that is active or disabled. Raises JobError."""
        schedule = self._known(schedule_id)
        if schedule.state not in LIVE:
            raise _refused(schedule)
        return schedule


def _refused(schedule: JobSchedule) -> JobError:
    return JobError(_REFUSALS[schedule.state], f"job schedule {schedule.id!r} is {schedule.state}")


def _after_change(spec: JobScheduleSpec, schedule: JobSchedule, now: float) -> float | None:
    """When the next job is due by the new times: an interval counts from the last one."""
    options, interval, last = options_of_schedule(spec.metadata), spec.schedule.recurrence_interval, None
    if schedule.last_run_time is not None and options.cron is None:
        if interval is None:
            return None
        last = schedule.last_run_time + interval.total_seconds()
    due = first_run(spec.schedule, now if last is None else max(now, last), options)
    return None if ended(spec.schedule, now) else due
