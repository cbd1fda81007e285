"""Bodies of PATCH and PUT: which properties change, and to what."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, TypeVar

import msgspec
from msgspec.structs import fields

from pools import PoolSpec, folded
from runner import JobScheduleSpec, JobSpec

from ..rest_properties import old_names
from . import bodies
from .errors import ApiError

S = TypeVar("S", bound=msgspec.Struct)

#: What a PUT sets to its default if it is not given; of the rest nothing is said.
_JOB = frozenset(
    ("allow_task_preemption", "constraints", "max_parallel_tasks", "metadata", "on_all_tasks_complete", "priority")
)
_SCHEDULE = frozenset(("metadata", "schedule", "job_specification"))


def job(job_id: str, body: bytes, *, whole: bool) -> tuple[JobSpec, frozenset[str]]:
    """The job as it is to be, and the names of the attributes that count. `whole`: what is not given gets its default.
    Raises ApiError."""
    names = bodies.given(body)
    if whole and "poolInfo" not in names:
        raise ApiError("MissingRequiredProperty", "poolInfo is missing", (("PropertyName", "poolInfo"),))
    spec = _completed(body, JobSpec, {"id": job_id, "poolInfo": {"poolId": "-"}})
    return spec, _attributes(JobSpec, names) | (_JOB if whole else frozenset())


def schedule(schedule_id: str, body: bytes, *, whole: bool) -> tuple[JobScheduleSpec, frozenset[str]]:
    """The same of a job schedule. Raises ApiError."""
    names = bodies.given(body)
    missing = sorted({"schedule", "jobSpecification"} - names) if whole else []
    if missing:
        text = f"{', '.join(missing)} must be given"
        raise ApiError("MissingRequiredProperty", text, (("PropertyName", missing[0]),))
    rest = {"id": schedule_id, "schedule": {}, "jobSpecification": {"poolInfo": {"poolId": "-"}}}
    spec = _completed(body, JobScheduleSpec, rest)
    return spec, _attributes(JobScheduleSpec, names) | (_SCHEDULE if whole else frozenset())


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


def _attributes(kind: type[msgspec.Struct], names: Collection[str]) -> frozenset[str]:
    old = old_names(kind)
    names = {old.get(name, name) for name in names}
    return frozenset(field.name for field in fields(kind) if field.encode_name in names - {"id"})
