"""Right values of the properties of large bodies: any of them may be left out that need not be there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from . import vocabulary

_ENVIRONMENT = [{"name": "A", "value": "1"}, {"name": "é", "value": ""}]
_RESOURCES = [{"httpUrl": "storage://c/x", "filePath": "x"}, {"autoStorageContainerName": "c", "blobPrefix": "p/"}]
_OUTPUTS = [
    {
        "filePattern": "../std*.txt",
        "destination": {"container": {"containerUrl": "storage://out", "path": "a"}},
        "uploadOptions": {"uploadCondition": "taskcompletion"},
    }
]
_USER = {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}}
_CONSTRAINTS = {"maxWallClockTime": "PT1H30M", "retentionTime": "P2D", "maxTaskRetryCount": 2}
_METADATA = [{"name": "m", "value": "v"}, {"name": "x", "value": ""}]
_OPTIONS = {"jobAction": "none", "dependencyAction": "satisfy"}
_START = {"commandLine": "true", "waitForSuccess": True, "maxTaskRetryCount": 1, "environmentSettings": _ENVIRONMENT}
_POOL: dict[str, Any] = {
    "vmSize": "standard_d2s_v3",
    "displayName": "a pool",
    "virtualMachineConfiguration": {
        "imageReference": {
            "publisher": "canonical", "offer": "0001-com-ubuntu-server-jammy", "sku": "22_04-lts", "version": "latest",
        },
        "nodeAgentSKUId": "batch.node.ubuntu 22.04",
    },
    "resizeTimeout": "PT10M",
    "taskSlotsPerNode": 4,
    "startTask": _START,
    "metadata": _METADATA,
    "taskSchedulingPolicy": {"nodeFillType": "pack"},
    "userAccounts": [{"name": "ann", "password": vocabulary.HUSH, "elevationLevel": "admin"}],
    "resourceTags": {"a": "b"},
}  # fmt: skip
_AUTO = {"autoPoolSpecification": {"poolLifetimeOption": "job", "autoPoolIdPrefix": "auto", "pool": _POOL}}
_OF_JOBS: dict[str, Any] = {
    "displayName": "a job é",
    "priority": -5,
    "maxParallelTasks": 7,
    "allowTaskPreemption": True,
    "constraints": {"maxWallClockTime": "P1D", "maxTaskRetryCount": 2},
    "commonEnvironmentSettings": _ENVIRONMENT,
    "onTaskFailure": "performexitoptionsjobaction",
    "usesTaskDependencies": True,
    "metadata": _METADATA,
    "jobPreparationTask": {"commandLine": "true", "constraints": _CONSTRAINTS},
    "jobReleaseTask": {"commandLine": "true", "maxWallClockTime": "PT5M"},
    "jobManagerTask": {"id": "manager", "commandLine": "true", "killJobOnCompletion": False},
}
_TASK: dict[str, Any] = {
    "commandLine": "echo hello",
    "displayName": "a task",
    "resourceFiles": _RESOURCES[:1],
    "outputFiles": _OUTPUTS,
    "environmentSettings": _ENVIRONMENT,
    "constraints": _CONSTRAINTS,
    "userIdentity": _USER,
    "exitConditions": {
        "exitCodes": [{"code": 3, "exitOptions": _OPTIONS}],
        "exitCodeRanges": [{"start": 4, "end": 9, "exitOptions": _OPTIONS}],
        "default": _OPTIONS,
    },
    "affinityInfo": {"affinityId": "no-such-node"},
    "applicationPackageReferences": [{"applicationId": "app", "version": "1.0"}],
}
#: As right as any, and leading out of the years that can be written.
_EXTREME = (
    *({"doNotRunUntil": time, "recurrenceInterval": "P1D"} for time in vocabulary.ENDS),
    *({"doNotRunAfter": time} for time in vocabulary.ENDS),
    *({"recurrenceInterval": length, "startWindow": length} for length in ("P36525D", "P10675198D")),
)
_WHEN = {"doNotRunUntil": "2099-01-01T00:00:00.000Z", "recurrenceInterval": "P1D", "startWindow": "PT5M"}

#: By the title of the schema: by property, right values.
RIGHT: Mapping[str, Mapping[str, tuple[Any, ...]]] = {
    "PoolSpec": {
        **{name: (value,) for name, value in _POOL.items()},
        "id": ("p1", "P1", "p-2", "p_3"),
        "targetDedicatedNodes": (0, 1, 2, "3"),
        "targetLowPriorityNodes": (0, 1),
    },
    "Pool, changed": {name: (value,) for name, value in _POOL.items() if name != "resizeTimeout"},
    "JobSpec": {
        **{name: (value,) for name, value in _OF_JOBS.items()},
        "id": ("j1", "J1", "j-2"),
        "poolInfo": ({"poolId": "base"}, {"poolId": "p1"}, _AUTO),
        "onAllTasksComplete": ("noaction", "terminatejob", "terminateJob"),
    },
    "Job, changed": {
        "priority": (0, 7, "100"),
        "constraints": (_OF_JOBS["constraints"],),
        "metadata": (_METADATA, []),
        "maxParallelTasks": (-1, 3),
        "poolInfo": ({"poolId": "base"}, {"poolId": "p1"}),
        "onAllTasksComplete": ("noaction", "terminatejob"),
    },
    "JobScheduleSpec": {
        "id": ("s1", "S1", "s-2"),
        "displayName": ("a schedule",),
        "schedule": (*(_WHEN, {}) * 5, *_EXTREME),
        "jobSpecification": ({**_OF_JOBS, "poolInfo": {"poolId": "base"}}, {"poolInfo": _AUTO}),
        "metadata": (_METADATA,),
    },
    "Job schedule, changed": {
        "schedule": (*(_WHEN,) * 10, *_EXTREME),
        "jobSpecification": ({"poolInfo": {"poolId": "p1"}}, {**_OF_JOBS, "poolInfo": _AUTO}),
        "metadata": (_METADATA,),
    },
    "Task, changed": {"constraints": (_CONSTRAINTS, {}, {"maxTaskRetryCount": -1})},
    "TaskSpec": {**{name: (value,) for name, value in _TASK.items()}, "id": ("t1", "T1", "t-2", "3")},
    "ResizeBody": {
        "targetDedicatedNodes": (0, 1, 2, "3"),
        "targetLowPriorityNodes": (0, 1),
        "nodeDeallocationOption": ("requeue", "Terminate", "taskcompletion", "retaineddata"),
    },
    "EnableAutoScaleBody": {
        "autoScaleFormula": vocabulary.FORMULAS[:3],
        "autoScaleEvaluationInterval": ("PT5M", "PT15M"),
    },
    "EvaluateAutoScaleBody": {"autoScaleFormula": vocabulary.FORMULAS[:4]},
    "NewUser": {
        "name": ("ann", "bob", "_x"),
        "isAdmin": (False, False, True),
        "password": (vocabulary.HUSH,),
        "sshPublicKey": vocabulary.KEYS[:1],
        "expiryTime": ("2099-01-01T00:00:00Z",),
    },
    "ChangedUser": {"password": (vocabulary.HUSH,), "sshPublicKey": vocabulary.KEYS[:1]},
    "Change": {"defaultVersion": ("1.0", "2", None)},
}
#: What is there too when requests come, made anew from time to time.
THERE: tuple[tuple[str, Mapping[str, Any]], ...] = (
    ("/pools", {"id": "p1", "vmSize": "local.small"}),
    ("/jobs", {"id": "j1", "poolInfo": {"poolId": "p1"}, "usesTaskDependencies": True}),
    ("/jobs/j1/tasks", {"id": "t1", "commandLine": "true"}),
    ("/jobs/j1/tasks", {"id": "t-2", "commandLine": "true", "dependsOn": {"taskIds": ["t1"]}}),
    ("/jobschedules", {"id": "s1", "schedule": _WHEN, "jobSpecification": {"poolInfo": {"poolId": "p1"}}}),
)
