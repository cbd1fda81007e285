"""What a request about jobs, tasks, schedules and applications must be like to be let in. Pure.

Everything is checked before anything is changed. Ids become parts of paths on nodes and in the store.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import timedelta

from pools import (
    OptionError,
    PoolError,
    ResourceFile,
    StartTask,
    invalid_environment,
    invalid_id,
    invalid_retries,
    job_options,
)

from .command_line import CommandLineError, split
from .model import ApplicationPackage
from .spec import JobConstraints, JobScheduleSpec, JobSpecification
from .task_spec import TaskConstraints, TaskSpec

#: Bounds of a job's priority (Batch REST API).
PRIORITIES = range(-1000, 1001)

_VERSION = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}\Z")


class JobError(ValueError):
    """A request about a job, task, schedule or application that cannot be carried out.

    `code` as the Batch REST API spells it.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def _require(where: str, property_name: str, fault: str | None) -> None:
    if fault is not None:
        raise JobError("InvalidPropertyValue", f"{where}: {property_name}: {fault}")


def _invalid_command_line(command_line: str) -> str | None:
    try:
        split(command_line)
    except CommandLineError as exc:
        return str(exc)
    return None


def _invalid_files(files: Iterable[ResourceFile]) -> str | None:
    for file in files:
        path = file.file_path
        if path is not None and (not path or path.startswith("/") or "\0" in path or ".." in path.split("/")):
            return f"filePath {path!r} must be a relative path without '..'"
    return None


def _invalid_limit(limit: timedelta | None) -> str | None:
    return None if limit is None or limit.total_seconds() > 0 else "must be positive"


def _check_constraints(where: str, constraints: TaskConstraints | JobConstraints) -> None:
    retries = constraints.max_task_retry_count
    _require(where, "constraints.maxTaskRetryCount", None if retries is None else invalid_retries(retries))
    _require(where, "constraints.maxWallClockTime", _invalid_limit(constraints.max_wall_clock_time))


def check_start_task(task: StartTask) -> None:
    """The part of a pool's start task that pools cannot check. Raises PoolError."""
    for name, fault in (
        ("startTask.commandLine", _invalid_command_line(task.command_line)),
        ("startTask.resourceFiles", _invalid_files(task.resource_files)),
    ):
        if fault is not None:
            raise PoolError("InvalidPropertyValue", f"{name}: {fault}")


def check_task(task: TaskSpec, slots: int) -> None:
    """`slots`: task slots of the pool's nodes. Raises JobError."""
    _require("task", "id", invalid_id(task.id))
    where = f"task {task.id!r}"
    _require(where, "commandLine", _invalid_command_line(task.command_line))
    _require(where, "environmentSettings", invalid_environment(task.environment_settings))
    _require(where, "resourceFiles", _invalid_files(task.resource_files))
    _check_constraints(where, task.constraints)
    needed = task.required_slots
    fault = None if 1 <= needed <= slots else f"{needed}: 1 to {slots}, the taskSlotsPerNode of the pool"
    _require(where, "requiredSlots", fault)


def check_options(where: str, spec: JobSpecification) -> None:
    """The metadata items that mean something. Raises JobError."""
    try:
        job_options(spec.metadata)
    except OptionError as exc:
        raise JobError("InvalidPropertyValue", f"{where}: {exc}") from None


def check_specification(where: str, spec: JobSpecification, slots: int) -> None:
    """What a job and the job specification of a schedule have in common. Raises JobError."""
    check_options(where, spec)
    fault = None if spec.priority in PRIORITIES else f"{spec.priority}: -1000 to 1000"
    _require(where, "priority", fault)
    _require(where, "commonEnvironmentSettings", invalid_environment(spec.common_environment_settings))
    _check_constraints(where, spec.constraints)
    if spec.job_manager_task is not None:
        check_task(spec.job_manager_task.as_task(), slots)


def check_job(job_id: str, spec: JobSpecification, tasks: Sequence[TaskSpec], slots: int) -> None:
    """Raises JobError."""
    _require("job", "id", invalid_id(job_id))
    check_specification(f"job {job_id!r}", spec, slots)
    for task in tasks:
        check_task(task, slots)


def check_schedule(spec: JobScheduleSpec, slots: int, minimum_interval: float) -> None:
    """`minimum_interval`: of the recurrence, in seconds. Raises JobError."""
    _require("job schedule", "id", invalid_id(spec.id))
    where = f"job schedule {spec.id!r}"
    interval = spec.schedule.recurrence_interval
    if interval is not None and interval.total_seconds() < minimum_interval:
        fault = f"{interval.total_seconds():g} s is below the minimum of {minimum_interval:g} s (a setting)"
        _require(where, "schedule.recurrenceInterval", fault)
    _require(where, "schedule.startWindow", _invalid_limit(spec.schedule.start_window))
    check_specification(where, spec.job_specification, slots)


def check_application(package: ApplicationPackage) -> None:
    """Raises JobError."""
    _require("application", "id", invalid_id(package.application_id))
    fault = f"{package.version!r} is not a version: 1 to 64 letters, digits, dots, hyphens and underscores"
    where = f"application {package.application_id!r}"
    _require(where, "version", None if _VERSION.match(package.version) else fault)
