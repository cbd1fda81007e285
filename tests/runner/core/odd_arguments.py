"""Values of any type that an event may hold, most of them odd, for hypothesis."""

from __future__ import annotations

import types
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
from hypothesis import strategies as st

from pools import PoolSpec
from runner import Event, JobScheduleSpec, JobSpec, PoolInfo, TaskSpec

#: Ids that there are, and others.
NAMES = ("p", "q", "j", "k", "s", "a", "b", "c", "P", "J", "A", "m", "s:job-1", "s:job-2", "app", "1")
_FORMULAS = ("$TargetDedicatedNodes = 1;", "$TargetDedicated = $PendingTasks.GetSample(1);", "x = 1 / 0;", "$x =")
#: What stands in these attributes most of the time: else all would be refused for the same few reasons.
_USUAL: dict[str, tuple[Any, ...]] = {
    "pool_id": ("p", "P"),
    "job_id": ("j", "J", "k", "s:job-1"),
    "task_id": ("a", "A", "b"),
    "schedule_id": ("s", "S"),
    "auto_scale_formula": _FORMULAS[:3],
    "formula": _FORMULAS[:3],
    "pool_info": (PoolInfo(pool_id="p"),),
    "command_line": ("work",),
    "changed": (
        {"priority"}, {"metadata"}, {"schedule"}, {"job_specification"}, {"constraints", "pool_info"},
        {"start_task"}, {"user_accounts", "task_slots_per_node"}, {"application_package_references"},
    ),
    "provider": ("x",),
    "name": ("budget", "budgetAction", "cron", "timeZone", "missedRuns", "overlap", "fallbackAfter", "fallbackFor"),
    "value": ("1", "drain", "0 * * * *", "59 23 31 12 *", "skip", "queue", "1e300", "P1D", "P99999999D", "nan"),
}  # fmt: skip
_IDS: dict[type, tuple[str, ...]] = {
    PoolSpec: ("p", "q"),
    JobSpec: ("j", "k", "n"),
    JobScheduleSpec: ("s", "t"),
    TaskSpec: ("a", "c", "d", "e"),
}
_WORDS = ("", " ", "\0", "é", "../x", "a" * 70, "requeue", "terminate", "wait", "x | y", "s", "0 * * * *")
_TEXTS = st.sampled_from(NAMES) | st.sampled_from(_WORDS + _FORMULAS) | st.text(max_size=5)
_NUMBERS = (0, -1, 1, 2, 256, 1000, -1001, 2**31, -(2**31), 2**40, 2**63 - 1, -(2**63), 10**30)
_FLOATS = st.sampled_from((0.0, -1.0, 1.0, 300.0, 1e-300, 1e300, -1e300, float("inf"), float("nan"))) | st.floats()
_LENGTHS = st.sampled_from(
    (timedelta(0), timedelta(seconds=-1), timedelta.min, timedelta.max, timedelta(minutes=5), timedelta(hours=1))
) | st.timedeltas()  # fmt: skip
_TIMES = (datetime.min, datetime.max, datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC))
_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: _TEXTS,
    int: st.sampled_from(_NUMBERS) | st.integers(-3, 5),
    float: _FLOATS,
    bool: st.booleans(),
    bytes: st.binary(max_size=3),
    type(None): st.none(),
    timedelta: _LENGTHS,
    datetime: st.sampled_from(_TIMES) | st.datetimes(),
    Any: st.none(),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Of this type, as it is written in an annotation."""
    return _values(kind)


@cache
def _values(kind: Any) -> st.SearchStrategy[Any]:
    if kind in _PLAIN:
        return _PLAIN[kind]
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return st.one_of([values(each) for each in inner])
    if origin is Literal:
        return st.sampled_from(inner)
    if origin is tuple:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    if origin is frozenset:
        return st.frozensets(values(inner[0]), max_size=3)
    if origin is dict:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=2)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return st.sampled_from(list(kind))
    return st.deferred(lambda: _records(kind))


def _attribute(kind: type, name: str, hint: Any) -> st.SearchStrategy[Any]:
    usual = _IDS.get(kind, _USUAL.get(name, ())) if name == "id" else _USUAL.get(name, ())
    if not usual:
        return values(hint)
    mostly = st.sampled_from([frozenset(each) if isinstance(each, set) else each for each in usual])
    return st.integers(0, 7).flatmap(lambda number: mostly if number else values(hint))


def _records(kind: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    """What has a default has it most of the time: else there is always something that is refused first."""
    hints = get_type_hints(kind)
    if issubclass(kind, Event):
        held = {name: _attribute(kind, name, hints[name]) for name in kind.__struct_fields__}
        return st.builds(kind, **held)
    needed: dict[str, st.SearchStrategy[Any]] = {}
    spared: dict[str, st.SearchStrategy[Any]] = {}
    for field in msgspec.structs.fields(kind):
        into = needed if field.required or field.name == "pool_info" else spared
        into[field.name] = _attribute(kind, field.name, hints[field.name])
    few = st.sets(st.sampled_from(sorted(spared)), max_size=2) if spared else st.just(set[str]())
    return few.flatmap(lambda names: st.builds(kind, **needed, **{name: spared[name] for name in names}))
