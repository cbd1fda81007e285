"""Records to store: plain ones by hand, and any at all by hypothesis (each field drawn from its type)."""

import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Literal

import msgspec
from hypothesis import strategies as st

from pools import Boot, Change, Node, PlannerPass, Pool, PoolSpec, RecordedRun, Sample
from runner import ApplicationPackage, Job, JobSchedule, JobSpec, Output, PoolInfo, Task, TaskSpec
from runner.gone_ids import Gone
from runner.model import JobNode
from runner.task_spec import packed

NOW = 1_750_000_000.123456

#: The key of each kind of record, as the core gives it to the journal.
KEYS: dict[str, tuple[type, Callable[[Any], Any]]] = {
    "pools": (Pool, lambda r: r.id),
    "nodes": (Node, lambda r: r.id),
    "autoscale_runs": (RecordedRun, lambda r: (r.pool_id, r.timestamp)),
    "planner_passes": (PlannerPass, lambda r: (r.pool_id, r.time)),
    "boots": (Boot, lambda r: r.node_id),
    "samples": (Sample, lambda r: (r.pool_id, r.time)),
    "jobs": (Job, lambda r: r.id),
    "tasks": (Task, lambda r: r.key),
    "job_nodes": (JobNode, lambda r: r.key),
    "gone": (Gone, lambda r: r.key),
    "job_schedules": (JobSchedule, lambda r: r.id),
    "applications": (ApplicationPackage, lambda r: (r.application_id, r.version)),
    "outputs": (Output, lambda r: r.key),
}


def put(record: Any) -> Change:
    table, (_, key) = next((name, kind) for name, kind in KEYS.items() if kind[0] is type(record))
    return Change(table, key(record), record)


def gone(record: Any) -> Change:
    return put(record)._replace(record=None)


def pool(id: str = "pool", **fields: Any) -> Pool:
    spec = PoolSpec(id=id, vm_size="small")
    return Pool(id=id, spec=spec, provider="local", created=NOW, modified=NOW, state_time=NOW, **fields)


def job(id: str = "job", **fields: Any) -> Job:
    spec = JobSpec(id=id, pool_info=PoolInfo(pool_id="pool"), priority=7)
    return Job(id=id, spec=spec, **{"created": NOW, "modified": NOW, "state_time": NOW, **fields})


def task(id: str = "task", job_id: str = "job", sequence: int = 1, **fields: Any) -> Task:
    spec = packed(TaskSpec(id=id, command_line="/bin/true"))
    stamps = {"created": NOW, "modified": NOW, "state_time": NOW}
    uid = f"{sequence:012x}"
    return Task(job_id=job_id, id=id, uid=uid, sequence=sequence, raw_spec=spec, **{**stamps, **fields})


IDS = st.text("abcXYZ019_-", min_size=1, max_size=8)
#: What stands in columns, where PostgreSQL takes no NUL.
COLUMNS = {
    *("id", "node_id", "pool_id", "auto_pool_id", "job_id", "task_id", "parent_id", "schedule_id", "application_id"),
    *("owner", "stream", "file"),
}
WORDS = st.text(max_size=3)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | WORDS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
)
SIMPLE: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    int: st.integers(-(2**31), 2**31 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    bytes: st.binary(max_size=8),
    type(None): st.none(),
    timedelta: st.timedeltas(timedelta(0), timedelta(days=10675199)),
    datetime: st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)),
    msgspec.Raw: st.builds(lambda id: packed(TaskSpec(id=id, command_line="x")), IDS),
    Any: JSON,
}


def any_of(hint: Any) -> st.SearchStrategy[Any]:
    """Any value of this type."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint in SIMPLE:
        return SIMPLE[hint]
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(any_of(choice) for choice in arguments))
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[-1] is not Ellipsis:
        return st.tuples(*map(any_of, arguments))
    if origin is tuple:
        return st.lists(any_of(arguments[0]), max_size=2).map(tuple)
    if origin in (dict, Mapping):
        return st.dictionaries(any_of(arguments[0]), any_of(arguments[1]), max_size=2)
    if issubclass(hint, Enum):
        return st.sampled_from(list(hint))
    if dataclasses.is_dataclass(hint) or issubclass(hint, msgspec.Struct):
        hints = {name: kind for name, kind in typing.get_type_hints(hint).items() if not _is_constant(kind)}
        return st.builds(hint, **{name: field(name, kind) for name, kind in hints.items()})
    raise TypeError(f"say in SIMPLE what a {hint} looks like")


def _is_constant(hint: Any) -> bool:
    return typing.get_origin(hint) is typing.ClassVar


def field(name: str, hint: Any) -> st.SearchStrategy[Any]:
    if name in COLUMNS or (name == "version" and hint is str):
        return IDS | st.none() if hint == str | None else IDS
    return any_of(hint)
