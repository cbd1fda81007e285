"""Commands of a workload that will have the rights of root without having asked for them: said before they run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pools import PoolSpecification, UserIdentity, folded, pool_options
from runner import JobSpecification, JobWithTasks, PoolInfo, Workload

from .offers import Offer
from .settings import Settings

#: What it is called, whether it is a task of a job's (and not what prepares for those), and who it asks to be.
_Command = tuple[str, bool, UserIdentity | None]


def unasked_root(workload: Workload, settings: Settings, offers: Mapping[str, Offer]) -> str | None:
    """A warning that names the first such command, if the settings of its nodes' provider do not say that this is
    wanted (`runAs`)."""
    pools = {folded(pool.id): pool for pool in workload.pools}
    for pool, (name, ordinary, identity) in _commands(workload, pools):
        provider = pool_options(pool.metadata).provider or settings.default_provider
        offer = offers.get(provider)
        if offer is None or not offer.profile.unasked_root or _somebody(identity, ordinary, settings):
            continue
        return (
            f"{name} will run as root, as will whatever else does not ask for another user: tasks of the provider "
            f"{provider} run as the user that its nodes are reached as, elevationLevel nonadmin or not. Set "
            f"`providers: {{{provider}: {{runAs: poolUser}}}}` (a user without rights for the pool's tasks) or "
            "`autoUserScope: task` (one for each task) in the settings; `runAs: self` there, if it is meant so"
        )
    return None


def _somebody(identity: UserIdentity | None, ordinary: bool, settings: Settings) -> bool:
    """Does it ask for root, or get a user of its own? `username` fails on such nodes, and says so."""
    auto = identity.auto_user if identity is not None else None
    if identity is not None and identity.user_name is not None:
        return True
    if auto is not None and auto.elevation_level == "admin":
        return True
    scope = auto.scope if auto is not None else None
    return (scope or (settings.auto_user_scope if ordinary else "pool")) == "task"


def _commands(
    workload: Workload, pools: Mapping[str, PoolSpecification]
) -> Iterator[tuple[PoolSpecification, _Command]]:
    for pool in workload.pools:
        yield from ((pool, each) for each in _start_task(f"pool {pool.id}", pool))
    for job in workload.jobs:
        yield from _of_job(f"of job {job.id}", job, pools)
    for schedule in workload.job_schedules:
        yield from _of_job(f"of job schedule {schedule.id}", schedule.job_specification, pools)


def _of_job(
    whose: str, job: JobSpecification, pools: Mapping[str, PoolSpecification]
) -> Iterator[tuple[PoolSpecification, _Command]]:
    pool = _pool(job.pool_info, pools)
    if pool is None:
        return
    if job.pool_info.pool_id is None:
        made = f"the pool that is made for {whose.removeprefix('of ')}"
        yield from ((pool, each) for each in _start_task(made, pool))
    for task in job.tasks if isinstance(job, JobWithTasks) else ():
        yield pool, (f"task {task.id} {whose}", True, task.user_identity)
    manager, preparation, release = job.job_manager_task, job.job_preparation_task, job.job_release_task
    for kind, other in (("job manager", manager), ("preparation", preparation), ("release", release)):
        if other is not None:
            yield pool, (f"the {kind} task {whose}", kind == "job manager", other.user_identity)


def _start_task(name: str, pool: PoolSpecification) -> Iterator[_Command]:
    if pool.start_task is not None:
        yield f"the start task of {name}", False, pool.start_task.user_identity


def _pool(info: PoolInfo, pools: Mapping[str, PoolSpecification]) -> PoolSpecification | None:
    if info.pool_id is not None:
        return pools.get(folded(info.pool_id))
    return info.auto_pool_specification.pool if info.auto_pool_specification is not None else None
