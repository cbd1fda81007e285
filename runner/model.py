"""The records of jobs, schedules and applications, as they stand in memory and in the store."""

from __future__ import annotations

import msgspec

from pools import Attempt, ExecutionResult, FailureInfo, Record

from .spec import JobScheduleSpec, JobSpec
from .states import (
    JobNodeState,
    JobState,
    ScheduleState,
)

#: What stands in the way of all tasks of a job: its pool has no node and will get none; its preparation task has failed
#: on all that there are.
NO_POOL, NO_NODES, UNPREPARED = "PoolNotFound", "PoolHasNoNodes", "JobPreparationTaskFailed"


class Job(Record, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    spec: JobSpec
    schedule_id: str | None = None
    #: 1 for a job of its own, n for the n-th job of its schedule
    number: int = 1
    state: JobState = JobState.ACTIVE
    #: of the pool that was made for it
    auto_pool_id: str | None = None
    #: a workload file asks for it, with each run anew
    declared: bool = False
    start_time: float | None = None
    end_time: float | None = None
    terminate_reason: str | None = None
    #: its budget lets no further task start
    held: bool = False
    #: what tasks have cost that were deleted, and node-seconds of those whose price was not known
    deleted_cost: float = 0.0
    deleted_unpriced_seconds: float = 0.0
    #: what stands in the way of its tasks, or will (Batch REST: schedulingError)
    scheduling_error: FailureInfo | None = None

    @property
    def lives(self) -> bool:
        """It is neither over nor ending."""
        return self.state in (JobState.ACTIVE, JobState.DISABLING, JobState.DISABLED, JobState.ENABLING)

    @property
    def takes_tasks(self) -> bool:
        """May tasks of it start?"""
        return self.state is JobState.ACTIVE and not self.held

    @property
    def blocked(self) -> bool:
        """Can none of its tasks start, as things are? They do not scale its pool then."""
        return self.scheduling_error is not None and self.scheduling_error.code in (NO_POOL, NO_NODES, UNPREPARED)

    @property
    def pool_id(self) -> str:
        return self.auto_pool_id or self.spec.pool_info.pool_id or ""

    @property
    def directory(self) -> str:
        """Below the node root, as the field knows it: workitems/<job>/job-1, or
        workitems/<schedule>/job-<n>."""
        return f"workitems/{self.schedule_id or self.id}/job-{self.number}"

    @property
    def story(self) -> str:
        reason = self.terminate_reason or "none"
        return f"is {self.state} since {self.state_time:.3f}; terminate reason: {reason}"


class NodeExecution(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A preparation or release task on a node: its present or last execution (Batch REST API:
    jobPreparationTaskExecutionInfo)."""

    state: str = "running"  # "running" | "completed"
    attempt: int = 1
    start_time: float | None = None
    end_time: float | None = None
    exit_code: int | None = None
    result: ExecutionResult | None = None
    failure: FailureInfo | None = None
    retry_count: int = 0
    #: how often its node lost it
    lost: int = 0
    #: attempts before the present or last one
    earlier: tuple[Attempt, ...] = ()

    @property
    def has_run(self) -> bool:
        """Has it been started, as far as is known, or an attempt before it?"""
        return self.start_time is not None or self.attempt > 1 or self.lost > 0


class JobNode(Record, frozen=True, kw_only=True, omit_defaults=True):
    """What a job's preparation and release tasks do on one node; its executions are called `<uid>-p<attempt>` and
    `<uid>-r<attempt>`."""

    job_id: str
    node_id: str
    pool_id: str
    uid: str
    state: JobNodeState = JobNodeState.PREPARING
    preparation: NodeExecution | None = None
    release: NodeExecution | None = None
    #: names the time since the node started in which the preparation was run; "": nobody could tell
    boot: str = ""
    #: which of its node's VMs that was on
    generation: int = 1

    @property
    def key(self) -> tuple[str, str]:
        return (self.job_id, self.node_id)

    @property
    def story(self) -> str:
        return f"is {self.state} since {self.state_time:.3f}"


class JobSchedule(Record, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    spec: JobScheduleSpec
    state: ScheduleState = ScheduleState.ACTIVE
    next_run_time: float | None = None
    #: when its last run was due, on the grid of its times
    last_run_time: float | None = None
    #: the run of `next_run_time` came due while its job was not completed, and waits for that
    waiting: bool = False
    #: somebody asked for a run, and it waits for the present job to be completed
    run_requested: bool = False
    recent_job_id: str | None = None
    jobs_created: int = 0
    end_time: float | None = None


class ApplicationPackage(msgspec.Struct, frozen=True, kw_only=True):
    """One version of an application: a zip in the package store, named by its checksum."""

    application_id: str
    version: str
    sha256: str
    size: int
    created: float
    #: references without a version stand for it
    default: bool = False


OutputKey = tuple[str, str, str, int, str]


class Output(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A kept stream of an execution: `data` when small, else the name of its file in the output store.

    Whoever brings it in knows the stream only; the core fills in whose it is.
    """

    owner: str = ""  # "task" | "starttask" | "node" | "jobpreparation" | "jobrelease"
    parent_id: str = ""  # job id | pool id | pool id | job id | job id
    id: str = ""  # task id | node id | node id | node id | node id
    #: of an execution that is tried again each has its own; 0: there is only one
    attempt: int = 0
    stream: str  # "stdout" | "stderr" | "console.txt"
    #: bytes that the execution wrote; the last of them are kept, up to the cap
    size: int
    data: bytes | None = None
    file: str | None = None
    #: when it was read of an execution that ran, and was not seen to its end; None: that is all
    seen: float | None = None
    #: the disk of the node was full when it ended: some of it may be missing
    full: bool = False
    #: when it came in, of what no job takes along when it goes
    kept: float | None = None

    @property
    def key(self) -> OutputKey:
        return (self.owner, self.parent_id, self.id, self.attempt, self.stream)
