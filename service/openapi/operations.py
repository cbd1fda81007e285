"""Operations as the description has them: what may be asked, what is brought, what comes back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..api.absent import INSTEAD
from ..api.operations import OPERATIONS, Operation
from ..api.own_operations import OWN_OPERATIONS
from .answer_schemas import METADATA, URL
from .parameters import FILES, of_operation
from .request_schemas import Schema, reference

_JSON, _ANY = "application/json", "application/octet-stream"

#: By operation: the schema of its body.
BODY: Mapping[str, str] = {
    "pool.add": "PoolSpec",
    "pool.patch": "PoolChange",
    "pool.update_properties": "PoolChange",
    "pool.resize": "ResizeBody",
    "pool.enable_auto_scale": "EnableAutoScaleBody",
    "pool.evaluate_auto_scale": "EvaluateAutoScaleBody",
    "pool.remove_nodes": "RemoveNodesBody",
    "compute_node.add_user": "NewUser",
    "compute_node.update_user": "ChangedUser",
    "compute_node.reboot": "RebootBody",
    "compute_node.reimage": "ReimageBody",
    "compute_node.disable_scheduling": "DisableSchedulingBody",
    "job.add": "JobSpec",
    "job.patch": "JobChange",
    "job.update": "JobChange",
    "job.disable": "DisableBody",
    "job.terminate": "TerminateBody",
    "job_schedule.add": "JobScheduleSpec",
    "job_schedule.patch": "JobScheduleChange",
    "job_schedule.update": "JobScheduleChange",
    "task.add": "TaskSpec",
    "task.add_collection": "Collection",
    "task.update": "TaskChange",
    "application.patch": "Change",
}
#: Bodies that may be left out.
_OPTIONAL = frozenset(
    ("EnableAutoScaleBody", "ChangedUser", "RebootBody", "ReimageBody", "DisableSchedulingBody", "TerminateBody")
)
#: By operation: the schema of what a good answer holds, of one item where it is a list.
ANSWER: Mapping[str, str] = {
    "pool.list": "Pool",
    "pool.get": "Pool",
    "pool.evaluate_auto_scale": "AutoScaleRun",
    "pool.list_auto_scale_runs": "RecordedAutoScaleRun",
    "pool.list_planner_passes": "PlannerPass",
    "pool.list_samples": "Sample",
    "compute_node.list": "ComputeNode",
    "compute_node.get": "ComputeNode",
    "compute_node.get_remote_login_settings": "RemoteLoginSettings",
    "file.list_from_compute_node": "File",
    "file.list_from_task": "File",
    "job.list": "Job",
    "job.list_from_job_schedule": "Job",
    "job.get": "Job",
    "job.get_task_counts": "TaskCountsResult",
    "job.list_preparation_and_release_task_status": "JobPreparationAndReleaseTaskStatus",
    "task.list": "Task",
    "task.get": "Task",
    "task.add_collection": "TaskAddResult",
    "task.list_subtasks": "Subtask",
    "job_schedule.list": "JobSchedule",
    "job_schedule.get": "JobSchedule",
    "application.list": "Application",
    "application.get": "Application",
    "application.get_package": "Package",
    "job.get_forgotten": "ForgottenJob",
    "task.list_deleted": "DeletedTask",
    "account.list_supported_images": "SupportedImage",
    "account.list_pool_node_counts": "PoolNodeCounts",
}
_LISTED = frozenset(("task.add_collection", "task.list_subtasks"))
#: By the schema of an answer: what its properties are called in `properties`.
_KIND = {
    "Pool": "pool",
    "ComputeNode": "node",
    "Job": "job",
    "JobPreparationAndReleaseTaskStatus": "preparation",
    "Task": "task",
    "Subtask": "subtask",
    "JobSchedule": "schedule",
    "SupportedImage": "image",
    "PoolNodeCounts": "node counts",
    "RecordedAutoScaleRun": "autoscale run",
    "File": "file",
}
_STATUS = {
    400: "The request is not right; the code and the message say what, and how to do better.",
    401: "The request is not signed.",
    403: "The signature is not good, the clock is off, or the account may only read.",
    404: "There is no such object.",
    409: "The state of an object does not allow it, or there is one of that name.",
    412: "The object is not as the conditional headers say.",
    413: "The body is too large.",
    416: "No byte of the file is in the range.",
    503: "It cannot be done at present; ask again later.",
    507: "The disk of the server cannot take it.",
}


def lists(operation: Operation) -> bool:
    """Its answer is a page of a list, or all of one."""
    return "maxresults" in operation.query or operation.name in _LISTED


def answer_name(operation: Operation) -> str:
    """The schema of a whole good answer."""
    name = ANSWER[operation.name]
    return f"{name}List" if lists(operation) else name


def list_schemas() -> dict[str, Schema]:
    found = {}
    for operation in (*OPERATIONS, *OWN_OPERATIONS):
        if operation.served and operation.name in ANSWER and lists(operation):
            name = ANSWER[operation.name]
            properties = {**METADATA, "value": {"type": "array", "items": reference(name)}}
            if "maxresults" in operation.query:
                properties["odata.nextLink"] = {**URL, "description": "Where the next page is, if there is one."}
            found[f"{name}List"] = {
                "type": "object", "properties": properties, "required": ["odata.metadata", "value"],
                "additionalProperties": False,
            }  # fmt: skip
    return found


def paths() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for operation in (*OPERATIONS, *OWN_OPERATIONS):
        found.setdefault(operation.path, {})[operation.method.lower()] = described(operation)
    for path, item in found.items():
        ids = re.findall(r"\{(\w+)\}", path)
        if ids:
            item["parameters"] = [{"$ref": f"#/components/parameters/{name}"} for name in ids]
    return found


def described(operation: Operation) -> dict[str, Any]:
    """The operation as an Operation Object of OpenAPI."""
    group, _, verb = operation.name.partition(".")
    found: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [group],
        "summary": f"{verb.replace('_', ' ').capitalize()} ({group.replace('_', ' ')})",
        "parameters": [*of_operation(operation, _KIND.get(ANSWER.get(operation.name, ""), ""))],
    }
    if operation in OWN_OPERATIONS:
        found["description"] = "Beyond the Batch REST API."
    if not operation.served:
        text = "Is not supported, and always refused with `OperationNotSupported`"
        found["description"] = f"{text}: {INSTEAD[operation.name]}."
        found["deprecated"] = True
        return {**found, "responses": dict(_refusals(operation))}
    if operation.name in BODY:
        name = BODY[operation.name]
        found["requestBody"] = {"required": name not in _OPTIONAL, "content": {_JSON: {"schema": reference(name)}}}
    elif operation.streams:
        found["requestBody"] = {"required": True, "content": {"application/zip": {}}}
    return {**found, "responses": {**_answers(operation), **dict(_refusals(operation))}}


def _answers(operation: Operation) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "It is done.", "headers": dict(_headers(operation))}
    if operation.status == 202:
        good["description"] = "It is recorded, and goes on; the state of the object says so."
    if operation.status == 201:
        good["description"] = "It was created."
    if operation.name in ANSWER:
        good["description"] = "What was asked for."
        good["content"] = {_JSON: {"schema": reference(answer_name(operation))}}
    if operation.name in FILES:
        good |= {"description": "The bytes; a part of them for who asks by `ocp-range`.", "content": {_ANY: {}}}
        part = {**good, "description": "The bytes of the range that `Range` asks for."}
        return {"200": good, "206": part, **_unchanged()}
    found = {str(operation.status): good}
    if operation.name == "application.put_package":
        found["200"] = {**good, "description": "There was such a version; it is replaced."}
    if operation.method in ("GET", "HEAD") and (operation.conditions != "none"):
        found |= _unchanged()
    return found


def _unchanged() -> dict[str, Any]:
    return {"304": {"description": "The object has not changed."}}


def _headers(operation: Operation) -> Iterator[tuple[str, Any]]:
    names = ["request-id", "client-request-id", "DataServiceVersion"]
    if operation.status == 201:
        names += ["Location"]
    if operation.conditions == "all" and operation.method != "DELETE":
        names += ["ETag"]
    for name in names:
        yield name, {"$ref": f"#/components/headers/{name}"}


def _refusals(operation: Operation) -> Iterator[tuple[str, Any]]:
    statuses = {400, 401, 403, 503}
    if "{" in operation.path or operation.name in BODY:
        statuses |= {404, 409}
    if operation.conditions != "none":
        statuses |= {412}
    if not operation.streams:
        statuses |= {413}  # a body may come that nothing asks for
    if operation.name in FILES:
        statuses |= {416}
    if operation.streams:
        statuses |= {413, 507}
    for status in sorted(statuses):
        yield str(status), {"$ref": f"#/components/responses/{status}"}


def refusals() -> dict[str, Any]:
    """By status."""
    content = {_JSON: {"schema": reference("Error")}}
    return {str(status): {"description": text, "content": content} for status, text in _STATUS.items()}
