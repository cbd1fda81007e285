"""Nodes that nobody reaches: silent at first, given up after long."""

from __future__ import annotations

from .context import Context
from .model import Node, evolve
from .node_departure import NodeDeparture
from .node_states import COUNTED, NodeState
from .spec import NodeDeallocationOption

#: Seconds without a connection that are no more than a blip.
SILENT_AFTER = 5.0


class NodeReach:
    def __init__(self, context: Context, departure: NodeDeparture) -> None:
        self._ctx = context
        self._departure = departure

    def lost(self, node: Node, since: float, now: float) -> Node:
        """The time runs until the node is given up; only a connection that lasts ends it."""
        ctx = self._ctx
        ctx.timers.set("unreachable", node.id, since + ctx.settings.unreachable_timeout)
        return ctx.put_node(evolve(node, now, unreachable_since=since)) if node.unreachable_since != since else node

    def unknown(self, node: Node, now: float) -> None:
        """A controller begins: the VM may never answer again; for the time it was away nobody is to blame."""
        node = self.lost(node, now, now)
        if node.silent_since is None:
            self._ctx.timers.set("silent", node.id, now + SILENT_AFTER)

    def told(self, node: Node, kind: str, now: float) -> None:
        """The time has passed after which a connection lasts ("steady"), or its want is no blip any more ("silent")."""
        connected = node.id in self._ctx.connected
        if kind == "steady" and connected:
            self._ctx.put_node(evolve(node, now, unreachable_since=None))
        elif kind == "silent" and not connected:
            self._ctx.put_node(evolve(node, now, silent_since=now - SILENT_AFTER))

    def given_up(self, node: Node, now: float) -> None:
        """Its VM seems to live, but nobody has reached it for long."""
        if node.state in COUNTED:
            waited = self._ctx.settings.unreachable_timeout
            self._departure.failed(node, f"no connection that lasted for {waited:g} s", now)
        else:
            node = self._ctx.put_node(evolve(node, now, leaving=NodeDeallocationOption.REQUEUE))
            self._departure.destroy_if_free(node, now)

    def time_lost(self, seconds: float, now: float) -> None:
        """For so long nobody has looked: what boots, or is out of reach, may have answered. It has so much longer.
        Nobody has asked for the end of VMs either: nodes that leave hold their places from now."""
        ctx = self._ctx
        ctx.resumed = now
        for node in tuple(ctx.nodes):
            ctx.timers.delay("boot", node.id, seconds)
            ctx.timers.delay("unreachable", node.id, seconds)
            ctx.timers.delay("silent", node.id, seconds)
            if node.unreachable_since is not None:
                ctx.put_node(evolve(node, now, unreachable_since=node.unreachable_since + seconds))
            elif node.state is NodeState.LEAVING_POOL:
                ctx.put_node(evolve(node, now))


def heard(node: Node) -> str:
    """What is known of a node that did not come up."""
    if node.vm_confirmed is None and not node.uncertain_creates:
        return "its cloud has not answered the order"
    if node.reason:
        return f"last: {node.reason}"
    if node.state is NodeState.CREATING:
        return "its cloud does not say that its VM runs"
    return "its VM runs, and no try to connect to it has ended"
