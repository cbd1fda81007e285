"""When the jobs of a schedule are due. Pure.

Rules of the Batch REST API (schedule): the first job is due at once, or at `doNotRunUntil`; the recurrence
interval lies between the *starts* of two successive jobs; a schedule has at most one job that is not
completed, so a job that runs long delays the next one, and runs that were missed meanwhile are made up for by
one job, not by many.
"""

from __future__ import annotations

from datetime import UTC, datetime

from .spec import Schedule


def first_run(schedule: Schedule, now: float) -> float | None:
    """The time (epoch seconds) of the first job; None if there will be none."""
    due = now
    if schedule.do_not_run_until is not None:
        due = max(now, _instant(schedule.do_not_run_until))
    return _before_end(schedule, due)


def next_run(schedule: Schedule, due: float, now: float) -> float | None:
    """The run after the one that was due at `due` and is made at `now`; None if there is none."""
    if schedule.recurrence_interval is None:
        return None
    interval = schedule.recurrence_interval.total_seconds()
    missed = max(0, int((now - due) // interval))
    return _before_end(schedule, due + (missed + 1) * interval)


def _before_end(schedule: Schedule, due: float) -> float | None:
    if schedule.do_not_run_after is not None and due > _instant(schedule.do_not_run_after):
        return None
    return due


def _instant(time: datetime) -> float:
    """Seconds since the epoch; a time without a zone is UTC."""
    return (time if time.tzinfo is not None else time.replace(tzinfo=UTC)).timestamp()
