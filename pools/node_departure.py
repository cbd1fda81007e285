"""How a node goes: failed or taken out, emptied, its VM destroyed until it is certain to be gone.

Rules that money and data hang on:
- the record stays until the VM is certain to be gone;
- what ran on a node is given back to the queue only when it is certain to run no more.
"""

from __future__ import annotations

from msgspec.structs import replace

from .commands import DestroyVm, DisconnectNode
from .context import Context
from .model import Node, ResizeError, evolve
from .node_states import USABLE, NodeEvent, NodeState
from .spec import NodeDeallocationOption

#: Why a pool stopped trying; stays beside newer errors until a target is reached or set anew.
ALLOCATION_TIMED_OUT = "AllocationTimedout"

_PATIENT = (NodeDeallocationOption.TASK_COMPLETION, NodeDeallocationOption.RETAINED_DATA)


class NodeDeparture:
    def __init__(self, context: Context) -> None:
        self._ctx = context

    # -- why it goes -----------------------------------------------------------------------------------------

    def failed(self, node: Node, reason: str, now: float, code: str = "NodeFailed") -> None:
        """The node cannot be used; it is replaced. Counts as a failure of the pool if it never came up, or only just
        (its task may have killed it, and will kill the next one)."""
        since = node.usable_since if node.state in USABLE else now
        young = since is not None and now < since + self._ctx.settings.young_node
        self._ctx.advance(node, NodeEvent.FAILED, now, reason=reason)
        if young:
            self.count_failure(node, code, reason, now)

    def count_failure(self, node: Node, code: str, reason: str, now: float) -> None:
        """One more node that did not come up: the pool waits before the next try, and says why.

        Nodes ordered before the last failure was known fail for the same reason: they count once.
        """
        ctx = self._ctx
        pool = ctx.pools[node.pool_id]
        failures, retry_at = pool.failures, pool.retry_at
        if retry_at is None or node.created >= retry_at:
            failures += 1
            retry_at = now + ctx.settings.backoff(failures)
            ctx.timers.set("retry", pool.id, retry_at)
        wait = max(0.0, retry_at - now)
        text = f"node {node.id}: {reason} (failure {failures} in a row; next try in {wait:g} s)"
        kept = (error for error in pool.resize_errors if error.code == ALLOCATION_TIMED_OUT)
        errors = (*kept, ResizeError(code, text))
        ctx.put_pool(evolve(pool, now, failures=failures, retry_at=retry_at, resize_errors=errors))

    def proven(self, pool_id: str, now: float) -> None:
        """A node of the pool has been of use: what failed before is past."""
        pool = self._ctx.pools[pool_id]
        if pool.failures or pool.resize_errors:
            self._ctx.put_pool(evolve(pool, now, failures=0, retry_at=None, resize_errors=()))

    def remove(self, node: Node, option: NodeDeallocationOption, reason: str, now: float) -> None:
        """Take the node out of the pool; its VM goes once nothing is left to wait for."""
        if node.state in USABLE:
            self.proven(node.pool_id, now)
        node = self._ctx.advance(node, NodeEvent.REMOVE, now, leaving=option, reason=reason)
        self._ctx.timers.cancel("boot", node.id)
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
        if ctx.workload.busy(node.id) and (node.leaving in _PATIENT or node.id in ctx.connected):
            return
        self._destroy(node, now)

    def _destroy(self, node: Node, now: float) -> None:
        self.issue_destroy(self._ctx.put_node(evolve(node, now, destroying=True)))

    def issue_destroy(self, node: Node) -> None:
        """Ask for the end of the VM (once more, after a failure or a restart)."""
        ctx = self._ctx
        ctx.connected.discard(node.id)
        for kind in ("boot", "connect", "unreachable", "steady", "proven"):
            ctx.timers.cancel(kind, node.id)
        ctx.say(DisconnectNode(node.id))
        provider = ctx.pools[node.pool_id].provider
        ctx.say(DestroyVm(node.id, provider, node.vm_name, node.reason or "leaving"))

    def vm_destroyed(self, node_id: str, now: float) -> None:
        """The VM is certain to be gone: the record goes, and what ran there is given back."""
        ctx = self._ctx
        node = ctx.nodes.get(node_id)
        if node is None:
            return
        ctx.workload.node_gone(node_id, now)
        pool = ctx.pools[node.pool_id]
        seconds = now - node.created
        usage = pool.usage
        if node.low_priority:
            usage = replace(usage, low_priority_seconds=usage.low_priority_seconds + seconds)
        else:
            usage = replace(usage, dedicated_seconds=usage.dedicated_seconds + seconds)
        ctx.put_pool(evolve(pool, now, usage=usage))
        ctx.remove_node(node)

    def vm_destroy_failed(self, node_id: str, now: float) -> None:
        """Try again; a VM is never given up."""
        if node_id in self._ctx.nodes:
            self._ctx.timers.set("destroy", node_id, now + self._ctx.settings.destroy_retry)
