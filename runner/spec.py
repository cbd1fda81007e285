"""What a user asks of jobs, tasks, schedules and applications: the REST request bodies, typed (see
pools/spec.py)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Literal

from pools import DisplayName, EnvironmentSetting, MetadataItem, PoolSpec, PoolSpecification, Spec

from .task_spec import JobManagerTask, JobPreparationTask, JobReleaseTask, TaskSpec

#: "No limit", as the service spells it in answers and accepts it in requests.
UNLIMITED = timedelta(days=10675199)

#: Of the year 9999, after which nothing is due. Seconds since the epoch.
END_OF_TIME = 253_402_300_800.0


class JobConstraints(Spec, frozen=True, kw_only=True):
    max_wall_clock_time: timedelta | None = None
    max_task_retry_count: int = 0


class AutoPoolSpecification(Spec, frozen=True, kw_only=True):
    """A pool that is made for the job, or for all jobs of the schedule, and goes with it unless `keepAlive`."""

    pool_lifetime_option: Literal["job", "jobschedule"]
    auto_pool_id_prefix: str | None = None
    keep_alive: bool = False
    pool: PoolSpecification | None = None


class PoolInfo(Spec, frozen=True, kw_only=True):
    """One of the two."""

    pool_id: str | None = None
    auto_pool_specification: AutoPoolSpecification | None = None


class JobSpecification(Spec, frozen=True, kw_only=True):
    """What every job of a schedule looks like."""

    pool_info: PoolInfo
    display_name: DisplayName | None = None
    priority: int = 0
    allow_task_preemption: bool = False
    #: of the job at the same time; -1 means without limit
    max_parallel_tasks: int = -1
    constraints: JobConstraints = JobConstraints()
    job_manager_task: JobManagerTask | None = None
    job_preparation_task: JobPreparationTask | None = None
    job_release_task: JobReleaseTask | None = None
    common_environment_settings: tuple[EnvironmentSetting, ...] = ()
    on_all_tasks_complete: Literal["noaction", "terminatejob"] = "noaction"
    on_task_failure: Literal["noaction", "performexitoptionsjobaction"] = "noaction"
    uses_task_dependencies: bool = False
    metadata: tuple[MetadataItem, ...] = ()


class JobSpec(JobSpecification, frozen=True, kw_only=True):
    id: str


class Schedule(Spec, frozen=True, kw_only=True):
    """Without `recurrenceInterval` the schedule makes one job and is complete when that job is."""

    do_not_run_until: datetime | None = None
    do_not_run_after: datetime | None = None
    start_window: timedelta | None = None
    recurrence_interval: timedelta | None = None

    #: `recurrenceInterval` at most: a hundred years.
    LONGEST_INTERVAL: ClassVar[timedelta] = timedelta(days=36525)


class JobScheduleSpec(Spec, frozen=True, kw_only=True):
    id: str
    schedule: Schedule
    job_specification: JobSpecification
    display_name: DisplayName | None = None
    metadata: tuple[MetadataItem, ...] = ()


class ApplicationSpec(Spec, frozen=True, kw_only=True):
    """An application of a workload file; `source` is a zip file or a folder, relative to that file."""

    id: str
    source: str
    version: str = "1.0"
    #: the version that references without one stand for; None: the one that was added last
    default_version: str | None = None
    display_name: DisplayName | None = None


class JobWithTasks(JobSpec, frozen=True, kw_only=True):
    tasks: tuple[TaskSpec, ...] = ()


class Workload(Spec, frozen=True, kw_only=True):
    """A workload file: everything that one `ebbtide run` brings up."""

    applications: tuple[ApplicationSpec, ...] = ()
    pools: tuple[PoolSpec, ...] = ()
    job_schedules: tuple[JobScheduleSpec, ...] = ()
    jobs: tuple[JobWithTasks, ...] = ()
