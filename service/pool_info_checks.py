"""Which pool a job goes to: one of the file, or one that is made for it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from pools import PoolSpec, folded
from runner import PoolInfo, Workload

from .cursor import Cursor
from .decoding import listed, nearest
from .problems import Problems

_PREFIX = re.compile(r"[A-Za-z0-9_-]{0,20}", re.ASCII)
#: As many slots as you like, where the pool is not known.
_ANY = 256


def check_pool_info(
    job: Cursor,
    pools: Mapping[str, Cursor],
    scheduled: bool,
    check_pool: Callable[[Cursor], None],
    problems: Problems,
) -> int:
    """Returns the slots of a node of the job's pool (as many as you like if it is not known). `pools`: by their ids in
    lower case; `check_pool`: of one that is made for it."""
    info = job.get("poolInfo")
    if info is None:
        return _ANY
    name, auto = info.text("poolId"), info.get("autoPoolSpecification")
    if (name is None) == (auto is None):
        text = "needs exactly one of poolId and autoPoolSpecification"
        problems.error(info.place, info.path, text)
    if auto is not None:
        return _auto_pool(auto, scheduled, check_pool, problems)
    if name is None:
        return _ANY
    pool = pools.get(folded(name))
    if pool is not None:
        return _slots(pool)
    known = [own for each in pools.values() if (own := each.text("id"))]
    near = nearest(name, known)
    hint = f"did you mean {near}?" if near else f"there are {listed(known) or 'none'}"
    _error(info, "poolId", f"there is no pool {name!r}; {hint}", problems)
    return _ANY


def _auto_pool(auto: Cursor, scheduled: bool, check_pool: Callable[[Cursor], None], problems: Problems) -> int:
    if (auto.text("poolLifetimeOption") or "").lower() == "jobschedule" and not scheduled:
        _error(auto, "poolLifetimeOption", "jobschedule is for the jobs of a schedule; say job", problems)
    prefix = auto.text("autoPoolIdPrefix") or ""
    if not _PREFIX.fullmatch(prefix):
        text = f"may hold at most 20 letters, digits, `-` and `_`, not {prefix[:80]!r}"
        _error(auto, "autoPoolIdPrefix", text, problems)
    pool = auto.get("pool")
    if pool is None:
        problems.error(auto.place, auto.path, "needs a pool: what its nodes are like")
        return _ANY
    check_pool(pool)
    return _slots(pool)


def _slots(pool: Cursor) -> int:
    return max(pool.whole("taskSlotsPerNode", 1), pool.whole("maxTasksPerNode", 1))


def _error(cursor: Cursor, name: str, text: str, problems: Problems) -> None:
    value = cursor.get(name)
    assert value is not None
    problems.error(value.place, value.path, text)


def all_pools(workload: Workload) -> Iterator[PoolSpec]:
    """The pools of a workload, with those that will be made for its jobs; these are called by what they are for."""
    yield from workload.pools
    for job in workload.jobs:
        yield from _made_for(f"(made for job {job.id})", job.pool_info)
    for schedule in workload.job_schedules:
        yield from _made_for(f"(made for job schedule {schedule.id})", schedule.job_specification.pool_info)


def _made_for(name: str, info: PoolInfo) -> Iterator[PoolSpec]:
    auto = info.auto_pool_specification
    if auto is not None and auto.pool is not None:
        yield PoolSpec(id=name, **{each: getattr(auto.pool, each) for each in auto.pool.__struct_fields__})
