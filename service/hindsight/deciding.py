"""What a formula would have decided at the moments of a recorded past. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf, isfinite
from random import Random

from formula import EvaluationError, Formula, PoolValues, Samples, TimeSeries
from pools import Sample

from .moments import Moment

#: By metric: the value of the pool that it is a sample of.
_POOL = {
    "$TargetDedicatedNodes": "target_dedicated",
    "$TargetLowPriorityNodes": "target_low_priority",
    "$CurrentDedicatedNodes": "current_dedicated",
    "$CurrentLowPriorityNodes": "current_low_priority",
    "$PreemptedNodeCount": "preempted",
    "$UsableNodeCount": "usable",
    "$TaskSlotsPerNode": "task_slots_per_node",
}
#: Those that do not follow from what was decided.
_GIVEN = ("$PreemptedNodeCount", "$TaskSlotsPerNode")


@dataclass(frozen=True, slots=True)
class Decided:
    """`error`: it failed, decided nothing and left the targets as they were. `recorded`: the targets that were decided
    then, or held; None: not known; `recorded_failed`: the recorded run failed."""

    time: float
    dedicated: int
    low_priority: int
    option: str
    error: EvaluationError | None
    recorded: tuple[int, int] | None
    recorded_failed: bool = False

    @property
    def targets(self) -> tuple[int, int]:
        return self.dedicated, self.low_priority


def needed_metrics(formula: Formula) -> tuple[str, ...]:
    """Of which samples are needed to decide."""
    return tuple(dict.fromkeys((*formula.metrics, *_POOL)))


def reads_decisions(formula: Formula) -> tuple[str, ...]:
    """What it reads that follows from what was decided before."""
    return tuple(
        name
        for name, field in _POOL.items()
        if name not in _GIVEN and (name in formula.metrics or field in formula.pool_values)
    )


def decide(
    formula: Formula, moments: Iterable[Moment], samples: Sequence[Sample], *, follow: bool = False
) -> list[Decided]:
    """`moments` and `samples`: oldest first.

    Each sees the samples and the pool as they were recorded. One that fails keeps the targets that were decided before
    it; the first one, or one before which somebody else had set targets, the recorded ones. `follow`: targets and node
    counts are those that the formula has decided before, as if the pool had followed at once.
    """
    past = _Past(samples, formula.metrics, follow)
    found: list[Decided] = []
    for moment in moments:
        there = past.pool(moment)
        pool = moment.pool or there
        recorded = moment.recorded
        if recorded is None and past.sampled is not None:
            recorded = (int(there.target_dedicated), int(there.target_low_priority))
        if follow and found:
            pool = _as_decided(pool, *found[-1].targets)
        seen = Samples(moment.period, past.series(moment), pool)
        rng = None if moment.seed is None else Random(moment.seed)
        result = formula.evaluate(seen, moment.time, rng)
        targets = (result.dedicated, result.low_priority)
        if result.error is not None and found and not _set_by_others(moment, found[-1]):
            targets = found[-1].targets
        option = result.node_deallocation_option
        decided = Decided(moment.time, *targets, option, result.error, recorded, moment.failed)
        found.append(decided)
        past.decided(decided)
    return found


def _set_by_others(moment: Moment, before: Decided) -> bool:
    """Since the run before; for instance, somebody has resized the pool."""
    if moment.pool is None or before.recorded is None:
        return False
    return (int(moment.pool.target_dedicated), int(moment.pool.target_low_priority)) != before.recorded


def _as_decided(pool: PoolValues, dedicated: int, low_priority: int) -> PoolValues:
    return replace(
        pool,
        target_dedicated=dedicated,
        target_low_priority=low_priority,
        current_dedicated=dedicated,
        current_low_priority=low_priority,
        usable=dedicated + low_priority,
    )


class _Past:
    """The samples, as they become visible and are forgotten."""

    def __init__(self, samples: Sequence[Sample], metrics: Sequence[str], follow: bool) -> None:
        self._samples = samples
        self._times = [sample.time for sample in samples]
        self._metrics = metrics
        self._follow = follow
        self._when: list[float] = []
        self._targets: list[tuple[int, int]] = []
        #: the newest sample that tells of the pool at the last moment
        self.sampled: Sample | None = None
        self._begin()

    def _begin(self) -> None:
        self._series = {name: TimeSeries() for name in self._metrics}
        self._taken, self._first, self._last = 0, -inf, -inf

    def pool(self, moment: Moment) -> PoolValues:
        """As the newest sample tells."""
        place = bisect_right(self._times, moment.time)
        self.sampled = self._samples[place - 1] if place else None
        values: Mapping[str, float] = self.sampled.values if self.sampled is not None else {}
        return PoolValues(**{field: values[name] for name, field in _POOL.items() if name in values})

    def series(self, moment: Moment) -> Mapping[str, TimeSeries]:
        """They go on: use them before the next moment."""
        if moment.last < self._last or moment.first < self._first:
            self._begin()  # the settings were changed in between: samples are seen later, or for longer
        stop = bisect_right(self._times, moment.last)
        for sample in self._samples[self._taken : stop]:
            self._add(sample)
        self._taken = max(self._taken, stop)
        for series in self._series.values():
            series.trim(moment.first)
        self._first, self._last = moment.first, moment.last
        return self._series

    def _add(self, sample: Sample) -> None:
        own = self._own(sample.time) if self._follow else {}
        for name, series in self._series.items():
            value = own.get(name, sample.values.get(name))
            if value is not None and isfinite(value):
                series.append(sample.time, value)

    def decided(self, decided: Decided) -> None:
        if self._follow:
            self._when.append(decided.time)
            self._targets.append(decided.targets)

    def _own(self, time: float) -> Mapping[str, float]:
        """What a sample tells of a pool that follows its targets at once."""
        place = bisect_right(self._when, time)
        if not place:
            return {}
        dedicated, low_priority = self._targets[place - 1]
        return {
            "$TargetDedicatedNodes": dedicated,
            "$TargetLowPriorityNodes": low_priority,
            "$CurrentDedicatedNodes": dedicated,
            "$CurrentLowPriorityNodes": low_priority,
            "$UsableNodeCount": dedicated + low_priority,
        }
