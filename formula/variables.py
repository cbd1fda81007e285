"""The table of service variables and constants."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Literal

PoolField = Literal[
    "target_dedicated",
    "target_low_priority",
    "current_dedicated",
    "current_low_priority",
    "preempted",
    "usable",
    "task_slots_per_node",
]


@dataclass(frozen=True, slots=True)
class Target:
    """A read-write target. Reading it before assigning gives the pool's current target."""

    name: str
    field: PoolField
    #: The full name if this one is an alias; when both are set, the full name wins.
    full_name: str
    doc: str


@dataclass(frozen=True, slots=True)
class Metric:
    """A read-only variable with samples. `field`: where the current value stands, if the pool knows one."""

    name: str
    doc: str
    unit: str = "count"
    field: PoolField | None = None
    #: The current name if this one is outdated.
    series: str = ""
    retired: bool = False


DEALLOCATION_OPTION = "$NodeDeallocationOption"
DEFAULT_OPTION = "requeue"

#: The bare words for $NodeDeallocationOption.
OPTIONS: Mapping[str, str] = {
    "requeue": "stop tasks now and put them back into the queue, then remove the node",
    "terminate": "stop tasks now, remove them from the queue, then remove the node",
    "taskcompletion": "let running tasks end, take no new ones, then remove the node",
    "retaineddata": "wait until the retained data of all tasks is cleaned, then remove the node",
}

_DEDICATED = "$TargetDedicatedNodes"
_LOW_PRIORITY = "$TargetLowPriorityNodes"

TARGETS: Mapping[str, Target] = {
    target.name: target
    for target in (
        Target(_DEDICATED, "target_dedicated", _DEDICATED, "target of dedicated nodes"),
        Target(_LOW_PRIORITY, "target_low_priority", _LOW_PRIORITY, "target of low-priority or Spot nodes"),
        Target("$TargetDedicated", "target_dedicated", _DEDICATED, "old name of $TargetDedicatedNodes"),
        Target(
            "$TargetLowPriority", "target_low_priority", _LOW_PRIORITY, "old name of $TargetLowPriorityNodes"
        ),
    )
}

METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("$ActiveTasks", "tasks that are ready to run and wait for a node"),
        Metric("$RunningTasks", "tasks that run"),
        Metric("$PendingTasks", "$ActiveTasks + $RunningTasks"),
        Metric("$SucceededTasks", "tasks that finished well"),
        Metric("$FailedTasks", "tasks that failed"),
        Metric("$TaskSlotsPerNode", "task slots of each node of the pool", field="task_slots_per_node"),
        Metric("$CurrentDedicatedNodes", "dedicated nodes now", field="current_dedicated"),
        Metric(
            "$CurrentLowPriorityNodes",
            "low-priority nodes now, preempted ones too",
            field="current_low_priority",
        ),
        Metric("$PreemptedNodeCount", "nodes of the pool that are preempted", field="preempted"),
        Metric("$UsableNodeCount", "nodes that can run tasks", field="usable"),
        Metric(
            "$CurrentDedicated",
            "old name of $CurrentDedicatedNodes",
            field="current_dedicated",
            series="$CurrentDedicatedNodes",
        ),
        Metric(
            "$CurrentLowPriority",
            "old name of $CurrentLowPriorityNodes",
            field="current_low_priority",
            series="$CurrentLowPriorityNodes",
        ),
        Metric("$CPUPercent", "average use of the CPUs", unit="percent"),
        Metric("$WallClockSeconds", "seconds since the nodes started", unit="seconds", retired=True),
        Metric("$MemoryBytes", "memory in use on a node", unit="megabytes", retired=True),
        Metric("$DiskBytes", "disk in use on a node", unit="gigabytes", retired=True),
        Metric("$DiskReadBytes", "bytes a node read from its disks in a sample period", unit="bytes", retired=True),
        Metric("$DiskWriteBytes", "bytes a node wrote to its disks in a sample period", unit="bytes", retired=True),
        Metric("$DiskReadOps", "reads on a node's disks in a sample period", unit="operations", retired=True),
        Metric("$DiskWriteOps", "writes on a node's disks in a sample period", unit="operations", retired=True),
        Metric("$NetworkInBytes", "bytes a node received in a sample period", unit="bytes", retired=True),
        Metric("$NetworkOutBytes", "bytes a node sent in a sample period", unit="bytes", retired=True),
        Metric("$SampleNodeCount", "nodes that gave the sample", retired=True),
    )
}

#: Names that people expect and that do not exist, with the cure.
ABSENT: Mapping[str, str] = {
    "$TVMDeallocationOption": "use $NodeDeallocationOption",
    "$SampleTVMCount": "use $SampleNodeCount",
    "$TargetSpotNodes": "Spot nodes are set with $TargetLowPriorityNodes; the name stayed",
    "$CurrentSpotNodes": "Spot nodes are counted in $CurrentLowPriorityNodes; the name stayed",
}

#: Names of former times, of wishes and of misprints, with the one name that each stands for. `retaindata` is what
#: editors offer that complete from an old table of words.
RENAMED: Mapping[str, str] = {
    "$TVMDeallocationOption": DEALLOCATION_OPTION,
    "$SampleTVMCount": "$SampleNodeCount",
    "$TargetSpotNodes": _LOW_PRIORITY,
    "$CurrentSpotNodes": "$CurrentLowPriorityNodes",
    "retaindata": "retaineddata",
}

#: The interval constants in seconds.
INTERVALS: Mapping[str, float] = {
    "TimeInterval_Zero": 0.0,
    "TimeInterval_100ns": 1e-7,
    "TimeInterval_Microsecond": 1e-6,
    "TimeInterval_Millisecond": 1e-3,
    "TimeInterval_Second": 1.0,
    "TimeInterval_Minute": 60.0,
    "TimeInterval_Hour": 3600.0,
    "TimeInterval_Day": 86400.0,
    "TimeInterval_Week": 604800.0,
    "TimeInterval_Year": 31536000.0,
}

#: Every name that a formula may read without assigning it.
KNOWN_NAMES: tuple[str, ...] = (*TARGETS, DEALLOCATION_OPTION, *METRICS, *INTERVALS)

# The table has full names before their aliases.
_NAMES_OF: Mapping[str, tuple[str, ...]] = {
    target.full_name: tuple(name for name, other in TARGETS.items() if other.full_name == target.full_name)
    for target in TARGETS.values()
}


def assigned_target(assigned: Container[str], full_name: str) -> str | None:
    """The name under which a target was assigned: the full name wins over its alias."""
    return next((name for name in _NAMES_OF[full_name] if name in assigned), None)


def current_name(name: str) -> str:
    """The name of today for an outdated name of a target or a metric; every other name as it is."""
    if name in TARGETS:
        return TARGETS[name].full_name
    return series_name(name) if name in METRICS else name


def series_name(metric: str) -> str:
    """The name of the samples: outdated metrics have those of their successors."""
    return METRICS[metric].series or metric
