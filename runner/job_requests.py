"""What users ask of jobs: checked at the door, all or nothing, then handed to the machine.

What the service documents of each request in each state of the job: a job that ends, is over or is being deleted takes
none but to be deleted; asking again for what is so already does no harm.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec.structs import replace

from pools import JOB_OPTIONS, Context, PoolError, differences, evolve

from . import job_events as jev
from .auto_pools import AutoPools
from .events import Event
from .job_budgets import JobBudgets
from .job_errors import JobError, over
from .job_machine import JobMachine
from .model import Job
from .plain_tasks import is_plain
from .preparation_checks import check_own_ids
from .request_checks import check_job, check_specification, names_of
from .spec import JobSpec, JobSpecification, PoolInfo
from .states import JobState
from .task_checks import check_reach, check_task
from .task_model import Task
from .task_spec import TaskSpec
from .user_checks import check_users

#: Attributes of a job that may change, as the Batch REST API has it.
CHANGEABLE = frozenset(
    (
        "allow_task_preemption",
        "constraints",
        "max_parallel_tasks",
        "metadata",
        "on_all_tasks_complete",
        "pool_info",
        "priority",
    )
)
#: Those of them, as they are spelled on the wire, that nothing but their values stands against; and `budget`.
JOB_CHANGEABLE = (
    "allowTaskPreemption",
    "constraints",
    "maxParallelTasks",
    "onAllTasksComplete",
    "priority",
)
_DISABLE = ("requeue", "terminate", "wait")


def fixed_in_job(old: JobSpec, new: JobSpec) -> tuple[str, ...]:
    """The properties in which the two differ although they are for a job's whole life; () if the one can become the
    other."""
    return differences(old, new, JOB_CHANGEABLE, JOB_OPTIONS)


class JobRequests:
    """A request that is refused raises PoolError or JobError and changes nothing."""

    def __init__(
        self,
        ctx: Context,
        jobs: JobMachine,
        budgets: JobBudgets,
        auto_pools: AutoPools,
        check_packages: Callable[[JobSpecification | None, Iterable[TaskSpec]], None],
    ) -> None:
        self._ctx = ctx
        self._jobs = jobs
        self._budgets = budgets
        self._auto_pools = auto_pools
        self._check_packages = check_packages

    def handlers(self) -> Mapping[type[Event], Callable[[Any, float], object]]:
        return {
            jev.AddJob: self._add,
            jev.AddTasks: self._add_tasks,
            jev.AddTaskCollection: self._add_collection,
            jev.UpdateJob: self._update,
            jev.ReplaceJob: self._replace,
            jev.DisableJob: self._disable,
            jev.EnableJob: self._enable,
            jev.TerminateJob: self._terminate,
            jev.DeleteJob: self._delete,
        }

    def _add(self, event: jev.AddJob, now: float) -> Job:
        spec = event.spec
        pool = self._auto_pools.check(spec.pool_info, ("job",))
        check_job(spec.id, spec, event.tasks, pool.task_slots_per_node)
        check_reach(event.tasks, pool)
        check_users(spec, event.tasks, pool)
        self._check_packages(spec, event.tasks)
        self._jobs.add_job(spec, event.tasks, now, declared=event.declared)
        self._may_come_again(spec.id)
        job = self._jobs.jobs[spec.id]
        self._ctx.dirty.add(job.pool_id)
        return job

    def _add_collection(self, event: jev.AddTaskCollection, now: float) -> list[Task | ValueError]:
        self._jobs.living_job(event.job_id)
        try:
            return list(self._add_tasks(event, now))
        except (JobError, PoolError):
            pass  # of which it is, only one by one tells
        found: list[Task | ValueError] = []
        for task in event.tasks:
            try:
                found += self._add_tasks(jev.AddTasks(event.job_id, (task,)), now)
            except (JobError, PoolError) as exc:
                found.append(exc)
        return found

    def _add_tasks(self, event: jev.AddTasks, now: float) -> tuple[Task, ...]:
        job = self._jobs.living_job(event.job_id)
        pool = self._auto_pools.check(PoolInfo(pool_id=job.pool_id))
        check_own_ids(job.spec, event.tasks)
        others = [task for task in event.tasks if not is_plain(task)]
        for task in others:
            check_task(task, pool.task_slots_per_node, job.spec)
        check_reach(others, pool)
        check_users(None, others, pool)
        self._check_packages(None, others)
        added = self._jobs.add_tasks(event.job_id, event.tasks, now)
        self._ctx.dirty.add(job.pool_id)
        return added

    def _update(self, event: jev.UpdateJob, now: float) -> None:
        self._jobs.living_job(event.spec.id)
        self._budgets.update_job(event.spec, now)

    # -- states ----------------------------------------------------------------------------------------------

    def _disable(self, event: jev.DisableJob, now: float) -> None:
        job = self._jobs.living_job(event.job_id)
        if event.tasks not in _DISABLE:
            text = f"job {job.id!r}: disableTasks: {event.tasks!r} is none of {', '.join(_DISABLE)}"
            raise JobError("InvalidPropertyValue", text)
        self._jobs.disable(job.id, event.tasks, now)
        self._ctx.dirty.add(job.pool_id)

    def _enable(self, event: jev.EnableJob, now: float) -> None:
        job = self._jobs.living_job(event.job_id)
        self._jobs.enable(job.id, now)
        self._budgets.look_at(job.id)
        self._ctx.dirty.add(job.pool_id)

    def _terminate(self, event: jev.TerminateJob, now: float) -> None:
        job = self._jobs.living_job(event.job_id)
        self._jobs.terminate(job.id, event.reason, now)
        self._ctx.dirty.add(job.pool_id)

    def _delete(self, event: jev.DeleteJob, now: float) -> None:
        if event.job_id not in self._jobs.jobs and self._may_come_again(event.job_id):
            return
        job = self._jobs.job(event.job_id)
        if job.state is JobState.DELETING:
            raise over(job.id, job.state)
        self._jobs.delete(job.id, now)
        self._ctx.dirty.add(job.pool_id)

    def _may_come_again(self, job_id: str) -> bool:
        """Was it one that was forgotten? That is over."""
        gone = self._jobs.tasks.gone
        forgotten = gone.job(job_id) is not None
        if forgotten:
            gone.purge(job_id)
        return forgotten

    # -- other properties ------------------------------------------------------------------------------------

    def _replace(self, event: jev.ReplaceJob, now: float) -> None:
        job = self._jobs.living_job(event.spec.id)
        where = f"job {job.id!r}"
        fixed = names_of(JobSpec, event.changed - CHANGEABLE)
        if fixed:
            raise JobError("InvalidPropertyValue", f"{where}: {fixed} cannot change")
        spec = replace(job.spec, **{name: getattr(event.spec, name) for name in event.changed})
        pool_id = self._new_pool(job, spec)
        moved = pool_id != job.pool_id
        pool = self._auto_pools.check(PoolInfo(pool_id=pool_id)) if moved else None
        check_specification(where, spec, pool.task_slots_per_node if pool is not None else None)
        if pool is not None:
            check_users(spec, (), pool)
        if job.spec.on_all_tasks_complete == "terminatejob" != spec.on_all_tasks_complete:
            text = f"{where}: onAllTasksComplete: terminatejob cannot become noaction again"
            raise JobError("InvalidPropertyValue", text)
        auto, kept = spec.pool_info.auto_pool_specification, job.spec.pool_info.auto_pool_specification
        if auto is not None and kept is not None and auto.keep_alive != kept.keep_alive:
            self._auto_pools.keep(job, auto.keep_alive, now)
        auto_pool_id = job.auto_pool_id if auto is not None else None
        self._ctx.dirty.update((job.pool_id, pool_id))
        self._jobs.restate(evolve(job, now, spec=spec, auto_pool_id=auto_pool_id), now)
        self._budgets.look_at(job.id)

    def _new_pool(self, job: Job, spec: JobSpec) -> str:
        """The id of the job's pool from now on. Raises JobError if it cannot become that."""
        old, new = job.spec.pool_info, spec.pool_info
        if old == new:
            return job.pool_id
        where, before = f"job {job.id!r}: poolInfo", old.auto_pool_specification
        after = new.auto_pool_specification
        if job.state is not JobState.DISABLED:
            text = f"{where} can change only while the job is disabled, and it is {job.state}; disable it first"
            raise JobError("InvalidPropertyValue", text)
        if after is None:
            self._auto_pools.check(new)
            return new.pool_id or ""
        own = new.pool_id is None and before is not None and before.pool_lifetime_option == "job"
        if own and before is not None and replace(before, keep_alive=after.keep_alive) == after:
            return job.pool_id
        text = f"{where}.autoPoolSpecification: only keepAlive of a pool that was made for this job can change"
        raise JobError("InvalidPropertyValue", text)
