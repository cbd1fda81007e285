"""The prices of nodes that are given to a command which counts the hours of nodes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

_MOST = 1_000_000
_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True)
class NodePrices:
    """Of a node for an hour; None: not known."""

    dedicated: float | None
    low_priority: float | None

    def cost(self, node_hours: tuple[float, float]) -> float | None:
        """Of so many hours of dedicated and low-priority nodes; None: there are some whose price is not known."""
        if self.unpriced(node_hours):
            return None
        return node_hours[0] * (self.dedicated or 0.0) + node_hours[1] * (self.low_priority or 0.0)

    def unpriced(self, node_hours: tuple[float, float]) -> str | None:
        """What to say so that the cost is known."""
        dedicated, low_priority = node_hours
        if dedicated and self.dedicated is None:
            return "the cost of dedicated nodes is not known: say --price-per-hour"
        if low_priority and self.low_priority is None:
            return "the cost of low-priority nodes is not known: say --low-priority-price"
        return None


def price_options(command: _Command) -> _Command:
    """`--price-per-hour` and `--low-priority-price`: `price_per_hour` and `low_priority_price`."""
    about = "Of a low-priority node; needed where there are some."
    command = click.option("--low-priority-price", type=click.FloatRange(0), metavar="P", help=about)(command)
    about = "Of a dedicated node; tells the cost."
    return click.option("--price-per-hour", type=click.FloatRange(0), metavar="P", help=about)(command)


def given_prices(dedicated: float | None, low_priority: float | None) -> NodePrices | None:
    """None: no cost is to be told. Raises click.UsageError."""
    if dedicated is None and low_priority is None:
        return None
    if not all(price is None or price <= _MOST for price in (dedicated, low_priority)):
        text = f"--price-per-hour and --low-priority-price are prices of a node, finite numbers up to {_MOST:,}"
        raise click.UsageError(text)
    return NodePrices(dedicated, low_priority)
