"""What the cloud says of our VMs, and what follows for their nodes; and VMs that nobody has a record of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from msgspec import structs

from providers import Vm, VmState

from .commands import DestroyVm
from .context import Context
from .cost import price_of
from .model import Node, evolve
from .node_departure import NodeDeparture
from .node_restart import is_under_way
from .node_states import COUNTED, NodeEvent, NodeState
from .orphans import Orphans
from .placement import placements

#: While a VM is on its way, the next look at it comes after this share of the time that it has been, but not before so
#: many seconds.
_SHARE = 0.2
_FIRST_LOOK = 0.25
#: The same where it can be reached as soon as it answers: the look is only for what never will.
_FIRST_LOOK_BESIDE = 1.0
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
        by_name, visibility = _by_name(vms), ctx.settings.visibility
        known = set()
        for node in ctx.nodes:
            # the VM of a node whose VM was gone for certain, and is listed, is nobody's
            if node.vm_gone or ctx.pools[node.pool_id].provider != provider:
                continue
            known.add(node.vm_name)
            vm = by_name.get(node.vm_name)
            if vm is not None:
                self.observe(node, vm, now)
            elif node.vm_confirmed is not None and self._known_since(node.vm_confirmed, now) < asked - visibility:
                gone = None if node.vm is None else replace(node.vm, state=VmState.TERMINATED)
                self._over(node, gone, "the provider no longer lists its VM", now)
        strangers = [vm for vm in by_name.values() if vm.name not in known]
        due, soon = self._orphans.seen(provider, strangers, now)
        for vm, reason in due:
            ctx.say(DestroyVm(None, provider, vm.name, reason, vm.provider_id))
        if soon is not None:
            ctx.timers.set_earlier("poll", provider, soon)

    def _known_since(self, confirmed: float, now: float) -> float:
        """Told in a time to come (the clock was put back since), it is as new as if it was told at the restart."""
        return max(confirmed if confirmed <= now else 0.0, self._ctx.resumed)

    def observe(self, node: Node, vm: Vm, now: float) -> None:
        """The cloud has told of the node's VM."""
        ctx = self._ctx
        if node.vm_confirmed is None:
            ctx.timers.cancel("create", node.id)
            # why it was ordered, or not created at once, says nothing of what comes; why it goes does
            reason = None if node.state is NodeState.CREATING else node.reason
            node = ctx.put_node(evolve(node, now, vm_confirmed=now, vm=vm, reason=reason))
            self._count(node, now)
        if node.price_per_hour is None:
            price = price_of(node, vm, _asked_as(node, ctx), ctx.settings)
            node = node if price is None else ctx.put_node(evolve(node, now, price_per_hour=price))
        if vm.state is VmState.RUNNING and node.state is NodeState.CREATING:
            self._dial(ctx.advance(node, NodeEvent.VM_RUNNING, now, vm=vm, boot_time=now))
        elif node.state is NodeState.CREATING and vm.state in (VmState.PENDING, VmState.UNKNOWN):
            first = _FIRST_LOOK
            if _reachable(vm):
                first = _FIRST_LOOK_BESIDE
                # it may answer before its cloud says that it runs, and before anybody asks the cloud again
                self._dial(node if node.vm == vm else ctx.put_node(evolve(node, now, vm=vm)))
            # it will run soon: no node shall wait much longer than its boot takes, whether that is a second or minutes
            grown = max(first, (now - node.ordered) * _SHARE)
            soon = min(grown, ctx.settings.boot_poll_interval, ctx.settings.vm_poll_interval)
            ctx.timers.set_earlier("poll", ctx.pools[node.pool_id].provider, now + soon)
        elif vm.state is VmState.TERMINATED and is_under_way(node):
            pass  # some clouds say so of one that starts anew; if it does not, the time for that ends
        elif vm.state in _OVER:
            self._over(node, vm, vm.reason or "its VM has ended", now)

    def _count(self, node: Node, now: float) -> None:
        pool, count = self._ctx.pools[node.pool_id], self._ctx.vm_count(node.pool_id)
        if count > pool.usage.peak_nodes:
            self._ctx.put_pool(evolve(pool, now, usage=structs.replace(pool.usage, peak_nodes=count)))

    def answered(self, node: Node, now: float) -> Node:
        """A node of whose VM it is not known yet that it runs has answered: so it does."""
        vm = None if node.vm is None else replace(node.vm, state=VmState.RUNNING)
        return self._ctx.advance(node, NodeEvent.VM_RUNNING, now, vm=vm, boot_time=now)

    def _dial(self, node: Node) -> None:
        """Connect, unless that is being done: the next try, if there is one, goes by what is known then."""
        if node.id not in self._ctx.connections:
            self._connect(node)

    def _over(self, node: Node, vm: Vm | None, reason: str, now: float) -> None:
        """The VM runs no more."""
        ctx = self._ctx
        if node.state is NodeState.REIMAGING and node.destroying:
            return  # it was ended by us, and its node lives on
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


def _reachable(vm: Vm) -> bool:
    """Is it known where its SSH server is, and by which key to tell it?"""
    return None not in (vm.address, vm.port, vm.host_key)


def _asked_as(node: Node, ctx: Context) -> str:
    """The pool's `vmSize`; "" if that stands for other sizes by now."""
    pool = ctx.pools[node.pool_id]
    same = any(place.size == node.size for place in placements(pool, ctx.settings))
    return pool.spec.vm_size if same else ""


def _by_name(vms: Iterable[Vm]) -> dict[str, Vm]:
    """One VM for each name. Should a cloud have made two of one name, the one that has ended does not speak for the one
    that lives; both go when the name's end is asked for."""
    found: dict[str, Vm] = {}
    for vm in vms:
        if vm.name not in found or found[vm.name].state in _OVER:
            found[vm.name] = vm
    return found
