"""Which nodes to create and which to take out, so that a pool comes to its target. Pure: same input, same
answer.

Nothing here looks at the clock or the cloud. Each action says why; that text is what logs and views print.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from .model import Node, Pool
from .node_states import COUNTED, USABLE, NodeState
from .settings import PoolSettings
from .spec import NodeDeallocationOption


@dataclass(frozen=True, slots=True)
class CreateNode:
    low_priority: bool
    reason: str


@dataclass(frozen=True, slots=True)
class RemoveNode:
    node_id: str
    option: NodeDeallocationOption
    reason: str


Action = CreateNode | RemoveNode

#: Which nodes go first when a pool shrinks: those that were never any use, then the idle, then the busy.
_FIRST_OUT = {
    NodeState.START_TASK_FAILED: 0,
    NodeState.CREATING: 1,
    NodeState.STARTING: 2,
    NodeState.WAITING_FOR_START_TASK: 3,
    NodeState.IDLE: 4,
    NodeState.RUNNING: 5,
}
_COMING = (NodeState.CREATING, NodeState.STARTING, NodeState.WAITING_FOR_START_TASK)


def plan(
    pool: Pool,
    nodes: Iterable[Node],
    targets: tuple[int, int],
    busy: Callable[[str], int],
    now: float,
    settings: PoolSettings,
) -> tuple[Action, ...]:
    """Actions that bring `nodes` to `targets` = (dedicated, low-priority); () when there is nothing to do."""
    nodes = tuple(nodes)
    failed = tuple(_remove_failed(pool, nodes, now))
    going = {action.node_id for action in failed}
    present = [n for n in nodes if n.state in COUNTED and n.id not in going]
    return (
        *failed,
        *_resize(pool, [n for n in present if not n.low_priority], targets[0], False, busy, now, settings),
        *_resize(pool, [n for n in present if n.low_priority], targets[1], True, busy, now, settings),
    )


def _remove_failed(pool: Pool, nodes: Iterable[Node], now: float) -> Iterable[RemoveNode]:
    for node in nodes:
        if node.state in (NodeState.UNUSABLE, NodeState.PREEMPTED):
            yield RemoveNode(node.id, NodeDeallocationOption.REQUEUE, node.reason or f"node is {node.state}")
        elif node.state is NodeState.START_TASK_FAILED and (pool.retry_at is None or pool.retry_at <= now):
            yield RemoveNode(
                node.id, NodeDeallocationOption.REQUEUE, "start task failed; a new node is tried"
            )


def _resize(
    pool: Pool,
    present: list[Node],
    target: int,
    low_priority: bool,
    busy: Callable[[str], int],
    now: float,
    settings: PoolSettings,
) -> Iterable[Action]:
    kind = "low-priority" if low_priority else "dedicated"
    if len(present) < target and (pool.retry_at is None or pool.retry_at <= now):
        reason = f"target {target} {kind}, present {len(present)}"
        asked = sum(n.state is NodeState.CREATING and n.vm_confirmed is None for n in present)
        missing = min(target - len(present), settings.create_batch - asked)
        tried = (n for n in present if pool.retry_at is not None and n.created >= pool.retry_at)
        if pool.failures and not any(n.state in USABLE for n in tried):
            # after a failure one node is tried first: one bad image must not make VMs all night
            missing = 0 if any(n.state in _COMING for n in present) else 1
        for _ in range(missing):
            yield CreateNode(low_priority, reason)
    elif len(present) > target:
        reason = f"target {target} {kind}, present {len(present)}"
        order = sorted(present, key=lambda n: (_FIRST_OUT[n.state], busy(n.id), n.state_time, n.id))
        for node in order[: len(present) - target]:
            yield RemoveNode(node.id, pool.node_deallocation_option, reason)
