"""Whether a pool is steady or resizing, and when it has tried for too long. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from .model import AllocationState, Node, Pool, ResizeError, evolve
from .node_states import COUNTED, NodeState
from .resize_errors import ALLOCATION_TIMED_OUT


def allocation(
    pool: Pool, nodes: Iterable[Node], targets: tuple[int, int], now: float
) -> tuple[Pool, float | None]:
    """The pool with its allocation state brought up to date, and when to look again (None: not because of
    time).

    A pool that has not reached its target within `resizeTimeout` is steady again and carries a resize error,
    as the service does it; nodes are tried for all the same.
    """
    steady = _reached(nodes, targets) or any(e.code == ALLOCATION_TIMED_OUT for e in pool.resize_errors)
    changes: dict[str, object] = {}
    deadline = None
    if not steady:
        started = pool.resize_started if pool.resize_started is not None else now
        limit = pool.spec.resize_timeout.total_seconds()
        if now >= started + limit:
            steady = True
            error = ResizeError(
                ALLOCATION_TIMED_OUT, f"the target was not reached within {limit:g} s; tries go on"
            )
            changes["resize_errors"] = (*pool.resize_errors, error)
        else:
            deadline = started + limit
            if pool.resize_started is None:
                changes["resize_started"] = started
    if steady and pool.resize_started is not None:
        changes["resize_started"] = None
    state = AllocationState.STEADY if steady else AllocationState.RESIZING
    if state is not pool.allocation_state:
        changes |= {"allocation_state": state, "allocation_state_time": now}
    return (evolve(pool, now, **changes) if changes else pool), deadline


def _reached(nodes: Iterable[Node], targets: tuple[int, int]) -> bool:
    present = [0, 0]
    for node in nodes:
        if node.state not in COUNTED or node.state is NodeState.CREATING:
            return False
        present[node.low_priority or node.fallback] += 1
    return (present[0], present[1]) == targets
