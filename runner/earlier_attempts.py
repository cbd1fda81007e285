"""What is remembered of a task's attempts that were not its last ones. Pure."""

from __future__ import annotations

from pools import Attempt, Node, with_attempt

from .events import Outcome
from .kept_outputs import KeptOutputs
from .states import TaskState
from .task_model import Task


class EarlierAttempts:
    def __init__(self, outputs: KeptOutputs, most: int) -> None:
        """`most`: are remembered of each task, see PoolSettings.kept_attempts."""
        self._outputs = outputs
        self._most = most

    def with_present(self, task: Task, now: float, reason: str, report: Outcome | None) -> tuple[Attempt, ...]:
        """Those of the task when its present or last one is not the last any more, for this reason. What those printed
        goes that are forgotten for it."""
        start, end, code = task.start_time, now, None
        if report is not None:
            start, end, code = report.start_time, report.end_time, report.exit_code
        elif task.state is TaskState.COMPLETED:
            end, code = task.end_time or now, task.exit_code
        elif task.state is not TaskState.RUNNING:
            start = None  # what the record says is of the attempt before
        node_id = task.node_id or task.last_node_id
        one = Attempt(
            number=task.attempt, node_id=node_id, start_time=start, end_time=end, exit_code=code, reason=reason
        )
        earlier, forgotten = with_attempt(task.earlier, one, self._most)
        for instance in range(max(1, task.size) if forgotten else 0):
            self._outputs.forget(forgotten, "task", task.job_id, task.output_id(instance))
        return earlier


def why_gone(node_id: str, node: Node | None) -> str:
    """Why the node leaves, or is gone, in words."""
    return f"node {node_id}: {node.reason}" if node is not None and node.reason else f"node {node_id} is gone"
