"""Whether an execution failed, why (in the Batch REST API's words), and whether to try again. Pure."""

from __future__ import annotations

from pools import FailureInfo

from .events import Outcome
from .model import Ending, Job, Task
from .states import JobState

#: A task that was requeued so often fails when a node that lives loses it once more.
LOST_LIMIT = 10

ENDED_ON_REQUEST = FailureInfo("usererror", "TaskEnded", "the task was ended on request")


def failure_of(report: Outcome, ending: Ending | None) -> FailureInfo | None:
    """None if it succeeded. `ending`: what the node had been asked for."""
    if report.error is not None:
        return FailureInfo("usererror", report.error[0], report.error[1])
    if report.killed and ending is Ending.TERMINATE:
        return ENDED_ON_REQUEST
    if report.timed_out:
        return FailureInfo("usererror", "TaskEnded", "the task ran longer than its maxWallClockTime")
    if report.exit_code != 0:
        return FailureInfo("usererror", "FailureExitCode", f"the task exited with code {report.exit_code}")
    return None


def lost_too_often(count: int, reason: str) -> FailureInfo:
    return FailureInfo("servererror", "ExecutionLost", f"lost {count + 1} times by its nodes, the last time: {reason}")


def retries_left(task: Task, job: Job) -> bool:
    """May the task run once more after it failed? (-1 means without limit.)"""
    limit = task.spec.constraints.max_task_retry_count
    if limit is None:
        limit = job.spec.constraints.max_task_retry_count
    return job.state is JobState.ACTIVE and (limit < 0 or task.retry_count < limit)
