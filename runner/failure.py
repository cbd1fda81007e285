"""Whether an execution failed, why (in the Batch REST API's words), and whether to try again. Pure."""

from __future__ import annotations

from msgspec.structs import replace

from pools import FailureInfo, NameValue

from .events import Outcome
from .model import Job
from .task_model import Ending, Task

#: A task that was requeued so often fails when a node that lives loses it once more.
LOST_LIMIT = 10

ENDED_ON_REQUEST = FailureInfo("usererror", "TaskEnded", "the task was ended on request")
#: What is said of an execution that ended on a full disk.
DISK_FULL = "the disk of its node was full, so what it printed and wrote may be incomplete"
#: Why the tasks of a job end with it, by its terminate reason.
_OF_JOBS = {
    "AllTasksComplete": "all tasks of its job were completed",
    "BudgetReached": "its job's budget is used up",
    "JMComplete": "its job ended with the job manager task",
    "JobScheduleTerminated": "its job schedule was terminated",
    "MaxWallClockTimeExpiry": "its job ran longer than the job's maxWallClockTime",
    "TaskFailed": "its job ended because a task had failed",
    "UserTerminate": "its job was terminated",
}

#: What is not the user's fault (Batch REST API: job and task scheduling error codes); all else is.
_SERVER_ERRORS = frozenset(
    (
        "BlobDownloadMiscError",
        "BlobDownloadTimedOut",
        "ContainerMiscError",
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
#: A command has ended with another exit code than 0.
_OF_COMMANDS = ("FailureExitCode", "CoordinationCommandFailed")
#: How the codes begin of what failed after the command had ended.
UPLOAD = "FileUpload"


def failure(code: str, message: str, **details: object) -> FailureInfo:
    """`details` as the field spells names and values: `exitCode=3`."""
    category = "servererror" if code in _SERVER_ERRORS else "usererror"
    values = tuple(NameValue(name, str(value)) for name, value in details.items() if value is not None)
    return FailureInfo(category, code, message, values)


def ended_on_request(why: str) -> FailureInfo:
    """`why`: "" if somebody has asked for it."""
    return FailureInfo("usererror", "TaskEnded", f"the task was ended: {why}") if why else ENDED_ON_REQUEST


def failure_of(report: Outcome, ending: Ending | None, why: str = "") -> FailureInfo | None:
    """None if it succeeded. `ending`: what the node had been asked for; `why`: see `ended_on_request`."""
    return on_disk(_failure_of(report, ending, why), report)


def on_disk(found: FailureInfo | None, report: Outcome) -> FailureInfo | None:
    """With what may be the reason, or a consequence: the disk was full."""
    if found is None or not report.disk_full or found.code == "DiskFull":
        return found
    return replace(found, message=f"{found.message}; {DISK_FULL}")


def _failure_of(report: Outcome, ending: Ending | None, why: str) -> FailureInfo | None:
    code, message = report.error or ("", "")
    if code and not code.startswith(UPLOAD):
        return failure(code, message, exitCode=report.exit_code)
    found = _of_command(report, ending, why)
    if not code:
        return found
    if found is None:
        return failure(code, message, exitCode=report.exit_code)
    # what had its end counts as that; of others, `exitConditions.fileUploadError` says what follows
    both = f"{found.message}; not all of its output files were uploaded: {message}"
    return failure(found.code if found.code == "TaskEnded" else code, both, exitCode=report.exit_code)


def _of_command(report: Outcome, ending: Ending | None, why: str) -> FailureInfo | None:
    if report.timed_out:  # before anything was asked for
        return failure("TaskEnded", "the task ran longer than its maxWallClockTime", exitCode=report.exit_code)
    if report.killed and ending is Ending.TERMINATE:
        return ended_on_request(why)
    if report.exit_code != 0:
        text = f"the task exited with code {report.exit_code}"
        return failure("FailureExitCode", text, exitCode=report.exit_code)
    return None


def why_over(job: Job) -> str:
    """Why what runs of a job ends that ends itself."""
    reason = job.terminate_reason
    if reason is None:
        return "its job is being deleted"
    return _OF_JOBS.get(reason) or f"its job was terminated ({reason})"


def ended_with(task: Task, job: Job) -> FailureInfo:
    """Of a task whose end was asked for, or whose job is over."""
    return ended_on_request(task.ending_reason if task.ending is Ending.TERMINATE else why_over(job))


def is_lost_too_often(task: Task) -> bool:
    """Is it tried no more if its present attempt is lost as well? Attempts that made room, or whose node was taken
    back, were no losses."""
    return task.losses >= LOST_LIMIT and task.ending is not Ending.DELETE


def lost_too_often(count: int, reason: str) -> FailureInfo:
    text = f"lost {count + 1} times by its nodes, the last time: {reason}"
    return failure("ExecutionLost", text, losses=count + 1, reason=reason)


def is_retried(failure: FailureInfo, exit_code: int | None) -> bool:
    """Does maxTaskRetryCount count for it? The service: it "controls the number of retries for the task executable
    due to a nonzero exit code", and a task that exceeds its time is completed. So not for what fails before the command
    (the same request would fail again; what may pass is tried again where it is fetched), and not for what fails after
    one that has done its work. `exit_code`: of the command."""
    return failure.code in _OF_COMMANDS or (failure.code.startswith(UPLOAD) and bool(exit_code))


def retries_left(task: Task, job: Job, failure: FailureInfo, exit_code: int | None) -> bool:
    """May the task run once more after it failed so? (-1 means without limit.)"""
    if not job.lives or not is_retried(failure, exit_code):
        return False
    limit = task.spec.constraints.max_task_retry_count
    if limit is None:
        limit = job.spec.constraints.max_task_retry_count
    return limit < 0 or task.retry_count < limit
