"""The history that formulas look at: one sample of every metric per period, visible after a delay."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from formula import PoolValues, Samples, TimeSeries

from .model import Node, Pool
from .node_states import COMING, RESTARTING, USABLE, NodeState
from .settings import PoolSettings
from .workload import TaskCounts


class Sample(msgspec.Struct, frozen=True):
    """All metrics of one pool at one instant; `values` by formula variable name."""

    pool_id: str
    time: float
    values: dict[str, float]


class NodeCounts(NamedTuple):
    """The nodes of a pool as Azure Batch counts them."""

    dedicated: int = 0
    #: with those that are preempted
    low_priority: int = 0
    preempted: int = 0
    #: could take work if the scheduler wanted
    usable: int = 0


def count(nodes: Iterable[Node]) -> NodeCounts:
    """A preempted node counts until it is replaced; a successor that is not of use yet does not count beside it, as in
    Azure Batch, where both are one node."""
    dedicated = low_priority = preempted = usable = coming = 0
    for node in nodes:
        if node.low_priority:
            low_priority += 1
            coming += node.state in COMING - RESTARTING  # those are nobody's successors
        else:
            dedicated += 1
        preempted += node.state is NodeState.PREEMPTED
        usable += node.state in USABLE
    return NodeCounts(dedicated, low_priority - min(preempted, coming), preempted, usable)


def measure(
    pool: Pool, nodes: Iterable[Node], counts: TaskCounts, usage: Mapping[str, float], now: float
) -> Sample:
    """Take one sample (the service-defined variables of Azure Batch autoscale formulas).

    `usage`: what the nodes use, by formula variable name (see `UsageReports.averages`).
    """
    current = count(nodes)
    values = {
        "$ActiveTasks": counts.active,
        "$RunningTasks": counts.running,
        "$PendingTasks": counts.active + counts.running,
        "$SucceededTasks": counts.succeeded,
        "$FailedTasks": counts.failed,
        "$CurrentDedicatedNodes": current.dedicated,
        "$CurrentLowPriorityNodes": current.low_priority,
        "$PreemptedNodeCount": current.preempted,
        "$UsableNodeCount": current.usable,
        "$TaskSlotsPerNode": pool.spec.task_slots_per_node,
        "$TargetDedicatedNodes": pool.target_dedicated,
        "$TargetLowPriorityNodes": pool.target_low_priority,
    }
    return Sample(pool.id, now, {**{name: float(value) for name, value in values.items()}, **usage})


class History:
    """The samples of one pool, as its formula sees them."""

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        self._series: dict[str, TimeSeries] = {}
        self._young: deque[Sample] = deque()
        #: when the newest sample was taken
        self.last: float | None = None

    def add(self, sample: Sample) -> None:
        """Add the newest sample; one that is not newer (the clock was set back) is left out."""
        if self.last is None or sample.time > self.last:
            self.last = sample.time
            self._young.append(sample)
            while self._young[0].time < sample.time - self._settings.sample_retention:
                self._young.popleft()  # no formula has looked for so long

    def visible(self, now: float) -> Mapping[str, TimeSeries]:
        """The series as they are visible at `now`: samples younger than the sample delay are not there
        yet."""
        while self._young and self._young[0].time <= now - self._settings.sample_delay:
            sample = self._young.popleft()
            for name, value in sample.values.items():
                self._series.setdefault(name, TimeSeries()).append(sample.time, value)
        for series in self._series.values():
            series.trim(now - self._settings.sample_retention)
        return self._series

    def samples(self, pool: Pool, nodes: Iterable[Node], now: float) -> Samples:
        """What a formula evaluated at `now` gets to see."""
        current = measure(pool, nodes, TaskCounts(), {}, now).values
        values = PoolValues(
            target_dedicated=pool.target_dedicated,
            target_low_priority=pool.target_low_priority,
            current_dedicated=int(current["$CurrentDedicatedNodes"]),
            current_low_priority=int(current["$CurrentLowPriorityNodes"]),
            preempted=int(current["$PreemptedNodeCount"]),
            usable=int(current["$UsableNodeCount"]),
            task_slots_per_node=pool.spec.task_slots_per_node,
        )
        return Samples(period=self._settings.sample_period, series=self.visible(now), pool=values)
