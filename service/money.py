"""Amounts of money, for people. The currency is that of the prices."""

from __future__ import annotations


def money(cost: float | None) -> str:
    """A price for people: two digits that mean something, however small it is."""
    if cost is None:
        return "unknown"
    if cost == 0 or cost >= 1:
        return f"{cost:.2f}"
    return f"{cost:.6f}" if cost < 0.01 else f"{cost:.4f}"
