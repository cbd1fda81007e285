"""What a job schedule of a workload file must be like: its times, and the metadata that say more about them."""

from __future__ import annotations

from datetime import datetime, timedelta

from runner import Schedule

from .clock import now
from .cursor import Cursor
from .iso8601 import format_duration, parse_instant
from .metadata_checks import check_schedule_metadata, option
from .problems import Problems


def check_schedule(schedule: Cursor, least: timedelta, problems: Problems) -> bool:
    """Will it make more than one job? `least`: the setting minimumRecurrenceInterval."""
    check_schedule_metadata(schedule, problems)
    cron, times = option(schedule, "cron"), schedule.get("schedule")
    if times is None:
        return cron is not None
    for name in ("recurrenceInterval", "startWindow"):
        length = times.duration(name)
        if length is not None and length < least:
            text = (
                f"must be at least {format_duration(least)}, the setting minimumRecurrenceInterval, "
                f"not {format_duration(length)}"
            )
            _error(times, name, text, problems)
    interval = times.duration("recurrenceInterval")
    if interval is not None and interval > Schedule.LONGEST_INTERVAL:
        most = format_duration(Schedule.LONGEST_INTERVAL)
        _error(times, "recurrenceInterval", f"must be at most {most}; leave it out for a single job", problems)
    until, after = _instant(times, "doNotRunUntil"), _instant(times, "doNotRunAfter")
    if until is not None and after is not None and after < until:
        _error(times, "doNotRunAfter", "lies before doNotRunUntil, so that there would be no job", problems)
    elif after is not None and after.timestamp() < now():
        value = times.get("doNotRunAfter")
        assert value is not None
        problems.warn(value.place, value.path, "lies in the past, so that there will be no job")
    recurs = interval is not None
    if recurs and cron is not None:
        text = f"the metadata item cron (line {cron.place.line}) says when jobs are due; take one of the two out"
        _error(times, "recurrenceInterval", text, problems)
    return recurs or cron is not None


def _instant(times: Cursor, name: str) -> datetime | None:
    text = times.text(name)
    try:
        return parse_instant(text) if text is not None else None
    except ValueError:
        return None  # what is wrong with it has been said


def _error(owner: Cursor, name: str, text: str, problems: Problems) -> None:
    value = owner.get(name)
    assert value is not None
    problems.error(value.place, value.path, text)
