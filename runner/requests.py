"""What users ask for: checked at the door, all or nothing, then handed to the machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pools import ApplicationPackageReference, Context, PoolMachine, Table

from . import events as ev
from . import job_events as jev
from .execution import Executions
from .job_budgets import JobBudgets
from .job_machine import JobMachine
from .model import ApplicationPackage
from .request_checks import (
    JobError,
    check_application,
    check_job,
    check_schedule,
    check_start_task,
    check_task,
)
from .schedule_machine import ScheduleMachine
from .spec import JobSpecification
from .task_spec import TaskSpec

Handler = Callable[[Any, float], object]


class Requests:
    """A request that is refused raises PoolError or JobError and changes nothing."""

    def __init__(
        self,
        ctx: Context,
        pools: PoolMachine,
        jobs: JobMachine,
        schedules: ScheduleMachine,
        budgets: JobBudgets,
        executions: Executions,
        applications: Table[tuple[str, str], ApplicationPackage],
        minimum_recurrence_interval: float,
    ) -> None:
        self._ctx = ctx
        self._pools = pools
        self._jobs = jobs
        self._schedules = schedules
        self._budgets = budgets
        self._executions = executions
        self._applications = applications
        self._minimum_recurrence_interval = minimum_recurrence_interval

    def handlers(self) -> Mapping[type[ev.Event], Handler]:
        pools, jobs = self._pools, self._jobs
        return {
            ev.AddApplication: self._add_application,
            ev.AddPool: self._add_pool,
            ev.RescalePool: lambda e, now: pools.rescale(e.spec, now, e.image),
            jev.AddJob: self._add_job,
            jev.AddTasks: self._add_tasks,
            jev.AddJobSchedule: self._add_schedule,
            jev.UpdateJob: lambda e, now: self._budgets.update_job(e.spec, now),
            jev.UpdateJobSchedule: lambda e, now: self._budgets.update_schedule(e.spec, now),
            jev.TerminateJob: lambda e, now: jobs.terminate(e.job_id, e.reason, now),
            ev.AutoScaleNow: lambda e, now: pools.autoscale(e.pool_id, now),
            ev.ResizePool: lambda e, now: pools.resize(
                e.pool_id, (e.dedicated, e.low_priority), e.option, now
            ),
            ev.ResumePool: lambda e, now: pools.resume(e.pool_id, now),
            ev.DeletePool: lambda e, now: pools.delete(e.pool_id, now),
            ev.Drain: self._drain,
        }

    def _add_application(self, event: ev.AddApplication, now: float) -> None:
        package = event.package
        check_application(package)
        self._applications.put((package.application_id, package.version), package)

    def _add_pool(self, event: ev.AddPool, now: float) -> None:
        spec = event.spec
        self._check_packages(f"pool {spec.id!r}", spec.application_package_references)
        if spec.start_task is not None:
            check_start_task(spec.start_task)
        self._pools.add(spec, event.provider, event.image, now)

    def _add_job(self, event: jev.AddJob, now: float) -> None:
        spec = event.spec
        check_job(spec.id, spec, event.tasks, self._slots(spec.pool_info.pool_id or ""))
        self._check_task_packages(spec, event.tasks)
        self._jobs.add_job(spec, event.tasks, now)
        self._ctx.dirty.add(self._jobs.jobs[spec.id].pool_id)

    def _add_tasks(self, event: jev.AddTasks, now: float) -> None:
        job = self._jobs.job(event.job_id)
        slots = self._slots(job.pool_id)
        for task in event.tasks:
            check_task(task, slots)
        self._check_task_packages(None, event.tasks)
        self._jobs.add_tasks(event.job_id, event.tasks, now)
        self._ctx.dirty.add(job.pool_id)

    def _add_schedule(self, event: jev.AddJobSchedule, now: float) -> None:
        specification = event.spec.job_specification
        slots = self._slots(specification.pool_info.pool_id or "")
        check_schedule(event.spec, slots, self._minimum_recurrence_interval)
        self._check_task_packages(specification, ())
        self._schedules.add(event.spec, now)
        if specification.pool_info.pool_id is not None:
            self._ctx.dirty.add(specification.pool_info.pool_id)

    def _drain(self, event: ev.Drain, now: float) -> None:
        self._pools.drain(event.option, event.pool_id, now)
        if event.pool_id is None:
            self._jobs.draining = True

    def _slots(self, pool_id: str) -> int:
        pool = self._ctx.pools.get(pool_id)
        if pool is None:
            raise JobError(
                "PoolNotFound", f"poolInfo.poolId: there is no pool {pool_id!r}; add the pool first"
            )
        return pool.spec.task_slots_per_node

    def _check_task_packages(self, spec: JobSpecification | None, tasks: Iterable[TaskSpec]) -> None:
        manager = spec.job_manager_task if spec is not None else None
        for task in [*([manager.as_task()] if manager is not None else []), *tasks]:
            self._check_packages(f"task {task.id!r}", task.application_package_references)

    def _check_packages(self, where: str, references: Iterable[ApplicationPackageReference]) -> None:
        try:
            self._executions.check_packages(references)
        except JobError as exc:
            raise JobError(exc.code, f"{where}: applicationPackageReferences: {exc}") from None
