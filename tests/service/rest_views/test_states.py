"""States, their times, and what executions came to."""

from typing import Any

import pytest
from msgspec.structs import replace

from pools import NodeState
from runner import ApplicationPackage, JobState, TaskState
from service.rest_views import (
    Links,
    NodeWork,
    application_view,
    job_view,
    node_counts_view,
    node_view,
    pool_view,
    preparation_view,
    subtask_views,
    task_counts_view,
    task_view,
)

from . import full

NOWHERE = Links()
JOB = full.job()
TIME = "2026-01-01T00:00:{:06.3f}Z".format


def test_a_record_that_has_not_changed_has_no_former_state():
    found = job_view(full.job(), NOWHERE)
    assert (found["state"], found["stateTransitionTime"]) == ("active", TIME(30))
    assert (found["creationTime"], found["lastModified"]) == (TIME(0), "2026-01-01T00:01:00.500Z")
    assert "previousState" not in found
    was = job_view(full.job(state=JobState.DISABLING, previous_state="active", previous_state_time=full.T0), NOWHERE)
    assert (was["state"], was["previousState"], was["previousStateTransitionTime"]) == ("disabling", "active", TIME(0))


def test_every_version_has_an_etag_of_its_own():
    tags = {
        job_view(each, NOWHERE)["eTag"]
        for each in (full.job(), full.job(version=2), full.job(created=full.T0 + 1), full.job(created=full.T0 + 1e-4))
    }
    assert len(tags) == 4


def test_a_jobs_execution():
    info = job_view(full.job(), NOWHERE)["executionInfo"]
    assert info == {"startTime": TIME(0), "poolId": "p"}
    over = {"state": JobState.COMPLETED, "end_time": full.T0 + 5, "terminate_reason": "AllTasksComplete"}
    info = job_view(full.job(**over, auto_pool_id="auto_1", scheduling_error=full.FAILURE), NOWHERE)["executionInfo"]
    assert info == {
        "startTime": TIME(0),
        "endTime": TIME(5),
        "poolId": "auto_1",
        "terminateReason": "AllTasksComplete",
        "schedulingError": {
            "category": "usererror",
            "code": "FailureExitCode",
            "message": "it failed",
            "details": [{"name": "Message", "value": "more"}],
        },
    }


