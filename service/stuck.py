"""Why the work of a state does not go on by itself, and what would help."""

from __future__ import annotations

from collections.abc import Iterator

from pools import Pool
from runner import FORMULA_FAILURES, NO_NODES, Core, Job, JobState, TaskState

#: Tasks named at most, of each job.
_NAMED = 3
#: Reasons told at most.
_MOST = 20
#: What a task says that waits in vain for another one: why that one failed is told already.
_DEPENDENCIES = frozenset(("DependencyFailed", "MissingDependency"))


def stuck(core: Core, now: float) -> tuple[str, ...]:
    """Why nothing goes on without somebody's help; () if something does, or nothing is left that could."""
    if any(core.tasks.queue.jobs_at_nodes()) or core.unfinished():
        return ()
    reasons = list(dict.fromkeys(_reasons(core, now)))
    more = len(reasons) - _MOST
    return (*reasons[:_MOST], *((f"and {more:,} more: `ebbtide status` tells them",) if more > 0 else ()))


def _reasons(core: Core, now: float) -> Iterator[str]:
    for job in core.jobs.jobs:
        left = core.tasks.open_tasks(job.id)
        if not left or job.state not in (JobState.ACTIVE, JobState.DISABLED):
            continue
        error = job.scheduling_error
        if job.state is JobState.DISABLED:
            count = f"{left:,} task{'' if left == 1 else 's'}"
            yield f"job {job.id}: it is disabled, and has {count} left; enable it: `ebbtide job enable {job.id}`"
        elif job.blocked and error is not None:
            pool = core.ctx.pools.get(job.pool_id)
            of_pool = _of_pool(core, pool, now) if pool is not None and error.code == NO_NODES else None
            yield of_pool or f"job {job.id}: {error.message}"
        elif job.held:
            yield f"job {job.id}: {error.message if error is not None else 'its budget is used up'}"
        else:
            yield from _of_tasks(core, job)
    for schedule in core.schedules.schedules:
        present = core.jobs.jobs.get(schedule.recent_job_id or "")
        if present is not None and not core.tasks.open_tasks(present.id) and core.schedules.more_jobs(schedule):
            yield (
                f"schedule {schedule.id}: its job {present.id} has no task left and does not end, so that no other one "
                f"comes; end it: `ebbtide job terminate {present.id}`, and give the job specification "
                "onAllTasksComplete: terminatejob"
            )


def _of_pool(core: Core, pool: Pool, now: float) -> str | None:
    barred = core.pools.growth_barred(pool, now)
    if barred is not None:
        return f"pool {pool.id}: {barred}"
    run = pool.autoscale_run
    if pool.failed_evaluations < FORMULA_FAILURES or run is None or run.error is None:
        return None
    values = "; ".join(value.value for value in run.error.values)
    return (
        f"pool {pool.id}: its formula failed {pool.failed_evaluations} times in a row, and there is no "
        f"node: {run.error.message} {values}; correct its autoScaleFormula and run again"
    )


def _of_tasks(core: Core, job: Job) -> Iterator[str]:
    """What is said of single ones."""
    count = 0
    for task in core.tasks.open_of(job.id):
        error = task.scheduling_error
        if task.state is TaskState.ACTIVE and error is not None and error.code not in _DEPENDENCIES:
            count += 1
            if count <= _NAMED:
                yield f"task {job.id} {task.id}: {error.message}"
    if count > _NAMED:
        yield f"job {job.id}: {count - _NAMED:,} more of its tasks cannot start either"
