"""The life of a node: from the intent to create its VM to the certainty that the VM is gone.

Rules that money hangs on:
- the record stands before the create call leaves, and stays until the VM is certain to be gone;
- a VM that carries our tag and has no record is an orphan and is destroyed.
"""

from __future__ import annotations

from collections.abc import Iterable

from providers import ProviderError, Vm

from .commands import ConnectNode, DisconnectNode, ListVms
from .context import Context
from .failure_info import FailureInfo
from .model import Node, evolve
from .node_creation import NodeCreation
from .node_departure import NodeDeparture
from .node_history import RecentTask
from .node_reach import SILENT_AFTER, NodeReach, heard
from .node_restart import NodeRestart, is_under_way
from .node_states import COUNTED, RESTARTING, UP, USABLE, NodeEvent, NodeState
from .node_usage import NodeUsage
from .start_task import NodePreparation
from .vm_watch import VmWatch

E = NodeEvent

_SHORTEST_PAUSE = 0.2
_BOOTING = (NodeState.CREATING, NodeState.STARTING)


class NodeMachine:
    def __init__(self, context: Context) -> None:
        self._ctx = context
        self.departure = NodeDeparture(context)
        self.creation = NodeCreation(context, self.departure)
        self._watch = VmWatch(context, self.departure, self._connect)
        self._preparation = NodePreparation(context, self.departure)
        self.reach = NodeReach(context, self.departure)
        self.restart = NodeRestart(context, self.departure, self.creation)

    # -- what the cloud says ---------------------------------------------------------------------------------

    def vm_created(self, node_id: str, vm: Vm, now: float) -> None:
        """The create call was answered."""
        node = self._of_vm(node_id, vm.name)
        if node is not None and node.vm_confirmed is None and not node.vm_gone:
            self._watch.observe(node, vm, now)

    def vm_create_failed(self, node_id: str, error: ProviderError, now: float, vm_name: str | None = None) -> None:
        """The create call raised. `vm_name`: which one of the node's (None: the only one)."""
        node = self._of_vm(node_id, vm_name)
        if node is not None and node.state is NodeState.CREATING and node.vm_confirmed is None:
            self.creation.failed(node, error, now)

    def vm_destroyed(self, node_id: str, now: float, vm_name: str | None = None) -> None:
        """The VM is certain to be gone."""
        node = self._of_vm(node_id, vm_name)
        if node is not None and node.state is NodeState.REIMAGING:
            if node.destroying:
                self.restart.vm_gone(node, now)
        elif node is not None:
            self.departure.vm_destroyed(node_id, now)

    def _of_vm(self, node_id: str, vm_name: str | None) -> Node | None:
        """The node, if that is its present VM: what is told of one it has had before comes too late."""
        node = self._ctx.nodes.get(node_id)
        return node if node is not None and vm_name in (None, node.vm_name) else None

    def vms_listed(self, provider: str, vms: Iterable[Vm], asked: float, now: float) -> None:
        """The provider's whole list of our VMs, as it was at some time after `asked`."""
        self._watch.listed(provider, vms, asked, now)

    def noticed(self, node_id: str, at: float, now: float) -> None:
        """The node's cloud has announced that it takes the VM back at `at`."""
        node = self._ctx.nodes.get(node_id)
        if node is not None:
            self.departure.reclaim(node, at, now)

    # -- connection ------------------------------------------------------------------------------------------

    def _connect(self, node: Node) -> None:
        assert node.vm is not None
        number = self._ctx.connection_number(node.id)
        pool = self._ctx.pools[node.pool_id]
        self._ctx.say(ConnectNode(node.id, node.vm, pool.spec.task_slots_per_node, number))

    def is_newest(self, node_id: str, connection: int) -> bool:
        """Is it the node's newest connection? What is told of another one has been overtaken."""
        return self._ctx.connections.get(node_id) == connection

    def is_connected(self, node_id: str) -> bool:
        return node_id in self._ctx.connected

    def connected(self, node_id: str, now: float, boot: str = "") -> None:
        """The agent on the node has said hello; the node is ready to be told what to do. `boot`: see Node.

        A node that was lost counts as unreachable until the connection has lasted: one that breaks each time
        right after the hello is of no use.
        """
        ctx = self._ctx
        node = ctx.nodes.get(node_id)
        if node is None or node.destroying or node.vm is None:
            ctx.say(DisconnectNode(node_id))
            return
        if self.restart.still_up(node, boot, now):
            return
        ctx.connected.add(node_id)
        ctx.dirty.add(node.pool_id)
        ctx.timers.cancel("connect", node_id)
        ctx.timers.cancel("unreachable", node_id)
        ctx.timers.cancel("silent", node_id)
        if node.silent_since is not None:
            node = ctx.put_node(evolve(node, now, silent_since=None))
        if node.unreachable_since is not None:
            ctx.timers.set("steady", node_id, now + ctx.settings.steady)
        if node.state is NodeState.CREATING:
            node = self._watch.answered(node, now)
        if node.state is NodeState.STARTING or is_under_way(node):
            ctx.timers.cancel("boot", node_id)
            self._preparation.begin(node, boot, now)
        else:
            if node.boot != boot:
                node = ctx.put_node(evolve(node, now, boot=boot))
            self._preparation.resume(node)
            self._go_if_free(node, now)

    def _go_if_free(self, node: Node, now: float) -> None:
        """One that leaves, or begins anew, does so once nothing is left to wait for."""
        if node.state in RESTARTING:
            self.restart.go_if_free(node, now)
        else:
            self.departure.destroy_if_free(node, now)

    def disconnected(
        self, node_id: str, reason: str, now: float, *, fatal: bool = False, host_key: bool = False
    ) -> None:
        """The connection broke, or could not be made. Tasks run on; the provider is asked whether the VM
        lives.

        `fatal`: trying again cannot help (no Python on the node, another host key): the node is replaced.
        `host_key`: it showed another host key than the pinned one; while it boots, that may not be in place yet.
        """
        ctx = self._ctx
        node = ctx.nodes.get(node_id)
        if host_key and node is not None and _boots(node):
            fatal = False
        ctx.connected.discard(node_id)
        ctx.timers.cancel("steady", node_id)
        if node is None or node.destroying:
            return
        ctx.connections[node_id] = ctx.connections.get(node_id, 0) + 1
        ctx.dirty.add(node.pool_id)
        if fatal and node.state in COUNTED:
            self.departure.failed(node, reason, now, "NodeUnusable")
            return
        if fatal and node.state is NodeState.LEAVING_POOL:
            self.departure.vm_ended(node, now)
            return
        ctx.timers.set("connect", node_id, now + self._connect_pause(node, now))
        if _boots(node) and node.reason != reason:
            # while it boots this is normal; if it never comes up, it is what its user needs to know
            node = ctx.put_node(evolve(node, now, reason=reason))
        if not _boots(node):
            since = node.unreachable_since
            if since is None:
                ctx.say(ListVms(ctx.pools[node.pool_id].provider))
            node = self.reach.lost(node, now if since is None else since, now)
            if node.silent_since is None:
                ctx.timers.set_earlier("silent", node_id, now + SILENT_AFTER)
        self._go_if_free(node, now)

    def _connect_pause(self, node: Node, now: float) -> float:
        """Seconds until the next try. A machine that has just started may be ready any moment: no more than a tenth of
        its time so far is lost."""
        pause = self._ctx.settings.connect_retry
        since = node.boot_time if node.boot_time is not None else node.vm_confirmed
        if not _boots(node) or since is None:
            return pause
        return min(pause, max(_SHORTEST_PAUSE, (now - since) / 10))

    def measured(self, node_id: str, usage: NodeUsage, now: float) -> None:
        """The node's agent told what the node uses. Not stored: the next sample of its pool is made of it."""
        if node_id in self._ctx.nodes:
            self._ctx.node_usage.put(node_id, usage, now)

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
        elif not busy and node.state in USABLE:
            if node.state is NodeState.RUNNING:
                node = self._ctx.advance(node, E.TASKS_ENDED, now)
            if not node.scheduling_enabled:
                self._ctx.advance(node, E.SET_ASIDE, now)
        elif node.state in RESTARTING:
            self.restart.go_if_free(node, now)
        elif not busy and node.state is NodeState.LEAVING_POOL:
            self.departure.destroy_if_free(node, now)

    def has_run(self, node_id: str, task: RecentTask, now: float) -> None:
        """The execution of a task has ended there."""
        node = self._ctx.nodes.get(node_id)
        if node is not None:
            self._ctx.nodes.put(node_id, evolve(node, now, history=node.history.and_then(task)))

    def ring(self, kind: str, node_id: str, now: float) -> None:
        """A timer of the node has rung."""
        node = self._ctx.nodes.get(node_id)
        if node is None:
            return
        if kind == "destroy" and node.destroying:
            self.departure.issue_destroy(node)
        elif node.destroying:
            return
        elif kind == "boot" and _boots(node):
            self._boot_timed_out(node, now)
        elif kind == "reboot":
            self.restart.again(node)
        elif kind == "create" and node.state is NodeState.CREATING and node.vm_confirmed is None:
            self.creation.again(node)
        elif kind in ("reclaim", "vacate") and node.state is NodeState.LEAVING_POOL:
            self.departure.taken_soon(node, kind, now)
        elif kind == "connect" and node.vm is not None and node_id not in self._ctx.connected:
            self._connect(node)
        elif kind == "unreachable" and node.unreachable_since is not None:
            self.reach.given_up(node, now)
        elif kind in ("silent", "steady"):
            self.reach.told(node, kind, now)
        elif kind == "proven" and node.state in UP:
            self.departure.setbacks.proven(node, now)

    def _boot_timed_out(self, node: Node, now: float) -> None:
        waited = self._ctx.boot_timeout(self._ctx.pools[node.pool_id])
        begun = "reboot" if node.state is NodeState.REBOOTING else "creation"
        text = f"not ready {waited:g} s after its {begun}; {heard(node)}"
        if node.vm_confirmed is None:
            self.creation.timed_out(node, text, now)
        else:
            self.departure.failed(node, text, now, "BootTimedOut")

    def recover(self, node: Node, now: float) -> None:
        """Issue again what this node's record says was intended; the outcome may or may not have happened."""
        ctx = self._ctx
        if node.vm_gone:
            return
        if node.destroying:
            if node.keep_console:
                self.departure.read_console(node)
            self.departure.issue_destroy(node)
            return
        if node.state is NodeState.CREATING and node.vm_confirmed is None:
            self.creation.recover(node, now)
        if node.state in _BOOTING:
            # the controller was away for part of the time: the node gets a whole new boot time
            ctx.timers.set("boot", node.id, now + ctx.boot_timeout(ctx.pools[node.pool_id]))
        if node.reclaim_at is not None:
            self.departure.expect(node, node.reclaim_at, now)
        if is_under_way(node):
            self.restart.recover(node, now)
            return
        if node.state in UP:
            ctx.workload.node_usable(node.id, now)
            if node.usable_since is not None:
                ctx.timers.set("proven", node.id, node.usable_since + ctx.settings.young_node)
        if node.vm is not None and node.state is not NodeState.CREATING:
            self._connect(node)
            if node.state is not NodeState.STARTING:
                self.reach.unknown(node, now)


def _boots(node: Node) -> bool:
    return node.state in _BOOTING or is_under_way(node)
