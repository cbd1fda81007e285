"""How jobs, tasks, schedules, applications and outputs are kept; and all kinds of records by table name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import JSON, ColumnElement, Connection, Engine, cast, func, select

from pools import folded
from pools import store as of_pools

from . import tables
from .gone_ids import Gone
from .model import ApplicationPackage, Job, JobNode, JobSchedule, Output
from .states import JobState
from .task_model import Done, Task
from .task_tally import DoneTotals

Kept = of_pools.Kept

pools, nodes = of_pools.pools, of_pools.nodes
autoscale_runs, planner_passes = of_pools.autoscale_runs, of_pools.planner_passes
boots, samples = of_pools.boots, of_pools.samples
jobs = Kept(tables.jobs, Job)
tasks = Kept(tables.tasks, Task)
job_nodes = Kept(tables.job_nodes, JobNode)
gone = Kept(tables.gone, Gone)
job_schedules = Kept(tables.job_schedules, JobSchedule)
applications = Kept(tables.applications, ApplicationPackage)
outputs = Kept(tables.outputs, Output)

#: In the order in which a batch is written.
ALL: Mapping[str, of_pools.Kept[Any]] = {
    kept.table.name: kept
    for kept in (
        *(pools, nodes, autoscale_runs, planner_passes, boots, samples),
        *(job_schedules, jobs, tasks, job_nodes, gone, applications, outputs),
    )
}


def same_id(column: ColumnElement[str], wanted: str) -> ColumnElement[bool]:
    """Whether an id is this one, in whatever case. (No index helps: asked when there is none of this very spelling.)"""
    return func.lower(column) == folded(wanted)


def field(connection: Connection | Engine, body: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    """A property of records that has no column; NULL where it is left out."""
    if connection.dialect.name == "sqlite":
        return func.json_extract(body, f"$.{name}")
    found: ColumnElement[Any] = cast(body, JSON)[name].as_string()
    return found


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


def output(connection: Connection, whose: tuple[str, str, str], stream: str, attempt: int | None) -> Output | None:
    """`whose`: owner, parent_id and id. See Journal.output."""
    c = tables.outputs.c
    where = [*_of(whose), c.stream == stream]
    number: Any = attempt
    if attempt is None:
        number = select(func.max(c.attempt)).where(*where).scalar_subquery()
    return next(iter(outputs.read(connection, *where, c.attempt == number)), None)


def output_sizes(connection: Connection, whose: tuple[str, str, str]) -> dict[int, dict[str, int]]:
    """See Journal.output_sizes."""
    c = tables.outputs.c
    found: dict[int, dict[str, int]] = {}
    rows = connection.execute(select(c.attempt, c.stream, c.size).where(*_of(whose)).order_by(c.attempt))
    for attempt, stream, size in rows:
        found.setdefault(attempt, {})[stream] = size
    return found


def _of(whose: tuple[str, str, str]) -> tuple[ColumnElement[bool], ...]:
    c, (owner, parent_id, own) = tables.outputs.c, whose
    return (c.owner == owner, c.parent_id == parent_id, c.id == own)
