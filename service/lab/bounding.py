"""The bounds beside the formulas of a scenario."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import fsum

from . import bounds as of
from .arrivals import Arrivals
from .demand import Demand, demand_of
from .distributions import draws
from .outcome import Bound, Bounds
from .scenario import World
from .streams import stream

#: Boots that are drawn for their mean.
_DRAWN = 10_000


def bounds_of(world: World, arrivals: Arrivals, seed: int) -> Bounds | None:
    """None where there can be no node at all. Boots take their mean."""
    prices, quota = world.price_per_hour, world.quota
    tariffs = (of.Tariff(prices.dedicated, quota.dedicated), of.Tariff(prices.low_priority, quota.low_priority))
    there = [tariff.price_per_hour for tariff in tariffs if tariff.nodes != 0]
    if not there:
        return None
    boots = draws(world.boot, stream(seed, "mean boot"), 1 if world.boot.constant is not None else _DRAWN)
    terms = of.Terms(fsum(boots) / len(boots), world.minimum_billing.total_seconds())
    demand = demand_of(arrivals, world.task_slots_per_node)
    alone = of.work_alone(arrivals, world.task_slots_per_node, terms)
    return Bounds(
        optimum=_bound(of.optimum, demand, terms, tariffs),
        break_even=_bound(of.break_even, demand, terms, tariffs),
        work_alone=Bound(cost=alone.node_seconds * min(there) / of.HOUR, node_seconds=alone.node_seconds),
    )


def _bound(
    rule: Callable[[Demand, of.Terms], of.Bound], demand: Demand, terms: of.Terms, tariffs: Sequence[of.Tariff]
) -> Bound:
    found = rule(demand, terms)
    cost = of.cost(rule, demand, terms, tariffs)
    return Bound(cost=cost, node_seconds=found.node_seconds, exact=found.exact)
