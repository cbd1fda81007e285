"""What a VM costs in an hour by libcloud's price list: dedicated ones; the list knows no spot prices."""

from __future__ import annotations

from functools import cache
from typing import Any

from libcloud.pricing import get_pricing


def hourly_price(size: str, region: str) -> float | None:
    """None for a size or a region that the list does not have."""
    prices = _prices().get(size.lower().replace("_", ""))
    return (float(prices.get(region, 0.0)) or None) if isinstance(prices, dict) else None


@cache
def _prices() -> dict[str, Any]:
    reader: Any = get_pricing
    found: dict[str, Any] = reader("compute", "azure_linux")
    return found
