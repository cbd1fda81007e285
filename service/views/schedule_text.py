"""How often a job schedule makes a job, in words."""

from __future__ import annotations

from pools import options_of_schedule
from runner import JobScheduleSpec

from ..iso8601 import format_duration


def how_often(spec: JobScheduleSpec) -> str:
    options, interval = options_of_schedule(spec.metadata), spec.schedule.recurrence_interval
    if options.cron is not None:
        return f'a job at "{options.cron}" ({options.time_zone})'
    return f"a job every {format_duration(interval)}" if interval is not None else "one job"
