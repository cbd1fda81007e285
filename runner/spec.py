"""What a user asks of jobs, tasks, schedules and applications: the REST request bodies, typed (see
pools/spec.py)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from pools import (
    ApplicationPackageReference,
    EnvironmentSetting,
    MetadataItem,
    PoolSpec,
    ResourceFile,
    Spec,
    UserIdentity,
)

#: "No limit", as the service spells it in answers and accepts it in requests.
UNLIMITED = timedelta(days=10675199)


class TaskConstraints(Spec, frozen=True, kw_only=True):
    max_wall_clock_time: timedelta | None = None
    retention_time: timedelta | None = None
    #: None takes the job's; -1 means without limit
    max_task_retry_count: int | None = None


class JobConstraints(Spec, frozen=True, kw_only=True):
    max_wall_clock_time: timedelta | None = None
    max_task_retry_count: int = 0


class TaskSpec(Spec, frozen=True, kw_only=True):
    id: str
    command_line: str
    display_name: str | None = None
    environment_settings: tuple[EnvironmentSetting, ...] = ()
    resource_files: tuple[ResourceFile, ...] = ()
    application_package_references: tuple[ApplicationPackageReference, ...] = ()
    constraints: TaskConstraints = TaskConstraints()
    user_identity: UserIdentity | None = None
    required_slots: int = 1


class JobManagerTask(TaskSpec, frozen=True, kw_only=True):
    kill_job_on_completion: bool = True
    run_exclusive: bool = True
    allow_low_priority_node: bool = True


class PoolInfo(Spec, frozen=True, kw_only=True):
    pool_id: str


class JobSpecification(Spec, frozen=True, kw_only=True):
    """What every job of a schedule looks like."""

    pool_info: PoolInfo
    display_name: str | None = None
    priority: int = 0
    constraints: JobConstraints = JobConstraints()
    job_manager_task: JobManagerTask | None = None
    common_environment_settings: tuple[EnvironmentSetting, ...] = ()
    on_all_tasks_complete: Literal["noaction", "terminatejob"] = "noaction"
    metadata: tuple[MetadataItem, ...] = ()


class JobSpec(JobSpecification, frozen=True, kw_only=True):
    id: str


class Schedule(Spec, frozen=True, kw_only=True):
    """Without `recurrenceInterval` the schedule makes one job and is complete when that job is."""

    do_not_run_until: datetime | None = None
    do_not_run_after: datetime | None = None
    start_window: timedelta | None = None
    recurrence_interval: timedelta | None = None


class JobScheduleSpec(Spec, frozen=True, kw_only=True):
    id: str
    schedule: Schedule
    job_specification: JobSpecification
    display_name: str | None = None
    metadata: tuple[MetadataItem, ...] = ()


class ApplicationSpec(Spec, frozen=True, kw_only=True):
    """An application of a workload file; `source` is a zip file or a folder, relative to that file."""

    id: str
    source: str
    version: str = "1.0"
    display_name: str | None = None


class JobWithTasks(JobSpec, frozen=True, kw_only=True):
    tasks: tuple[TaskSpec, ...] = ()


class Workload(Spec, frozen=True, kw_only=True):
    """A workload file: everything that one `ebbtide run` brings up."""

    applications: tuple[ApplicationSpec, ...] = ()
    pools: tuple[PoolSpec, ...] = ()
    job_schedules: tuple[JobScheduleSpec, ...] = ()
    jobs: tuple[JobWithTasks, ...] = ()
