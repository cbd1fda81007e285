"""What the fault test asks of jobs beside creating them: disabled and enabled, changed, deleted, with pools of their
own, making room for each other."""

from __future__ import annotations

import random
from collections.abc import Callable

from msgspec.structs import replace

from pools import PoolSpecification
from runner import (
    AddJob,
    DeleteJob,
    DisableJob,
    EnableJob,
    Event,
    JobSpec,
    PoolInfo,
    ReplaceJob,
    TaskSpec,
)
from runner.spec import AutoPoolSpecification

#: Jobs that are deleted before they are over.
DELETED = frozenset(("brief", "brief-own"))


def job_deeds(
    seed: int, pool: PoolInfo, job: Callable[..., JobSpec], task: Callable[[str, float], TaskSpec]
) -> list[tuple[float, Event]]:
    """(seconds after the start, request)"""
    rng = random.Random(seed + 3_000_000)

    def tasks(name: str, count: int, seconds: float) -> tuple[TaskSpec, ...]:
        return tuple(task(f"{name}-{number}", rng.uniform(seconds / 2, seconds)) for number in range(count))

    gentle = replace(job("gentle", pool, priority=-3), allow_task_preemption=True, max_parallel_tasks=2)
    how = ("requeue", "terminate", "wait")
    off, off_again = rng.uniform(45, 100), rng.uniform(100, 200)
    return [
        (8, AddJob(gentle, tasks("gentle", 5, 60.0))),
        (9, AddJob(job("own", _own()), tasks("own", 4, 40.0))),
        (10, AddJob(job("brief-own", _own()), tasks("brief-own", 3, 300.0))),
        (11, AddJob(job("brief", pool), tasks("brief", 3, 300.0))),
        (rng.uniform(20, 60), AddJob(job("urgent", pool, priority=50), tasks("urgent", 3, 10.0))),
        (off, DisableJob("gentle", rng.choice(how))),
        (off + rng.uniform(0, 60), EnableJob("gentle")),
        (off_again, DisableJob("own", rng.choice(how))),
        (off_again + rng.uniform(0, 60), EnableJob("own")),
        (rng.uniform(60, 250), ReplaceJob(replace(gentle, max_parallel_tasks=-1), frozenset(("max_parallel_tasks",)))),
        (rng.uniform(15, 250), DeleteJob("brief")),
        (rng.uniform(15, 250), DeleteJob("brief-own")),
    ]


def _own() -> PoolInfo:
    nodes = PoolSpecification(vm_size="simulated.small", target_dedicated_nodes=1, task_slots_per_node=2)
    auto = AutoPoolSpecification(pool_lifetime_option="job", auto_pool_id_prefix="auto", pool=nodes)
    return PoolInfo(auto_pool_specification=auto)
