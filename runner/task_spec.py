"""What a user asks of a task: the REST request bodies, typed (see pools/spec.py)."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import msgspec

from pools import (
    ApplicationPackageReference,
    ContainerSettings,
    DisplayName,
    EnvironmentSetting,
    ResourceFile,
    Spec,
    UserIdentity,
)


class TaskConstraints(Spec, frozen=True, kw_only=True):
    max_wall_clock_time: timedelta | None = None
    #: how long the task's folder stays on its node; None: seven days (Batch REST API)
    retention_time: timedelta | None = None
    #: None takes the job's; -1 means without limit
    max_task_retry_count: int | None = None


class ExitOptions(Spec, frozen=True, kw_only=True):
    """What a way of ending means. `jobAction` is heeded if the job's `onTaskFailure` is `performexitoptionsjobaction`;
    None stands for `none` after exit code 0, else for `terminate`. None of `dependencyAction`: `satisfy` after exit
    code 0, else `block` (Batch REST API)."""

    job_action: Literal["none", "disable", "terminate"] | None = None
    dependency_action: Literal["satisfy", "block"] | None = None


class ExitCodeMapping(Spec, frozen=True, kw_only=True):
    code: int
    exit_options: ExitOptions


class ExitCodeRangeMapping(Spec, frozen=True, kw_only=True):
    """Both bounds belong to the range."""

    start: int
    end: int
    exit_options: ExitOptions


class ExitConditions(Spec, frozen=True, kw_only=True):
    exit_codes: tuple[ExitCodeMapping, ...] = ()
    exit_code_ranges: tuple[ExitCodeRangeMapping, ...] = ()
    pre_processing_error: ExitOptions | None = None
    file_upload_error: ExitOptions | None = None
    default: ExitOptions | None = None


class TaskIdRange(Spec, frozen=True, kw_only=True):
    """The ids "start" to "end", as whole numbers without leading zeros; both belong to the range."""

    start: int
    end: int


class TaskDependencies(Spec, frozen=True, kw_only=True):
    task_ids: tuple[str, ...] = ()
    task_id_ranges: tuple[TaskIdRange, ...] = ()


class AffinityInformation(Spec, frozen=True, kw_only=True):
    """The `affinityId` of a node: the task runs there if it has room, else elsewhere."""

    affinity_id: str


class MultiInstanceSettings(Spec, frozen=True, kw_only=True):
    coordination_command_line: str
    number_of_instances: int = 1
    common_resource_files: tuple[ResourceFile, ...] = ()


class AuthenticationTokenSettings(Spec, frozen=True, kw_only=True):
    access: tuple[Literal["job"], ...] = ()


class HttpHeader(Spec, frozen=True, kw_only=True):
    name: str
    value: str = ""


class OutputFileContainer(Spec, frozen=True, kw_only=True):
    container_url: str
    path: str | None = None
    upload_headers: tuple[HttpHeader, ...] = ()


class OutputFileDestination(Spec, frozen=True, kw_only=True):
    container: OutputFileContainer


class OutputFileUploadOptions(Spec, frozen=True, kw_only=True):
    upload_condition: Literal["tasksuccess", "taskfailure", "taskcompletion"] = "taskcompletion"


class OutputFile(Spec, frozen=True, kw_only=True):
    """`filePattern` is relative to the task's working directory."""

    file_pattern: str
    destination: OutputFileDestination
    upload_options: OutputFileUploadOptions = OutputFileUploadOptions()


class TaskSpec(Spec, frozen=True, kw_only=True):
    id: str
    command_line: str
    display_name: DisplayName | None = None
    container_settings: ContainerSettings | None = None
    exit_conditions: ExitConditions | None = None
    resource_files: tuple[ResourceFile, ...] = ()
    output_files: tuple[OutputFile, ...] = ()
    environment_settings: tuple[EnvironmentSetting, ...] = ()
    affinity_info: AffinityInformation | None = None
    constraints: TaskConstraints = TaskConstraints()
    required_slots: int = 1
    user_identity: UserIdentity | None = None
    multi_instance_settings: MultiInstanceSettings | None = None
    depends_on: TaskDependencies | None = None
    application_package_references: tuple[ApplicationPackageReference, ...] = ()
    authentication_token_settings: AuthenticationTokenSettings | None = None


class JobManagerTask(Spec, frozen=True, kw_only=True):
    id: str
    command_line: str
    display_name: DisplayName | None = None
    container_settings: ContainerSettings | None = None
    resource_files: tuple[ResourceFile, ...] = ()
    output_files: tuple[OutputFile, ...] = ()
    environment_settings: tuple[EnvironmentSetting, ...] = ()
    constraints: TaskConstraints = TaskConstraints()
    required_slots: int = 1
    user_identity: UserIdentity | None = None
    application_package_references: tuple[ApplicationPackageReference, ...] = ()
    authentication_token_settings: AuthenticationTokenSettings | None = None
    kill_job_on_completion: bool = True
    run_exclusive: bool = True
    allow_low_priority_node: bool = True

    def as_task(self) -> TaskSpec:
        """What is asked of it as of any task."""
        return TaskSpec(**{name: getattr(self, name) for name in self.__struct_fields__ if name in _OF_TASKS})


_OF_TASKS = frozenset(TaskSpec.__struct_fields__)


class JobPreparationTask(Spec, frozen=True, kw_only=True):
    """Runs on a node before the first task of the job does."""

    id: str = "jobpreparation"
    command_line: str
    container_settings: ContainerSettings | None = None
    resource_files: tuple[ResourceFile, ...] = ()
    environment_settings: tuple[EnvironmentSetting, ...] = ()
    constraints: TaskConstraints = TaskConstraints()
    wait_for_success: bool = True
    user_identity: UserIdentity | None = None
    rerun_on_node_reboot_after_success: bool = True


#: How long a job release task may run at most, and does if nothing is said (Batch REST API).
RELEASE_LIMIT = timedelta(minutes=15)


class JobReleaseTask(Spec, frozen=True, kw_only=True):
    """Runs at the end of the job on every node that ran its preparation task. `maxWallClockTime`: at most, and None
    means, 15 minutes (Batch REST API)."""

    id: str = "jobrelease"
    command_line: str
    container_settings: ContainerSettings | None = None
    resource_files: tuple[ResourceFile, ...] = ()
    environment_settings: tuple[EnvironmentSetting, ...] = ()
    max_wall_clock_time: timedelta | None = None
    retention_time: timedelta | None = None
    user_identity: UserIdentity | None = None


_encode = msgspec.json.Encoder().encode

#: The specification of a task from its JSON, as it stands in the record.
unpacked = msgspec.json.Decoder(TaskSpec).decode


def packed(spec: TaskSpec) -> msgspec.Raw:
    """The specification as it stands in the record of a task."""
    return msgspec.Raw(_encode(spec))
