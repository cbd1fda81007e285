"""How long nodes took to come up, as this state has seen it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pools import Boot


@dataclass(frozen=True)
class BootTimes:
    """Medians over `nodes` nodes, in seconds from the create call: until the VM ran, until its agent said hello, until
    it took tasks."""

    size: str
    nodes: int
    running: float
    answered: float
    usable: float


def boot_times(boots: Iterable[Boot]) -> dict[str, list[BootTimes]]:
    """By provider; sizes in the order of their names."""
    groups: dict[tuple[str, str], list[Boot]] = defaultdict(list)
    for boot in boots:
        groups[boot.provider, boot.size].append(boot)
    found: dict[str, list[BootTimes]] = defaultdict(list)
    for (provider, size), each in sorted(groups.items()):
        times = [median(getattr(boot, name) for boot in each) for name in ("running", "answered", "usable")]
        found[provider].append(BootTimes(size, len(each), *times))
    return dict(found)
