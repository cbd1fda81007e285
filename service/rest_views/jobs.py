"""Jobs, and what their preparation and release tasks did."""

from __future__ import annotations

from typing import Any

from runner import Job, JobNode, NodeExecution

from ..noted import noted
from .errors import failure_view
from .links import Links
from .records import head, state
from .specifications import instant, known, specification_view


def job_view(job: Job, links: Links) -> dict[str, Any]:
    execution = {
        "startTime": instant(job.start_time if job.start_time is not None else job.created),
        "endTime": instant(job.end_time),
        "poolId": job.pool_id or None,
        "schedulingError": failure_view(job.scheduling_error),
        "terminateReason": job.terminate_reason,
    }
    own = {**head(job, links.job(job.id)), **state(job), "executionInfo": known(execution)}
    own["warnings"] = list(noted(job.spec)) or None
    return known({"id": job.id, **specification_view(job.spec), **own})


def preparation_view(record: JobNode, job: Job, links: Links) -> dict[str, Any]:
    """What the job's preparation and release tasks did on one node (job preparation and release task status)."""
    spec = job.spec
    parts = (
        ("jobPreparationTaskExecutionInfo", record.preparation, spec.job_preparation_task, "jobpreparation"),
        ("jobReleaseTaskExecutionInfo", record.release, spec.job_release_task, "jobrelease"),
    )
    found: dict[str, Any] = {
        "poolId": record.pool_id,
        "nodeId": record.node_id,
        "nodeUrl": links.node(record.pool_id, record.node_id),
    }
    for name, execution, task, usual in parts:
        if execution is not None:
            directory = f"{job.directory}/{task.id if task is not None else usual}"
            found[name] = _execution(execution, directory, record, links)
    found.get("jobReleaseTaskExecutionInfo", {}).pop("retryCount", None)  # it runs once
    return known(found)


def _execution(execution: NodeExecution, directory: str, record: JobNode, links: Links) -> dict[str, Any]:
    # clients rely on it also while the node does not run it yet, or never did
    began = next(each for each in (execution.start_time, execution.end_time, record.state_time) if each is not None)
    return known(
        {
            "state": execution.state,
            "startTime": instant(began),
            "endTime": instant(execution.end_time),
            "taskRootDirectory": directory,
            "taskRootDirectoryUrl": links.node_file(record.pool_id, record.node_id, directory),
            "exitCode": execution.exit_code,
            "failureInfo": failure_view(execution.failure),
            "retryCount": execution.retry_count,
            "result": None if execution.result is None else str(execution.result),
        }
    )
