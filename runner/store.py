"""How jobs, tasks, schedules, applications and outputs are kept; and all kinds of records by table name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from pools import store as of_pools

from . import tables
from .model import ApplicationPackage, Job, JobNode, JobSchedule, Output
from .states import JobState
from .task_model import Done, Task
from .task_tally import DoneTotals

Kept = of_pools.Kept

pools, nodes = of_pools.pools, of_pools.nodes
autoscale_runs, boots, samples = of_pools.autoscale_runs, of_pools.boots, of_pools.samples
jobs = Kept(tables.jobs, Job)
tasks = Kept(tables.tasks, Task)
job_nodes = Kept(tables.job_nodes, JobNode)
job_schedules = Kept(tables.job_schedules, JobSchedule)
applications = Kept(tables.applications, ApplicationPackage)
outputs = Kept(tables.outputs, Output)

#: In the order in which a batch is written.
ALL: Mapping[str, of_pools.Kept[Any]] = {
    kept.table.name: kept
    for kept in (
        *(pools, nodes, autoscale_runs, boots, samples),
        *(job_schedules, jobs, tasks, job_nodes, applications, outputs),
    )
}


def of_living_jobs() -> ColumnElement[bool]:
    """Says of what happens on nodes whether its job is not over."""
    over = select(tables.jobs.c.id).where(tables.jobs.c.state == JobState.COMPLETED.value)
    return tables.job_nodes.c.job_id.not_in(over)


def done(connection: Connection, jobs: Iterable[str]) -> dict[str, dict[str, int]]:
    """How the completed tasks of these jobs ended, by job and id (see Done)."""
    c = tables.tasks.c
    found: dict[str, dict[str, int]] = {}
    for job_id in jobs:
        rows = connection.execute(select(c.id, c.done).where(c.job_id == job_id, c.done.is_not(None)))
        found[job_id] = {task_id: flags for task_id, flags in rows}  # noqa: C416 - rows are no pairs to mypy
    return found


def totals(connection: Connection) -> dict[str, DoneTotals]:
    """What the completed tasks of each job came to."""
    c = tables.tasks.c
    sums = func.count(), func.sum(c.cost), func.sum(c.unpriced_seconds)
    query = select(c.job_id, c.done, *sums).where(c.done.is_not(None)).group_by(c.job_id, c.done)
    found: dict[str, DoneTotals] = {}
    for job_id, flags, count, cost, unpriced in connection.execute(query):
        succeeded = count if flags & Done.SUCCEEDED else 0
        some = DoneTotals(succeeded, count - succeeded, cost or 0.0, unpriced or 0.0)
        found[job_id] = found.get(job_id, DoneTotals()) + some
    return found


def last_sequence(connection: Connection) -> int:
    """The greatest of all tasks; 0 without any."""
    return connection.execute(select(func.max(tables.tasks.c.sequence))).scalar() or 0
