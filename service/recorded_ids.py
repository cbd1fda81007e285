"""A workload file in the spelling of what its state holds: ids are case-insensitive (see pools/spellings.py)."""

from __future__ import annotations

from msgspec.structs import replace

from pools import folded
from runner import JobWithTasks, Spelling, Workload

from .conflicts import Held


def recorded_ids(workload: Workload, spelling: Spelling) -> Workload:
    """With the ids of pools, schedules and jobs as they are recorded; see `recorded_tasks`."""
    return replace(
        workload,
        pools=tuple(map(spelling.specification, workload.pools)),
        job_schedules=tuple(map(spelling.specification, workload.job_schedules)),
        jobs=tuple(map(spelling.specification, workload.jobs)),
    )


def recorded_tasks(workload: Workload, held: Held) -> Workload:
    """With the ids of tasks as they are recorded."""
    return replace(workload, jobs=tuple(_with_tasks(job, held) for job in workload.jobs))


def _with_tasks(job: JobWithTasks, held: Held) -> JobWithTasks:
    known = held.get(job.id, {})
    if all(task.id in known for task in job.tasks):
        return job
    spelled = {folded(task_id): task_id for task_id in known}
    return replace(job, tasks=tuple(replace(task, id=spelled.get(folded(task.id), task.id)) for task in job.tasks))
