"""The nodes that take tasks now, by how many task slots are free there: found without looking at all of them. Pure.

Per pool and number of free slots a heap of node ids. Heaps are cleaned when what is stale in them comes up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import heappop, heappush

from pools import USABLE, Context

from .scheduler import NodeSlots

#: So many places in a heap that are overtaken are kept in any case.
_SLACK = 4


def takes_tasks(ctx: Context, node_id: str) -> bool:
    """Does the node take tasks now?"""
    node = ctx.nodes.get(node_id)
    return node is not None and node.state in USABLE and node.scheduling_enabled and node_id in ctx.connected


@dataclass(slots=True)
class _OfPool:
    #: free slots by node, of all that take tasks
    free: dict[str, int] = field(default_factory=dict)
    #: by free slots, one at least
    heaps: dict[int, list[str]] = field(default_factory=dict)
    #: how many have so many slots in all
    sizes: dict[int, int] = field(default_factory=dict)
    #: how many have a free slot
    roomy: int = 0


class OpenNodes:
    def __init__(self, slots: Mapping[str, NodeSlots]) -> None:
        self._slots = slots
        self._pools: dict[str, _OfPool] = {}
        #: of those that take tasks: pool, and slots in all
        self._known: dict[str, tuple[str, int]] = {}

    def refresh(self, ctx: Context) -> None:
        """See anew which nodes take tasks, of those of which that may have changed."""
        for node_id in ctx.stirred:
            node = self._slots.get(node_id)
            if node is not None and takes_tasks(ctx, node_id):
                self._open(node)
            elif node_id in self._known:
                self._close(node_id)
        ctx.stirred.clear()

    def _open(self, node: NodeSlots) -> None:
        if self._known.get(node.node_id) != (node.pool_id, node.slots):
            if node.node_id in self._known:
                self._close(node.node_id)
            self._known[node.node_id] = (node.pool_id, node.slots)
            sizes = self._pools.setdefault(node.pool_id, _OfPool()).sizes
            sizes[node.slots] = sizes.get(node.slots, 0) + 1
        self.changed(node)

    def _close(self, node_id: str) -> None:
        pool_id, slots = self._known.pop(node_id)
        pool = self._pools[pool_id]
        pool.roomy -= pool.free.pop(node_id, 0) > 0
        pool.sizes[slots] -= 1
        if not pool.sizes[slots]:
            del pool.sizes[slots]
        if not pool.sizes:
            del self._pools[pool_id]

    def changed(self, node: NodeSlots) -> None:
        """Slots of the node were taken, or became free."""
        node_id = node.node_id
        if node_id not in self._known:
            return
        pool, free = self._pools[node.pool_id], node.slots - node.used - node.queued
        if pool.free.get(node_id) != free:
            pool.roomy += (free > 0) - (pool.free.get(node_id, 0) > 0)
            pool.free[node_id] = free
            if free > 0:
                heap = pool.heaps.get(free)
                if heap is None:
                    heap = pool.heaps[free] = []
                heappush(heap, node_id)
                if len(heap) > 2 * len(pool.free) + _SLACK:
                    heap[:] = sorted({each for each in heap if pool.free.get(each) == free})

    def best(self, pool_id: str, needed: int, pack: bool) -> NodeSlots | None:
        """As `scheduler.choose` among all nodes of the pool that take tasks."""
        pool = self._pools.get(pool_id)
        if pool is None:
            return None
        enough = [free for free in pool.heaps if free >= needed]
        while enough:
            free = min(enough) if pack else max(enough)
            heap = pool.heaps[free]
            while heap:
                if pool.free.get(heap[0]) == free:
                    return self._slots[heap[0]]
                heappop(heap)
            del pool.heaps[free]
            enough.remove(free)
        return None

    def all_have(self, pool_id: str, slots: int) -> bool:
        """Have all nodes of the pool that take tasks so many slots in all?"""
        pool = self._pools.get(pool_id)
        return pool is None or min(pool.sizes) >= slots

    def has_room_beside(self, node: NodeSlots) -> bool:
        """Has another node of its pool that takes tasks a free slot?"""
        pool = self._pools.get(node.pool_id)
        return pool is not None and pool.roomy > (pool.free.get(node.node_id, 0) > 0)
