"""Schemas of what is answered: the objects of the API, with exactly the properties that `rest_views` gives them."""

from __future__ import annotations

from collections.abc import Mapping

from pools import AllocationState, NodeState, PoolState
from runner import JobState, ScheduleState, TaskState

from ..rest_views.past import SEEN_OF_POOL
from .request_schemas import Schema, answered_name, reference

TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer"}
COUNT: Schema = {"type": "integer", "minimum": 0}
NUMBER: Schema = {"type": "number"}
FLAG: Schema = {"type": "boolean"}
TIME: Schema = {"type": "string", "format": "date-time"}
SPAN: Schema = {"type": "string", "format": "duration"}
URL: Schema = {"type": "string", "format": "uri"}
#: Where an answer says what it holds.
METADATA = {"odata.metadata": TEXT}


def choice(*values: str) -> Schema:
    return {"enum": list(values)}


def many(item: Schema, least: int = 1) -> Schema:
    """A list, which is left out if it is empty unless `least` is 0."""
    return {"type": "array", "items": item, **({"minItems": least} if least else {})}


def group(properties: Mapping[str, Schema], *required: str, text: str = "") -> Schema:
    found: Schema = {"type": "object", "properties": dict(properties), "additionalProperties": False}
    if required:
        found["required"] = list(required)
    return {**({"description": text} if text else {}), **found}


_RESULT = choice("success", "failure")
_RECORD = {"url": URL, "eTag": TEXT, "lastModified": TIME, "creationTime": TIME, "stateTransitionTime": TIME}
_PREVIOUS = {"previousState": TEXT, "previousStateTransitionTime": TIME}
_OUTCOME = {
    "startTime": TIME,
    "endTime": TIME,
    "exitCode": WHOLE,
    "result": _RESULT,
    "failureInfo": reference("FailureInfo"),
}
_USAGE = ("userCPUTime", "kernelCPUTime", "wallClockTime", "waitTime")
_TRAFFIC = ("readIOps", "writeIOps", "readIOGiB", "writeIOGiB")
_TASKS = ("numSucceededTasks", "numFailedTasks", "numTaskRetries")
_SINCE = {"url": TEXT, "startTime": TIME, "lastUpdateTime": TIME}
_COUNTED = (
    *("creating", "idle", "offline", "preempted", "rebooting", "reimaging", "running", "starting", "startTaskFailed"),
    *("leavingPool", "unknown", "unusable", "waitingForStartTask", "upgradingOS", "total"),
)
_SUMMED = ("active", "running", "completed", "succeeded", "failed")
_LOAD = (
    *("avgCPUPercentage", "avgMemoryGiB", "peakMemoryGiB", "avgDiskGiB", "peakDiskGiB", "diskReadIOps"),
    *("diskWriteIOps", "diskReadGiB", "diskWriteGiB", "networkReadGiB", "networkWriteGiB"),
)


def single(schema: Schema) -> Schema:
    """As it is answered by itself too, and not only in lists."""
    return {**schema, "properties": {**METADATA, **schema["properties"]}}


def _all(names: tuple[str, ...], schema: Schema) -> dict[str, Schema]:
    return dict.fromkeys(names, schema)


def _whole(properties: Mapping[str, Schema], text: str = "") -> Schema:
    """Every property is there."""
    return group(properties, *properties, text=text)


