"""What the cloud says of our VMs, and what follows for their nodes; and VMs that nobody has a record of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from providers import Vm, VmState

from .commands import DestroyVm
from .context import Context
from .cost import price_of
from .model import Node, evolve
from .node_departure import NodeDeparture
from .node_states import COUNTED, NodeEvent, NodeState
from .orphans import Orphans

#: While a VM is on its way, the next look at it comes after this share of the time that it has been, but not before so
#: many seconds.
_SHARE = 0.2
_FIRST_LOOK = 0.25
_OVER = (VmState.TERMINATED, VmState.PREEMPTED)


class VmWatch:
    def __init__(self, context: Context, departure: NodeDeparture, connect: Callable[[Node], None]) -> None:
        self._ctx = context
        self._departure = departure
        self._connect = connect
        self._orphans = Orphans(context.settings.orphan_grace)

    def listed(self, provider: str, vms: Iterable[Vm], asked: float, now: float) -> None:
        """The provider's whole list of our VMs, as it was at some time after `asked`."""
        ctx = self._ctx
        by_name = {vm.name: vm for vm in vms}
        known = set()
        for node in ctx.nodes:
            # the VM of a node whose VM was gone for certain, and is listed, is nobody's
            if node.vm_gone or ctx.pools[node.pool_id].provider != provider:
                continue
            known.add(node.vm_name)
            vm = by_name.get(node.vm_name)
            if vm is not None:
                self.observe(node, vm, now)
            elif node.vm_confirmed is not None and node.vm_confirmed + ctx.settings.visibility < asked:
                gone = None if node.vm is None else replace(node.vm, state=VmState.TERMINATED)
                self._over(node, gone, "the provider no longer lists its VM", now)
        strangers = [vm for vm in by_name.values() if vm.name not in known]
        due, soon = self._orphans.seen(provider, strangers, now)
        for vm, reason in due:
            ctx.say(DestroyVm(None, provider, vm.name, reason, vm.provider_id))
        if soon is not None:
            ctx.timers.set_earlier("poll", provider, soon)

    def observe(self, node: Node, vm: Vm, now: float) -> None:
        """The cloud has told of the node's VM."""
        ctx = self._ctx
        if node.vm_confirmed is None:
            ctx.timers.cancel("create", node.id)
            node = ctx.put_node(evolve(node, now, vm_confirmed=now, vm=vm))
        if node.price_per_hour is None:
            price = price_of(node, vm, ctx.pools[node.pool_id].spec.vm_size, ctx.settings)
            node = node if price is None else ctx.put_node(evolve(node, now, price_per_hour=price))
        if vm.state is VmState.RUNNING and node.state is NodeState.CREATING:
            self._dial(ctx.advance(node, NodeEvent.VM_RUNNING, now, vm=vm, boot_time=now))
        elif node.state is NodeState.CREATING and vm.state in (VmState.PENDING, VmState.UNKNOWN):
            if _place(vm) is not None:
                # it may answer before its cloud says that it runs, and before anybody asks the cloud again
                self._dial(node if node.vm == vm else ctx.put_node(evolve(node, now, vm=vm)))
            # it will run soon: no node shall wait much longer than its boot takes, whether that is a second or minutes
            grown = max(_FIRST_LOOK, (now - node.created) * _SHARE)
            soon = min(grown, ctx.settings.boot_poll_interval, ctx.settings.vm_poll_interval)
            ctx.timers.set_earlier("poll", ctx.pools[node.pool_id].provider, now + soon)
        elif vm.state in _OVER:
            self._over(node, vm, vm.reason or "its VM has ended", now)

    def answered(self, node: Node, now: float) -> Node:
        """A node of whose VM it is not known yet that it runs has answered: so it does."""
        vm = None if node.vm is None else replace(node.vm, state=VmState.RUNNING)
        return self._ctx.advance(node, NodeEvent.VM_RUNNING, now, vm=vm, boot_time=now)

    def _dial(self, node: Node) -> None:
        """Connect, unless that is being done."""
        vm, dialled = node.vm, self._ctx.dialling.get(node.id)
        if vm is None or (dialled is not None and _place(dialled) == _place(vm)):
            return
        self._ctx.timers.cancel("connect", node.id)
        self._connect(node)

    def _over(self, node: Node, vm: Vm | None, reason: str, now: float) -> None:
        """The VM runs no more."""
        ctx = self._ctx
        ctx.connected.discard(node.id)
        if vm is not None and (node.vm is None or node.vm.state is not vm.state):
            ended = now if node.vm_ended is None else node.vm_ended
            node = ctx.put_node(evolve(node, now, vm=vm, vm_ended=ended))
        counts = node.state in COUNTED or node.state is NodeState.UNUSABLE
        taken = vm is not None and vm.state is VmState.PREEMPTED and counts
        if taken or (node.reclaim_at is not None and node.state is NodeState.LEAVING_POOL):
            self._departure.preempted(node, reason or "preempted by the provider", now)
        elif node.state in COUNTED:
            self._departure.failed(node, reason, now)
        elif node.state is NodeState.LEAVING_POOL:
            self._departure.vm_ended(node, now)


def _place(vm: Vm) -> tuple[str, int, str] | None:
    """Where its SSH server is, and by which key it is known; None as long as something of it is not known."""
    if vm.address is None or vm.port is None or vm.host_key is None:
        return None
    return (vm.address, vm.port, vm.host_key)
