"""Whether a pool is as it should be, seen at a glance: nothing follows for it then, however many nodes it has. Pure."""

from __future__ import annotations

from .model import AllocationState, Pool, PoolState
from .node_states import COUNTED, NodeState
from .roster import Roster

#: Of those that count: they are waited for, or are to be replaced.
_UNDECIDED = (NodeState.CREATING, NodeState.START_TASK_FAILED)


def is_calm(pool: Pool, roster: Roster, targets: tuple[int, int], now: float) -> bool:
    """Has the pool exactly the nodes that it is to have, none of which is to be replaced, and waits it for nothing but
    the end of those that leave? False says nothing: a pool with options is looked at in any case."""
    waits = pool.retry_at is not None or pool.fallback_since is not None or pool.shortage_since is not None
    told = pool.resize_errors or pool.no_capacity or pool.unfit or pool.spec.metadata
    stands = pool.state is PoolState.ACTIVE and pool.broken_since is None and not pool.failures and not pool.refusals
    if waits or told or roster.stand_ins or not stands or not _says_so(pool, roster, now):
        return False
    present = [0, 0]
    for (low_priority, state), nodes in roster.standing.items():
        if state in COUNTED and state not in _UNDECIDED:
            present[low_priority] += nodes
        elif state is not NodeState.LEAVING_POOL:
            return False
    return (present[0], present[1]) == targets


def _says_so(pool: Pool, roster: Roster, now: float) -> bool:
    """Is its allocation state what it is to be then: steady, or resizing as long as nodes leave? See `allocation`."""
    leaving = any(state is NodeState.LEAVING_POOL for _, state in roster.standing)
    if pool.allocation_state is AllocationState.STEADY:
        return not leaving and pool.resize_started is None
    started = pool.resize_started
    return leaving and started is not None and started <= now < started + pool.spec.resize_timeout.total_seconds()
