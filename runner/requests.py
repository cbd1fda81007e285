"""What users ask for: checked at the door, all or nothing, then handed to the machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from pools import ApplicationPackageReference, AutoScaleRun, Context, Pool, PoolError, PoolMachine, PoolSpec, Table

from . import events as ev
from . import job_events as jev
from . import node_events
from .application_requests import ApplicationRequests
from .auto_pools import AutoPools
from .execution import Executions
from .job_budgets import JobBudgets
from .job_errors import JobError
from .job_forgetting import JobForgetting
from .job_machine import JobMachine
from .job_requests import JobRequests
from .model import ApplicationPackage, JobSchedule
from .pool_events import UpdatePool
from .request_checks import check_nodes
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
        applications = ApplicationRequests(
            self._ctx, self._jobs, schedules, self._executions, self._applications
        )
        return {
            **jobs.handlers(),
            **applications.handlers(),
            **JobForgetting(self._jobs).handlers(),
            **node_events.handlers(pools.node_requests),
            ev.AddPool: self._add_pool,
            UpdatePool: self._update_pool,
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
            ev.EvaluateAutoScale: self._evaluate,
            ev.ResizePool: self._resize,
            ev.StopResize: lambda e, now: pools.stop_resize(e.pool_id, now),
            ev.EnableAutoScale: self._enable_autoscale,
            ev.DisableAutoScale: lambda e, now: pools.disable_autoscale(e.pool_id, now),
            ev.ResumePool: lambda e, now: pools.resume(e.pool_id, now),
            ev.DeletePool: lambda e, now: pools.delete(e.pool_id, now),
            ev.Drain: self._drain,
        }

    def _add_pool(self, event: ev.AddPool, now: float) -> Pool:
        spec = event.spec
        self._check_packages(f"pool {spec.id!r}", spec.application_package_references)
        check_nodes(spec)
        return self._pools.add(spec, event.provider, event.image, now)

    def _update_pool(self, event: UpdatePool, now: float) -> Pool:
        spec, where = self._pools.updated_spec(event.spec, event.changed), f"pool {event.spec.id!r}"
        if "application_package_references" in event.changed:
            self._check_packages(where, spec.application_package_references)
        check_nodes(spec)
        if "user_accounts" in event.changed:
            self._check_users_remain(spec)
        return self._pools.update(spec, event.image, now)

    def _check_users_remain(self, spec: PoolSpec) -> None:
        """Whoever the open tasks of the pool's jobs want to run as, is there yet. Raises JobError."""
        for job in self._jobs.jobs:
            if job.pool_id == spec.id and job.lives:
                check_users(job.spec, [task.spec for task in self._jobs.tasks.open_of(job.id)], spec)

    def _add_schedule(self, event: jev.AddJobSchedule, now: float) -> JobSchedule:
        self._check_schedule(event.spec)
        self._schedules.add(event.spec, now)
        self._schedule_changed(event.spec)
        return self._schedules.schedules[event.spec.id]

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

    def _evaluate(self, event: ev.EvaluateAutoScale, now: float) -> AutoScaleRun:
        if not self._pools.living(event.pool_id).spec.enable_auto_scale:
            text = f"pool {event.pool_id!r} has no formula; enable autoscale first"
            raise PoolError("AutoScalingNotEnabled", text)
        return self._pools.evaluate(event.pool_id, event.formula, now)

    def _resize(self, event: ev.ResizePool, now: float) -> None:
        timeout = _duration("resizeTimeout", event.timeout)
        self._pools.resize(event.pool_id, (event.dedicated, event.low_priority), event.option, now, timeout)

    def _enable_autoscale(self, event: ev.EnableAutoScale, now: float) -> None:
        interval = _duration("autoScaleEvaluationInterval", event.interval)
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


def _duration(name: str, seconds: float | None) -> timedelta | None:
    """Raises PoolError."""
    try:
        return timedelta(seconds=seconds) if seconds is not None else None
    except (OverflowError, ValueError):
        text = f"{name}: {seconds} s is no length of time that can be counted"
        raise PoolError("InvalidPropertyValue", text) from None
