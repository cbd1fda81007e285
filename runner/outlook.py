"""What nodes a pool has for its tasks, and what others are to come as its targets stand. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pools import ALLOCATION_TIMED_OUT, COMING, COUNTED, USABLE, FailureInfo, Node, Pool, PoolState

from .failure import failure
from .model import NO_NODES

#: A pool without nodes whose formula fails so often in a row will not get any without somebody's help.
FORMULA_FAILURES = 3


@dataclass(frozen=True, slots=True)
class Outlook:
    #: nodes that take tasks, by id: is it a low-priority one?
    usable: dict[str, bool]
    #: nodes on their way, and those that are missing from the targets and are tried for: (dedicated, low-priority)
    coming: tuple[int, int]
    missing: tuple[int, int]
    #: a formula may bring others
    formula: bool
    #: nodes may be created
    grows: bool

    def present(self, refuses: Callable[[str], bool], *, dedicated: bool = False) -> int:
        """Nodes that are there, or on their way, for a job that none of those may take which it `refuses`."""
        usable = sum(not (dedicated and low) and not refuses(node_id) for node_id, low in self.usable.items())
        return usable + (self.coming[0] if dedicated else sum(self.coming))

    def awaited(self, *, dedicated: bool = False) -> int:
        return self.missing[0] if dedicated else sum(self.missing)


def outlook(pool: Pool, nodes: Iterable[Node], *, grows: bool) -> Outlook:
    """`grows`: nodes may be created.

    Once the pool has tried in vain for its `resizeTimeout`, what its cloud has not given is not awaited beside nodes
    that are there, and cost: there may be no room for years.
    """
    counted = [node for node in nodes if node.state in COUNTED]
    usable = {node.id: node.low_priority for node in counted if node.state in USABLE}
    late = bool(usable) and any(error.code == ALLOCATION_TIMED_OUT for error in pool.resize_errors)
    coming, missing = [0, 0], [pool.target_dedicated, pool.target_low_priority]
    for node in counted:
        # in the place of one that has failed another is tried
        if node.id not in usable and (node.state in COMING or grows) and (node.has_vm or not late):
            coming[node.low_priority] += 1
        missing[node.low_priority or node.fallback] -= 1
    if late or not grows or pool.state is not PoolState.ACTIVE:
        missing = [0, 0]
    return Outlook(
        usable,
        (coming[0], coming[1]),
        (max(0, missing[0]), max(0, missing[1])),
        pool.spec.enable_auto_scale and grows,
        grows,
    )


def obstacle(pool: Pool, hopeful: int, barred: str | None = None) -> FailureInfo | None:
    """Why no task can run in the pool; `hopeful`: nodes of it that could take one now, or will; `barred`: why none may
    be created."""
    if hopeful:
        return None
    if pool.state is PoolState.DELETING:
        return failure(NO_NODES, f"pool {pool.id!r} is being deleted", poolId=pool.id)
    if pool.broken_since is not None:
        text = f"pool {pool.id!r} has stopped, because its nodes failed again and again; see why, then resume it"
        return failure(NO_NODES, text, poolId=pool.id)
    if barred is not None:
        return failure(NO_NODES, f"pool {pool.id!r} has no node, and none may be created: {barred}", poolId=pool.id)
    if not pool.spec.enable_auto_scale:
        if pool.target_dedicated or pool.target_low_priority:
            return None
        text = f"pool {pool.id!r} has no node, its target is 0 and it has no formula; resize it"
        return failure(NO_NODES, text, poolId=pool.id)
    run = pool.autoscale_run
    if pool.failed_evaluations >= FORMULA_FAILURES and run is not None and run.error is not None:
        text = f"pool {pool.id!r} has no node, and its formula fails; correct its autoScaleFormula"
        return failure(NO_NODES, text, poolId=pool.id)
    return None
