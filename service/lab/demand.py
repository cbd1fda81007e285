"""How many nodes a workload needs at each moment if every task starts as soon as it arrives."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from math import inf
from operator import add

from .arrivals import Arrivals

#: A task that ends so shortly (seconds) after another arrives makes room for it: sums of floats are not exact, and an
#: end that is late by a rounding error must not count as a node more.
TIE = 1e-6


@dataclass(frozen=True, slots=True)
class Demand:
    """Steps: columns of the same length. `nodes[i]` are needed from `times[i]` until `times[i + 1]`. Times ascend,
    neighbours differ, and the last step is 0; before the first none are needed. Empty: never are any."""

    #: seconds since the start of the scenario
    times: array[float]
    nodes: array[int]

    @property
    def peak(self) -> int:
        return max(self.nodes, default=0)

    @property
    def node_seconds(self) -> float:
        """What the steps come to: seconds, times nodes."""
        times, nodes = self.times, self.nodes
        return sum((times[i + 1] - times[i]) * nodes[i] for i in range(len(times) - 1))

    def above(self, nodes: int) -> Demand:
        """What `nodes` nodes, there all the time, would leave to others."""
        return steps_of(self.times, [max(0, needed - nodes) for needed in self.nodes])


def steps_of(times: Iterable[float], nodes: Iterable[int]) -> Demand:
    """From steps that may repeat a level, or that may all be over at once."""
    kept_times: array[float] = array("d")
    kept: array[int] = array("i")
    level = 0
    for time, needed in zip(times, nodes, strict=True):
        if needed != level:
            level = needed
            kept_times.append(time)
            kept.append(needed)
    return Demand(kept_times, kept)


def demand_of(arrivals: Arrivals, slots_per_node: int) -> Demand:
    """The nodes without which some task would have to wait. A lower bound: slots are counted as if tasks could be split
    between nodes and moved while they run (their sum over the slots of a node, rounded up), only that each task which
    takes more than half of a node is counted as having one of its own. With one slot per node it is exact. Of a node
    of one slot per task slot (`slots_per_node` 1 for tasks of several) it is the slots that are wanted.

    A task holds its slots from its arrival up to, but not including, its end."""
    sizes = arrivals.slots
    ends = [*map(add, arrivals.times, arrivals.durations)]
    freed: Iterable[int]
    if min(sizes, default=0) == max(sizes, default=0):
        # whose end it is makes no difference, and plain floats are sorted faster
        ends.sort()
        freed = sizes
    else:
        order = sorted(range(len(ends)), key=ends.__getitem__)
        freed = map(sizes.__getitem__, order)
        ends = [*map(ends.__getitem__, order)]
    return _swept(arrivals, ends, freed, slots_per_node)


def _swept(arrivals: Arrivals, ends: list[float], freed: Iterable[int], per_node: int) -> Demand:
    """`ends` ascend; `freed`: the slots that each of them frees."""
    times: array[float] = array("d")
    nodes: array[int] = array("i")
    level = slots = large = 0
    half = per_node / 2
    arriving = zip(chain(arrivals.times, [inf]), chain(arrivals.slots, [0]), strict=True)
    leaving = zip(chain(ends, [inf]), chain(freed, [0]), strict=True)
    arrival, size = next(arriving)
    end, less = next(leaving)
    while end < inf:
        # all that happens at one instant, and then what is needed after it
        now = arrival if arrival < end else end
        while end <= now + TIE:
            slots -= less
            large -= less > half
            end, less = next(leaving)
        while arrival <= now:
            slots += size
            large += size > half
            arrival, size = next(arriving)
        needed = max(-(-slots // per_node), large)
        if needed != level:
            level = needed
            times.append(now)
            nodes.append(needed)
    return Demand(times, nodes)
