"""Nodes, and how many there are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from pools import Node, NodeState, Pool, RecentTask, StartTaskInfo

from .errors import failure_view
from .links import Links
from .specifications import instant, known, specification_view

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
    """What a node does; None: not known."""

    running: int | None = None
    running_slots: int | None = None


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
        "vmSize": pool.spec.vm_size,
        "totalTasksRun": node.history.run,
        "runningTasksCount": work.running,
        "runningTaskSlotsCount": work.running_slots,
        "totalTasksSucceeded": node.history.succeeded,
        "recentTasks": [_recent(task, links) for task in node.history.recent] or None,
        "startTask": specification_view(start) if start is not None else None,
        "startTaskInfo": _start_task(node.start_task),
        "errors": _errors(node),
        "isDedicated": not node.low_priority,
        "endpointConfiguration": _endpoints(node),
        "nodeAgentInfo": _agent(node),
        "virtualMachineInfo": {"imageReference": image} if image else None,
        # ours: what it has of its pool's
        "applicationPackages": [
            {"applicationId": each.application_id, "version": each.version} for each in node.packages or ()
        ]
        or None,
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


def _endpoints(node: Node) -> dict[str, Any] | None:
    """Where `ssh` reaches it: at an address and port of its own, which nothing translates on the way."""
    if node.vm is None or not node.vm.address or not node.may_live:
        return None
    port = node.vm.port or 22
    endpoint = {"name": "SSHRule.0", "protocol": "tcp", "publicIPAddress": node.vm.address}
    return {"inboundEndpoints": [{**endpoint, "frontendPort": port, "backendPort": port}]}


def _agent(node: Node) -> dict[str, Any] | None:
    """Each connection brings the controller's own version, if the node does not have it."""
    if node.answered_time is None:
        return None
    return known({"version": _version(), "lastUpdateTime": instant(node.answered_time)})


@cache
def _version() -> str | None:
    try:
        return metadata.version("ebbtide")
    except metadata.PackageNotFoundError:  # it runs from its source folder
        return None


def _errors(node: Node) -> list[dict[str, Any]] | None:
    if node.state is not NodeState.UNUSABLE or not node.reason:
        return None
    return [{"code": "NodeUnusable", "message": node.reason}]


def _recent(task: RecentTask, links: Links) -> dict[str, Any]:
    execution = {
        "startTime": instant(task.start_time),
        "endTime": instant(task.end_time),
        "exitCode": task.exit_code,
        "failureInfo": failure_view(task.failure),
        "retryCount": task.retry_count,
        "requeueCount": task.requeue_count,
        "result": "success" if task.failure is None else "failure",
    }
    return known(
        {
            "taskUrl": links.task(task.job_id, task.task_id),
            "jobId": task.job_id,
            "taskId": task.task_id,
            "subtaskId": task.subtask,
            "taskState": task.state,
            "executionInfo": known(execution),
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