PLACED: dict[str, Any] = {"start_time": full.T0 + 20, "node_id": "node_1_p"}
TASKS = {
    "one that waits": (full.task(), {"retryCount": 0, "requeueCount": 0}, None),
    "sent ahead": (full.task(node_id="node_1_p"), {"retryCount": 0, "requeueCount": 0}, None),
    # its last attempt is over: how that ended is told when the task has
    "one that is tried again": (
        full.failed_task(state=TaskState.ACTIVE, result=None),
        {"retryCount": 2, "requeueCount": 1, "lastRetryTime": TIME(15), "lastRequeueTime": TIME(10)},
        None,
    ),
    "preparing": (
        full.task(state=TaskState.PREPARING, **PLACED), {"retryCount": 0, "requeueCount": 0}, "node_1_p",
    ),
    "running": (
        full.task(state=TaskState.RUNNING, **PLACED),
        {"startTime": TIME(20), "retryCount": 0, "requeueCount": 0},
        "node_1_p",
    ),
    "completed": (
        full.task(state=TaskState.COMPLETED, exit_code=0, result="success", end_time=full.T0, last_node_id="n"),
        {"endTime": TIME(0), "exitCode": 0, "result": "success", "retryCount": 0, "requeueCount": 0},
        "n",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TASKS)
def test_a_tasks_execution(name):
    task, execution, node_id = TASKS[name]
    found = task_view(task, JOB, NOWHERE)
    assert found["executionInfo"] == execution
    if node_id is None:
        assert "nodeInfo" not in found
    else:
        place = {"affinityId": node_id, "nodeId": node_id, "poolId": "p", "taskRootDirectory": "workitems/j/job-1/t"}
        assert found["nodeInfo"] == place


def test_a_failed_task():
    info = task_view(full.failed_task(), JOB, NOWHERE)["executionInfo"]
    assert (info["result"], info["exitCode"], info["failureInfo"]["code"]) == ("failure", 4, "FailureExitCode")
    assert info["containerInfo"] == {"containerId": "c0ffee"}


def test_subtasks_are_all_instances_but_the_primary():
    found = subtask_views(full.failed_task(instances=full.instances()), JOB, NOWHERE)
    assert [(each["id"], each["state"], each["exitCode"]) for each in found] == [(1, "completed", 4)]
    assert found[0]["nodeInfo"]["nodeId"] == "node_2_p"
    assert found[0]["failureInfo"]["code"] == "FailureExitCode"
    assert subtask_views(full.failed_task(), JOB, NOWHERE) == []


def test_what_a_preparation_did():
    found = preparation_view(full.job_node(), JOB, NOWHERE)
    ran = found["jobPreparationTaskExecutionInfo"]
    assert (ran["state"], ran["exitCode"], ran["result"], ran["retryCount"]) == ("completed", 3, "failure", 1)
    assert ran["taskRootDirectory"] == "workitems/j/job-1/before"
    after = {"state": "running", "startTime": TIME(2), "taskRootDirectory": "workitems/j/job-1/after"}
    assert found["jobReleaseTaskExecutionInfo"] == after


def test_task_counts():
    found = task_counts_view({"active": 3, "preparing": 1, "running": 2, "succeeded": 4, "failed": 5}, {"running": 9})
    assert found["taskCounts"] == {"active": 3, "running": 3, "completed": 9, "succeeded": 4, "failed": 5}
    assert found["taskSlotCounts"] == {"active": 0, "running": 9, "completed": 0, "succeeded": 0, "failed": 0}


@pytest.mark.parametrize("state", [state for state in NodeState if state is not NodeState.GONE])
def test_every_state_of_a_node_is_counted(state):
    counts = node_counts_view("p", [full.node(state=state, low_priority=True)])["lowPriority"]
    assert counts["total"] == 1
    assert {name.lower() for name, count in counts.items() if count} == {str(state), "total"}


def test_a_node():
    found = node_view(full.node(), full.pool(), NOWHERE, NodeWork(running=1, running_slots=4))
    assert (found["state"], found["schedulingState"], found["ipAddress"]) == ("idle", "enabled", "10.0.0.4")
    assert (found["runningTasksCount"], found["runningTaskSlotsCount"]) == (1, 4)
    assert (found["allocationTime"], found["lastBootTime"], found["isDedicated"]) == (TIME(0), TIME(5), True)
    assert found["virtualMachineInfo"] == {"imageReference": full.POOL["virtualMachineConfiguration"]["imageReference"]}
    assert found["startTaskInfo"]["failureInfo"]["code"] == "FailureExitCode"
    assert (found["totalTasksRun"], found["totalTasksSucceeded"]) == (0, 0)
    assert not {"recentTasks", "errors"} & set(found)


def test_what_a_node_has_run():
    found = node_view(full.node(history=full.history()), full.pool(), NOWHERE)
    assert (found["totalTasksRun"], found["totalTasksSucceeded"]) == (1, 0)
    (recent,) = found["recentTasks"]
    assert (recent["jobId"], recent["taskId"], recent["subtaskId"], recent["taskState"]) == ("j", "t", 1, "completed")
    ran = recent["executionInfo"]
    assert (ran["startTime"], ran["endTime"], ran["exitCode"], ran["result"]) == (TIME(0), TIME(1), 4, "failure")


def test_a_node_that_failed_says_why():
    found = node_view(full.node(state=NodeState.UNUSABLE, reason="no room", vm=None), full.pool(), NOWHERE)
    assert found["errors"] == [{"code": "NodeUnusable", "message": "no room"}]
    assert "ipAddress" not in found


def test_a_pool_on_its_way():
    found = pool_view(full.busy_pool(), [], NOWHERE)
    assert (found["allocationState"], found["allocationStateTransitionTime"]) == ("resizing", TIME(40))
    message = [{"name": "Message", "value": "more"}]
    assert found["resizeErrors"] == [{"code": "AllocationFailed", "message": "no room", "values": message}]
    run = found["autoScaleRun"]
    assert (run["timestamp"], run["results"]) == (TIME(50), "$TargetDedicatedNodes=3")
    assert run["error"]["values"] == [{"name": "a", "value": "b"}]


def test_an_application_has_all_versions_of_its_package():
    versions = [
        ApplicationPackage(application_id="app", version=version, sha256="0", size=1, created=created)
        for version, created in (("2.0", full.T0 + 1), ("10", full.T0))
    ]
    view = application_view(versions)
    assert {name: view[name] for name in ("id", "displayName", "versions")} == {
        "id": "app", "displayName": "app", "versions": ["10", "2.0"],
    }  # fmt: skip
    assert view["defaultVersion"] == "2.0" and [each["version"] for each in view["packages"]] == view["versions"]
    older = [versions[0], replace(versions[1], default=True)]
    assert application_view(older)["defaultVersion"] == "10"
