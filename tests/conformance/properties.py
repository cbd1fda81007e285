"""The properties of requests, and those that a body gives."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect as shape

from runner import JobWithTasks, TaskConstraints, TaskSpec, Workload
from service.rest_properties import old_names

from .case_files import Case
from .requests import of_schedule
from .stage import POOLS

#: What is not about jobs, tasks and schedules: pools have suites of their own.
NOT_HERE = frozenset(
    (
        "ContainerConfiguration",
        "LinuxUserConfiguration",
        "NetworkConfiguration",
        "PoolSpec",
        "PoolSpecification",
        "Workload",
    )
)


def every() -> set[str]:
    """`Struct.property` of all that a workload file may hold about jobs, tasks, schedules and applications."""
    found: dict[str, set[str]] = {}
    _collect(shape.type_info(Workload), found)
    return {f"{owner}.{name}" for owner, names in found.items() if owner not in NOT_HERE for name in names}


def _collect(wanted: shape.Type, found: dict[str, set[str]]) -> None:
    for struct in _structs(wanted):
        if struct.cls.__name__ not in found:
            found[struct.cls.__name__] = {field.encode_name for field in struct.fields}
            for field in struct.fields:
                _collect(field.type, found)


def _structs(wanted: shape.Type) -> Iterator[shape.StructType]:
    match wanted:
        case shape.StructType():
            yield wanted
        case shape.Metadata():
            yield from _structs(wanted.type)
        case shape.UnionType():
            for each in wanted.types:
                yield from _structs(each)
        case shape.VarTupleType() | shape.ListType():
            yield from _structs(wanted.item_type)


def given_by(case: Case) -> set[str]:
    """`Struct.property` of all that its bodies give."""
    document: dict[str, Any] = {"applications": case.applications}
    document["pools"] = [case.pool if isinstance(case.pool, dict) else POOLS[case.pool]]
    if case.job is not None:
        document["jobs"] = [{"id": "j", "poolInfo": {"poolId": "p"}, "tasks": []} | case.job]
    if case.schedule is not None:
        document["jobSchedules"] = [of_schedule("s", "p", case.schedule)]
    found: set[str] = set()
    _walk(document, Workload, found)
    for step in case.steps:
        for plain in step.get("addTasks", ()):
            _walk(plain, TaskSpec, found)
        if "updateTask" in step:
            _walk(step["updateTask"]["constraints"], TaskConstraints, found)
        for verb in ("replaceJob", "addJob"):
            _walk(step.get(verb, {}), JobWithTasks, found)
    return found


@cache
def _shape(wanted: type[msgspec.Struct]) -> shape.Type:
    return shape.type_info(wanted)


def _walk(plain: Any, wanted: type[msgspec.Struct], found: set[str]) -> None:
    _walk_type(plain, _shape(wanted), found)


def _walk_type(plain: Any, wanted: shape.Type, found: set[str]) -> None:
    match plain:
        case list() | tuple():
            for item in plain:
                _walk_type(item, wanted, found)
        case dict():
            for struct in _structs(wanted):
                owner = struct.cls.__name__
                fields = {field.encode_name: field.type for field in struct.fields}
                for spelled, value in plain.items():
                    name = old_names(struct.cls).get(spelled, spelled)
                    if name in fields:
                        found.add(f"{owner}.{name}")
                        _walk_type(value, fields[name], found)
