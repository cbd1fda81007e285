"""What pools and nodes wait for, as a controller takes it over. Pure.

One rule: no wait is longer than it would be if it began now. It could only be where the clock was put back while no
controller worked (while one works, see `SystemClock`). What is in the store stays as it is: the clock may be wrong now.

One wait does begin now: nodes that leave hold their places (see `planner`) while the end of their VMs is asked for, and
while no controller worked nobody asked.
"""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from .model import Node, Pool
from .node_states import NodeState
from .settings import PoolSettings


def pool_taken_over(pool: Pool, settings: PoolSettings, now: float) -> Pool:
    changes = _begun(pool, ("resize_started", "fallback_since", "shortage_since", "shortage_time"), now)
    longest = {
        "next_evaluation": pool.spec.auto_scale_evaluation_interval.total_seconds(),
        "retry_at": settings.backoff(max(pool.failures, pool.refusals)),
    }
    for name, wait in longest.items():
        if (getattr(pool, name) or now) > now + wait:
            changes[name] = now + wait
    left_out = {place: min(end, now + settings.capacity_pause) for place, end in pool.no_capacity.items()}
    if left_out != pool.no_capacity:
        changes["no_capacity"] = left_out
    return replace(pool, **changes) if changes else pool


def node_taken_over(node: Node, now: float) -> Node:
    changes = _begun(node, ("modified", "usable_since"), now)
    if node.state is NodeState.LEAVING_POOL:
        changes["modified"] = now
    return replace(node, **changes) if changes else node


def _begun(record: Pool | Node, names: tuple[str, ...], now: float) -> dict[str, Any]:
    """Of these times, since which something is waited for, those that are still to come: it is waited for since now."""
    return {name: now for name in names if (getattr(record, name) or now) > now}
