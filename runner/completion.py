"""What the record of a task says when the task is done. Pure."""

from __future__ import annotations

from typing import Any

from pools import ExecutionResult, FailureInfo

from .events import Outcome
from .model import Task
from .states import TaskEvent, next_task_state


def completion(
    task: Task, pool_id: str, failure: FailureInfo | None, report: Outcome | None, now: float
) -> dict[str, Any]:
    """What changes in the record. `report`: of the execution that was its last; None if nobody has heard of its end."""
    changes: dict[str, Any] = {
        "state": next_task_state(task.id, task.state, TaskEvent.ENDED, task.story),
        "node_id": None,
        "ended": False,
        "failure": failure,
        "satisfies": failure is None,
        "result": ExecutionResult.SUCCESS if failure is None else ExecutionResult.FAILURE,
        "end_time": report.end_time if report is not None else now,
        "exit_code": report.exit_code if report is not None else None,
    }
    if report is not None and report.start_time is not None:
        changes["start_time"] = report.start_time
    if task.node_id is not None:
        changes |= {"last_node_id": task.node_id, "last_pool_id": pool_id}
    return changes
