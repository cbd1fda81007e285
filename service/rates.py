"""What nodes have used and what that costs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from pools import Node, Pool
from providers import Size

from .settings import Settings

_HOUR = 3600.0


class Rate(NamedTuple):
    """Per node-hour; None if nobody has said."""

    dedicated: float | None = None
    low_priority: float | None = None


Rates = Mapping[str, Rate]


def rates(settings: Settings, sizes: Iterable[Size]) -> Rates:
    """The rate of each size: that of the settings, else the provider's own."""
    found = {size.name: Rate(size.price_per_hour, size.low_priority_price_per_hour) for size in sizes}
    return found | {
        name: Rate(price.dedicated, price.low_priority) for name, price in settings.prices.items()
    }


class Used(NamedTuple):
    """Node-seconds, and their price; None if a rate that is needed is not known."""

    dedicated: float
    low_priority: float
    cost: float | None

    @property
    def seconds(self) -> float:
        return self.dedicated + self.low_priority


def used(pool: Pool, nodes: Iterable[Node], rate: Rate, now: float) -> Used:
    """What a pool has used until `now`: its past nodes and the present ones (`nodes` of this pool)."""
    dedicated, low_priority = pool.usage.dedicated_seconds, pool.usage.low_priority_seconds
    for node in nodes:
        seconds = max(0.0, now - node.created)
        if node.low_priority:
            low_priority += seconds
        else:
            dedicated += seconds
    cost = 0.0
    for amount, price in ((dedicated, rate.dedicated), (low_priority, rate.low_priority)):
        if amount and price is None:
            return Used(dedicated, low_priority, None)
        cost += amount / _HOUR * (price or 0.0)
    return Used(dedicated, low_priority, cost)


def money(cost: float | None) -> str:
    """A price for people: two digits that mean something, however small it is."""
    if cost is None:
        return "unknown"
    if cost == 0 or cost >= 1:
        return f"{cost:.2f}"
    return f"{cost:.6f}" if cost < 0.01 else f"{cost:.4f}"
