"""What a node has run: counted, and the last ones by name. Pure."""

from __future__ import annotations

import msgspec

from .failure_info import FailureInfo

#: so many of the last tasks a node names (Batch REST: recentTasks)
RECENT = 10


class RecentTask(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An execution of a task, or of one of its subtasks, that has ended on a node."""

    job_id: str
    task_id: str
    #: of the task, after that
    state: str
    start_time: float | None = None
    end_time: float
    exit_code: int | None = None
    failure: FailureInfo | None = None
    retry_count: int = 0
    requeue_count: int = 0
    #: None: it is no subtask
    subtask: int | None = None


class NodeHistory(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    run: int = 0
    succeeded: int = 0
    #: the newest first
    recent: tuple[RecentTask, ...] = ()

    def and_then(self, task: RecentTask) -> NodeHistory:
        succeeded = self.succeeded + (task.failure is None)
        return NodeHistory(run=self.run + 1, succeeded=succeeded, recent=(task, *self.recent[: RECENT - 1]))