_PARTS: Mapping[str, Schema] = {
    "Error": group(
        {**METADATA, "code": TEXT, "message": reference("ErrorMessage"), "values": many(reference("ErrorDetail"))},
        *("odata.metadata", "code", "message"),
        text="What is wrong, and how to do better. Not below a member `error`.",
    ),
    "ErrorMessage": _whole({"lang": TEXT, "value": TEXT}),
    "ErrorDetail": _whole({"key": TEXT, "value": TEXT}),
    "NameValuePair": _whole({"name": TEXT, "value": TEXT}),
    "FailureInfo": group(
        {**_all(("code", "message"), TEXT), "category": choice("usererror", "servererror")}
        | {"details": many(reference("NameValuePair"), 0)},
        *("category", "code", "message", "details"),
    ),
    "Fault": _whole({**_all(("code", "message"), TEXT), "values": many(reference("NameValuePair"), 0)}),
    "AutoScaleRun": single(group({"timestamp": TIME, "results": TEXT, "error": reference("Fault")}, "timestamp")),
    "TaskStatistics": _whole({**_SINCE, **_all(_USAGE, SPAN), **_all(_TRAFFIC, NUMBER)}),
    "JobStatistics": _whole({**_SINCE, **_all(_USAGE, SPAN), **_all(_TRAFFIC, NUMBER), **_all(_TASKS, COUNT)}),
    "PoolStatistics": _whole(
        {**_SINCE, "usageStats": _whole({"startTime": TIME, "lastUpdateTime": TIME, "dedicatedCoreTime": SPAN})}
        | {"resourceStats": _whole({"startTime": TIME, "lastUpdateTime": TIME, **_all(_LOAD, NUMBER)})}
    ),
    "TaskExecution": group(
        {**_OUTCOME, "retryCount": COUNT, "lastRetryTime": TIME, "requeueCount": COUNT, "lastRequeueTime": TIME}
        | {"containerInfo": _whole({"containerId": TEXT})},
        *("retryCount", "requeueCount"),
    ),
    "NodeOfTask": group(
        {**_all(("affinityId", "poolId", "nodeId", "taskRootDirectory"), TEXT)}
        | {**_all(("nodeUrl", "taskRootDirectoryUrl"), URL)},
        *("affinityId", "poolId", "nodeId"),
    ),
    "ExecutionOnNode": group(
        {**_OUTCOME, "state": choice("running", "completed"), "retryCount": COUNT}
        | {"taskRootDirectory": TEXT, "taskRootDirectoryUrl": URL},
        *("state", "startTime", "taskRootDirectory", "taskRootDirectoryUrl"),
    ),
    "StartTaskExecution": group(
        {**_OUTCOME, "state": choice("running", "completed"), "retryCount": COUNT}, "state", "startTime", "retryCount"
    ),
    "RecentTask": group(
        {"taskUrl": URL, **_all(("jobId", "taskId"), TEXT), "subtaskId": COUNT}
        | {"taskState": choice(*TaskState), "executionInfo": reference("TaskExecution")},
        *("taskUrl", "jobId", "taskId", "taskState", "executionInfo"),
    ),
    "InboundEndpoint": _whole(
        {**_all(("name", "protocol", "publicIPAddress"), TEXT), **_all(("frontendPort", "backendPort"), COUNT)}
    ),
    "ApplicationPackage": _whole(
        {"version": TEXT, "creationTime": TIME, "contentLength": COUNT, "sha256": TEXT}, "A version of an application."
    ),
    "PackageOnNode": _whole({"applicationId": TEXT, "version": TEXT}),
    "NodeCounts": _whole(_all(_COUNTED, COUNT)),
    "TaskCounts": _whole(_all(_SUMMED, COUNT)),
    "FileProperties": _whole(
        {**_all(("creationTime", "lastModified"), TIME), **_all(("contentLength", "contentType", "fileMode"), TEXT)}
    ),
}


def _objects(spec: Mapping[str, Mapping[str, Schema]]) -> dict[str, Schema]:
    """`spec`: by the names of structs, their properties as they are answered. With `$select` any may be missing."""
    warnings = {"warnings": many(TEXT)}
    pool = {
        **_all(("targetDedicatedNodes", "targetLowPriorityNodes"), COUNT),
        **_all(("currentDedicatedNodes", "currentLowPriorityNodes"), COUNT),
        "state": choice(*PoolState),
        "allocationState": choice(*AllocationState),
        "allocationStateTransitionTime": TIME,
        "autoScaleRun": reference("AutoScaleRun"),
        "resizeErrors": many(reference("Fault")),
        "stats": reference("PoolStatistics"),
    }
    job = {
        "state": choice(*JobState),
        "executionInfo": group(
            {"startTime": TIME, "endTime": TIME, "poolId": TEXT, "schedulingError": reference("FailureInfo")}
            | {"terminateReason": TEXT},
            "startTime",
        ),
        "stats": reference("JobStatistics"),
    }
    schedule = {
        "state": choice(*ScheduleState),
        "executionInfo": group({"nextRunTime": TIME, "endTime": TIME, "recentJob": _whole({"id": TEXT, "url": URL})}),
        "stats": reference("JobStatistics"),
    }
    task = {
        "state": choice(*TaskState),
        "executionInfo": reference("TaskExecution"),
        "nodeInfo": reference("NodeOfTask"),
        "schedulingError": reference("FailureInfo"),
        "stats": reference("TaskStatistics"),
    }
    return {
        "Pool": group({**METADATA, **spec["PoolSpec"], **_RECORD, **warnings, **pool}),
        "Job": group({**METADATA, **spec["JobSpec"], **_RECORD, **_PREVIOUS, **warnings, **job}),
        "JobSchedule": group({**METADATA, **spec["JobScheduleSpec"], **_RECORD, **_PREVIOUS, **warnings, **schedule}),
        "Task": group({**METADATA, **spec["TaskSpec"], **_RECORD, **_PREVIOUS, **task}),
    }


