"""What the record of a task says when the task is done. Pure."""

from __future__ import annotations

from typing import Any

from pools import ExecutionResult, FailureInfo

from .events import Outcome
from .failure import DISK_FULL
from .states import TaskEvent
from .task_model import Task


def completion(
    task: Task, pool_id: str, failure: FailureInfo | None, satisfies: bool, report: Outcome | None, now: float
) -> dict[str, Any]:
    """What changes in the record. `satisfies`: may tasks start that depend on it? `report`: of the execution that was
    its last; None if nobody has heard of its end."""
    changes: dict[str, Any] = {
        "state": task.after(TaskEvent.ENDED),
        "node_id": None,
        "ended": False,
        "ending_reason": "",
        "verdict": None,
        "waiting": False,
        "scheduling_error": None,
        "failure": failure,
        "warning": DISK_FULL if failure is None and report is not None and report.disk_full else "",
        "satisfies": satisfies,
        "result": ExecutionResult.SUCCESS if failure is None else ExecutionResult.FAILURE,
        "end_time": report.end_time if report is not None else now,
        "exit_code": report.exit_code if report is not None else None,
        "container_id": report.container_id if report is not None else None,
    }
    if report is not None and report.start_time is not None:
        changes["start_time"] = report.start_time
    if task.node_id is not None:
        changes |= {"last_node_id": task.node_id, "last_pool_id": pool_id}
    return changes


def reactivation() -> dict[str, Any]:
    """What changes in the record when the task is to run again: nothing of how it ended is left, and it may be retried
    as often as at first (Batch REST API: reactivate a task)."""
    return {
        "start_time": None,
        "end_time": None,
        "exit_code": None,
        "container_id": None,
        "failure": None,
        "warning": "",
        "result": None,
        "satisfies": False,
        "ending": None,
        "instances": (),
        "retry_count": 0,
        "last_retry_time": None,
        "losses": 0,
    }
