"""Specifications with every property that can be asked for, as they stand on the wire, and records of them."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from pools import (
    AutoScaleError,
    AutoScaleRun,
    ExecutionResult,
    FailureInfo,
    NameValue,
    Node,
    NodeHistory,
    NodeState,
    Pool,
    PoolSpec,
    RecentTask,
    ResizeError,
    StartTaskInfo,
)
from providers import Vm, VmState
from runner import (
    Instance,
    Job,
    JobNode,
    JobSchedule,
    JobScheduleSpec,
    JobSpec,
    NodeExecution,
    Task,
    TaskSpec,
    TaskState,
)
from runner.task_spec import packed

T0 = 1_767_225_600.0  # 2026-01-01T00:00:00Z
S = TypeVar("S", bound=msgspec.Struct)

ENVIRONMENT = [{"name": "A", "value": "1"}]
RESOURCES = [
    {"httpUrl": "https://x/y?sig=1", "filePath": "y", "fileMode": "0640"},
    {"storageContainerUrl": "https://x/c", "blobPrefix": "p/"},
    {"autoStorageContainerName": "c"},
]
CONTAINER = {
    "imageName": "debian:12",
    "containerRunOptions": "--rm",
    "registry": {"registryServer": "r.example", "username": "u"},
    "workingDirectory": "containerImageDefault",
}
CONSTRAINTS = {"maxWallClockTime": "PT1H30M", "retentionTime": "P2D", "maxTaskRetryCount": 3}
PACKAGES = [{"applicationId": "app", "version": "1.0"}]
OUTPUTS = [
    {
        "filePattern": "../std*.txt",
        "destination": {
            "container": {
                "containerUrl": "https://x/out?sig=2",
                "path": "a",
                "uploadHeaders": [{"name": "x-ms-tier", "value": "Cool"}],
            }
        },
        "uploadOptions": {"uploadCondition": "taskfailure"},
    }
]
AUTO_USER = {"autoUser": {"scope": "task", "elevationLevel": "admin"}}
START_TASK = {
    "commandLine": "prepare",
    "containerSettings": CONTAINER,
    "environmentSettings": ENVIRONMENT,
    "resourceFiles": RESOURCES,
    "userIdentity": AUTO_USER,
    "maxTaskRetryCount": -1,
    "waitForSuccess": False,
}
POOL: dict[str, Any] = {
    "vmSize": "small",
    "displayName": "a pool",
    "virtualMachineConfiguration": {
        "imageReference": {"publisher": "p", "offer": "o", "sku": "s", "version": "latest"},
        "nodeAgentSKUId": "batch.node.debian 12",
        "containerConfiguration": {
            "type": "dockerCompatible",
            "containerImageNames": ["debian:12"],
            "containerRegistries": [{"username": "u", "registryServer": "r.example"}],
        },
    },
    "resizeTimeout": "PT20M",
    "enableAutoScale": True,
    "autoScaleFormula": "$TargetDedicatedNodes = 1;",
    "autoScaleEvaluationInterval": "PT10M",
    "enableInterNodeCommunication": True,
    "networkConfiguration": {"subnetId": "net"},
    "startTask": START_TASK,
    "applicationPackageReferences": PACKAGES,
    "userAccounts": [
        {"name": "ann", "elevationLevel": "admin", "linuxUserConfiguration": {"uid": 2000, "gid": 2000}}
    ],
    "taskSlotsPerNode": 4,
    "taskSchedulingPolicy": {"nodeFillType": "pack"},
    "metadata": [{"name": "budget", "value": "5"}],
}
OF_TASKS = {
    "commandLine": "work",
    "displayName": "a task",
    "containerSettings": CONTAINER,
    "resourceFiles": RESOURCES,
    "outputFiles": OUTPUTS,
    "environmentSettings": ENVIRONMENT,
    "constraints": CONSTRAINTS,
    "requiredSlots": 2,
    "userIdentity": {"username": "ann"},
    "applicationPackageReferences": PACKAGES,
    "authenticationTokenSettings": {"access": ["job"]},
}
OF_PREPARATIONS = {
    "commandLine": "ready",
    "containerSettings": CONTAINER,
    "resourceFiles": RESOURCES,
    "environmentSettings": ENVIRONMENT,
    "userIdentity": AUTO_USER,
}
JOB = {
    "displayName": "a job",
    "priority": -5,
    "allowTaskPreemption": True,
    "maxParallelTasks": 7,
    "constraints": {"maxWallClockTime": "P1D", "maxTaskRetryCount": 2},
    "jobManagerTask": {
        **OF_TASKS,
        "id": "manager",
        "killJobOnCompletion": False,
        "runExclusive": False,
        "allowLowPriorityNode": False,
    },
    "jobPreparationTask": {
        **OF_PREPARATIONS,
        "id": "before",
        "constraints": CONSTRAINTS,
        "waitForSuccess": False,
        "rerunOnNodeRebootAfterSuccess": False,
    },
    "jobReleaseTask": {**OF_PREPARATIONS, "id": "after", "maxWallClockTime": "PT5M", "retentionTime": "PT1H"},
    "commonEnvironmentSettings": ENVIRONMENT,
    "poolInfo": {"poolId": "p"},
    "onAllTasksComplete": "terminatejob",
    "onTaskFailure": "performexitoptionsjobaction",
    "usesTaskDependencies": True,
    "metadata": [{"name": "m", "value": "v"}],
}
AUTO_POOL = {
    "autoPoolSpecification": {
        "poolLifetimeOption": "jobschedule",
        "autoPoolIdPrefix": "auto",
        "keepAlive": True,
        "pool": POOL,
    }
}
OPTIONS = {"jobAction": "disable", "dependencyAction": "satisfy"}
TASK = {
    **OF_TASKS,
    "id": "t",
    "exitConditions": {
        "exitCodes": [{"code": 3, "exitOptions": OPTIONS}],
        "exitCodeRanges": [{"start": 4, "end": 9, "exitOptions": {"jobAction": "terminate"}}],
        "preProcessingError": OPTIONS,
        "fileUploadError": OPTIONS,
        "default": {"dependencyAction": "block"},
    },
    "affinityInfo": {"affinityId": "node_1_p"},
    "multiInstanceSettings": {
        "numberOfInstances": 2,
        "coordinationCommandLine": "meet",
        "commonResourceFiles": RESOURCES,
    },
    "dependsOn": {"taskIds": ["s"], "taskIdRanges": [{"start": 1, "end": 5}]},
}
SCHEDULE = {
    "id": "nightly",
    "displayName": "a schedule",
    "schedule": {
        "doNotRunUntil": "2026-01-01T00:00:00.000Z",
        "doNotRunAfter": "2027-01-01T00:00:00.000Z",
        "startWindow": "PT5M",
        "recurrenceInterval": "P1D",
    },
    "jobSpecification": {**JOB, "poolInfo": AUTO_POOL},
    "metadata": [{"name": "overlap", "value": "skip"}],
}


def spec(kind: type[S], wire: dict[str, Any]) -> S:
    return msgspec.convert(wire, kind)


STAMPS = {"created": T0, "modified": T0 + 60.5, "state_time": T0 + 30}
FAILURE = FailureInfo("usererror", "FailureExitCode", "it failed", (NameValue("Message", "more"),))


def pool(wire: dict[str, Any] | None = None, **fields: Any) -> Pool:
    asked = spec(PoolSpec, {**(POOL if wire is None else wire), "id": "p"})
    return Pool(**{**STAMPS, "id": "p", "spec": asked, "provider": "local", **fields})


def busy_pool() -> Pool:
    error = AutoScaleError("AutoScalingFormulaEvaluationError", "wrong", (NameValue("a", "b"),))
    return pool(
        allocation_state="resizing",
        allocation_state_time=T0 + 40,
        target_dedicated=3,
        target_low_priority=2,
        resize_errors=(ResizeError("AllocationFailed", "no room", (NameValue("Message", "more"),)),),
        autoscale_run=AutoScaleRun("p", T0 + 50, "$TargetDedicatedNodes=3", error),
    )


def node(**fields: Any) -> Node:
    vm = Vm("vm", "i-1", VmState.RUNNING, "10.0.0.4", 22, "u", None, False, "/mnt", T0)
    start = StartTaskInfo("completed", T0 + 10, T0 + 12, 1, 2, ExecutionResult.FAILURE, FAILURE)
    own = {"id": "node_1_p", "pool_id": "p", "vm_name": "vm", "low_priority": False, "state": NodeState.IDLE}
    return Node(**{**STAMPS, **own, "vm": vm, "boot_time": T0 + 5, "size": "small", "start_task": start, **fields})


def history() -> NodeHistory:
    own: dict[str, Any] = {"job_id": "j", "task_id": "t", "state": "completed", "subtask": 1}
    own |= {"start_time": T0, "end_time": T0 + 1}
    return NodeHistory().and_then(RecentTask(**own, exit_code=4, failure=FAILURE))


def job(**fields: Any) -> Job:
    return Job(**{**STAMPS, "id": "j", "spec": spec(JobSpec, {**JOB, "id": "j"}), "start_time": T0, **fields})


def task(wire: dict[str, Any] | None = None, **fields: Any) -> Task:
    asked = packed(spec(TaskSpec, TASK if wire is None else wire))
    return Task(**{**STAMPS, "job_id": "j", "id": "t", "uid": "u", "sequence": 1, "raw_spec": asked, **fields})


def failed_task(**fields: Any) -> Task:
    ended = {"state": TaskState.COMPLETED, "previous_state": "running", "previous_state_time": T0 + 20}
    ended |= {"start_time": T0 + 20, "end_time": T0 + 30, "exit_code": 4, "container_id": "c0ffee"}
    ended |= {"result": ExecutionResult.FAILURE, "failure": FAILURE}
    ended |= {"retry_count": 2, "last_retry_time": T0 + 15, "requeue_count": 1, "last_requeue_time": T0 + 10}
    ended |= {"last_node_id": "node_1_p", "last_pool_id": "p"}
    return task(**{**ended, **fields})


def instances() -> tuple[Instance, ...]:
    failed = Instance(
        node_id="node_2_p",
        state="completed",
        state_time=T0 + 30,
        start_time=T0 + 20,
        end_time=T0 + 30,
        exit_code=4,
        result=ExecutionResult.FAILURE,
        failure=FAILURE,
    )
    return Instance(node_id="node_1_p", state_time=T0 + 20), failed


def job_node() -> JobNode:
    ran = NodeExecution(
        state="completed",
        start_time=T0,
        end_time=T0 + 1,
        exit_code=3,
        retry_count=1,
        result=ExecutionResult.FAILURE,
        failure=FAILURE,
    )
    runs = NodeExecution(state="running", start_time=T0 + 2)
    where = {"job_id": "j", "node_id": "node_1_p", "pool_id": "p"}
    return msgspec.convert({**STAMPS, **where, "uid": "u", "preparation": ran, "release": runs}, JobNode)


def schedule(**fields: Any) -> JobSchedule:
    asked = spec(JobScheduleSpec, SCHEDULE)
    ran = {"next_run_time": T0 + 3600, "recent_job_id": "nightly:job-1", "jobs_created": 1}
    return JobSchedule(**{**STAMPS, "id": "nightly", "spec": asked, **ran, **fields})