_NODE = group(
    {
        **_all(("id", "affinityId", "vmSize", "ipAddress"), TEXT),
        "url": URL,
        "state": choice(*NodeState),
        "schedulingState": choice("enabled", "disabled"),
        **_all(("stateTransitionTime", "lastBootTime", "allocationTime"), TIME),
        **_all(("totalTasksRun", "runningTasksCount", "runningTaskSlotsCount", "totalTasksSucceeded"), COUNT),
        "recentTasks": many(reference("RecentTask")),
        "startTask": reference(answered_name("StartTask")),
        "startTaskInfo": reference("StartTaskExecution"),
        "errors": many(_whole({"code": TEXT, "message": TEXT})),
        "isDedicated": FLAG,
        "endpointConfiguration": _whole({"inboundEndpoints": many(reference("InboundEndpoint"))}),
        "nodeAgentInfo": group({"version": TEXT, "lastUpdateTime": TIME}, "lastUpdateTime"),
        "virtualMachineInfo": _whole({"imageReference": reference(answered_name("ImageReference"))}),
        "applicationPackages": many(reference("PackageOnNode")),
    }
)
_SUBTASK = group(
    {"id": COUNT, "state": choice("preparing", "running", "completed"), "stateTransitionTime": TIME}
    | {"nodeInfo": reference("NodeOfTask"), **_OUTCOME}
)
_PREPARATION = group(
    {"poolId": TEXT, "nodeId": TEXT, "nodeUrl": URL}
    | _all(("jobPreparationTaskExecutionInfo", "jobReleaseTaskExecutionInfo"), reference("ExecutionOnNode"))
)
_FILE = group(
    {"name": TEXT, "url": URL, "isDirectory": FLAG, "lastModified": TIME, "properties": reference("FileProperties")},
    *("name", "url", "isDirectory"),
    text="A file with its properties, or a folder, which has none.",
)
_APPLICATION = _whole(
    {"id": TEXT, "displayName": TEXT, "versions": many(TEXT), "defaultVersion": TEXT}
    | {"packages": many(reference("ApplicationPackage"))},
    text="`defaultVersion` and `packages` are beyond the Batch REST API.",
)
_IMAGE = _whole(
    {"nodeAgentSKUId": TEXT, "imageReference": reference(answered_name("ImageReference")), "osType": choice("linux")}
    | {"capabilities": many(TEXT, 0), "verificationType": choice("verified", "unverified")}
    | {"providers": many(_whole({"name": TEXT, "image": TEXT}))},
    text="`providers` is beyond the Batch REST API: what the image is at each.",
)
_ADDED = {
    "oneOf": [
        _whole({"status": choice("success"), "taskId": TEXT, "eTag": TEXT, "lastModified": TIME, "location": URL}),
        _whole({"status": choice("clienterror"), "taskId": TEXT, "error": reference("TaskAddError")}),
    ]
}


_PAST = {
    "RecordedAutoScaleRun": group(
        {"timestamp": TIME, "results": TEXT, "error": reference("Fault"), "autoScaleFormula": TEXT}
        | {"pool": _whole(_all(tuple(SEEN_OF_POOL), NUMBER), text="As the formula saw it.")}
        | {**_all(("targetDedicatedNodes", "targetLowPriorityNodes"), COUNT), "nodeDeallocationOption": TEXT}
        | {"samplePeriod": NUMBER, **_all(("firstSample", "lastSample"), TIME), "seed": COUNT},
        text="What the formula was, what it saw and what came of it. `samplePeriod`: in seconds. It saw the samples "
        "from `firstSample` to `lastSample`. `seed`: of the random numbers that it drew.",
    ),
    "PlannerPass": group(
        {"time": TIME, **_all(("targetDedicatedNodes", "targetLowPriorityNodes"), COUNT), "because": TEXT}
        | {"actions": many(reference("PlannedAction")), "heldBack": many(TEXT)},
        *("time", "targetDedicatedNodes", "targetLowPriorityNodes", "because"),
        text="The targets that the planner went by, and why; what it did; why it did not order all that is missing.",
    ),
    "PlannedAction": group(
        {"action": choice("create", "remove", "forget"), "isDedicated": FLAG, "nodeIds": many(TEXT), "reason": TEXT}
        | {"nodeDeallocationOption": TEXT},
        *("action", "isDedicated", "nodeIds", "reason"),
    ),
    "Sample": _whole({"time": TIME, "values": {"type": "object", "additionalProperties": NUMBER}}, "By metric."),
}


def answer_schemas(answered: Mapping[str, Schema]) -> dict[str, Schema]:
    """By their names in the document. `answered`: the structs of requests, as they are answered."""
    spec = {
        name: answered[answered_name(name)]["properties"]
        for name in ("PoolSpec", "JobSpec", "JobScheduleSpec", "TaskSpec")
    }
    return {
        **_PARTS,
        **_objects(spec),
        "ComputeNode": single(_NODE),
        "Subtask": _SUBTASK,
        "JobPreparationAndReleaseTaskStatus": _PREPARATION,
        "File": _FILE,
        "Application": single(_APPLICATION),
        "SupportedImage": _IMAGE,
        "TaskAddResult": _ADDED,
        "TaskAddError": _whole({"code": TEXT, "message": reference("ErrorMessage")}),
        "PoolNodeCounts": _whole({"poolId": TEXT, **_all(("dedicated", "lowPriority"), reference("NodeCounts"))}),
        "TaskCountsResult": single(_whole(_all(("taskCounts", "taskSlotCounts"), reference("TaskCounts")))),
        "RemoteLoginSettings": single(_whole({"remoteLoginIPAddress": TEXT, "remoteLoginPort": COUNT})),
        **_PAST,
        "ForgottenJob": single(_whole({"id": TEXT, "forgottenTime": TIME}, text="It was deleted because it was old.")),
        "DeletedTask": _whole({"id": TEXT}, text="In lower case."),
        "Package": _whole({"applicationId": TEXT, **_PARTS["ApplicationPackage"]["properties"]}),
    }
