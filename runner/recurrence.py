"""When the jobs of a schedule are due. Pure.

Rules of the Batch REST API (schedule): the first job is due at once, or at `doNotRunUntil`; the recurrence interval
lies between the *starts* of two successive jobs, on a grid that a late job does not move; a run that is due in one
interval is not carried forward into the next. A `cron` expression puts the runs where the clock of its zone says.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import ceil

from pools import ScheduleOptions

from .cron import cron_of
from .spec import END_OF_TIME, Schedule

_DEFAULT = ScheduleOptions()


def first_run(schedule: Schedule, now: float, options: ScheduleOptions = _DEFAULT) -> float | None:
    """The time (epoch seconds) of the first job; None if there will be none."""
    due: float | None = now
    if schedule.do_not_run_until is not None:
        due = max(now, _instant(schedule.do_not_run_until))
    if options.cron is not None:
        assert due is not None
        due = cron_of(options).first(due)
    return _before_end(schedule, due)


def next_run(schedule: Schedule, due: float, now: float, options: ScheduleOptions = _DEFAULT) -> float | None:
    """The first run after both `due`, which is one, and `now`; None if there is none."""
    if options.cron is not None:
        return _before_end(schedule, cron_of(options).after(max(due, now)))
    if schedule.recurrence_interval is None:
        return None
    interval = schedule.recurrence_interval.total_seconds()
    return _before_end(schedule, due + (_passed(due, now, interval) + 1) * interval)


def latest_run(schedule: Schedule, due: float, now: float, options: ScheduleOptions = _DEFAULT) -> float:
    """The last run that was due until `now`; `due`, which has come, is one."""
    if options.cron is not None:
        found = cron_of(options).last(due, now)
        return due if found is None else found
    if schedule.recurrence_interval is None:
        return due
    interval = schedule.recurrence_interval.total_seconds()
    return due + _passed(due, now, interval) * interval


def not_later(schedule: Schedule, due: float, now: float, options: ScheduleOptions = _DEFAULT) -> float:
    """`due`, which is to come; a run before it if that is to come as well: the clock has been put back since `due` was
    found to be the next."""
    until = schedule.do_not_run_until
    start = now if until is None else max(now, _instant(until))
    if options.cron is not None:
        first = cron_of(options).first(start)
        return due if first is None else min(due, first)
    if schedule.recurrence_interval is None:
        return min(due, start)
    interval = schedule.recurrence_interval.total_seconds()
    return due - max(0, ceil((due - start) / interval) - 1) * interval


def ended(schedule: Schedule, now: float) -> bool:
    """Is `doNotRunAfter` over?"""
    return schedule.do_not_run_after is not None and now > _instant(schedule.do_not_run_after)


def _passed(due: float, now: float, interval: float) -> int:
    """Whole intervals from `due` to `now`."""
    return max(0, int((now - due) // interval))


def _before_end(schedule: Schedule, due: float | None) -> float | None:
    return None if due is None or due > END_OF_TIME or ended(schedule, due) else due


def _instant(time: datetime) -> float:
    """Seconds since the epoch; a time without a zone is UTC."""
    return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()
