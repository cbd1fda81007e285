"""`$expand=stats`: what pools, jobs, schedules and tasks have used so far.

What is not measured per object (processor time and traffic of tasks, load of pools) is told as nothing, because the
clients' models want it to be there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from pools import Node, Pool, billed_seconds
from runner import Job, JobSchedule, Journal, Task, TaskState

from ..iso8601 import format_duration, format_instant

_UNMEASURED_IO = {"readIOps": 0, "writeIOps": 0, "readIOGiB": 0.0, "writeIOGiB": 0.0}
_UNMEASURED_LOAD = (
    "avgCPUPercentage",
    "avgMemoryGiB",
    "peakMemoryGiB",
    "avgDiskGiB",
    "peakDiskGiB",
    "diskReadIOps",
    "diskWriteIOps",
    "diskReadGiB",
    "diskWriteGiB",
    "networkReadGiB",
    "networkWriteGiB",
)


def _head(url: str | None, since: float, now: float) -> dict[str, Any]:
    return {"url": f"{url or ''}/stats", "startTime": format_instant(since), "lastUpdateTime": format_instant(now)}


def _seconds(seconds: float) -> str:
    return format_duration(timedelta(seconds=max(0.0, seconds)))


def _processor() -> dict[str, str]:
    return {"userCPUTime": "PT0S", "kernelCPUTime": "PT0S"}


def task_stats(task: Task, url: str | None, now: float) -> dict[str, Any]:
    """Of its present or last execution."""
    began = task.start_time if task.start_time is not None else now
    ended = task.end_time if task.state is TaskState.COMPLETED and task.end_time is not None else now
    return {
        **_head(url, task.created, now),
        **_processor(),
        "wallClockTime": _seconds(ended - began),
        **_UNMEASURED_IO,
        "waitTime": _seconds(began - task.created),
    }


def job_stats(job: Job, journal: Journal, url: str | None, now: float, unwanted: Callable[[], bool]) -> dict[str, Any]:
    """Raises JournalError if unwanted."""
    return _of_jobs([job], journal, url, job.created, now, unwanted)


def schedule_stats(
    schedule: JobSchedule, journal: Journal, url: str | None, now: float, unwanted: Callable[[], bool]
) -> dict[str, Any]:
    """Of its jobs that are there. Raises JournalError if unwanted."""
    jobs = [job for job in journal.jobs() if job.schedule_id == schedule.id]
    return _of_jobs(jobs, journal, url, schedule.created, now, unwanted)


def _of_jobs(
    jobs: Iterable[Job], journal: Journal, url: str | None, since: float, now: float, unwanted: Callable[[], bool]
) -> dict[str, Any]:
    succeeded = failed = retries = 0
    ran = waited = 0.0
    for job in jobs:
        sums = journal.task_queries.sums(job.id, unwanted)
        succeeded, failed = succeeded + sums.succeeded, failed + sums.failed
        retries, ran, waited = retries + sums.retries, ran + sums.ran, waited + sums.waited
    return {
        **_head(url, since, now),
        **_processor(),
        "wallClockTime": _seconds(ran),
        **_UNMEASURED_IO,
        "numSucceededTasks": succeeded,
        "numFailedTasks": failed,
        "numTaskRetries": retries,
        "waitTime": _seconds(waited),
    }


def pool_stats(pool: Pool, nodes: Iterable[Node], url: str | None, now: float) -> dict[str, Any]:
    """`dedicatedCoreTime` counts each node once: what cores it had is not known of every cloud."""
    dedicated = pool.usage.dedicated_seconds
    dedicated += sum(billed_seconds(node, now) for node in nodes if not node.low_priority and not node.vm_gone)
    head = _head(url, pool.created, now)
    del head["url"]
    return {
        **_head(url, pool.created, now),
        "usageStats": {**head, "dedicatedCoreTime": _seconds(dedicated)},
        "resourceStats": {**head, **dict.fromkeys(_UNMEASURED_LOAD, 0.0)},
    }
