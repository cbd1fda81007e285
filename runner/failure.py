"""Whether an execution failed, why (in the Batch REST API's words), and whether to try again. Pure."""

from __future__ import annotations

from pools import FailureInfo, NameValue

from .events import Outcome
from .model import Job
from .task_model import Ending, Task

#: A task that was requeued so often fails when a node that lives loses it once more.
LOST_LIMIT = 10

ENDED_ON_REQUEST = FailureInfo("usererror", "TaskEnded", "the task was ended on request")

#: What is not the user's fault (Batch REST API: job and task scheduling error codes); all else is.
_SERVER_ERRORS = frozenset(
    (
        "BlobDownloadMiscError",
        "BlobDownloadTimedOut",
        "DiskFull",
        "ExecutionLost",
        "FileUploadMiscError",
        "FileUploadTimedOut",
        "JobPreparationTaskLost",
        "ResourceContainerListMiscError",
        "ResourceContainerListTimedOut",
        "ResourceDirectoryCreateFailed",
        "ResourceFileCreateFailed",
        "ResourceFileWriteFailed",
        "StartTaskLost",
        "Unknown",
    )
)


def failure(code: str, message: str, **details: object) -> FailureInfo:
    """`details` as the field spells names and values: `exitCode=3`."""
    category = "servererror" if code in _SERVER_ERRORS else "usererror"
    values = tuple(NameValue(name, str(value)) for name, value in details.items() if value is not None)
    return FailureInfo(category, code, message, values)


def failure_of(report: Outcome, ending: Ending | None) -> FailureInfo | None:
    """None if it succeeded. `ending`: what the node had been asked for."""
    if report.error is not None:
        return failure(*report.error, exitCode=report.exit_code)
    if report.killed and ending is Ending.TERMINATE:
        return ENDED_ON_REQUEST
    if report.timed_out:
        return failure("TaskEnded", "the task ran longer than its maxWallClockTime", exitCode=report.exit_code)
    if report.exit_code != 0:
        text = f"the task exited with code {report.exit_code}"
        return failure("FailureExitCode", text, exitCode=report.exit_code)
    return None


def lost_too_often(count: int, reason: str) -> FailureInfo:
    text = f"lost {count + 1} times by its nodes, the last time: {reason}"
    return failure("ExecutionLost", text, losses=count + 1, reason=reason)


def retries_left(task: Task, job: Job, exit_code: int | None) -> bool:
    """May the task run once more after it failed? (-1 means without limit.) `exit_code`: of the last execution; after 0
    the command has done its work, and what failed came later."""
    if exit_code == 0 or not job.lives:
        return False
    limit = task.spec.constraints.max_task_retry_count
    if limit is None:
        limit = job.spec.constraints.max_task_retry_count
    return limit < 0 or task.retry_count < limit
