"""What an instance costs in an hour by libcloud's price list: so much for a CPU, so much for a GiB."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from libcloud.pricing import get_pricing

_MEMORY = {"standard": 4.0, "highmem": 8.0, "highcpu": 1.0}  # GiB for a CPU
_MEMORY_OF_N1 = {"standard": 3.75, "highmem": 6.5, "highcpu": 0.9}
_SHARED = {"e2-micro": (0.25, 1.0), "e2-small": (0.5, 2.0), "e2-medium": (1.0, 4.0)}  # CPUs that are paid, GiB


def hourly_price(size: str, region: str, low_priority: bool) -> float | None:
    """None for a machine type or a region that the list does not have."""
    shape = _shape(size)
    prices = _prices().get(size.split("-")[0])
    if shape is None or prices is None:
        return None
    kind = "preemptible" if low_priority else "on_demand"
    try:
        cpu, memory = (float(prices[part][kind][region]["price"]) for part in ("cpu", "ram"))
    except (KeyError, TypeError):
        return None
    return shape[0] * cpu + shape[1] * memory if cpu and memory else None


def _shape(size: str) -> tuple[float, float] | None:
    if size in _SHARED:
        return _SHARED[size]
    matched = re.match(r"(e2|n1|n2|n2d|c2)-(standard|highmem|highcpu)-(\d+)\Z", size)
    if matched is None:
        return None
    cpus = int(matched[3])
    return cpus, cpus * (_MEMORY_OF_N1 if matched[1] == "n1" else _MEMORY)[matched[2]]


@cache
def _prices() -> dict[str, Any]:
    reader: Any = get_pricing
    found: dict[str, Any] = reader("compute", "gce_instances")
    return found
