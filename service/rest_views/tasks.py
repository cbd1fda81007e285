"""Tasks, the subtasks of multi-instance tasks, and how many there are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runner import Instance, Job, Task, TaskState

from .errors import failure_view
from .links import Links
from .records import head, state
from .specifications import instant, known, specification_view

#: In these states a task has a node.
_PLACED = (TaskState.PREPARING, TaskState.RUNNING)


def task_view(task: Task, job: Job, links: Links) -> dict[str, Any]:
    """`job`: the task's."""
    found = specification_view(task.spec)
    if task.spec.constraints.max_task_retry_count is None:
        found["constraints"]["maxTaskRetryCount"] = job.spec.constraints.max_task_retry_count
    own = {
        **head(task, links.task(task.job_id, task.id)),
        **state(task),
        "executionInfo": execution_view(task),
        "nodeInfo": _node_info(task, job, links),
        # ours: what keeps it from starting; of jobs alone the service tells that
        "schedulingError": failure_view(task.scheduling_error),
    }
    return known({**found, **own})


def execution_view(task: Task) -> dict[str, Any]:
    """What came of it is told when it is completed: until then another attempt may follow."""
    over = task.state is TaskState.COMPLETED
    found: dict[str, Any] = {
        "startTime": instant(task.start_time) if over or task.state is TaskState.RUNNING else None,
        "retryCount": task.retry_count,
        "lastRetryTime": instant(task.last_retry_time),
        "requeueCount": task.requeue_count,
        "lastRequeueTime": instant(task.last_requeue_time),
        "containerInfo": _container(task) if over else None,
    }
    if over:
        found |= {
            "endTime": instant(task.end_time),
            "exitCode": task.exit_code,
            "failureInfo": failure_view(task.failure),
            "result": None if task.result is None else str(task.result),
        }
    return known(found)


def _container(task: Task) -> dict[str, Any] | None:
    return {"containerId": task.container_id} if task.container_id is not None else None


def _node_info(task: Task, job: Job, links: Links) -> dict[str, Any] | None:
    if task.state is TaskState.COMPLETED:
        return _place(task.last_node_id, task.last_pool_id or job.pool_id, task, job, links)
    return _place(task.node_id, job.pool_id, task, job, links) if task.state in _PLACED else None


def _place(node_id: str | None, pool_id: str, task: Task, job: Job, links: Links) -> dict[str, Any] | None:
    if node_id is None:
        return None
    directory = f"{job.directory}/{task.id}"
    return known(
        {
            "affinityId": node_id,
            "poolId": pool_id,
            "nodeId": node_id,
            "nodeUrl": links.node(pool_id, node_id),
            "taskRootDirectory": directory,
            "taskRootDirectoryUrl": links.node_file(pool_id, node_id, directory),
        }
    )


def subtask_views(task: Task, job: Job, links: Links) -> list[dict[str, Any]]:
    """Of a multi-instance task: what it does on its nodes, but for the primary. They are numbered from 1."""
    return [_subtask(number, each, task, job, links) for number, each in enumerate(task.instances) if number]


def _subtask(number: int, instance: Instance, task: Task, job: Job, links: Links) -> dict[str, Any]:
    pool_id = task.last_pool_id if task.state is TaskState.COMPLETED else None
    return known(
        {
            "id": number,
            "state": instance.state,
            "stateTransitionTime": instant(instance.state_time),
            "nodeInfo": _place(instance.node_id, pool_id or job.pool_id, task, job, links),
            "startTime": instant(instance.start_time),
            "endTime": instant(instance.end_time),
            "exitCode": instance.exit_code,
            "failureInfo": failure_view(instance.failure),
            "result": None if instance.result is None else str(instance.result),
        }
    )


def task_counts_view(counts: Mapping[str, int], slots: Mapping[str, int]) -> dict[str, Any]:
    """Of one job: tasks, and the slots that they take, by state (see TaskQueries.counts and slots)."""
    return {"taskCounts": _counts(counts), "taskSlotCounts": _counts(slots)}


def _counts(counts: Mapping[str, int]) -> dict[str, int]:
    succeeded, failed = counts.get("succeeded", 0), counts.get("failed", 0)
    return {
        "active": counts.get("active", 0),
        # those that are prepared for have a slot as well
        "running": counts.get("running", 0) + counts.get("preparing", 0),
        "completed": succeeded + failed,
        "succeeded": succeeded,
        "failed": failed,
    }
