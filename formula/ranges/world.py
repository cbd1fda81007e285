"""What may be taken for granted of the samples, the pool and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, nextafter

from ..variables import INTERVALS, METRICS, TARGETS
from .value_range import ANY_NUMBER, LARGEST, Range, between, exactly

COUNT = between(0.0, LARGEST, whole=True)
#: A pool may have up to 256 task slots on a node.
SLOTS = between(1.0, 256.0, whole=True)
#: 1970 to 9999.
INSTANT = Range(0.0, 253_402_300_799.999)
PERCENT = Range(0.0, 100.0)
_AMOUNT = Range(0.0, LARGEST)
_ANY = Range(-inf, inf)

MEMBERS: Mapping[str, Range] = {
    "year": between(1.0, 9999.0, whole=True),
    "month": between(1.0, 12.0, whole=True),
    "day": between(1.0, 31.0, whole=True),
    "weekday": between(0.0, 6.0, whole=True),
    "hour": between(0.0, 23.0, whole=True),
    "minute": between(0.0, 59.0, whole=True),
    "second": between(0.0, 59.0, whole=True),
}
RANDOM = Range(0.0, nextafter(1.0, 0.0))
PERIOD = Range(nextafter(0.0, 1.0), LARGEST)
EVERY_INSTANT = Range(-62_135_596_800.0, 253_402_300_800.0)

#: Metrics that are zero where there are no nodes.
NODE_COUNTS = (
    "$CurrentDedicatedNodes",
    "$CurrentLowPriorityNodes",
    "$PreemptedNodeCount",
    "$UsableNodeCount",
    "$SampleNodeCount",
)


def _of_metric(name: str) -> Range:
    match METRICS[name].unit:
        case "count":
            return SLOTS if name == "$TaskSlotsPerNode" else COUNT
        case "percent":
            return PERCENT
        case _:
            return _AMOUNT


@dataclass(frozen=True)
class World:
    """`nodes`: what the former targets and the present node counts can be; `names`: some of them for themselves.
    `samples`: of some metrics. `unknown`: the numbers that a template leaves open.
    """

    nodes: Range = COUNT
    names: Mapping[str, Range] = field(default_factory=dict)
    samples: Mapping[str, Range] = field(default_factory=dict)
    unknown: Range = _ANY

    def element(self, metric: str) -> Range:
        """A sample of a metric, by its current name."""
        found = self.samples.get(metric)
        return _of_metric(metric) if found is None else found

    def value(self, name: str) -> Range:
        """A name that the formula did not assign."""
        if name in TARGETS:
            return self.names.get(TARGETS[name].full_name, self.nodes)
        if name in INTERVALS:
            return replace(exactly(INTERVALS[name]), whole=False)
        metric = METRICS.get(name)
        if metric is None:
            return ANY_NUMBER
        if metric.field == "task_slots_per_node":
            return SLOTS
        if metric.field is not None:
            return self.names.get(metric.series or name, self.nodes)
        # The newest sample; NaN where there is none.
        return replace(self.element(metric.series or name), nan=True)


ANY_WORLD = World()
_ZERO = exactly(0.0)
#: A pool that has had no nodes for a while: nothing runs, and every sample says so.
EMPTY_POOL = World(_ZERO, samples=dict.fromkeys(("$RunningTasks", *NODE_COUNTS), _ZERO))
#: Any pool, with a template whose numbers are filled in with sizes of pools.
FILLED_IN = World(unknown=between(0.0, 1e6, whole=True))

_KINDS = {
    "$TargetDedicatedNodes": "$CurrentDedicatedNodes",
    "$TargetLowPriorityNodes": "$CurrentLowPriorityNodes",
}
TARGET_NAMES = tuple(_KINDS)
_OF_BOTH_KINDS = ("$UsableNodeCount", "$SampleNodeCount")
_SINGLE = between(0.0, 1.0, whole=True)
#: A pool of one node at most.
SINGLE_NODE = World(_SINGLE, samples=dict.fromkeys(NODE_COUNTS, _SINGLE))


def pool_up_to(nodes: float) -> World:
    """A pool whose targets and node counts of either kind are at most `nodes`, and always were."""
    most, both = between(0.0, nodes, whole=True), between(0.0, 2 * nodes, whole=True)
    counts = dict.fromkeys(NODE_COUNTS, most) | dict.fromkeys(_OF_BOTH_KINDS, both)
    return World(most, names=counts, samples=counts)


def kind_up_to(target: str, nodes: float) -> World:
    """A pool with any number of nodes, of which those of one kind are at most `nodes`, and always were."""
    most = between(0.0, nodes, whole=True)
    current = _KINDS[target]
    return World(names={target: most, current: most}, samples={current: most})
