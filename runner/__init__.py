"""Jobs, tasks and schedules: which task runs on which node, over SSH."""

from .command_line import CommandLineError, shell_hint
from .command_line import split as split_command_line
from .commands import OpenNode
from .core import Core, CoreSettings, Stored
from .effects import WorldEffects
from .engine import Engine
from .events import (
    AddApplication,
    AddPool,
    AutoScaleNow,
    DeletePool,
    Drain,
    Event,
    RescalePool,
    ResizePool,
    ResumePool,
    Tick,
)
from .job_budgets import beside_budget
from .job_costs import task_cost
from .job_events import (
    AddJob,
    AddJobSchedule,
    AddTasks,
    DeleteJob,
    DeleteJobSchedule,
    DeleteTask,
    DisableJob,
    DisableJobSchedule,
    EnableJob,
    EnableJobSchedule,
    ReactivateTask,
    ReplaceJob,
    ReplaceJobSchedule,
    RunJobSchedule,
    TerminateJob,
    TerminateJobSchedule,
    TerminateTask,
    UpdateJob,
    UpdateJobSchedule,
    UpdateTask,
)
from .journal import Journal, JournalError, open_journal
from .model import ApplicationPackage, Job, JobSchedule, Output, Task
from .node_effects import NodeEffects
from .node_link import LinkError, LinkTimeouts, NodeLink
from .node_session import NodeSession
from .outputs import OutputStore
from .packages import PackageError, PackageStore, check_source
from .request_checks import JobError
from .simulated_node import Plan
from .simulation import Request, Simulation
from .simulation_faults import Faults
from .spec import (
    ApplicationSpec,
    JobConstraints,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    JobWithTasks,
    PoolInfo,
    Schedule,
    Workload,
)
from .states import JobState, ScheduleState, TaskState
from .task_spec import JobManagerTask, TaskConstraints, TaskSpec
from .vm_effects import VmEffects

__all__ = [
    "AddApplication",
    "AddJob",
    "AddJobSchedule",
    "AddPool",
    "AddTasks",
    "ApplicationPackage",
    "ApplicationSpec",
    "AutoScaleNow",
    "CommandLineError",
    "Core",
    "CoreSettings",
    "DeleteJob",
    "DeleteJobSchedule",
    "DeletePool",
    "DeleteTask",
    "DisableJob",
    "DisableJobSchedule",
    "Drain",
    "EnableJob",
    "EnableJobSchedule",
    "Engine",
    "Event",
    "Faults",
    "Job",
    "JobConstraints",
    "JobError",
    "JobManagerTask",
    "JobSchedule",
    "JobScheduleSpec",
    "JobSpec",
    "JobSpecification",
    "JobState",
    "JobWithTasks",
    "Journal",
    "JournalError",
    "LinkError",
    "LinkTimeouts",
    "NodeEffects",
    "NodeLink",
    "NodeSession",
    "OpenNode",
    "Output",
    "OutputStore",
    "PackageError",
    "PackageStore",
    "Plan",
    "PoolInfo",
    "ReactivateTask",
    "ReplaceJob",
    "ReplaceJobSchedule",
    "Request",
    "RescalePool",
    "ResizePool",
    "ResumePool",
    "RunJobSchedule",
    "Schedule",
    "ScheduleState",
    "Simulation",
    "Stored",
    "Task",
    "TaskConstraints",
    "TaskSpec",
    "TaskState",
    "TerminateJob",
    "TerminateJobSchedule",
    "TerminateTask",
    "Tick",
    "UpdateJob",
    "UpdateJobSchedule",
    "UpdateTask",
    "VmEffects",
    "Workload",
    "WorldEffects",
    "beside_budget",
    "check_source",
    "open_journal",
    "shell_hint",
    "split_command_line",
    "task_cost",
]
