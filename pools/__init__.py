"""Pools and nodes: what should exist, what exists, and how to get there.

The modules `store` and `tables` are part of the offer too (`from pools import store`), but not imported here:
they bring SQLAlchemy, and whoever only simulates should not wait for that.
"""

from .clock import Clock, SystemClock
from .commands import Command, ConnectNode, CreateVm, DestroyVm, DisconnectNode, ListVms, ReadConsole, RunStartTask
from .context import Context, Deployment
from .database import WRITES, JournalError, explained, named, open_database
from .ids import CountingIds, Ids, RandomIds
from .ledger import Change, Ledger, Log, Table
from .model import (
    AllocationState,
    AutoScaleError,
    AutoScaleRun,
    ExecutionResult,
    FailureInfo,
    Node,
    Pool,
    PoolState,
    Record,
    ResizeError,
    StartTaskInfo,
    Usage,
    evolve,
)
from .node_machine import NodeMachine
from .node_states import InvalidTransition, NodeEvent, NodeState
from .node_usage import NodeUsage
from .options import BudgetAction, JobOptions, PoolOptions, job_options, pool_options
from .pool_checks import PoolError, check_formula, invalid_environment, invalid_id, invalid_retries, rescaled
from .pool_machine import PoolMachine
from .sampling import Sample
from .settings import PoolSettings
from .spec import (
    ApplicationPackageReference,
    EnvironmentSetting,
    MetadataItem,
    NodeDeallocationOption,
    PoolSpec,
    ResourceFile,
    Spec,
    StartTask,
    TaskSchedulingPolicy,
    UserIdentity,
)
from .timers import Timers
from .workload import TaskCounts, Workload

__all__ = [
    "WRITES",
    "AllocationState",
    "ApplicationPackageReference",
    "AutoScaleError",
    "AutoScaleRun",
    "BudgetAction",
    "Change",
    "Clock",
    "Command",
    "ConnectNode",
    "Context",
    "CountingIds",
    "CreateVm",
    "Deployment",
    "DestroyVm",
    "DisconnectNode",
    "EnvironmentSetting",
    "ExecutionResult",
    "FailureInfo",
    "Ids",
    "InvalidTransition",
    "JobOptions",
    "JournalError",
    "Ledger",
    "ListVms",
    "Log",
    "MetadataItem",
    "Node",
    "NodeDeallocationOption",
    "NodeEvent",
    "NodeMachine",
    "NodeState",
    "NodeUsage",
    "Pool",
    "PoolError",
    "PoolMachine",
    "PoolOptions",
    "PoolSettings",
    "PoolSpec",
    "PoolState",
    "RandomIds",
    "ReadConsole",
    "Record",
    "ResizeError",
    "ResourceFile",
    "RunStartTask",
    "Sample",
    "Spec",
    "StartTask",
    "StartTaskInfo",
    "SystemClock",
    "Table",
    "TaskCounts",
    "TaskSchedulingPolicy",
    "Timers",
    "Usage",
    "UserIdentity",
    "Workload",
    "check_formula",
    "evolve",
    "explained",
    "invalid_environment",
    "invalid_id",
    "invalid_retries",
    "job_options",
    "named",
    "open_database",
    "pool_options",
    "rescaled",
]
