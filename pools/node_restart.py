"""Nodes that begin anew because somebody asked: a reboot keeps the VM, a reimage makes another one for the same node.

Rules that money and data hang on:
- the intent stands in the record before anything is ordered, and an order without an answer is issued once more;
- tasks are treated as the request says before the VM is touched;
- a node has one VM at a time: a new one, under a new name, is ordered when the old one is certain to be gone.
"""

from __future__ import annotations

from msgspec.structs import replace

from providers import ProviderError, ThrottledError, TransientError, Vm

from .commands import DisconnectNode, RebootVm
from .context import Context
from .cost import with_ended
from .model import Node, Restart, evolve
from .node_creation import NodeCreation
from .node_departure import NodeDeparture
from .node_states import RESTARTING, NodeEvent, NodeState
from .planner import PATIENT
from .spec import NodeDeallocationOption

#: A reboot whose answer is not known is ordered again so often in all.
_TRIES = 2
_TIMERS = ("connect", "unreachable", "steady", "silent")


class NodeRestart:
    def __init__(self, context: Context, departure: NodeDeparture, creation: NodeCreation) -> None:
        self._ctx = context
        self._departure = departure
        self._creation = creation

    # -- what is asked for -----------------------------------------------------------------------------------

    def reboot(self, node: Node, option: NodeDeallocationOption, now: float) -> None:
        """Once its tasks are treated as `option` says, the VM starts anew, and the node with it."""
        reason = "it is rebooted, as somebody asked for"
        node = self._ctx.advance(node, NodeEvent.REBOOT, now, restart=Restart(option=option), reason=reason)
        self._ctx.workload.vacate(node.id, option, now)
        self.go_if_free(node, now)

    def reimage(self, node: Node, option: NodeDeallocationOption, now: float) -> None:
        """Once its tasks are treated as `option` says, the VM is destroyed, and the node gets another one."""
        reason = "it is reimaged, as somebody asked for"
        node = self._ctx.advance(node, NodeEvent.REIMAGE, now, restart=Restart(option=option), reason=reason)
        self._ctx.workload.evict(node.id, option, now)
        self.go_if_free(node, now)

    def go_if_free(self, node: Node, now: float) -> None:
        """Order it, once no outcome is to be waited for. One that nobody can reach is not waited for when its tasks are
        to be given back anyway."""
        restart = node.restart
        if node.state not in RESTARTING or restart is None or restart.tries or node.destroying:
            return
        work, patient = self._ctx.workload, restart.option in PATIENT
        reboots = node.state is NodeState.REBOOTING
        # what jobs prepare there begins again after a reboot: nobody waits for that who is in a hurry
        busy = work.tasks_on(node.id) if reboots and not patient else work.busy(node.id)
        if busy and (patient or node.id in self._ctx.connected):
            return
        if reboots:
            self._order(node, now)
        else:
            self._departure.issue_destroy(self._ctx.put_node(evolve(node, now, destroying=True)))

    # -- reboot ----------------------------------------------------------------------------------------------

    def _order(self, node: Node, now: float) -> None:
        ctx = self._ctx
        assert node.restart is not None
        restart = replace(node.restart, tries=node.restart.tries + 1, ordered=False)
        node = ctx.put_node(evolve(node, now, restart=restart, silent_since=None, unreachable_since=None))
        self._hang_up(node)
        pool = ctx.pools[node.pool_id]
        ctx.timers.set("boot", node.id, now + ctx.boot_timeout(pool))
        known = node.vm.provider_id if node.vm is not None else None
        ctx.say(RebootVm(node.id, pool.provider, node.vm_name, known))

    def _hang_up(self, node: Node) -> None:
        """What is told of the present connection counts for nothing any more."""
        ctx = self._ctx
        for kind in _TIMERS:
            ctx.timers.cancel(kind, node.id)
        ctx.connected.discard(node.id)
        ctx.connections[node.id] = ctx.connections.get(node.id, 0) + 1
        ctx.say(DisconnectNode(node.id))

    def rebooted(self, node_id: str, vm_name: str, vm: Vm | None, now: float) -> None:
        """The order was answered. `vm`: where it can be reached from now on; None: where it could before."""
        node = self._ordered(node_id, vm_name)
        if node is not None:
            changes = {} if vm is None else {"vm": vm}
            node = self._ctx.put_node(evolve(node, now, restart=_answered(node), **changes))
            self._ctx.timers.set("connect", node.id, now)

    def reboot_failed(self, node_id: str, vm_name: str, error: ProviderError, now: float) -> None:
        """The call raised: it is tried again until the time of a boot has passed, unless that cannot help."""
        ctx, node = self._ctx, self._ordered(node_id, vm_name)
        if node is None:
            return
        reason = f"its VM could not be rebooted: {error}"
        if not isinstance(error, ThrottledError | TransientError):
            self._departure.failed(node, reason, now)
            return
        pause = ctx.settings.create_retry * ctx.ids.random().uniform(0.5, 1.0)
        ctx.put_node(evolve(node, now, reason=reason))
        ctx.timers.set("reboot", node.id, now + pause)

    def again(self, node: Node) -> None:
        """Issue the order once more."""
        if self._ordered(node.id, node.vm_name) is not None:
            known = node.vm.provider_id if node.vm is not None else None
            self._ctx.say(RebootVm(node.id, self._ctx.pools[node.pool_id].provider, node.vm_name, known))

    def _ordered(self, node_id: str, vm_name: str) -> Node | None:
        """The node, if the answer to an order for that VM is waited for."""
        node = self._ctx.nodes.get(node_id)
        waits = node is not None and node.state is NodeState.REBOOTING and node.vm_name == vm_name
        if node is None or not waits or node.restart is None or node.restart.ordered or not node.restart.tries:
            return None
        return node

    def still_up(self, node: Node, boot: str, now: float) -> bool:
        """A node has answered: is it one that was ordered to reboot, and has not done it yet? It is left alone, and
        looked at again soon."""
        if not is_under_way(node):
            return False
        assert node.restart is not None
        if node.restart.ordered and (not boot or not node.boot or boot != node.boot):
            return False
        self._hang_up(node)
        if node.restart.ordered:
            self._ctx.timers.set("connect", node.id, now + self._ctx.settings.connect_retry)
        return True

    def recover(self, node: Node, now: float) -> None:
        """A controller ended while its VM was to be rebooted: whether that has happened is not known."""
        assert node.restart is not None
        if node.restart.ordered or node.restart.tries >= _TRIES:
            node = self._ctx.put_node(evolve(node, now, restart=_answered(node)))
            self._ctx.timers.set("boot", node.id, now + self._ctx.boot_timeout(self._ctx.pools[node.pool_id]))
            self._ctx.timers.set("connect", node.id, now)
        else:
            self._order(node, now)

    # -- reimage ---------------------------------------------------------------------------------------------

    def vm_gone(self, node: Node, now: float) -> None:
        """The VM of a node that is reimaged is certain to be gone: another one is ordered."""
        ctx = self._ctx
        ctx.workload.node_gone(node.id, now)
        pool = ctx.pools[node.pool_id]
        ctx.put_pool(evolve(pool, now, usage=with_ended(pool.usage, node, now)))
        ctx.start_over(node.id)
        generation = node.generation + 1
        first = node.vm_name.removesuffix(f"-r{node.generation}")
        blank = dict.fromkeys(_OF_ONE_VM)
        node = ctx.advance(
            node,
            NodeEvent.REIMAGED,
            now,
            vm_name=f"{first}-r{generation}",
            generation=generation,
            reordered=now,
            destroying=False,
            keep_console=False,
            uncertain_creates=0,
            boot="",
            reason="its VM is made anew",
            **blank,
        )
        self._creation.order(node, ctx.pools[node.pool_id], now)


#: What is known of a VM, and not of the next one of its node.
_OF_ONE_VM = (
    *("vm", "vm_confirmed", "boot_time", "answered_time", "usable_since", "price_per_hour", "vm_ended"),
    *("reclaim_at", "unreachable_since", "silent_since", "start_task"),
)


def is_under_way(node: Node) -> bool:
    """Was its VM ordered to reboot, and is not known to have done it?"""
    return node.state is NodeState.REBOOTING and node.restart is not None and node.restart.tries > 0


def _answered(node: Node) -> Restart:
    assert node.restart is not None
    return replace(node.restart, ordered=True)
