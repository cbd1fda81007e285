"""The life of a node: from the intent to create its VM to the certainty that the VM is gone.

Rules that money hangs on:
- the record stands before the create call leaves, and stays until the VM is certain to be gone;
- a VM that carries our tag and has no record is an orphan and is destroyed.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from providers import ProviderError, Vm, VmSpec, VmState

from .commands import ConnectNode, CreateVm, DestroyVm, DisconnectNode, ListVms
from .context import Context
from .model import FailureInfo, Node, Pool, evolve
from .node_departure import NodeDeparture
from .node_states import COUNTED, USABLE, NodeEvent, NodeState
from .node_usage import NodeUsage
from .spec import NodeDeallocationOption
from .start_task import NodePreparation

E = NodeEvent

#: Provider errors as the resize errors of the Batch REST API.
_RESIZE_CODES = {"CapacityError": "AllocationFailed", "QuotaError": "AccountCoreQuotaReached"}


class NodeMachine:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self.departure = NodeDeparture(context)
        self._preparation = NodePreparation(context, self.departure)

    # -- coming ----------------------------------------------------------------------------------------------

    def create(self, pool: Pool, low_priority: bool, reason: str, now: float) -> Node:
        """Record the intent; the command follows after the commit."""
        ctx = self._ctx
        uid = ctx.ids.new()
        node = Node(
            created=now,
            modified=now,
            state_time=now,
            id=f"node_{uid}_{'p' if low_priority else 'd'}",
            pool_id=pool.id,
            vm_name=f"ebbtide-{ctx.deployment.id}-{uid}",
            low_priority=low_priority,
            reason=reason,
        )
        ctx.put_node(node)
        usage = pool.usage
        peak = max(usage.peak_nodes, ctx.node_count(pool.id))
        usage = replace(usage, peak_nodes=peak, nodes_allocated=usage.nodes_allocated + 1)
        ctx.put_pool(evolve(pool, now, usage=usage))
        self._issue_create(node, pool)
        ctx.timers.set("boot", node.id, now + ctx.settings.boot_timeout)
        return node

    def _issue_create(self, node: Node, pool: Pool) -> None:
        deployment = self._ctx.deployment
        spec = VmSpec(
            name=node.vm_name,
            deployment=deployment.id,
            pool_id=node.pool_id,
            node_id=node.id,
            size=pool.spec.vm_size,
            image=pool.image,
            low_priority=node.low_priority,
            public_key=deployment.public_key,
        )
        self._ctx.say(CreateVm(node.id, pool.provider, spec))

    def vm_created(self, node_id: str, vm: Vm, now: float) -> None:
        """The create call was answered."""
        node = self._ctx.nodes.get(node_id)
        if node is None or node.vm_confirmed is not None:
            return
        node = self._ctx.put_node(evolve(node, now, vm_confirmed=now, vm=vm))
        self._observe(node, vm, now)

    def vm_create_failed(self, node_id: str, error: ProviderError, now: float) -> None:
        """The create call raised. The VM may exist all the same, so the node leaves through destroy like any
        other."""
        node = self._ctx.nodes.get(node_id)
        if node is None or node.state is not NodeState.CREATING:
            return
        code = _RESIZE_CODES.get(type(error).__name__, "AllocationFailed")
        self.departure.failed(node, f"VM could not be created: {error}", now, code)

    # -- what the cloud says ---------------------------------------------------------------------------------

    def vms_listed(self, provider: str, vms: Iterable[Vm], asked: float, now: float) -> None:
        """The provider's whole list of our VMs, as it was at some time after `asked`."""
        ctx = self._ctx
        by_name = {vm.name: vm for vm in vms}
        known = set()
        for node in ctx.nodes:
            if ctx.pools[node.pool_id].provider != provider:
                continue
            known.add(node.vm_name)
            vm = by_name.get(node.vm_name)
            if vm is not None:
                self._observe(node, vm, now)
            elif node.vm_confirmed is not None and node.vm_confirmed < asked:
                self._vm_over(node, "the provider no longer lists its VM", now)
        for name in sorted(by_name.keys() - known):
            ctx.say(DestroyVm(None, provider, name, "orphan: carries our tag and has no record"))

    def _observe(self, node: Node, vm: Vm, now: float) -> None:
        ctx = self._ctx
        if node.vm_confirmed is None:
            node = ctx.put_node(evolve(node, now, vm_confirmed=now, vm=vm))
        if vm.state is VmState.RUNNING and node.state is NodeState.CREATING:
            self._connect(ctx.advance(node, E.VM_RUNNING, now, vm=vm, boot_time=now))
        elif node.state is NodeState.CREATING and vm.state in (VmState.PENDING, VmState.UNKNOWN):
            # it will run in seconds: the ordinary interval would make every node wait for half of it
            soon = min(ctx.settings.boot_poll_interval, ctx.settings.vm_poll_interval)
            ctx.timers.set_earlier("poll", ctx.pools[node.pool_id].provider, now + soon)
        elif vm.state is VmState.PREEMPTED and (node.state in COUNTED or node.state is NodeState.UNUSABLE):
            ctx.connected.discard(node.id)
            ctx.advance(node, E.PREEMPTED, now, reason=vm.reason or "preempted by the provider")
        elif vm.state in (VmState.TERMINATED, VmState.PREEMPTED):
            self._vm_over(node, vm.reason or "its VM has ended", now)

    def _vm_over(self, node: Node, reason: str, now: float) -> None:
        self._ctx.connected.discard(node.id)
        if node.state in COUNTED:
            self.departure.failed(node, reason, now)
        elif node.state is NodeState.LEAVING_POOL:
            self.departure.vm_ended(node, now)

    # -- connection ------------------------------------------------------------------------------------------

    def _connect(self, node: Node) -> None:
        assert node.vm is not None
        pool = self._ctx.pools[node.pool_id]
        self._ctx.say(ConnectNode(node.id, node.vm, pool.spec.task_slots_per_node))

    def is_connected(self, node_id: str) -> bool:
        return node_id in self._ctx.connected

    def connected(self, node_id: str, now: float) -> None:
        """The agent on the node has said hello; the node is ready to be told what to do.

        A node that was lost counts as unreachable until the connection has lasted: one that breaks each time
        right after the hello is of no use.
        """
        ctx = self._ctx
        node = ctx.nodes.get(node_id)
        if node is None or node.destroying:
            ctx.say(DisconnectNode(node_id))
            return
        ctx.connected.add(node_id)
        ctx.dirty.add(node.pool_id)
        ctx.timers.cancel("connect", node_id)
        ctx.timers.cancel("unreachable", node_id)
        if node.unreachable_since is not None:
            ctx.timers.set("steady", node_id, now + ctx.settings.steady)
        if node.state is NodeState.STARTING:
            ctx.timers.cancel("boot", node_id)
            self._preparation.begin(node, now)
        else:
            self._preparation.resume(node)
            self.departure.destroy_if_free(node, now)

    def disconnected(self, node_id: str, reason: str, now: float, *, fatal: bool = False) -> None:
        """The connection broke, or could not be made. Tasks run on; the provider is asked whether the VM
        lives.

        `fatal`: trying again cannot help (no Python on the node, another host key): the node is replaced.
        """
        ctx = self._ctx
        node = ctx.nodes.get(node_id)
        ctx.connected.discard(node_id)
        ctx.timers.cancel("steady", node_id)
        if node is None or node.destroying:
            return
        ctx.dirty.add(node.pool_id)
        if fatal and node.state in COUNTED:
            self.departure.failed(node, reason, now, "NodeUnusable")
            return
        if fatal and node.state is NodeState.LEAVING_POOL:
            self.departure.vm_ended(node, now)
            return
        ctx.timers.set("connect", node_id, now + ctx.settings.connect_retry)
        if node.state is NodeState.STARTING and node.reason != reason:
            # while it boots this is normal; if it never comes up, it is what its user needs to know
            node = ctx.put_node(evolve(node, now, reason=reason))
        if node.state is not NodeState.STARTING:
            since = node.unreachable_since
            if since is None:
                ctx.say(ListVms(ctx.pools[node.pool_id].provider))
            node = self._unreachable_from(node, now if since is None else since, now)
        self.departure.destroy_if_free(node, now)

    def measured(self, node_id: str, usage: NodeUsage, now: float) -> None:
        """The node's agent told what the node uses. Not stored: the next sample of its pool is made of it."""
        if node_id in self._ctx.nodes:
            self._ctx.node_usage.put(node_id, usage, now)

    def _unreachable_from(self, node: Node, since: float, now: float) -> Node:
        """The time runs until the node is given up; only a connection that lasts ends it."""
        ctx = self._ctx
        ctx.timers.set("unreachable", node.id, since + ctx.settings.unreachable_timeout)
        return ctx.put_node(evolve(node, now, unreachable_since=since)) if node.unreachable_since != since else node

    # -- start task ------------------------------------------------------------------------------------------

    def prepared(self, node_id: str, error: str | None, now: float) -> None:
        """The pool's application packages are in place (`error` None), or could not be brought there."""
        self._preparation.prepared(node_id, error, now)

    def start_task_ended(
        self, node_id: str, attempt: int, exit_code: int | None, failure: FailureInfo | None, now: float
    ) -> None:
        """The start task's attempt ended; `failure` is None if it succeeded."""
        self._preparation.ended(node_id, attempt, exit_code, failure, now)

    # -- work, timers and restart ----------------------------------------------------------------------------

    def work_changed(self, node_id: str, now: float) -> None:
        """Tasks were placed on the node or have ended there: idle and running follow."""
        node = self._ctx.nodes.get(node_id)
        if node is None:
            return
        busy = self._ctx.workload.busy(node_id)
        if busy and node.state is NodeState.IDLE:
            self._ctx.advance(node, E.TASK_PLACED, now)
        elif not busy and node.state is NodeState.RUNNING:
            self._ctx.advance(node, E.TASKS_ENDED, now)
        elif not busy and node.state is NodeState.LEAVING_POOL:
            self.departure.destroy_if_free(node, now)

    def ring(self, kind: str, node_id: str, now: float) -> None:
        """A timer of the node has rung."""
        node = self._ctx.nodes.get(node_id)
        if node is None:
            return
        if kind == "destroy" and node.destroying:
            self.departure.issue_destroy(node)
        elif node.destroying:
            return
        elif kind == "boot" and node.state in (NodeState.CREATING, NodeState.STARTING):
            waited = self._ctx.settings.boot_timeout
            last = f"; last: {node.reason}" if node.state is NodeState.STARTING and node.reason else ""
            self.departure.failed(node, f"not ready {waited:g} s after its creation{last}", now, "BootTimedOut")
        elif kind == "connect" and node.vm is not None and node_id not in self._ctx.connected:
            self._connect(node)
        elif kind == "unreachable" and node.unreachable_since is not None:
            self._unreachable(node, now)
        elif kind == "steady" and node_id in self._ctx.connected:
            self._ctx.put_node(evolve(node, now, unreachable_since=None))
        elif kind == "proven" and node.state in USABLE:
            self.departure.proven(node.pool_id, now)

    def _unreachable(self, node: Node, now: float) -> None:
        """Its VM seems to live, but nobody has reached it for long: it is given up."""
        if node.state in COUNTED:
            waited = self._ctx.settings.unreachable_timeout
            self.departure.failed(node, f"no connection that lasted for {waited:g} s", now)
        else:
            node = self._ctx.put_node(evolve(node, now, leaving=NodeDeallocationOption.REQUEUE))
            self.departure.destroy_if_free(node, now)

    def recover(self, node: Node, now: float) -> None:
        """Issue again what this node's record says was intended; the outcome may or may not have happened."""
        ctx = self._ctx
        if node.destroying:
            self.departure.issue_destroy(node)
            return
        if node.state is NodeState.CREATING and node.vm_confirmed is None:
            self._issue_create(node, ctx.pools[node.pool_id])
        if node.state in (NodeState.CREATING, NodeState.STARTING):
            # the controller was away for part of the time: the node gets a whole new boot time
            ctx.timers.set("boot", node.id, now + ctx.settings.boot_timeout)
        if node.state in USABLE:
            ctx.workload.node_usable(node.id, now)
            if node.usable_since is not None:
                ctx.timers.set("proven", node.id, node.usable_since + ctx.settings.young_node)
        if node.vm is not None and node.state is not NodeState.CREATING:
            self._connect(node)
            if node.state is not NodeState.STARTING:
                # its VM may never answer again; for the time the controller was away nobody is to blame
                self._unreachable_from(node, now, now)
