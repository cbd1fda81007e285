"""What is there, what a file says, what is told of it, and what is asked for."""

from typing import Any

import pytest

from .place import Place

POOL: dict[str, Any] = {"id": "p@", "vmSize": "local.small"}
INFO = {"poolInfo": {"poolId": "p@"}}
JOB: dict[str, Any] = {"id": "j@", **INFO}
TASKS = [{"id": "a", "commandLine": "true"}, {"id": "b", "commandLine": "true"}]
MANAGER = {"id": "m", "commandLine": "true"}
TIMES = {"doNotRunUntil": "2090-01-01T00:00:00Z"}
SCHEDULE: dict[str, Any] = {"id": "s@", "schedule": TIMES, "jobSpecification": {**INFO, "jobManagerTask": MANAGER}}
FORMULA = {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes = 0;"}
OTHER = {"enableAutoScale": True, "autoScaleFormula": "$TargetDedicatedNodes =\n0 * 1;"}


def pools(**given: Any) -> dict[str, Any]:
    return {"pools": [{**POOL, **given}]}


def jobs(**given: Any) -> dict[str, Any]:
    return {"pools": [POOL], "jobs": [{**JOB, **given}]}


def schedules(**given: Any) -> dict[str, Any]:
    return {"pools": [POOL], "jobSchedules": [{**SCHEDULE, **given}]}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], list[str], list[str]]] = {
    "all of it is new": (
        {},
        {**jobs(tasks=TASKS, onAllTasksComplete="terminatejob"), "jobSchedules": [SCHEDULE]},
        ["+ pool p@", "+ job schedule s@", "+ job j@, 2 tasks"],
        [
            "POST /pools",
            "POST /jobschedules",
            "POST /jobs?declared=true",
            "POST /jobs/j@/addtaskcollection",
            "PATCH /jobs/j@",
        ],
    ),
    "nothing is new": (jobs(tasks=TASKS), jobs(tasks=TASKS), ["2 unchanged, and 2 tasks"], []),
    "a job without tasks needs not wait for them": (
        {},
        jobs(onAllTasksComplete="terminatejob"),
        ["+ pool p@", "+ job j@"],
        ["POST /pools", "POST /jobs?declared=true"],
    ),
    "ids in another case are the same": (
        jobs(tasks=TASKS),
        {
            "pools": [{**POOL, "id": "P@"}],
            "jobs": [{"id": "J@", "poolInfo": {"poolId": "P@"}, "tasks": [{"id": "A", "commandLine": "true"}]}],
        },
        ["2 unchanged, and 1 task"],
        [],
    ),
    "what is said otherwise is the same": (
        pools(
            targetDedicatedNodes=0,
            resizeTimeout="PT15M",
            metadata=[{"name": "a", "value": "1"}, {"name": "b", "value": ""}],
        ),
        pools(
            targetDedicatedNodes="0",
            resizeTimeout="PT900S",
            taskSlotsPerNode=1,
            displayName="",
            metadata=[{"name": "b"}, {"name": "a", "value": "1"}],
        ),
        ["1 unchanged"],
        [],
    ),
    "targets that a file does not give stay": (pools(targetLowPriorityNodes=0), pools(), ["1 unchanged"], []),
    "another target": (
        pools(),
        pools(targetLowPriorityNodes=0, resizeTimeout="PT20M"),
        ["~ pool p@", "    resizeTimeout: PT15M -> PT20M"],
        ["POST /pools/p@/resize"],
    ),
    "a formula comes": (
        pools(),
        pools(**FORMULA),
        [
            "~ pool p@",
            "    enableAutoScale: false -> true",
            '    autoScaleFormula: nothing -> "$TargetDedicatedNodes = 0;"',
            "    autoScaleEvaluationInterval: nothing -> PT15M",
        ],
        ["POST /pools/p@/enableautoscale"],
    ),
    "a formula changes": (
        pools(**FORMULA),
        pools(**OTHER),
        [
            "~ pool p@",
            "    autoScaleFormula:",
            "        - $TargetDedicatedNodes = 0;",
            "        + $TargetDedicatedNodes =",
            "        + 0 * 1;",
        ],
        ["POST /pools/p@/enableautoscale"],
    ),
    "a formula goes": (
        pools(**FORMULA),
        pools(targetDedicatedNodes=0),
        [
            "~ pool p@",
            "    enableAutoScale: true -> false",
            '    autoScaleFormula: "$TargetDedicatedNodes = 0;" -> nothing',
            "    autoScaleEvaluationInterval: PT15M -> nothing",
        ],
        ["POST /pools/p@/disableautoscale"],
    ),
    "the timeout of a pool with a formula": (
        pools(**FORMULA),
        pools(**FORMULA, resizeTimeout="PT20M"),
        ["~ pool p@", "    resizeTimeout: PT15M -> PT20M"],
        ["POST /pools/p@/disableautoscale", "POST /pools/p@/resize", "POST /pools/p@/enableautoscale"],
    ),
    "what a pool is like": (
        pools(startTask={"commandLine": "one", "maxTaskRetryCount": 1}, metadata=[{"name": "a", "value": "1"}]),
        pools(
            startTask={"commandLine": "two", "maxTaskRetryCount": 1},
            metadata=[{"name": "a", "value": "2"}, {"name": "b"}],
            taskSlotsPerNode=2,
            displayName="mine",
        ),
        [
            "~ pool p@",
            "    displayName: nothing -> mine",
            "    startTask.commandLine: one -> two",
            "    taskSlotsPerNode: 1 -> 2",
            "    metadata[a]: 1 -> 2",
            '    metadata[b]: nothing -> ""',
        ],
        ["PATCH /pools/p@"],
    ),
    "what a pool is not like any more": (
        pools(
            startTask={"commandLine": "one"},
            displayName="mine",
            resourceTags={"a": "b"},
            metadata=[{"name": "a", "value": "1"}],
            targetNodeCommunicationMode="classic",
            networkConfiguration={"enableAcceleratedNetworking": True},
            userAccounts=[{"name": "ann"}],
        ),
        pools(),
        [
            "~ pool p@",
            "    displayName: mine -> nothing",
            '    networkConfiguration: {"enableAcceleratedNetworking": true} -> nothing',
            '    startTask: {"commandLine": "one", "maxTaskRetryCount": 0, "waitForSuccess": true} -> nothing',
            '    userAccounts[ann]: {"name": "ann", "elevationLevel": "nonadmin"} -> nothing',
            "    metadata[a]: 1 -> nothing",
            '    resourceTags: {"a": "b"} -> nothing',
            "    targetNodeCommunicationMode: classic -> default",
        ],
        ["POST /pools/p@/updateproperties", "PATCH /pools/p@"],
    ),
    "what a job is like": (
        jobs(priority=1, metadata=[{"name": "a", "value": "1"}]),
        jobs(constraints={"maxTaskRetryCount": 2}, maxParallelTasks=4),
        [
            "~ job j@",
            "    priority: 1 -> 0",
            "    maxParallelTasks: -1 -> 4",
            "    constraints.maxTaskRetryCount: 0 -> 2",
            "    metadata[a]: 1 -> nothing",
            "1 unchanged",
        ],
        ["PATCH /jobs/j@"],
    ),
    "new tasks, and an end when they are there": (
        jobs(tasks=TASKS),
        jobs(tasks=[*TASKS, {"id": "c", "commandLine": "true"}], onAllTasksComplete="terminatejob", priority=3),
        [
            "~ job j@",
            "    priority: 0 -> 3",
            "    onAllTasksComplete: noaction -> terminatejob",
            "    + 1 task: c",
            "1 unchanged, and 2 tasks",
        ],
        ["PATCH /jobs/j@", "POST /jobs/j@/addtaskcollection", "PATCH /jobs/j@"],
    ),
    "tasks in parts of 100": (
        {},
        jobs(tasks=[{"id": str(number), "commandLine": "true"} for number in range(250)]),
        ["+ pool p@", "+ job j@, 250 tasks"],
        ["POST /pools", "POST /jobs?declared=true", *["POST /jobs/j@/addtaskcollection"] * 3],
    ),
    "a job goes to a pool that is not in the file": (
        pools(taskSlotsPerNode=4),
        {"jobs": [{**JOB, "tasks": [{"id": "a", "commandLine": "true", "requiredSlots": 4}]}]},
        ["+ job j@, 1 task"],
        ["POST /jobs?declared=true", "POST /jobs/j@/addtaskcollection"],
    ),
    "what a schedule is like": (
        schedules(),
        schedules(schedule={**TIMES, "recurrenceInterval": "P1D"}, metadata=[{"name": "overlap", "value": "skip"}]),
        [
            "~ job schedule s@",
            "    schedule.recurrenceInterval: nothing -> P1D",
            "    metadata[overlap]: nothing -> skip",
            "1 unchanged",
        ],
        ["PATCH /jobschedules/s@"],
    ),
    "what the jobs of a schedule are like": (
        schedules(),
        schedules(jobSpecification={**INFO, "jobManagerTask": {**MANAGER, "commandLine": "false"}, "priority": 4}),
        [
            "~ job schedule s@",
            "    jobSpecification.priority: 0 -> 4",
            "    jobSpecification.jobManagerTask.commandLine: true -> false",
            "1 unchanged",
        ],
        ["PATCH /jobschedules/s@"],
    ),
    "nothing of it means anything to a terminal": (
        pools(),
        pools(displayName="a\x1b[2Jb"),
        ["~ pool p@", '    displayName: nothing -> "a\\u001b[2Jb"'],
        ["PATCH /pools/p@"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_differs_is_told_and_asked_for(here: Place, name: str) -> None:
    before, file, told, asked = CASES[name]
    if before:
        here.bring(before)
    found = here.bring(file)
    assert found.plan.refused == []
    assert (found.told, found.asked) == (told, asked)
    again = here.bring(file)
    assert (again.plan.changes, again.asked) == ([], [])
