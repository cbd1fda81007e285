"""Which nodes to create and which to take out, so that a pool comes to its target. Pure: same input, same
answer.

Nothing here looks at the clock or the cloud. Each action says why; that text is what logs and views print.

How many VMs there are at most: a node that leaves holds its place until its VM is certain to be gone, so a pool never
has more than its target. Above it are only
- nodes that finish their tasks before they leave (taskcompletion, retaineddata), and
- nodes whose cloud has announced that it takes them back: their successors are ordered at once;
- one node more while low-priority nodes take the place of dedicated ones that stood in for them;
- VMs that the cloud does not end within `PoolSettings.hold_place` seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from formula import format_time

from .fallback import probe_time
from .model import Node, Pool
from .node_states import COMING, COUNTED, UP, NodeState
from .placement import open_placement
from .settings import PoolSettings
from .spec import NodeDeallocationOption

#: Why nothing is ordered while `grow` is False; who says so knows more.
BARRED = "no node may be created"

#: A node that leaves like this goes on with its tasks.
PATIENT = (NodeDeallocationOption.TASK_COMPLETION, NodeDeallocationOption.RETAINED_DATA)


@dataclass(frozen=True, slots=True)
class CreateNode:
    low_priority: bool
    reason: str
    #: dedicated, in the place of a low-priority node
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class RemoveNode:
    node_id: str
    option: NodeDeallocationOption
    reason: str


@dataclass(frozen=True, slots=True)
class ForgetNode:
    """A preempted node whose VM is gone: it has been replaced, or is not wanted any more."""

    node_id: str


@dataclass(frozen=True, slots=True)
class HoldBack:
    """Fewer nodes of a kind are ordered than are missing."""

    low_priority: bool
    reason: str


Action = CreateNode | RemoveNode | ForgetNode | HoldBack

#: Which nodes go first when a pool shrinks: those that were never any use, or are of none now, then the idle, the busy.
_FIRST_OUT = {
    NodeState.START_TASK_FAILED: 0,
    NodeState.CREATING: 1,
    NodeState.STARTING: 2,
    NodeState.WAITING_FOR_START_TASK: 3,
    NodeState.REIMAGING: 4,
    NodeState.REBOOTING: 5,
    NodeState.OFFLINE: 6,
    NodeState.IDLE: 7,
    NodeState.RUNNING: 8,
}


def plan(
    pool: Pool,
    nodes: Iterable[Node],
    targets: tuple[int, int],
    busy: Callable[[str], int],
    now: float,
    settings: PoolSettings,
    *,
    grow: bool = True,
) -> tuple[Action, ...]:
    """Actions that bring `nodes` to `targets` = (dedicated, low-priority); () when there is nothing to do.

    `grow`: may nodes be created at all?
    """
    nodes = tuple(nodes)
    failed = tuple(_remove_failed(pool, nodes, now))
    going = {action.node_id for action in failed}
    present = [n for n in nodes if n.state in COUNTED and n.id not in going]
    held = [n for n in nodes if (n.may_live if n.id in going else holds_place(n, now, settings))]
    one = _Pass(pool, busy, now, settings, grow)
    dedicated = [n for n in present if not (n.low_priority or n.fallback)]
    low = [n for n in present if n.low_priority]
    stand_ins = [n for n in present if n.fallback]
    low_held = sum(n.low_priority or n.fallback for n in held)
    return (
        *failed,
        *_forget_preempted(nodes, targets[1]),
        *one.resize(dedicated, len(held) - low_held, targets[0], "dedicated"),
        *one.resize_low_priority(low, stand_ins, low_held, targets[1]),
    )


def holds_place(node: Node, now: float, settings: PoolSettings) -> bool:
    """Does a node that does not count any more stand in the way of its successor? See the module's text."""
    if node.state in COUNTED or not node.may_live:
        return False
    patient = node.leaving in PATIENT or node.reclaim_at is not None
    if patient and not (node.fallback or node.destroying):
        return False
    # stand-ins are to go one by one, however long each takes
    return (patient and not node.destroying) or now < node.modified + settings.hold_place


def _remove_failed(pool: Pool, nodes: Iterable[Node], now: float) -> Iterator[RemoveNode]:
    requeue = NodeDeallocationOption.REQUEUE
    for node in nodes:
        if node.state is NodeState.UNUSABLE:
            yield RemoveNode(node.id, requeue, node.reason or f"node is {node.state}")
        elif node.state is NodeState.START_TASK_FAILED and (pool.retry_at is None or pool.retry_at <= now):
            then = "" if pool.broken_since is not None else "; a new node is tried"
            yield RemoveNode(node.id, requeue, f"start task failed{then}")


