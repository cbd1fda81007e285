"""What nodes cost: the price of each, and what that comes to over time. Pure.

A cloud bills a VM from its creation to its end, whether or not it was ever of use. A price of 0.0 in a price list, or
in the settings, says that nobody knows; a provider whose nodes cost nothing says 0.0 of the VM itself.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from providers import Vm

from .model import Node, Pool, Usage
from .settings import PoolSettings

HOUR = 3600.0


class Cost(Struct, frozen=True):
    """`known`: in the currency of the prices; `unpriced`: node-seconds that have no price."""

    known: float = 0.0
    unpriced: float = 0.0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.known + other.known, self.unpriced + other.unpriced)


def cost_of(seconds: float, price: float | None) -> Cost:
    """`price` per hour; None: unknown."""
    return Cost(0.0, seconds) if price is None else Cost(price * seconds / HOUR)


def price_of(node: Node, vm: Vm, vm_size: str, settings: PoolSettings) -> float | None:
    """Per hour: what the settings say of the cloud's size, or of the pool's `vm_size`, else what the cloud says of this
    VM; None if nobody knows."""
    for size in (vm.size, node.size, vm_size):
        own = settings.prices.get(size or "", (None, None))[node.low_priority]
        if own:
            return own
    return vm.price_per_hour


def billed_seconds(node: Node, now: float) -> float:
    """How long the node's VM has lived, as far as is known. A VM that nobody has seen has not."""
    if node.vm_confirmed is None:
        return 0.0
    # by the cloud's clock, which may be a little off
    told = node.vm.created if node.vm is not None else None
    begin = node.ordered if told is None else min(max(told, node.ordered), node.vm_confirmed)
    return max(0.0, (now if node.vm_ended is None else node.vm_ended) - begin)


def node_cost(node: Node, now: float) -> Cost:
    """What the node has cost until now."""
    return cost_of(billed_seconds(node, now), node.price_per_hour)


def with_ended(usage: Usage, node: Node, now: float) -> Usage:
    """What the pool has used, with a node that has just gone."""
    seconds, cost = billed_seconds(node, now), node_cost(node, now)
    if node.low_priority:
        usage = replace(usage, low_priority_seconds=usage.low_priority_seconds + seconds)
    else:
        usage = replace(usage, dedicated_seconds=usage.dedicated_seconds + seconds)
    return replace(usage, cost=usage.cost + cost.known, unpriced_seconds=usage.unpriced_seconds + cost.unpriced)


def pool_cost(pool: Pool, nodes: Iterable[Node], now: float) -> Cost:
    """What the pool has cost until now: its past nodes and the present ones (`nodes` of this pool)."""
    living = (node_cost(node, now) for node in nodes if not node.vm_gone)
    return sum(living, Cost(pool.usage.cost, pool.usage.unpriced_seconds))


def pool_seconds(pool: Pool, nodes: Iterable[Node], now: float) -> float:
    """The node-seconds that this is for."""
    past = pool.usage.dedicated_seconds + pool.usage.low_priority_seconds
    return past + sum(billed_seconds(node, now) for node in nodes if not node.vm_gone)
