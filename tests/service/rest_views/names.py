"""What the Batch REST API calls the properties of its objects (api-versions 2024-02-01.19.0 and 2025-06-01), those that
ebbtide can have; by the path at which an object stands in an answer."""


def _words(*texts: str) -> frozenset[str]:
    return frozenset(word for text in texts for word in text.split())


_RECORD = "url eTag lastModified creationTime"
_STATE = "state stateTransitionTime"
_PREVIOUS = "previousState previousStateTransitionTime"
_EXECUTION = "startTime endTime exitCode failureInfo result"
_COMMAND = "commandLine containerSettings resourceFiles environmentSettings userIdentity"
_PREPARATION = "state taskRootDirectory taskRootDirectoryUrl"

POOL_SPECIFICATION = _words(
    "displayName vmSize virtualMachineConfiguration resizeTimeout targetDedicatedNodes targetLowPriorityNodes",
    "enableAutoScale autoScaleFormula autoScaleEvaluationInterval enableInterNodeCommunication networkConfiguration",
    "startTask applicationPackageReferences taskSlotsPerNode taskSchedulingPolicy userAccounts metadata",
)
POOL = POOL_SPECIFICATION | _words(
    "id allocationState allocationStateTransitionTime resizeErrors currentDedicatedNodes currentLowPriorityNodes",
    "autoScaleRun",
    _RECORD,
    _STATE,
)
JOB_SPECIFICATION = _words(
    "displayName priority allowTaskPreemption maxParallelTasks constraints jobManagerTask jobPreparationTask",
    "jobReleaseTask commonEnvironmentSettings poolInfo onAllTasksComplete onTaskFailure usesTaskDependencies metadata",
)
JOB = JOB_SPECIFICATION | _words("id executionInfo", _RECORD, _STATE, _PREVIOUS)
JOB_EXECUTION = _words("startTime endTime poolId schedulingError terminateReason")
TASK = _words(
    "id displayName outputFiles constraints requiredSlots applicationPackageReferences exitConditions affinityInfo",
    "executionInfo nodeInfo multiInstanceSettings dependsOn authenticationTokenSettings",
    _COMMAND,
    _RECORD,
    _STATE,
    _PREVIOUS,
)
TASK_EXECUTION = _words(_EXECUTION, "containerInfo retryCount lastRetryTime requeueCount lastRequeueTime")
FAILURE = _words("category code message details")
NODE_INFO = _words("affinityId nodeUrl poolId nodeId taskRootDirectory taskRootDirectoryUrl")
SUBTASK = _words("id nodeInfo", _STATE, _EXECUTION)
NODE = _words(
    "id url schedulingState lastBootTime allocationTime ipAddress affinityId vmSize totalTasksRun runningTasksCount",
    "runningTaskSlotsCount totalTasksSucceeded recentTasks startTask startTaskInfo errors isDedicated",
    "virtualMachineInfo endpointConfiguration",
    _STATE,
)
RECENT_TASK = _words("taskUrl jobId taskId subtaskId taskState executionInfo")
START_TASK = _words(_COMMAND, "maxTaskRetryCount waitForSuccess")
START_TASK_INFO = _words("state retryCount", _EXECUTION)
PREPARATION_STATUS = _words("poolId nodeId nodeUrl jobPreparationTaskExecutionInfo jobReleaseTaskExecutionInfo")
PREPARATION_INFO = _words(_PREPARATION, "retryCount", _EXECUTION)
RELEASE_INFO = _words(_PREPARATION, _EXECUTION)
SCHEDULE = _words("id displayName schedule jobSpecification executionInfo metadata", _RECORD, _STATE, _PREVIOUS)
NODE_COUNTS = _words(
    "creating idle offline preempted rebooting reimaging running starting startTaskFailed leavingPool unknown",
    "unusable waitingForStartTask upgradingOS total",
)
