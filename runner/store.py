"""How jobs, tasks, schedules, applications and outputs are kept; and all kinds of records by table name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pools import store as of_pools

from . import tables
from .model import ApplicationPackage, Job, JobSchedule, Output, Task

Kept = of_pools.Kept

pools, nodes = of_pools.pools, of_pools.nodes
autoscale_runs, boots, samples = of_pools.autoscale_runs, of_pools.boots, of_pools.samples
jobs = Kept(tables.jobs, Job)
tasks = Kept(tables.tasks, Task)
job_schedules = Kept(tables.job_schedules, JobSchedule)
applications = Kept(tables.applications, ApplicationPackage)
outputs = Kept(tables.outputs, Output)

#: In the order in which a batch is written.
ALL: Mapping[str, of_pools.Kept[Any]] = {
    kept.table.name: kept
    for kept in (pools, nodes, autoscale_runs, boots, samples, job_schedules, jobs, tasks, applications, outputs)
}
