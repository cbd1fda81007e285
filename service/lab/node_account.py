"""The nodes of a simulated pool: how many stand where, for how long, and what they cost."""

from __future__ import annotations

from collections.abc import Mapping

from pools import Node, NodeState, billed_seconds

HOUR = 3600.0
#: Where a node with a VM stands, as the report tells it.
BOOTING, IDLE, RUNNING, LEAVING, UNUSABLE = range(5)
_BY_STATE: Mapping[NodeState, int] = {
    NodeState.CREATING: BOOTING,
    NodeState.STARTING: BOOTING,
    NodeState.WAITING_FOR_START_TASK: BOOTING,
    NodeState.IDLE: IDLE,
    NodeState.RUNNING: RUNNING,
    NodeState.LEAVING_POOL: LEAVING,
}


class NodeAccount:
    """Fed with every version of every record of a node. `minimum`: seconds that a VM costs at least."""

    def __init__(self, start: float, minimum: float) -> None:
        self.counts = [0, 0, 0, 0, 0]
        self.present = self.peak = 0
        #: node-seconds with work, and seconds without any node
        self.busy_seconds = self.seconds_at_zero = 0.0
        #: what was paid for VMs that lived for less than the minimum, above what they lived
        self.topped_up = 0.0
        #: of all VMs until `_now`, but for what was topped up
        self._spent = 0.0
        #: of an hour of all that live
        self._rate = 0.0
        self._now, self._minimum = start, minimum
        #: by id: its last record, where it stood, and its price
        self._nodes: dict[str, tuple[Node, int, float]] = {}

    def advance(self, now: float) -> None:
        """Time passes, until something changes."""
        passed = now - self._now
        if passed > 0:
            counts = self.counts
            self.busy_seconds += passed * (counts[RUNNING] + counts[LEAVING])
            if not self.present:
                self.seconds_at_zero += passed
            self._spent += passed * self._rate
            self._now = now

    def change(self, node_id: str, node: Node | None, now: float) -> bool:
        """The next version of a node's record; None: it goes. Did anything change that is counted?"""
        before = self._nodes.get(node_id)
        if node is None or not node.has_vm:
            if before is not None:
                del self._nodes[node_id]
                self._leave(before, now)
            return before is not None
        stands = _BY_STATE.get(node.state, UNUSABLE)
        ended = node.vm_ended is not None
        price = 0.0 if ended else (node.price_per_hour or 0.0) / HOUR
        self._nodes[node_id] = (node, stands, price)
        if before is not None:
            self._rate += price - before[2]
            if before[1] == stands:
                return False
            self.counts[before[1]] -= 1
        else:
            self._rate += price
            self.present += 1
            self.peak = max(self.peak, self.present)
        self.counts[stands] += 1
        return True

    def _leave(self, last: tuple[Node, int, float], now: float) -> None:
        node, stands, price = last
        self.counts[stands] -= 1
        self.present -= 1
        self._rate = self._rate - price if self.present else 0.0
        self.topped_up += self._short_of_minimum(node, now)

    def _short_of_minimum(self, node: Node, now: float) -> float:
        return max(0.0, self._minimum - billed_seconds(node, now)) * (node.price_per_hour or 0.0) / HOUR

    @property
    def spent(self) -> float:
        """As of the last `advance`, in about: sums of many steps."""
        return self._spent + self.topped_up

    def owed(self, now: float) -> float:
        """What the VMs that live will cost at least, above what they have lived."""
        return sum(self._short_of_minimum(node, now) for node, _, _ in self._nodes.values())
