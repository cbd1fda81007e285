"""The history that formulas look at: one sample of every metric per period, visible after a delay."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping

import msgspec

from formula import METRICS, PoolValues, Samples, TimeSeries

from .model import Pool
from .node_counts import NodeCounts
from .settings import PoolSettings
from .workload import TaskCounts


class Sample(msgspec.Struct, frozen=True):
    """All metrics of one pool at one instant; `values` by formula variable name."""

    pool_id: str
    time: float
    values: dict[str, float]


def measure(
    pool: Pool, current: NodeCounts, counts: TaskCounts, usage: Mapping[str, float], now: float
) -> Sample:
    """Take one sample (the service-defined variables of Azure Batch autoscale formulas).

    `usage`: what the nodes use, by formula variable name (see `UsageReports.averages`).
    """
    values = {
        "$ActiveTasks": float(counts.active),
        "$RunningTasks": float(counts.running),
        "$PendingTasks": float(counts.active + counts.running),
        "$SucceededTasks": float(counts.succeeded),
        "$FailedTasks": float(counts.failed),
        "$CurrentDedicatedNodes": float(current.dedicated),
        "$CurrentLowPriorityNodes": float(current.low_priority),
        "$PreemptedNodeCount": float(current.preempted),
        "$UsableNodeCount": float(current.usable),
        "$TaskSlotsPerNode": float(pool.spec.task_slots_per_node),
        "$TargetDedicatedNodes": float(pool.target_dedicated),
        "$TargetLowPriorityNodes": float(pool.target_low_priority),
    }
    if usage:
        values.update(usage)
    return Sample(pool.id, now, values)


class History:
    """The samples of one pool, as its formula sees them."""

    def __init__(self, settings: PoolSettings) -> None:
        self._settings = settings
        #: of the metrics that somebody has asked for
        self._series: dict[str, TimeSeries] = {}
        #: those that are visible, oldest first, and those that are not yet
        self._old: deque[Sample] = deque()
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

    def visible(self, now: float, metrics: Iterable[str] = METRICS) -> Mapping[str, TimeSeries]:
        """The series of these metrics as they are visible at `now`: samples younger than the sample delay are not there
        yet. Never less is told of later than of earlier times."""
        for name in metrics:
            if name not in self._series:
                self._series[name] = TimeSeries(
                    (sample.time, sample.values[name]) for sample in self._old if name in sample.values
                )
        young, old, latest = self._young, self._old, now - self._settings.sample_delay
        while young and young[0].time <= latest:
            sample = young.popleft()
            old.append(sample)
            for name, series in self._series.items():
                if name in sample.values:
                    series.append(sample.time, sample.values[name])
        before = now - self._settings.sample_retention
        if old and old[0].time < before:
            while old and old[0].time < before:
                old.popleft()
            for series in self._series.values():
                series.trim(before)
        return self._series

    @property
    def span(self) -> tuple[float, float] | None:
        """When the first and the last of the visible samples were taken; None: there is none."""
        return (self._old[0].time, self._old[-1].time) if self._old else None

    def samples(self, pool: Pool, current: NodeCounts, now: float, metrics: Iterable[str] = METRICS) -> Samples:
        """What a formula that reads these metrics gets to see at `now`."""
        values = PoolValues(
            target_dedicated=pool.target_dedicated,
            target_low_priority=pool.target_low_priority,
            current_dedicated=current.dedicated,
            current_low_priority=current.low_priority,
            preempted=current.preempted,
            usable=current.usable,
            task_slots_per_node=pool.spec.task_slots_per_node,
        )
        return Samples(period=self._settings.sample_period, series=self.visible(now, metrics), pool=values)
