"""Jobs, tasks and schedules: which task runs on which node, over SSH."""

from .command_line import CommandLineError, shell_hint
from .command_line import split as split_command_line
from .commands import OpenNode
from .core import Core, CoreSettings, Stored
from .effects import WorldEffects
from .engine import Engine
from .events import (
    AddApplication,
    AddJob,
    AddJobSchedule,
    AddPool,
    AddTasks,
    AutoScaleNow,
    DeletePool,
    Drain,
    Event,
    RescalePool,
    ResizePool,
    ResumePool,
    TerminateJob,
    Tick,
    UpdateJob,
    UpdateJobSchedule,
)
from .job_budgets import beside_budget
from .job_costs import task_cost
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
    JobManagerTask,
    JobScheduleSpec,
    JobSpec,
    JobSpecification,
    JobWithTasks,
    PoolInfo,
    Schedule,
    TaskConstraints,
    TaskSpec,
    Workload,
)
from .states import JobState, ScheduleState, TaskState
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
    "DeletePool",
    "Drain",
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
    "Request",
    "RescalePool",
    "ResizePool",
    "ResumePool",
    "Schedule",
    "ScheduleState",
    "Simulation",
    "Stored",
    "Task",
    "TaskConstraints",
    "TaskSpec",
    "TaskState",
    "TerminateJob",
    "Tick",
    "UpdateJob",
    "UpdateJobSchedule",
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
