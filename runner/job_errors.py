"""The refusal of a request about jobs, tasks, schedules and applications."""

from __future__ import annotations

from .states import JobState

_OVER = {
    JobState.TERMINATING: "JobBeingTerminated",
    JobState.COMPLETED: "JobCompleted",
    JobState.DELETING: "JobBeingDeleted",
}

class JobError(ValueError):
    """A request about a job, task, schedule or application that cannot be carried out.

    `code` as the Batch REST API spells it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def require(where: str, property_name: str, fault: str | None) -> None:
    """Raises JobError if there is a fault."""
    if fault is not None:
        raise JobError("InvalidPropertyValue", f"{where}: {property_name}: {fault}")


def over(job_id: str, state: JobState) -> JobError:
    """The refusal of what cannot be asked of a job that is over or ending."""
    return JobError(_OVER[state], f"job {job_id!r} is {state}")
