"""Pools that are made for a job, or for the jobs of a schedule, and go with them (Batch REST API:
autoPoolSpecification). Pure.

Such a pool is recorded in the commit that records its job, and marked with what it ends with; so whatever happens in
between, it is there when its job is, and goes when that is over, unless it is to be kept.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from itertools import count

from pools import (
    Context,
    Pool,
    PoolError,
    PoolMachine,
    PoolSpec,
    PoolSpecification,
    PoolState,
    Table,
    check_pool,
    evolve,
)

from .job_errors import JobError
from .model import Job, JobSchedule
from .request_checks import check_nodes
from .spec import AutoPoolSpecification, JobSpec, PoolInfo
from .states import JobState, ScheduleState

#: Says where a pool is to be: its provider, and the provider's name of its image. Raises PoolError.
PlacePool = Callable[[PoolSpec], tuple[str, str]]
#: Most characters of `autoPoolIdPrefix` (Batch REST API).
MOST_PREFIX = 20
_JOB, _SCHEDULE = "job", "jobschedule"
_NAMESPACE = uuid.UUID("3f0c5d0e-8f7c-5d0b-9a52-6a6b1e1f6d2a")


class AutoPools:
    def __init__(self, ctx: Context, pools: PoolMachine, place: PlacePool) -> None:
        self._ctx = ctx
        self._pools = pools
        self._place = place

    # -- before anything is changed --------------------------------------------------------------------------

    def refusal(self, info: PoolInfo) -> ValueError | None:
        """Why no job can go there; None: one can."""
        try:
            self.check(info)
        except (JobError, PoolError) as exc:
            return exc
        return None

    def check(self, info: PoolInfo, lifetimes: tuple[str, ...] = (_JOB, _SCHEDULE)) -> PoolSpecification:
        """What the nodes are like that a job gets there. `lifetimes`: those that an auto pool may have. Raises JobError
        or PoolError."""
        auto = info.auto_pool_specification
        if (info.pool_id is None) == (auto is None):
            text = "poolInfo: exactly one of poolId and autoPoolSpecification is needed"
            raise JobError("InvalidPropertyValue", text)
        if auto is not None:
            return self._check_auto(auto, lifetimes)
        pool = self._ctx.pools.get(info.pool_id or "")
        if pool is None:
            text = f"poolInfo.poolId: there is no pool {info.pool_id!r}; add the pool first"
            raise JobError("PoolNotFound", text)
        if pool.state is not PoolState.ACTIVE:
            raise JobError("PoolBeingDeleted", f"poolInfo.poolId: pool {info.pool_id!r} is being deleted")
        return pool.spec

    def _check_auto(self, auto: AutoPoolSpecification, lifetimes: tuple[str, ...]) -> PoolSpecification:
        where = "poolInfo.autoPoolSpecification"
        if auto.pool is None:
            raise JobError("MissingRequiredProperty", f"{where}.pool: what the pool is like is missing")
        if auto.pool_lifetime_option not in lifetimes:
            text = f"{where}.poolLifetimeOption: jobschedule is for jobs of a schedule; say job"
            raise JobError("InvalidPropertyValue", text)
        if len(auto.auto_pool_id_prefix or "") > MOST_PREFIX:
            text = f"{where}.autoPoolIdPrefix: at most {MOST_PREFIX} characters"
            raise JobError("InvalidPropertyValue", text)
        spec = self._spec(auto, str(uuid.UUID(int=0)))
        try:
            check_nodes(spec)
            check_pool(spec, self._ctx.settings, self._place(spec)[0])
        except PoolError as exc:
            raise PoolError(exc.code, f"{where}: {exc}") from None
        return spec

    # -- with the job ----------------------------------------------------------------------------------------

    def made_for(self, spec: JobSpec, schedule: JobSchedule | None, now: float) -> str | None:
        """The id of the job's auto pool, which is made now unless the schedule has it already; None: its pool is
        another. Raises JobError or PoolError."""
        auto = spec.pool_info.auto_pool_specification
        if auto is None:
            return None
        if auto.pool_lifetime_option == _SCHEDULE and schedule is not None:
            return self._of_schedule(auto, schedule, now)
        first, second, third = (self._ctx.ids.new() for _ in range(3))
        return self._make(auto, str(uuid.UUID((first + second + third)[:32])), f"{_JOB}:{spec.id}", now).id

    def _of_schedule(self, auto: AutoPoolSpecification, schedule: JobSchedule, now: float) -> str:
        """The same for all jobs of the schedule, for as long as nobody deletes it."""
        for number in count():
            guid = str(uuid.uuid5(_NAMESPACE, f"{schedule.id} {schedule.created!r} {number}"))
            pool = self._ctx.pools.get(_pool_id(auto, guid))
            if pool is None:
                pool = self._make(auto, guid, f"{_SCHEDULE}:{schedule.id}", now)
            if pool.state is PoolState.ACTIVE:
                return pool.id
        raise AssertionError("unreachable")

    def _make(self, auto: AutoPoolSpecification, guid: str, owner: str, now: float) -> Pool:
        spec = self._spec(auto, guid)
        provider, image = self._place(spec)
        return self._pools.add(spec, provider, image, now, None if auto.keep_alive else owner)

    @staticmethod
    def _spec(auto: AutoPoolSpecification, guid: str) -> PoolSpec:
        assert auto.pool is not None
        names = auto.pool.__struct_fields__
        return PoolSpec(id=_pool_id(auto, guid), **{name: getattr(auto.pool, name) for name in names})

    def keep(self, job: Job, keep: bool, now: float) -> None:
        """Let the job's auto pool stay when the job is over, or go."""
        pool = self._ctx.pools.get(job.auto_pool_id or "")
        if pool is not None:
            self._ctx.put_pool(evolve(pool, now, ends_with=None if keep else f"{_JOB}:{job.id}"))

    # -- in the end ------------------------------------------------------------------------------------------

    def settle(self, jobs: Table[str, Job], schedules: Table[str, JobSchedule], now: float) -> None:
        """Delete the pools whose jobs or schedules are over."""
        for pool in self._ctx.pools:
            if pool.ends_with is None or pool.state is not PoolState.ACTIVE:
                continue
            kind, _, owner = pool.ends_with.partition(":")
            if kind == _JOB:
                job = jobs.get(owner)
                over = job is None or job.state is JobState.COMPLETED or job.auto_pool_id != pool.id
            else:
                schedule = schedules.get(owner)
                over = schedule is None or schedule.state is ScheduleState.COMPLETED
                over = over or (schedule is not None and schedule.created > pool.created)
            if over:
                self._pools.delete(pool.id, now)

    def owner(self, pool_id: str) -> str | None:
        """The schedule whose jobs the pool was made for."""
        pool = self._ctx.pools.get(pool_id)
        kind, _, owner = (pool.ends_with or "").partition(":") if pool is not None else ("", "", "")
        return owner if kind == _SCHEDULE else None


def _pool_id(auto: AutoPoolSpecification, guid: str) -> str:
    """As the service spells it: `<prefix>_<guid>`."""
    return f"{auto.auto_pool_id_prefix}_{guid}" if auto.auto_pool_id_prefix else guid
