"""What the preparation and release task of a job must be like to be let in. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from pools import invalid_environment, invalid_id

from .containers import invalid_container
from .job_errors import JobError, require
from .spec import JobSpecification
from .task_checks import check_constraints, invalid_command_line, invalid_files, invalid_limit
from .task_spec import RELEASE_LIMIT, TaskSpec
from .user_checks import invalid_identity


def check_preparation_and_release(where: str, spec: JobSpecification) -> None:
    """Raises JobError."""
    preparation, release = spec.job_preparation_task, spec.job_release_task
    for name, task in (("jobPreparationTask", preparation), ("jobReleaseTask", release)):
        if task is not None:
            require(where, f"{name}.id", invalid_id(task.id))
            require(where, f"{name}.commandLine", invalid_command_line(task.command_line))
            require(where, f"{name}.environmentSettings", invalid_environment(task.environment_settings))
            require(where, f"{name}.resourceFiles", invalid_files(task.resource_files))
            require(where, f"{name}.userIdentity", invalid_identity(task.user_identity))
            require(where, f"{name}.containerSettings", invalid_container(task.container_settings, task.user_identity))
    if preparation is not None:
        check_constraints(f"{where}: jobPreparationTask", preparation.constraints)
    if release is None:
        return
    if preparation is None:
        fault = "needs a jobPreparationTask: it runs where that one ran (one that does nothing will do)"
        require(where, "jobReleaseTask", fault)
    elif preparation.id.lower() == release.id.lower():
        text = f"{where}: jobReleaseTask.id: {release.id!r} is the id of its preparation task"
        raise JobError("JobReleaseTaskIdSameAsJobPreparationTask", text)
    limit = release.max_wall_clock_time
    require(where, "jobReleaseTask.maxWallClockTime", invalid_limit(limit))
    if limit is not None and limit > RELEASE_LIMIT:
        fault = f"{limit.total_seconds():g} s: at most {RELEASE_LIMIT.total_seconds():g} s"
        require(where, "jobReleaseTask.maxWallClockTime", fault)
    require(where, "jobReleaseTask.retentionTime", invalid_limit(release.retention_time))


def check_own_ids(spec: JobSpecification, tasks: Iterable[TaskSpec]) -> None:
    """The tasks of a job have folders beside those of its preparation and release task. Raises JobError."""
    taken = (
        ("TaskIdSameAsJobPreparationTask", "preparation", spec.job_preparation_task),
        ("TaskIdSameAsJobReleaseTask", "release", spec.job_release_task),
    )
    for code, kind, other in taken:
        if other is not None:
            for task in tasks:
                if task.id.lower() == other.id.lower():
                    raise JobError(code, f"task {task.id!r}: id: that is the id of its job's {kind} task")
