"""Nodes, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pools import Node, NodeState, Pool, StartTaskInfo
from runner import Task

from .errors import failure_view
from .links import Links
from .specifications import instant, known, specification_view
from .tasks import execution_view

#: States that node counts name, as they spell them there.
_COUNTED = (
    "creating",
    "idle",
    "offline",
    "preempted",
    "rebooting",
    "reimaging",
    "running",
    "starting",
    "startTaskFailed",
    "leavingPool",
    "unknown",
    "unusable",
    "waitingForStartTask",
    "upgradingOS",
)


@dataclass(frozen=True)
class NodeWork:
    """What a node does, and has done; None: not known."""

    running: int | None = None
    running_slots: int | None = None
    total: int | None = None
    succeeded: int | None = None
    #: the last ones, newest first
    recent: tuple[Task, ...] = ()


def node_view(node: Node, pool: Pool, links: Links, work: NodeWork | None = None) -> dict[str, Any]:
    """`pool`: the node's."""
    work = work or NodeWork()
    image = (pool.spec.virtual_machine_configuration or {}).get("imageReference")
    start = pool.spec.start_task
    found = {
        "id": node.id,
        "url": links.node(node.pool_id, node.id),
        "state": str(node.state),
        "schedulingState": "enabled" if node.scheduling_enabled else "disabled",
        "stateTransitionTime": instant(node.state_time),
        "lastBootTime": instant(node.boot_time),
        "allocationTime": instant(node.created),
        "ipAddress": (node.vm.address or None) if node.vm is not None else None,
        "affinityId": node.id,
        "vmSize": node.size or pool.spec.vm_size,
        "totalTasksRun": work.total,
        "runningTasksCount": work.running,
        "runningTaskSlotsCount": work.running_slots,
        "totalTasksSucceeded": work.succeeded,
        "recentTasks": [_recent(task, links) for task in work.recent] or None,
        "startTask": specification_view(start) if start is not None else None,
        "startTaskInfo": _start_task(node.start_task),
        "errors": _errors(node),
        "isDedicated": not node.low_priority,
        "virtualMachineInfo": {"imageReference": image} if image else None,
    }
    return known(found)


def _start_task(info: StartTaskInfo | None) -> dict[str, Any] | None:
    if info is None:
        return None
    return known(
        {
            "state": info.state,
            "startTime": instant(info.start_time),
            "endTime": instant(info.end_time),
            "exitCode": info.exit_code,
            "failureInfo": failure_view(info.failure),
            "retryCount": info.retry_count,
            "result": None if info.result is None else str(info.result),
        }
    )


def _errors(node: Node) -> list[dict[str, Any]] | None:
    if node.state is not NodeState.UNUSABLE or not node.reason:
        return None
    return [{"code": "NodeUnusable", "message": node.reason}]


def _recent(task: Task, links: Links) -> dict[str, Any]:
    return known(
        {
            "taskUrl": links.task(task.job_id, task.id),
            "jobId": task.job_id,
            "taskId": task.id,
            "taskState": str(task.state),
            "executionInfo": execution_view(task),
        }
    )


def node_counts_view(pool_id: str, nodes: Iterable[Node]) -> dict[str, Any]:
    """How many of the pool's nodes are in each state."""
    counts: Mapping[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for node in nodes:
        counts[node.low_priority][str(node.state)] += 1
    return {"poolId": pool_id, "dedicated": _counts(counts[False]), "lowPriority": _counts(counts[True])}


def _counts(states: Mapping[str, int]) -> dict[str, int]:
    return {name: states.get(name.lower(), 0) for name in _COUNTED} | {"total": sum(states.values())}
