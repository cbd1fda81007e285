"""Jobs, tasks and schedules: which task runs on which node, over SSH."""

from .application_events import AddApplication, RemoveApplication, SetDefaultVersion
from .command_line import CommandLineError, shell_hint
from .command_line import split as split_command_line
from .commands import OpenNode
from .containers import invalid_container
from .core import Core
from .core_settings import CoreSettings
from .credentials import CredentialError, Credentials, Scope, may_use_api
from .cron import Cron
from .dependency_checks import KnownTasks, cycle_text, find_cycle
from .door import DOOR, STORAGE
from .doors import Doors
from .effects import WorldEffects
from .engine import Engine
from .equipment import Equipment
from .events import (
    AddPool,
    AutoScaleNow,
    DeletePool,
    DisableAutoScale,
    Drain,
    EnableAutoScale,
    EvaluateAutoScale,
    Event,
    LookAtOutputs,
    NodeNotice,
    RescalePool,
    ResizePool,
    ResumePool,
    StopResize,
    Tick,
)
from .exit_conditions import allows
from .files_of_tasks import CHECKPOINTS, TaskFiles, invalid_output, invalid_resource, invalid_source
from .gone_ids import forgotten
from .job_budgets import beside_budget
from .job_costs import task_cost
from .job_errors import JobError
from .job_events import (
    AddJob,
    AddJobSchedule,
    AddTaskCollection,
    AddTasks,
    DeleteJob,
    DeleteJobSchedule,
    DeleteTask,
    DisableJob,
    DisableJobSchedule,
    EnableJob,
    EnableJobSchedule,
    ForgetJob,
    JobForgotten,
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
from .job_requests import JOB_CHANGEABLE, fixed_in_job
from .journal import Journal, JournalError, open_journal
from .linux_nodes import windows_command, windows_machine
from .local_store import LocalStore
from .model import NO_NODES, ApplicationPackage, Job, JobNode, JobSchedule, NodeExecution, Output
from .node_effects import NodeEffects
from .node_events import DisableScheduling, EnableScheduling, RebootNode, ReimageNode, RemoveNodes
from .node_files import NodeFiles
from .node_link import LinkError, LinkTimeouts, NodeLink
from .node_session import NodeSession
from .node_tidying import tidy_nodes
from .node_users import NodeUser, NodeUserError, NodeUsers
from .object_store import Blob, ObjectStore, StoreError, Upload, put_blob
from .outlook import FORMULA_FAILURES
from .outputs import OutputStore
from .packages import PackageError, PackageStore, check_source
from .pool_events import UpdatePool
from .pool_keys import PoolKeys
from .retention_store import DatabaseSize
from .s3_store import S3Store
from .secrets import Secrets
from .shared_key import SharedKeyError, account_and_signature, signature, signed_by
from .simulated_node import Fate, Plan
from .simulation import Request, Simulation
from .simulation_faults import Faults
from .spec import (
    UNLIMITED,
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
from .spelling import Spelling
from .states import JobState, ScheduleState, TaskState
from .storage_urls import MisdirectedAddress, Place, SignatureRefused, Signer, StorageUrlError, is_storage
from .storage_urls import parse as parse_storage_url
from .stored import Stored
from .task_model import Done, Instance, Task
from .task_spec import (
    RELEASE_LIMIT,
    JobManagerTask,
    JobPreparationTask,
    JobReleaseTask,
    OutputFile,
    OutputFileContainer,
    OutputFileDestination,
    TaskConstraints,
    TaskDependencies,
    TaskIdRange,
    TaskSpec,
)
from .task_tally import DoneTotals
from .unattended import answer_unattended, unattended_changes
from .unsatisfiable import needs_dedicated
from .user_checks import invalid_account
from .vault import Vault
from .vm_effects import VmEffects

__all__ = [
    "CHECKPOINTS",
    "DOOR",
    "FORMULA_FAILURES",
    "JOB_CHANGEABLE",
    "NO_NODES",
    "RELEASE_LIMIT",
    "STORAGE",
    "UNLIMITED",
    "AddApplication",
    "AddJob",
    "AddJobSchedule",
    "AddPool",
    "AddTaskCollection",
    "AddTasks",
    "ApplicationPackage",
    "ApplicationSpec",
    "AutoScaleNow",
    "Blob",
    "CommandLineError",
    "Core",
    "CoreSettings",
    "CredentialError",
    "Credentials",
    "Cron",
    "DatabaseSize",
    "DeleteJob",
    "DeleteJobSchedule",
    "DeletePool",
    "DeleteTask",
    "DisableAutoScale",
    "DisableJob",
    "DisableJobSchedule",
    "DisableScheduling",
    "Done",
    "DoneTotals",
    "Doors",
    "Drain",
    "EnableAutoScale",
    "EnableJob",
    "EnableJobSchedule",
    "EnableScheduling",
    "Engine",
    "Equipment",
    "EvaluateAutoScale",
    "Event",
    "Fate",
    "Faults",
    "ForgetJob",
    "Instance",
    "Job",
    "JobConstraints",
    "JobError",
    "JobForgotten",
    "JobManagerTask",
    "JobNode",
    "JobPreparationTask",
    "JobReleaseTask",
    "JobSchedule",
    "JobScheduleSpec",
    "JobSpec",
    "JobSpecification",
    "JobState",
    "JobWithTasks",
    "Journal",
    "JournalError",
    "KnownTasks",
    "LinkError",
    "LinkTimeouts",
    "LocalStore",
    "LookAtOutputs",
    "MisdirectedAddress",
    "NodeEffects",
    "NodeExecution",
    "NodeFiles",
    "NodeLink",
    "NodeNotice",
    "NodeSession",
    "NodeUser",
    "NodeUserError",
    "NodeUsers",
    "ObjectStore",
    "OpenNode",
    "Output",
    "OutputFile",
    "OutputFileContainer",
    "OutputFileDestination",
    "OutputStore",
    "PackageError",
    "PackageStore",
    "Place",
    "Plan",
    "PoolInfo",
    "PoolKeys",
    "ReactivateTask",
    "RebootNode",
    "ReimageNode",
    "RemoveApplication",
    "RemoveNodes",
    "ReplaceJob",
    "ReplaceJobSchedule",
    "Request",
    "RescalePool",
    "ResizePool",
    "ResumePool",
    "RunJobSchedule",
    "S3Store",
    "Schedule",
    "ScheduleState",
    "Scope",
    "Secrets",
    "SetDefaultVersion",
    "SharedKeyError",
    "SignatureRefused",
    "Signer",
    "Simulation",
    "Spelling",
    "StopResize",
    "StorageUrlError",
    "StoreError",
    "Stored",
    "Task",
    "TaskConstraints",
    "TaskDependencies",
    "TaskFiles",
    "TaskIdRange",
    "TaskSpec",
    "TaskState",
    "TerminateJob",
    "TerminateJobSchedule",
    "TerminateTask",
    "Tick",
    "UpdateJob",
    "UpdateJobSchedule",
    "UpdatePool",
    "UpdateTask",
    "Upload",
    "Vault",
    "VmEffects",
    "Workload",
    "WorldEffects",
    "account_and_signature",
    "allows",
    "answer_unattended",
    "beside_budget",
    "check_source",
    "cycle_text",
    "find_cycle",
    "fixed_in_job",
    "forgotten",
    "invalid_account",
    "invalid_container",
    "invalid_output",
    "invalid_resource",
    "invalid_source",
    "is_storage",
    "may_use_api",
    "needs_dedicated",
    "open_journal",
    "parse_storage_url",
    "put_blob",
    "shell_hint",
    "signature",
    "signed_by",
    "split_command_line",
    "task_cost",
    "tidy_nodes",
    "unattended_changes",
    "windows_command",
    "windows_machine",
]
