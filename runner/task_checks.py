"""What a task must be like to be let in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta

from pools import PoolSpecification, ResourceFile, invalid_environment, invalid_id, invalid_retries

from .command_line import CommandLineError, split
from .containers import invalid_container
from .files_of_tasks import invalid_output, invalid_resource
from .job_errors import JobError, require
from .linux_nodes import windows_command
from .spec import JobConstraints, JobSpecification
from .task_spec import (
    ExitConditions,
    ExitOptions,
    MultiInstanceSettings,
    TaskConstraints,
    TaskDependencies,
    TaskSpec,
)
from .user_checks import invalid_identity

#: Most characters of all ids that a task depends on, and most ranges (Batch REST API: 64,000 characters stored).
MOST_ID_CHARACTERS = 64_000
MOST_RANGES = 4_000
#: Most nodes of a task: as many as one command line can be told of.
MOST_INSTANCES = 1_000


def invalid_command_line(command_line: str) -> str | None:
    try:
        split(command_line)
    except CommandLineError as exc:
        return str(exc)
    return windows_command(command_line)


def invalid_files(files: Iterable[ResourceFile]) -> str | None:
    return next(filter(None, map(invalid_resource, files)), None)


def invalid_limit(limit: timedelta | None) -> str | None:
    return None if limit is None or limit.total_seconds() > 0 else "must be positive"


def check_constraints(where: str, constraints: TaskConstraints | JobConstraints) -> None:
    """Raises JobError."""
    retries = constraints.max_task_retry_count
    require(where, "constraints.maxTaskRetryCount", None if retries is None else invalid_retries(retries))
    require(where, "constraints.maxWallClockTime", invalid_limit(constraints.max_wall_clock_time))
    if isinstance(constraints, TaskConstraints):
        require(where, "constraints.retentionTime", invalid_limit(constraints.retention_time))


def check_task(task: TaskSpec, slots: int, job: JobSpecification | None = None) -> None:
    """`slots`: task slots of the pool's nodes; `job`: what is asked of its job. Raises JobError."""
    require("task", "id", invalid_id(task.id))
    where = f"task {task.id!r}"
    require(where, "commandLine", invalid_command_line(task.command_line))
    require(where, "environmentSettings", invalid_environment(task.environment_settings))
    require(where, "resourceFiles", invalid_files(task.resource_files))
    require(where, "userIdentity", invalid_identity(task.user_identity))
    require(where, "containerSettings", invalid_container(task.container_settings, task.user_identity))
    require(where, "outputFiles", next(filter(None, map(invalid_output, task.output_files)), None))
    check_constraints(where, task.constraints)
    needed = task.required_slots
    fault = None if 1 <= needed <= slots else f"{needed}: 1 to {slots}, the taskSlotsPerNode of the pool"
    require(where, "requiredSlots", fault)
    if task.multi_instance_settings is not None:
        _check_instances(where, task.multi_instance_settings)
        if task.container_settings is not None:
            require(where, "containerSettings", "are not supported beside multiInstanceSettings")
    if task.depends_on is not None:
        _check_dependencies(where, task.id, task.depends_on, job)
    if task.exit_conditions is not None:
        _check_conditions(where, task.exit_conditions, job)
    if task.affinity_info is not None and not task.affinity_info.affinity_id:
        require(where, "affinityInfo.affinityId", "must not be empty")


def _check_instances(where: str, settings: MultiInstanceSettings) -> None:
    name, count = "multiInstanceSettings", settings.number_of_instances
    fault = None if 1 <= count <= MOST_INSTANCES else f"{count}: 1 to {MOST_INSTANCES}"
    require(where, f"{name}.numberOfInstances", fault)
    require(where, f"{name}.coordinationCommandLine", invalid_command_line(settings.coordination_command_line))
    require(where, f"{name}.commonResourceFiles", invalid_files(settings.common_resource_files))


def check_reach(tasks: Iterable[TaskSpec], pool: PoolSpecification) -> None:
    """Multi-instance tasks need nodes that reach each other. Raises JobError."""
    if pool.enable_inter_node_communication:
        return
    for task in tasks:
        if task.multi_instance_settings is not None:
            text = "its pool's nodes do not reach each other; make a pool with enableInterNodeCommunication: true"
            require(f"task {task.id!r}", "multiInstanceSettings", text)


def _check_dependencies(
    where: str, task_id: str, wanted: TaskDependencies, job: JobSpecification | None
) -> None:
    if not (wanted.task_ids or wanted.task_id_ranges):
        return
    if job is not None and not job.uses_task_dependencies:
        raise JobError(
            "TaskDependenciesNotSpecifiedOnJob",
            f"{where}: dependsOn: its job does not use dependencies; create the job with usesTaskDependencies: true",
        )
    if sum(map(len, wanted.task_ids)) > MOST_ID_CHARACTERS:
        text = f"{where}: dependsOn.taskIds: more than {MOST_ID_CHARACTERS} characters; use taskIdRanges instead"
        raise JobError("TaskDependencyListTooLong", text)
    if len(wanted.task_id_ranges) > MOST_RANGES:
        text = f"{where}: dependsOn.taskIdRanges: more than {MOST_RANGES} ranges"
        raise JobError("TaskDependencyRangesTooLong", text)
    for each in wanted.task_id_ranges:
        fault = None if 0 <= each.start <= each.end else f"{each.start} to {each.end} is no range of ids"
        require(where, "dependsOn.taskIdRanges", fault)


def _check_conditions(where: str, conditions: ExitConditions, job: JobSpecification | None) -> None:
    for condition in conditions.exit_code_ranges:
        start, end = condition.start, condition.end
        require(
            where, "exitConditions.exitCodeRanges", None if start <= end else f"{start} to {end} holds no exit code"
        )
    codes = [condition.code for condition in conditions.exit_codes]
    twice = next((code for code in codes if codes.count(code) > 1), None) if len(set(codes)) < len(codes) else None
    require(where, "exitConditions.exitCodes", None if twice is None else f"the code {twice} stands there twice")
    if job is None:
        return
    for options in _all_options(conditions):
        if options.job_action not in (None, "none") and job.on_task_failure == "noaction":
            fault = "is heeded only if the job's onTaskFailure is performexitoptionsjobaction"
            require(where, "exitConditions: jobAction", fault)
        if options.dependency_action is not None and not job.uses_task_dependencies:
            fault = "is heeded only if the job has usesTaskDependencies: true"
            require(where, "exitConditions: dependencyAction", fault)


def _all_options(conditions: ExitConditions) -> Iterator[ExitOptions]:
    yield from (mapping.exit_options for mapping in conditions.exit_codes)
    yield from (mapping.exit_options for mapping in conditions.exit_code_ranges)
    for options in (conditions.pre_processing_error, conditions.file_upload_error, conditions.default):
        if options is not None:
            yield options
