"""How a node goes: failed or taken out, emptied, its VM destroyed until it is certain to be gone.

Rules that money and data hang on:
- the record stays until the VM is certain to be gone;
- what ran on a node is given back to the queue only when it is certain to run no more.
"""

from __future__ import annotations

from .commands import DestroyVm, DisconnectNode, ReadConsole
from .context import Context
from .cost import with_ended
from .model import Node, evolve
from .node_states import COUNTED, UP, NodeEvent, NodeState
from .planner import PATIENT
from .setbacks import Setbacks
from .spec import NodeDeallocationOption

_TIMERS = ("boot", "create", "connect", "unreachable", "steady", "proven", "reclaim", "reboot")


class NodeDeparture:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self.setbacks = Setbacks(context)
        #: how often the end of a VM was asked for in vain
        self._vain: dict[str, int] = {}

    # -- why it goes -----------------------------------------------------------------------------------------

    def failed(self, node: Node, reason: str, now: float, code: str = "NodeFailed") -> None:
        """The node cannot be used; it is replaced. Counts as a failure of the pool if it never came up, or only just
        (its task may have killed it, and will kill the next one)."""
        since = node.usable_since if node.state in UP else now
        young = since is not None and now < since + self._ctx.settings.young_node
        # it may have been a task; one that does that each time is given up before long, and others are not its victims
        breaks = node.state not in UP or not self._ctx.workload.busy(node.id)
        self._ctx.advance(node, NodeEvent.FAILED, now, reason=reason)
        if young:
            self.setbacks.failed(node, code, reason, now, breaks=breaks)

    def preempted(self, node: Node, reason: str, now: float) -> None:
        """The cloud has taken the VM back: what is left of it goes, the record stays until the node is replaced."""
        if node.destroying:
            return
        self._ctx.connected.discard(node.id)
        node = self._ctx.advance(node, NodeEvent.PREEMPTED, now, reason=reason)
        self.setbacks.taken_back(node, now)
        self._destroy(self._ctx.nodes[node.id], now)

    def reclaim(self, node: Node, at: float, now: float) -> None:
        """The cloud has announced to take the VM back at `at`: nothing new is placed there, and it is replaced at once.
        What runs there goes on until shortly before, and then queues again; without work it goes now."""
        ctx = self._ctx
        if node.destroying or node.reclaim_at is not None:
            return
        if node.state in COUNTED:
            reason = f"its cloud takes it back in {max(0.0, at - now):.0f} s"
            ctx.timers.cancel("boot", node.id)
            option = NodeDeallocationOption.TASK_COMPLETION
            node = ctx.advance(node, NodeEvent.REMOVE, now, leaving=option, reason=reason, reclaim_at=at)
            self.setbacks.taken_back(node, now)
            ctx.workload.evict(node.id, option, now)
        else:
            node = ctx.put_node(evolve(node, now, reclaim_at=at))
        self.expect(node, at, now)
        self.destroy_if_free(node, now)

    def expect(self, node: Node, at: float, now: float) -> None:
        """Set the timers of a VM that is taken back at `at`."""
        settings, timers = self._ctx.settings, self._ctx.timers
        timers.set("vacate", node.id, max(now, at - settings.reclaim_lead))
        timers.set("reclaim", node.id, at + settings.reclaim_grace)

    def taken_soon(self, node: Node, kind: str, now: float) -> None:
        """Of a node that its cloud takes back: the time comes ("vacate"), or is over ("reclaim")."""
        if kind == "vacate":
            self._ctx.workload.evict(node.id, NodeDeallocationOption.REQUEUE, now)
            return
        # the cloud has not done what it said; nothing new was placed here, and others have taken its place
        self.hurry(node, NodeDeallocationOption.REQUEUE, now)
        self.vm_ended(self._ctx.nodes[node.id], now)

    def remove(self, node: Node, option: NodeDeallocationOption, reason: str, now: float) -> None:
        """Take the node out of the pool; its VM goes once nothing is left to wait for."""
        if node.state in UP:
            self.setbacks.proven(node, now)
        timers, settings = self._ctx.timers, self._ctx.settings
        reboot = node.restart if node.restart is not None and node.restart.tries else None
        since = node.unreachable_since if reboot is None else now
        node = self._ctx.advance(node, NodeEvent.REMOVE, now, leaving=option, reason=reason, unreachable_since=since)
        timers.cancel("boot", node.id)
        if reboot is not None:
            timers.set("unreachable", node.id, now + settings.unreachable_timeout)
            if not reboot.ordered:  # it was to be connected once that is answered; what is yet to run there needs it
                timers.set("connect", node.id, now + settings.connect_retry)
        self._ctx.workload.evict(node.id, option, now)
        self.destroy_if_free(node, now)

    def hurry(self, node: Node, option: NodeDeallocationOption, now: float) -> None:
        """A node that leaves already is to leave in another way."""
        node = self._ctx.put_node(evolve(node, now, leaving=option))
        self._ctx.workload.evict(node.id, option, now)
        self.destroy_if_free(node, now)

    def vm_ended(self, node: Node, now: float) -> None:
        """The VM of a node that leaves already runs no more: nothing is left to wait for."""
        self._ctx.connected.discard(node.id)
        if not node.destroying:
            self._destroy(node, now)

    # -- how it goes -----------------------------------------------------------------------------------------

    def destroy_if_free(self, node: Node, now: float) -> None:
        """Destroy the VM of a leaving node once no outcome is to be waited for.

        A node that nobody can reach is not waited for when its tasks are to be given back anyway.
        """
        ctx = self._ctx
        if node.state is not NodeState.LEAVING_POOL or node.destroying:
            return
        if ctx.workload.busy(node.id) and (node.leaving in PATIENT or node.id in ctx.connected):
            return
        self._destroy(node, now)

    def _destroy(self, node: Node, now: float) -> None:
        if node.keep_console:
            self.read_console(node)
        self.issue_destroy(self._ctx.put_node(evolve(node, now, destroying=True)))

    def read_console(self, node: Node) -> None:
        """Keep what the VM printed. Calls about one VM keep their order: it is read before its VM goes."""
        self._ctx.say(ReadConsole(node.id, self._ctx.pools[node.pool_id].provider, node.vm_name))

    def issue_destroy(self, node: Node) -> None:
        """Ask for the end of the VM (once more, after a failure or a restart)."""
        ctx = self._ctx
        ctx.connected.discard(node.id)
        for kind in _TIMERS:
            ctx.timers.cancel(kind, node.id)
        ctx.say(DisconnectNode(node.id))
        provider = ctx.pools[node.pool_id].provider
        known = node.vm.provider_id if node.vm is not None else None
        ctx.say(DestroyVm(node.id, provider, node.vm_name, node.reason or "leaving", known))

    def vm_destroyed(self, node_id: str, now: float) -> None:
        """The VM is certain to be gone: what ran there is given back, and the record goes, unless the node was
        preempted."""
        ctx = self._ctx
        self._vain.pop(node_id, None)
        node = ctx.nodes.get(node_id)
        if node is None or node.vm_gone:
            return
        ctx.workload.node_gone(node_id, now)
        pool = ctx.pools[node.pool_id]
        ctx.put_pool(evolve(pool, now, usage=with_ended(pool.usage, node, now)))
        if node.state is NodeState.PREEMPTED:
            ctx.put_node(evolve(node, now, vm_gone=True))
        else:
            ctx.remove_node(node)

    def vm_destroy_failed(self, node_id: str, now: float) -> None:
        """Try again, less and less often; a VM is never given up."""
        if node_id not in self._ctx.nodes:
            return
        settings = self._ctx.settings
        vain = self._vain[node_id] = self._vain.get(node_id, 0) + 1
        pause = min(settings.destroy_retry_max, settings.destroy_retry * 2.0 ** min(vain - 1, 10))
        self._ctx.timers.set("destroy", node_id, now + pause * self._ctx.ids.random().uniform(0.5, 1.0))

    def never_was(self, node: Node, now: float) -> None:
        """It is certain that no VM was made: the record goes at once."""
        for kind in _TIMERS:
            self._ctx.timers.cancel(kind, node.id)
        self._ctx.workload.node_gone(node.id, now)
        self._ctx.remove_node(node)
