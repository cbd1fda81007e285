"""The nodes of one pool: in the order of their ids, and how many stand where; kept up to date with every change, so
that nobody ever counts or sorts them."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence

from .model import Node
from .node_counts import NodeCounts, Standing, counted
from .node_states import COMING


class Roster:
    def __init__(self) -> None:
        self._ids: list[str] = []
        self._with_vm: set[str] = set()
        #: those that stand in the place of low-priority ones
        self.stand_ins: set[str] = set()
        #: how many nodes stand where
        self.standing: dict[Standing, int] = {}
        self._counts: NodeCounts | None = None
        #: goes up with whatever happens to the nodes, but for tasks that come and go
        self.changes = 0

    @property
    def ids(self) -> Sequence[str]:
        """Ascending."""
        return self._ids

    @property
    def vms(self) -> int:
        """How many of the nodes have a VM, as far as is known."""
        return len(self._with_vm)

    @property
    def counts(self) -> NodeCounts:
        if self._counts is None:
            self._counts = counted(self.standing)
        return self._counts

    @property
    def coming(self) -> int:
        """Nodes on their way."""
        return sum(nodes for (_, state), nodes in self.standing.items() if state in COMING)

    def put(self, old: Node | None, new: Node) -> None:
        """The next version of a node's record; `old` None: it is new here."""
        stands = (new.low_priority, new.state)
        if old is None:
            insort(self._ids, new.id)
            self.changes += 1
        elif (old.low_priority, old.state) != stands:
            self._count(old, -1)
            old = None
        if old is None:
            self.standing[stands] = self.standing.get(stands, 0) + 1
            self._counts = None
        (self._with_vm.add if new.has_vm else self._with_vm.discard)(new.id)
        if new.fallback:
            self.stand_ins.add(new.id)

    def remove(self, node: Node) -> None:
        """`node`: the last version of its record."""
        del self._ids[bisect_left(self._ids, node.id)]
        self._with_vm.discard(node.id)
        self.stand_ins.discard(node.id)
        self._count(node, -1)
        self.changes += 1

    def _count(self, node: Node, by: int) -> None:
        stands = (node.low_priority, node.state)
        self._counts = None
        left = self.standing[stands] + by
        if left:
            self.standing[stands] = left
        else:
            del self.standing[stands]
