"""What users ask for: checked at the door, all or nothing, then handed to the machines."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from pools import ApplicationPackageReference, Context, PoolError, PoolMachine, Table

from . import events as ev
from . import job_events as jev
from .auto_pools import AutoPools
from .execution import Executions
from .job_budgets import JobBudgets
from .job_errors import JobError
from .job_forgetting import JobForgetting
from .job_machine import JobMachine
from .job_requests import JobRequests
from .model import ApplicationPackage
from .request_checks import check_application, check_nodes
from .schedule_checks import check_changed, check_schedule
from .schedule_machine import ScheduleMachine
from .spec import JobScheduleSpec, JobSpecification
from .task_spec import TaskSpec
from .user_checks import check_users

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
        auto_pools: AutoPools,
        applications: Table[tuple[str, str], ApplicationPackage],
        minimum_recurrence_interval: float,
    ) -> None:
        self._ctx = ctx
        self._pools = pools
        self._jobs = jobs
        self._schedules = schedules
        self._budgets = budgets
        self._executions = executions
        self._auto_pools = auto_pools
        self._applications = applications
        self._minimum_recurrence_interval = minimum_recurrence_interval

    def handlers(self) -> Mapping[type[ev.Event], Handler]:
        pools, schedules = self._pools, self._schedules
        jobs = JobRequests(self._ctx, self._jobs, self._budgets, self._auto_pools, self._check_task_packages)
        return {
            **jobs.handlers(),
            **JobForgetting(self._jobs).handlers(),
            ev.AddApplication: self._add_application,
            ev.AddPool: self._add_pool,
            ev.RescalePool: lambda e, now: pools.rescale(e.spec, now, e.image),
            jev.AddJobSchedule: self._add_schedule,
            jev.ReplaceJobSchedule: self._replace_schedule,
            jev.DisableJobSchedule: lambda e, now: schedules.disable(e.schedule_id, now),
            jev.EnableJobSchedule: lambda e, now: schedules.enable(e.schedule_id, now),
            jev.TerminateJobSchedule: lambda e, now: schedules.terminate(e.schedule_id, now),
            jev.DeleteJobSchedule: lambda e, now: schedules.delete(e.schedule_id, now),
            jev.RunJobSchedule: lambda e, now: schedules.run_now(e.schedule_id, now, e.at_once),
            jev.UpdateJobSchedule: lambda e, now: self._budgets.update_schedule(e.spec, now),
            ev.AutoScaleNow: lambda e, now: pools.autoscale(e.pool_id, now),
            ev.ResizePool: lambda e, now: pools.resize(
                e.pool_id, (e.dedicated, e.low_priority), e.option, now
            ),
            ev.StopResize: lambda e, now: pools.stop_resize(e.pool_id, now),
            ev.EnableAutoScale: self._enable_autoscale,
            ev.DisableAutoScale: lambda e, now: pools.disable_autoscale(e.pool_id, now),
            ev.ResumePool: lambda e, now: pools.resume(e.pool_id, now),
            ev.DeletePool: lambda e, now: pools.delete(e.pool_id, now),
            ev.Drain: self._drain,
        }

    def _add_application(self, event: ev.AddApplication, now: float) -> None:
        package = event.package
        check_application(package)
        versions = {each.version: each for each in self._applications if each.application_id == package.application_id}
        known = versions.get(package.version)
        # the one that was added last is known by it, also among those of one moment
        later = (math.nextafter(each.created, math.inf) for each in versions.values())
        package = replace(package, created=known.created if known is not None else max([package.created, *later]))
        if package.default:
            for each in versions.values():
                self._applications.put((each.application_id, each.version), replace(each, default=False))
        self._applications.put((package.application_id, package.version), package)

    def _add_pool(self, event: ev.AddPool, now: float) -> None:
        spec = event.spec
        self._check_packages(f"pool {spec.id!r}", spec.application_package_references)
        check_nodes(spec)
        self._pools.add(spec, event.provider, event.image, now)

    def _add_schedule(self, event: jev.AddJobSchedule, now: float) -> None:
        self._check_schedule(event.spec)
        self._schedules.add(event.spec, now)
        self._schedule_changed(event.spec)

    def _replace_schedule(self, event: jev.ReplaceJobSchedule, now: float) -> None:
        check_changed(event.spec.id, event.changed)
        self._check_schedule(self._schedules.changed_spec(event.spec, event.changed))
        self._schedules.replace(event.spec, event.changed, now)
        self._schedule_changed(event.spec)

    def _check_schedule(self, spec: JobScheduleSpec) -> None:
        pool = self._auto_pools.check(spec.job_specification.pool_info)
        check_schedule(spec, pool.task_slots_per_node, self._minimum_recurrence_interval)
        check_users(spec.job_specification, (), pool)
        self._check_task_packages(spec.job_specification, ())

    def _schedule_changed(self, spec: JobScheduleSpec) -> None:
        pool_id = spec.job_specification.pool_info.pool_id
        if pool_id is not None:
            self._ctx.dirty.add(pool_id)

    def _enable_autoscale(self, event: ev.EnableAutoScale, now: float) -> None:
        try:
            interval = timedelta(seconds=event.interval) if event.interval is not None else None
        except (OverflowError, ValueError):
            text = f"autoScaleEvaluationInterval: {event.interval} s is no length of time that can be counted"
            raise PoolError("InvalidPropertyValue", text) from None
        self._pools.enable_autoscale(event.pool_id, event.formula, interval, now)

    def _drain(self, event: ev.Drain, now: float) -> None:
        self._pools.drain(event.option, event.pool_id, now)
        if event.pool_id is None:
            self._jobs.draining = True

    def _check_task_packages(self, spec: JobSpecification | None, tasks: Iterable[TaskSpec]) -> None:
        manager = spec.job_manager_task if spec is not None else None
        auto = spec.pool_info.auto_pool_specification if spec is not None else None
        if auto is not None and auto.pool is not None:
            self._check_packages("poolInfo.autoPoolSpecification.pool", auto.pool.application_package_references)
        for task in [*([manager.as_task()] if manager is not None else []), *tasks]:
            self._check_packages(f"task {task.id!r}", task.application_package_references)

    def _check_packages(self, where: str, references: Iterable[ApplicationPackageReference]) -> None:
        try:
            self._executions.check_packages(references)
        except JobError as exc:
            raise JobError(exc.code, f"{where}: applicationPackageReferences: {exc}") from None
