"""Whether a workload file can become what a state holds already: same ids, and nothing changed that is for life."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pools import POOL_CHANGEABLE, PoolState, differences, fixed_differences
from runner import (
    JOB_CHANGEABLE,
    Core,
    JobSpec,
    JobWithTasks,
    Task,
    TaskSpec,
    Workload,
    beside_budget,
    fixed_in_job,
)

_CAN = {
    "pool": f"What can change of a pool: {', '.join(POOL_CHANGEABLE)}, and options in its metadata but for provider",
    "job": f"What can change of a job: {', '.join(JOB_CHANGEABLE)}, its budget, and new tasks",
    "job schedule": "What can change of a job schedule: the budget of its jobs",
}


class WorkloadConflict(ValueError):
    """The state holds an object of the same id that was asked for with other properties."""


#: The tasks that a state holds, by job and id.
Held = Mapping[str, Mapping[str, Task]]


def check_conflicts(workload: Workload, core: Core, tasks: Held, state: Path) -> None:
    """`state`: where it is, to be told. Raises WorkloadConflict."""
    for pool in workload.pools:
        present = core.ctx.pools.get(pool.id)
        if present is not None and present.state is PoolState.DELETING:
            raise WorkloadConflict(
                f"pool {pool.id!r} is being deleted in the state {state}: `ebbtide down --pool {pool.id}` ends what "
                "is left of its nodes; then give this command again"
            )
    for kind, key, fixed in _conflicts(workload, core, tasks):
        if fixed:
            raise WorkloadConflict(
                f"the state {state} holds a {kind} {key!r} with other properties, and these are for life: "
                f"{', '.join(fixed)}; use another --state, or undo this change of the {kind.partition(' of ')[0]}. "
                f"{_CAN.get(kind, '')}".rstrip()
            )
    for job in workload.jobs:
        kept, new = core.jobs.jobs.get(job.id), new_tasks(job, tasks)
        if kept is not None and new and not kept.lives:
            raise WorkloadConflict(
                f"job {job.id!r} is {kept.state} in the state {state} and takes no more tasks, "
                f"but {new[0].id!r} is new; use another job id, or another --state"
            )


def new_tasks(job: JobWithTasks, tasks: Held) -> tuple[TaskSpec, ...]:
    held = tasks.get(job.id, {})
    return tuple(task for task in job.tasks if task.id not in held)


def without_tasks(job: JobWithTasks) -> JobSpec:
    return JobSpec(**{name: getattr(job, name) for name in JobSpec.__struct_fields__})


def _conflicts(workload: Workload, core: Core, tasks: Held) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Everything that is held already: its kind, its id, and in what it differs though it must not."""
    for pool in workload.pools:
        if (held := core.ctx.pools.get(pool.id)) is not None:
            yield "pool", pool.id, fixed_differences(held.spec, pool)
    for schedule in workload.job_schedules:
        if (recurrent := core.schedules.schedules.get(schedule.id)) is not None:
            yield "job schedule", schedule.id, beside_budget(recurrent.spec, schedule)
    for job in workload.jobs:
        if (kept := core.jobs.jobs.get(job.id)) is not None:
            yield "job", job.id, fixed_in_job(kept.spec, without_tasks(job))
        for task in job.tasks:
            if (known := tasks.get(job.id, {}).get(task.id)) is not None:
                yield f"task of job {job.id!r},", task.id, differences(known.spec, task)
