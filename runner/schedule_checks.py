"""What a request about job schedules must be like to be let in. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from pools import OptionError, invalid_id, schedule_options

from .job_errors import JobError
from .request_checks import check_specification, names_of
from .spec import JobScheduleSpec, Schedule

#: Attributes of a job schedule that may change, as the Batch REST API has it.
CHANGEABLE = frozenset(("schedule", "job_specification", "metadata"))


def check_schedule(spec: JobScheduleSpec, slots: int, minimum_interval: float) -> None:
    """`minimum_interval`: least recurrence interval and start window, in seconds. Raises JobError."""
    fault = invalid_id(spec.id)
    if fault is not None:
        raise JobError("InvalidPropertyValue", f"job schedule: id: {fault}")
    where = f"job schedule {spec.id!r}"
    for name, fault in times_faults(spec.schedule, minimum_interval).items():
        raise JobError("InvalidPropertyValue", f"{where}: schedule.{name}: {fault}")
    try:
        options = schedule_options(spec.metadata)
    except OptionError as exc:
        raise JobError("InvalidPropertyValue", f"{where}: {exc}") from None
    if options.cron is not None and spec.schedule.recurrence_interval is not None:
        text = "schedule.recurrenceInterval: the metadata item `cron` says when jobs are due; only one of the two can"
        raise JobError("InvalidPropertyValue", f"{where}: {text}")
    check_specification(where, spec.job_specification, slots)


def check_changed(schedule_id: str, changed: frozenset[str]) -> None:
    """Raises JobError if one of these attributes is for life."""
    fixed = names_of(JobScheduleSpec, changed - CHANGEABLE)
    if fixed:
        raise JobError("InvalidPropertyValue", f"job schedule {schedule_id!r}: {fixed} cannot change")


def times_faults(times: Schedule, minimum_interval: float) -> dict[str, str]:
    """What is wrong with the times of a schedule, by property."""
    faults = {}
    for name, length in (("recurrenceInterval", times.recurrence_interval), ("startWindow", times.start_window)):
        if length is not None and length.total_seconds() < minimum_interval:
            faults[name] = (
                f"{length.total_seconds():g} s is below the minimum of {minimum_interval:g} s (a setting, "
                "minimumRecurrenceInterval)"
            )
    interval = times.recurrence_interval
    if interval is not None and interval > Schedule.LONGEST_INTERVAL:
        faults["recurrenceInterval"] = (
            f"is longer than {Schedule.LONGEST_INTERVAL.days:,} days, a hundred years; leave it out for a single job"
        )
    until, after = times.do_not_run_until, times.do_not_run_after
    for name, time in (("doNotRunUntil", until), ("doNotRunAfter", after)):
        if time is not None and not _in_a_year(time):
            faults[name] = f"{time.isoformat()} lies outside the years 1 to 9999 of UTC"
    if until is not None and after is not None and _aware(after) < _aware(until):
        faults["doNotRunAfter"] = "lies before doNotRunUntil, so that there would be no job"
    return faults


def _in_a_year(time: datetime) -> bool:
    """Of those that can be told, whatever the offset of its zone."""
    try:
        _aware(time).astimezone(UTC)
    except OverflowError:
        return False
    return True


def _aware(time: datetime) -> datetime:
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
