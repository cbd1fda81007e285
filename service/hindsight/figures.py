"""Decisions in figures: what the pool would have come to, had it always been as large as its targets. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

_HOUR = 3600.0


class Figures(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`node_hours`: dedicated and low-priority; `resizes`: how often a target changed."""

    node_hours: tuple[float, float]
    peak_nodes: int
    hours_at_zero: float
    resizes: int


def figures(times: Sequence[float], targets: Sequence[tuple[int, int]], last: float) -> Figures:
    """Targets hold until the next time, the last ones `last` seconds."""
    lengths = [later - earlier for earlier, later in pairwise(times)] + [last]
    dedicated, low_priority, zero = 0.0, 0.0, 0.0
    for seconds, (of_dedicated, of_low_priority) in zip(lengths, targets, strict=True):
        dedicated += seconds * of_dedicated
        low_priority += seconds * of_low_priority
        zero += seconds * (not of_dedicated and not of_low_priority)
    return Figures(
        node_hours=(dedicated / _HOUR, low_priority / _HOUR),
        peak_nodes=max(map(sum, targets), default=0),
        hours_at_zero=zero / _HOUR,
        resizes=sum(before != after for before, after in pairwise(targets)),
    )
