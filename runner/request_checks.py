"""What a request about jobs, tasks, schedules and applications must be like to be let in. Pure.

Everything is checked before anything is changed. Ids become parts of paths on nodes and in the store.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Sequence

import msgspec
from msgspec.structs import fields

from pools import (
    OptionError,
    PoolError,
    PoolSpecification,
    invalid_container_configuration,
    invalid_environment,
    invalid_id,
    job_options,
)

from .containers import invalid_container
from .job_errors import JobError, require
from .linux_nodes import windows_machine
from .model import ApplicationPackage
from .preparation_checks import check_own_ids, check_preparation_and_release
from .spec import JobSpecification
from .task_checks import check_constraints, check_task, invalid_command_line, invalid_files
from .task_spec import TaskSpec
from .user_checks import invalid_accounts, invalid_identity

#: Bounds of a job's priority (Batch REST API).
PRIORITIES = range(-1000, 1001)

_VERSION = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}\Z")


def names_of(kind: type[msgspec.Struct], attributes: Collection[str]) -> str:
    """Attributes of a specification as properties, for a message; "" if there are none."""
    known = {each.name: each.encode_name for each in fields(kind)}
    return ", ".join(sorted(known.get(name, repr(name)) for name in attributes))


def check_nodes(pool: PoolSpecification) -> None:
    """The part of a pool that pools cannot check: what runs on its nodes, and as whom. Raises PoolError."""
    windows = windows_machine(pool.virtual_machine_configuration or {})
    faults = [
        ("virtualMachineConfiguration", None if windows is None else ": ".join(windows)),
        ("userAccounts", invalid_accounts(pool.user_accounts)),
        ("virtualMachineConfiguration", invalid_container_configuration(pool)),
    ]
    task = pool.start_task
    if task is not None:
        names = {account.name for account in pool.user_accounts}
        faults += [
            ("startTask.commandLine", invalid_command_line(task.command_line)),
            ("startTask.resourceFiles", invalid_files(task.resource_files)),
            ("startTask.userIdentity", invalid_identity(task.user_identity, names)),
            ("startTask.containerSettings", invalid_container(task.container_settings, task.user_identity)),
        ]
    for name, fault in faults:
        if fault is not None:
            raise PoolError("InvalidPropertyValue", f"{name}: {fault}")


def check_options(where: str, spec: JobSpecification) -> None:
    """The metadata items that mean something. Raises JobError."""
    try:
        job_options(spec.metadata)
    except OptionError as exc:
        raise JobError("InvalidPropertyValue", f"{where}: {exc}") from None


def check_specification(where: str, spec: JobSpecification, slots: int | None) -> None:
    """What a job and the job specification of a schedule have in common; `slots` None: its tasks are not looked at.
    Raises JobError."""
    check_options(where, spec)
    fault = None if spec.priority in PRIORITIES else f"{spec.priority}: -1000 to 1000"
    require(where, "priority", fault)
    most = spec.max_parallel_tasks
    require(where, "maxParallelTasks", None if most == -1 or most > 0 else f"{most}: 1 or more, or -1 for no limit")
    require(where, "commonEnvironmentSettings", invalid_environment(spec.common_environment_settings))
    check_constraints(where, spec.constraints)
    check_preparation_and_release(where, spec)
    if spec.job_manager_task is not None:
        check_own_ids(spec, (spec.job_manager_task.as_task(),))
    if spec.job_manager_task is not None and slots is not None:
        check_task(spec.job_manager_task.as_task(), slots, spec)


def check_job(job_id: str, spec: JobSpecification, tasks: Sequence[TaskSpec], slots: int) -> None:
    """Raises JobError."""
    require("job", "id", invalid_id(job_id))
    check_specification(f"job {job_id!r}", spec, slots)
    check_own_ids(spec, tasks)
    for task in tasks:
        check_task(task, slots, spec)


def check_application(package: ApplicationPackage) -> None:
    """Raises JobError."""
    require("application", "id", invalid_id(package.application_id))
    fault = f"{package.version!r} is not a version: 1 to 64 letters, digits, dots, hyphens and underscores"
    where = f"application {package.application_id!r}"
    require(where, "version", None if _VERSION.match(package.version) else fault)
    require(where, "created", None if math.isfinite(package.created) else f"{package.created} is not a time")