def _forget_preempted(nodes: Iterable[Node], target: int) -> Iterator[ForgetNode]:
    """Preempted nodes stay to be seen until others have taken their place; the oldest go first."""
    nodes = tuple(nodes)
    usable = sum((n.low_priority or n.fallback) and n.state in UP for n in nodes)
    over = sorted((n for n in nodes if n.vm_gone), key=lambda n: (n.state_time, n.id))
    for node in over[: max(0, len(over) - max(0, target - usable))]:
        yield ForgetNode(node.id)


@dataclass(frozen=True)
class _Pass:
    """One pool at one moment."""

    pool: Pool
    busy: Callable[[str], int]
    now: float
    settings: PoolSettings
    grow: bool

    def resize(
        self, present: list[Node], held: int, target: int, kind: str, fallback: bool = False
    ) -> Iterator[Action]:
        """`present`: the nodes of one kind; `held`: places that those on their way out still take."""
        reason = f"target {target} {kind}, present {len(present)}"
        if len(present) < target:
            low_priority = kind != "dedicated" and not fallback
            if fallback:
                reason += "; a dedicated node stands in"
            missing = target - len(present)
            allowed, why = self._allowed(present, missing - held, low_priority)
            for _ in range(allowed):
                yield CreateNode(low_priority, reason, fallback)
            if allowed < missing:
                yield HoldBack(low_priority, why or "nodes that leave still hold places")
        elif len(present) > target:
            for node in sorted(present, key=self._first_out)[: len(present) - target]:
                yield RemoveNode(node.id, self.pool.node_deallocation_option, reason)

    def _first_out(self, node: Node) -> tuple[int, bool, int, float, str]:
        return (_FIRST_OUT[node.state], not node.fallback, self.busy(node.id), node.state_time, node.id)

    def _allowed(self, present: list[Node], missing: int, low_priority: bool) -> tuple[int, str | None]:
        """How many of the missing nodes may be ordered now, and why not all of them."""
        pool, why = self.pool, None
        if not self.grow:
            return 0, BARRED
        if pool.retry_at is not None and pool.retry_at > self.now:
            return 0, f"after a failure the next try is at {format_time(pool.retry_at)}"
        if open_placement(pool, low_priority, self.settings, self.now) is None:
            return 0, "there is no room at present in any size and zone of the pool"
        asked = sum(n.state is NodeState.CREATING and n.vm_confirmed is None for n in present)
        if missing > self.settings.create_batch - asked:
            missing = self.settings.create_batch - asked
            why = f"no more than {self.settings.create_batch} create calls are under way at a time"
        tried = (n for n in present if pool.retry_at is not None and n.ordered >= pool.retry_at)
        if (pool.failures or pool.refusals) and not any(n.state in UP for n in tried):
            # one bad image must not make VMs all night
            least = 0 if any(n.state in COMING for n in present) else 1
            if missing > least:
                missing, why = least, "after a failure one node is tried first"
        return max(0, missing), why

    def resize_low_priority(
        self, low: list[Node], stand_ins: list[Node], held: int, target: int
    ) -> Iterator[Action]:
        """The same where dedicated nodes may stand in for low-priority ones."""
        fallen_back = self.pool.fallback_since is not None
        probe = probe_time(self.pool)
        #: is low-priority tried (again) beside the stand-ins?
        returning = bool(stand_ins) and (probe is None or probe <= self.now)
        present = [*low, *stand_ins]
        coming = any(n.state in COMING for n in low)
        #: is one node more let in, because a low-priority node takes the place of a stand-in just now?
        surge = returning and bool(low) and (coming or not fallen_back)
        if len(present) < target or len(present) > target + surge:
            yield from self.resize(present, held, target, "low-priority", fallen_back)
        elif returning and not coming and len(present) + held <= target:
            for _ in range(self._allowed(low, 1, low_priority=True)[0]):
                yield CreateNode(True, "low-priority is tried again in the place of a dedicated node")
        elif surge and not coming and len(present) > target:
            node = min(stand_ins, key=self._first_out)
            reason = "a low-priority node has taken its place"
            yield RemoveNode(node.id, NodeDeallocationOption.TASK_COMPLETION, reason)
