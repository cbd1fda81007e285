"""What executions are called, by what they are of. A task's are called `<uid>-<attempt>`."""

from __future__ import annotations

from .model import JobNode
from .states import JobNodeState

_START_TASK = "start:"


def start_task_id(node_id: str, attempt: int) -> str:
    """The execution id of a start task's attempt."""
    return f"{_START_TASK}{node_id}:{attempt}"


def start_task_of(execution_id: str) -> int | None:
    """The attempt if the execution is one of a start task, else None."""
    if not execution_id.startswith(_START_TASK):
        return None
    attempt = execution_id.rpartition(":")[2]
    return int(attempt) if attempt.isdecimal() else None


def job_node_of(execution_id: str) -> str | None:
    """The uid of the JobNode if the execution is one of a preparation or release task, else None."""
    uid, dash, attempt = execution_id.rpartition("-")
    return uid if dash and attempt[:1] in ("p", "r") else None


def present_id(record: JobNode) -> str | None:
    """The preparation or release task that is under way there; None: neither."""
    if record.state is JobNodeState.PREPARING and record.preparation is not None:
        return f"{record.uid}-p{record.preparation.attempt}"
    if record.state is JobNodeState.RELEASING and record.release is not None:
        return f"{record.uid}-r{record.release.attempt}"
    return None
