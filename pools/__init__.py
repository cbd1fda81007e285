"""Pools and nodes: what should exist, what exists, and how to get there.

The modules `store` and `tables` are part of the offer too (`from pools import store`), but not imported here:
they bring SQLAlchemy, and whoever only simulates should not wait for that.
"""

from .budget import PRICE_GRACE, WARN_AT, Bill, Level, charged, dearest_price, standing
from .clock import Clock, SystemClock
from .command_spec import (
    ApplicationPackageReference,
    AutoUser,
    ContainerRegistry,
    ContainerSettings,
    EnvironmentSetting,
    ResourceFile,
    Spec,
    StartTask,
    UserIdentity,
)
from .commands import Command, ConnectNode, CreateVm, DestroyVm, DisconnectNode, ListVms, ReadConsole, RunStartTask
from .context import Context, Deployment
from .cost import HOUR, Cost, cost_of, node_cost, pool_cost, pool_seconds
from .database import WRITES, JournalError, explained, named, open_database
from .differences import differences
from .ids import CountingIds, Ids, RandomIds
from .ledger import Change, Ledger, Log, Prefix, Table
from .model import (
    AllocationState,
    AutoScaleError,
    AutoScaleRun,
    Boot,
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
from .options import (
    JOB_OPTIONS,
    POOL_OPTIONS,
    BudgetAction,
    JobOptions,
    OptionError,
    PoolOptions,
    job_options,
    options_of,
    options_of_job,
    pool_options,
)
from .pool_checks import (
    POOL_CHANGEABLE,
    PoolError,
    check_formula,
    fixed_differences,
    invalid_environment,
    invalid_id,
    invalid_retries,
)
from .pool_machine import PoolMachine
from .sampling import NodeCounts, Sample, count
from .settings import PoolSettings
from .spec import (
    MetadataItem,
    NetworkConfiguration,
    NodeDeallocationOption,
    PoolSpec,
    PoolSpecification,
    TaskSchedulingPolicy,
    UserAccount,
)
from .timers import Timers
from .workload import TaskCounts, Workload

__all__ = [
    "HOUR",
    "JOB_OPTIONS",
    "POOL_CHANGEABLE",
    "POOL_OPTIONS",
    "PRICE_GRACE",
    "WARN_AT",
    "WRITES",
    "AllocationState",
    "ApplicationPackageReference",
    "AutoScaleError",
    "AutoScaleRun",
    "AutoUser",
    "Bill",
    "Boot",
    "BudgetAction",
    "Change",
    "Clock",
    "Command",
    "ConnectNode",
    "ContainerRegistry",
    "ContainerSettings",
    "Context",
    "Cost",
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
    "Level",
    "ListVms",
    "Log",
    "MetadataItem",
    "NetworkConfiguration",
    "Node",
    "NodeCounts",
    "NodeDeallocationOption",
    "NodeEvent",
    "NodeMachine",
    "NodeState",
    "NodeUsage",
    "OptionError",
    "Pool",
    "PoolError",
    "PoolMachine",
    "PoolOptions",
    "PoolSettings",
    "PoolSpec",
    "PoolSpecification",
    "PoolState",
    "Prefix",
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
    "UserAccount",
    "UserIdentity",
    "Workload",
    "charged",
    "check_formula",
    "cost_of",
    "count",
    "dearest_price",
    "differences",
    "evolve",
    "explained",
    "fixed_differences",
    "invalid_environment",
    "invalid_id",
    "invalid_retries",
    "job_options",
    "named",
    "node_cost",
    "open_database",
    "options_of",
    "options_of_job",
    "pool_cost",
    "pool_options",
    "pool_seconds",
    "standing",
]
