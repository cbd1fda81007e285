"""Bodies of PATCH and PUT: which properties change, and to what."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any, TypeVar

import msgspec
from msgspec.structs import fields

from pools import PoolSpec, folded
from runner import JobScheduleSpec, JobSpec, TaskConstraints, TaskSpec

from ..rest_properties import old_names
from . import bodies
from .errors import ApiError

S = TypeVar("S", bound=msgspec.Struct)

#: What a PUT sets to its default if it is not given; of the rest nothing is said.
_JOB = frozenset(
    ("allow_task_preemption", "constraints", "max_parallel_tasks", "metadata", "on_all_tasks_complete", "priority")
)
_SCHEDULE = frozenset(("metadata", "schedule", "job_specification"))


def job(job_id: str, body: bytes, present: Mapping[str, Any], *, whole: bool) -> tuple[JobSpec, frozenset[str]]:
    """The job as it is to be, and the names of the attributes that count. `present`: as it is answered; clients may
    send all of that. `whole`: what is not given gets its default. Raises ApiError."""
    names = bodies.given(body)
    if whole and "poolInfo" not in names:
        raise ApiError("MissingRequiredProperty", "poolInfo is missing", (("PropertyName", "poolInfo"),))
    spec = _completed(body, JobSpec, {"id": job_id, "poolInfo": {"poolId": "-"}})
    return spec, _attributes(JobSpec, _moved(body, names, present)) | (_JOB if whole else frozenset())


def schedule(
    schedule_id: str, body: bytes, present: Mapping[str, Any], *, whole: bool
) -> tuple[JobScheduleSpec, frozenset[str]]:
    """The same of a job schedule. Raises ApiError."""
    names = bodies.given(body)
    missing = sorted({"schedule", "jobSpecification"} - names) if whole else []
    if missing:
        text = f"{', '.join(missing)} must be given"
        raise ApiError("MissingRequiredProperty", text, (("PropertyName", missing[0]),))
    rest = {"id": schedule_id, "schedule": {}, "jobSpecification": {"poolInfo": {"poolId": "-"}}}
    spec = _completed(body, JobScheduleSpec, rest)
    moved = _attributes(JobScheduleSpec, _moved(body, names, present))
    return spec, moved | (_SCHEDULE if whole else frozenset())


def task(task_id: str, body: bytes, present: Mapping[str, Any]) -> TaskConstraints:
    """The constraints that the task is to have; nothing else can change. `present`: as above. Raises ApiError."""
    names = bodies.given(body)
    spec = _completed(body, TaskSpec, {"id": task_id, "commandLine": "-"})
    moved = _attributes(TaskSpec, _moved(body, names, present)) - {"constraints"}
    fixed = sorted(each.encode_name for each in fields(TaskSpec) if each.name in moved)
    if fixed:
        text = f"task {task_id!r}: {', '.join(fixed)} cannot change, only its constraints can"
        raise ApiError("InvalidPropertyValue", text, (("PropertyName", fixed[0]),))
    return spec.constraints


#: Properties of pools that are changed by operations of their own.
_ELSEWHERE = {
    **dict.fromkeys(("targetDedicatedNodes", "targetLowPriorityNodes", "resizeTimeout"), "resize"),
    **dict.fromkeys(("enableAutoScale", "autoScaleFormula", "autoScaleEvaluationInterval"), "enableautoscale"),
}
_POOL_PROPERTIES = frozenset(("start_task", "application_package_references", "metadata"))


def pool(pool_id: str, body: bytes, *, whole: bool) -> tuple[PoolSpec, frozenset[str]]:
    """The pool with the values of the body, and the names of the attributes that count. `whole`: of the properties that
    the service replaces so, what is not given goes. Raises ApiError."""
    names = bodies.given(body)
    for name in names & _ELSEWHERE.keys():
        text = f"{name}: is changed by the operation {_ELSEWHERE[name]}; leave it out"
        raise ApiError("InvalidPropertyName", text, (("PropertyName", name),))
    spec = _completed(body, PoolSpec, {"id": pool_id, "vmSize": "-"})
    changed = _attributes(PoolSpec, names)
    if whole and changed - _POOL_PROPERTIES:
        known = "applicationPackageReferences, metadata, startTask"
        raise ApiError("InvalidPropertyName", f"only {known} are replaced so; PATCH the pool for the rest")
    return spec, changed | (_POOL_PROPERTIES if whole else frozenset())


def _completed(body: bytes, kind: type[S], rest: dict[str, Any]) -> S:
    """The body with what a whole object must have, and a change need not."""
    given = msgspec.json.decode(body)
    if folded(str(given.get("id", rest["id"]))) != folded(rest["id"]):
        raise ApiError("InvalidPropertyName", "id: cannot change; leave it out", (("PropertyName", "id"),))
    return bodies.read(json.dumps({**rest, **given, "id": rest["id"]}).encode(), kind)


def _moved(body: bytes, names: Collection[str], present: Mapping[str, Any]) -> list[str]:
    """Those of the names whose values are not as they are answered."""
    given = msgspec.json.decode(body)
    return [name for name in names if name not in present or given[name] != present[name]]


def _attributes(kind: type[msgspec.Struct], names: Collection[str]) -> frozenset[str]:
    old = old_names(kind)
    names = {old.get(name, name) for name in names}
    return frozenset(field.name for field in fields(kind) if field.encode_name in names - {"id"})
