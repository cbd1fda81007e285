"""What nodes use (CPU, memory, disks, network), and the metrics that formulas see of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import lru_cache
from math import fsum
from typing import Annotated, Literal

import msgspec

from .model import Node

#: A report counts for so many sampling periods: one would leave out a node that tells a moment late.
REACH = 1.5

# Figures come from nodes, where tasks may do as they like. Within these bounds (a kernel's counters have 64 bits, an
# agent tells millionths of a second) averages are finite, which samples and the store insist on.
Amount = Annotated[float, msgspec.Meta(ge=0, le=2.0**64)]
Seconds = Annotated[float, msgspec.Meta(ge=1e-6, le=1e9)]


class NodeUsage(msgspec.Struct, frozen=True, kw_only=True):
    """What one node tells of the last `seconds`. Bytes and operations are those of that time, memory and disk in
    bytes what is in use at its end; a figure that the node could not measure is None."""

    seconds: Seconds
    cpu_percent: Annotated[float, msgspec.Meta(ge=0, le=100)] | None = None
    memory_bytes: Amount | None = None
    disk_bytes: Amount | None = None
    disk_reads: Amount | None = None
    disk_read_bytes: Amount | None = None
    disk_writes: Amount | None = None
    disk_write_bytes: Amount | None = None
    network_in_bytes: Amount | None = None
    network_out_bytes: Amount | None = None


Figure = Callable[[Node, NodeUsage, float, float], float | None]


def _in_use(field: str, unit: float) -> Figure:
    def figure(node: Node, usage: NodeUsage, period: float, now: float) -> float | None:
        value: float | None = getattr(usage, field)
        return None if value is None else value / unit

    return figure


def _per_period(field: str) -> Figure:
    def figure(node: Node, usage: NodeUsage, period: float, now: float) -> float | None:
        value: float | None = getattr(usage, field)
        return None if value is None else value * period / usage.seconds

    return figure


def _age(node: Node, usage: NodeUsage, period: float, now: float) -> float | None:
    return None if node.boot_time is None else max(0.0, now - node.boot_time)


#: What one node adds to each metric. Units: Azure Batch documents megabytes and gigabytes in spite of the names.
_FIGURES: Mapping[str, Figure] = {
    "$CPUPercent": _in_use("cpu_percent", 1.0),
    "$WallClockSeconds": _age,
    "$MemoryBytes": _in_use("memory_bytes", 2.0**20),
    "$DiskBytes": _in_use("disk_bytes", 2.0**30),
    "$DiskReadBytes": _per_period("disk_read_bytes"),
    "$DiskWriteBytes": _per_period("disk_write_bytes"),
    "$DiskReadOps": _per_period("disk_reads"),
    "$DiskWriteOps": _per_period("disk_writes"),
    "$NetworkInBytes": _per_period("network_in_bytes"),
    "$NetworkOutBytes": _per_period("network_out_bytes"),
}
_COUNT = "$SampleNodeCount"
NODE_METRICS: tuple[str, ...] = (*_FIGURES, _COUNT)


@lru_cache(maxsize=1024)
def sampled_metrics(formula: str | None, which: Literal["named", "all"]) -> tuple[str, ...]:
    """The node metrics that a pool with this formula gets samples of.

    They would double what is kept of every pool, so by default it is those that the formula's text mentions.
    """
    if which == "all":
        return NODE_METRICS
    return tuple(name for name in NODE_METRICS if name in (formula or ""))


class UsageReports:
    """The newest report of every node, with the time at which it came."""

    def __init__(self) -> None:
        self._newest: dict[str, tuple[float, NodeUsage]] = {}

    def put(self, node_id: str, usage: NodeUsage, now: float) -> None:
        self._newest[node_id] = (now, usage)

    def forget(self, node_id: str) -> None:
        self._newest.pop(node_id, None)

    def averages(
        self, nodes: Iterable[Node], names: Collection[str], period: float, now: float
    ) -> dict[str, float]:
        """The metrics of these names: averages over the nodes that told of late. What no node told is missing."""
        told = [
            (node, newest[1])
            for node in nodes
            if (newest := self._newest.get(node.id)) is not None and 0 <= now - newest[0] <= REACH * period
        ]
        averages: dict[str, float] = {}
        for name in names if told else ():
            if name == _COUNT:
                averages[name] = float(len(told))
                continue
            figures = [_FIGURES[name](node, usage, period, now) for node, usage in told]
            known = [figure for figure in figures if figure is not None]
            if known:
                averages[name] = round(fsum(known) / len(known), 3)
        return averages
