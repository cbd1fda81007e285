"""Every object has the property names of the Batch REST API, and no others."""

import pytest

from pools import NodeState
from service.rest_views import (
    Links,
    NodeWork,
    job_view,
    node_counts_view,
    node_view,
    pool_view,
    preparation_view,
    schedule_view,
    subtask_views,
    task_view,
)

from . import full, names

LINKS = Links("https://batch.example")
JOB = full.job()
WAS = {"previous_state": "active", "previous_state_time": full.T0}
ENDED = {**WAS, "state": "completed", "end_time": full.T0, "terminate_reason": "UserTerminate"}
NODE = node_view(full.node(history=full.history()), full.pool(), LINKS, NodeWork(1, 2))
UNUSABLE = node_view(full.node(state=NodeState.UNUSABLE, reason="it failed"), full.pool(), LINKS)
FAILED = task_view(full.failed_task(), JOB, LINKS)
PREPARATION = preparation_view(full.job_node(), JOB, LINKS)
COMPLETED = job_view(full.job(**ENDED, scheduling_error=full.FAILURE), LINKS)
SCHEDULE = schedule_view(full.schedule(**WAS), LINKS)
SUBTASK = subtask_views(full.failed_task(instances=full.instances()), JOB, LINKS)[0]

OBJECTS = {
    "pool": (pool_view(full.busy_pool(), [], LINKS), names.POOL, ()),
    "node": (NODE | UNUSABLE, names.NODE, ()),
    "start task": (NODE["startTask"], names.START_TASK, ()),
    "start task's execution": (NODE["startTaskInfo"], names.START_TASK_INFO, ()),
    "recent task": (NODE["recentTasks"][0], names.RECENT_TASK, ()),
    "node counts": (node_counts_view("p", [])["dedicated"], names.NODE_COUNTS, ()),
    "job": (COMPLETED, names.JOB, ()),
    "job's execution": (COMPLETED["executionInfo"], names.JOB_EXECUTION, ()),
    "task": (FAILED, names.TASK, ()),
    "task's execution": (FAILED["executionInfo"], names.TASK_EXECUTION, ()),
    "failure": (FAILED["executionInfo"]["failureInfo"], names.FAILURE, ()),
    "task's node": (FAILED["nodeInfo"], names.NODE_INFO, ()),
    "subtask": (SUBTASK, names.SUBTASK, ()),
    "subtask's node": (SUBTASK["nodeInfo"], names.NODE_INFO, ()),
    "preparation": (PREPARATION, names.PREPARATION_STATUS, ()),
    "preparation's execution": (PREPARATION["jobPreparationTaskExecutionInfo"], names.PREPARATION_INFO, ()),
    "release's execution": (
        PREPARATION["jobReleaseTaskExecutionInfo"],
        names.RELEASE_INFO,
        ("endTime", "exitCode", "failureInfo", "result"),
    ),
    "schedule": (SCHEDULE, names.SCHEDULE, ()),
    "schedule's job": (SCHEDULE["jobSpecification"], names.JOB_SPECIFICATION, ()),
    "auto pool": (
        SCHEDULE["jobSpecification"]["poolInfo"]["autoPoolSpecification"]["pool"],
        names.POOL_SPECIFICATION,
        ("targetDedicatedNodes", "targetLowPriorityNodes"),  # it has a formula
    ),
}


@pytest.mark.parametrize("name", OBJECTS)
def test_names(name):
    view, known, absent = OBJECTS[name]
    assert set(view) == set(known) - set(absent)


def test_urls_are_absolute_with_every_part_quoted():
    found = task_view(full.failed_task(job_id="a:job-1"), JOB, LINKS)
    assert found["url"] == "https://batch.example/jobs/a%3Ajob-1/tasks/t"
    assert found["nodeInfo"]["nodeUrl"] == "https://batch.example/pools/p/nodes/node_1_p"
    directory = "workitems%2Fj%2Fjob-1%2Ft"
    assert found["nodeInfo"]["taskRootDirectoryUrl"] == f"https://batch.example/pools/p/nodes/node_1_p/files/{directory}"
    assert SCHEDULE["executionInfo"]["recentJob"]["url"] == "https://batch.example/jobs/nightly%3Ajob-1"


@pytest.mark.parametrize(
    "view",
    [
        lambda links: pool_view(full.busy_pool(), [], links),
        lambda links: node_view(full.node(), full.pool(), links),
        lambda links: job_view(JOB, links),
        lambda links: task_view(full.failed_task(), JOB, links),
        lambda links: schedule_view(full.schedule(), links),
        lambda links: preparation_view(full.job_node(), JOB, links),
    ],
)
def test_without_a_base_nothing_has_a_url(view):
    text = str(view(Links()))
    assert "Url" not in text.replace("httpUrl", "").replace("containerUrl", "").replace("storageContainerUrl", "")
    assert "'url'" not in text
