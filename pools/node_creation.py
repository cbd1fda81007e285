"""How a node comes: the intent, the create call, and what its errors lead to.

Rules that money hangs on:
- the record stands before the create call leaves, and one node is asked for in one place only;
- a call without a clear answer is issued again as it was: it is idempotent by the VM's name;
- a node of which it is not certain that it never had a VM leaves through destroy like any other.
"""

from __future__ import annotations

from msgspec.structs import replace

from providers import (
    CapacityError,
    Placement,
    PlacementError,
    ProviderError,
    QuotaError,
    ThrottledError,
    TransientError,
    VmSpec,
)

from .commands import CreateVm
from .context import Context
from .fallback import options
from .model import Node, Pool, evolve
from .node_departure import NodeDeparture
from .node_states import NodeState
from .placement import open_placement, placements
from .resize_errors import ALLOCATION_FAILED

#: A cloud that answers badly is told of from this try on.
_TOLD_FROM = 3


class NodeCreation:
    def __init__(self, context: Context, departure: NodeDeparture) -> None:
        self._ctx = context
        self._departure = departure

    def begin(self, pool: Pool, low_priority: bool, reason: str, now: float, *, fallback: bool = False) -> Node:
        """Record the intent; the command follows after the commit."""
        ctx = self._ctx
        uid = ctx.ids.new()
        place = open_placement(pool, low_priority, ctx.settings, now) or placements(pool, ctx.settings)[0]
        node = Node(
            created=now,
            modified=now,
            state_time=now,
            id=f"node_{uid}_{'p' if low_priority else 'd'}",
            pool_id=pool.id,
            vm_name=f"ebbtide-{ctx.deployment.id}-{uid}",
            low_priority=low_priority,
            reason=reason,
            size=place.size,
            zone=place.zone,
            fallback=fallback,
        )
        ctx.put_node(node)
        usage = replace(pool.usage, nodes_allocated=pool.usage.nodes_allocated + 1)
        ctx.put_pool(evolve(pool, now, usage=usage))
        self._first_issue(node, pool, now)
        return node

    def order(self, node: Node, pool: Pool, now: float) -> None:
        """A node that has had a VM gets another one, where there is room now."""
        place = open_placement(pool, node.low_priority, self._ctx.settings, now)
        place = place or placements(pool, self._ctx.settings)[0]
        self._first_issue(self._ctx.put_node(evolve(node, now, size=place.size, zone=place.zone)), pool, now)

    def _first_issue(self, node: Node, pool: Pool, now: float) -> None:
        self._issue(node, pool)
        self._ctx.timers.set("boot", node.id, now + self._ctx.boot_timeout(pool))

    def again(self, node: Node) -> None:
        """Issue the call once more, the same as before."""
        self._issue(node, self._ctx.pools[node.pool_id])

    def recover(self, node: Node, now: float) -> None:
        """A controller ended with the call under way: its answer is not known."""
        tries, reason = node.uncertain_creates + 1, "VM not created yet: a controller ended before the cloud answered"
        self.again(self._ctx.put_node(evolve(node, now, uncertain_creates=tries, reason=reason)))

    def _issue(self, node: Node, pool: Pool) -> None:
        deployment, network = self._ctx.deployment, pool.spec.network_configuration
        # a record of an earlier version has no size
        place = Placement(node.size, node.zone) if node.size else placements(pool, self._ctx.settings)[0]
        spec = VmSpec(
            name=node.vm_name,
            deployment=deployment.id,
            pool_id=node.pool_id,
            node_id=node.id,
            size=place.size,
            image=pool.image,
            low_priority=node.low_priority,
            public_key=deployment.public_key,
            zone=place.zone,
            subnet=network.subnet_id if network is not None else None,
            isolated=not pool.spec.enable_inter_node_communication,
            max_price=options(pool).max_price if node.low_priority else None,
        )
        self._ctx.say(CreateVm(node.id, pool.provider, spec))

    def failed(self, node: Node, error: ProviderError, now: float) -> None:
        """The create call raised; the VM may exist all the same."""
        if isinstance(error, ThrottledError | TransientError):
            self._try_again(node, error, now)
            return
        setbacks = self._departure.setbacks
        elsewhere = isinstance(error, PlacementError) and setbacks.unfit(node, error, now)
        if isinstance(error, CapacityError):
            setbacks.no_capacity(node, error, now)
        elif isinstance(error, QuotaError):
            setbacks.quota_reached(node, error, now)
        certain = error.nothing_made and not node.uncertain_creates
        if elsewhere or isinstance(error, CapacityError | QuotaError):
            reason = f"VM could not be created: {error}"
            self._gone(node, reason, certain, now)
        else:
            self._departure.failed(node, f"VM could not be created: {error}", now, ALLOCATION_FAILED)
            if certain:
                self._departure.never_was(self._ctx.nodes[node.id], now)

    def timed_out(self, node: Node, text: str, now: float) -> None:
        """The cloud has not given the VM in all the time: no failure of the pool's own."""
        self._departure.setbacks.refused(node, ALLOCATION_FAILED, f"node {node.id}: {text}", now)
        self._gone(node, text, False, now)

    def _gone(self, node: Node, reason: str, certain: bool, now: float) -> None:
        if certain:
            self._departure.never_was(node, now)
        else:
            self._departure.remove(node, self._ctx.pools[node.pool_id].node_deallocation_option, reason, now)

    def _try_again(self, node: Node, error: ProviderError, now: float) -> None:
        ctx, settings = self._ctx, self._ctx.settings
        tries = node.uncertain_creates + 1
        pause = min(settings.create_retry_max, settings.create_retry * 2.0 ** min(tries - 1, 20))
        pause *= ctx.ids.random().uniform(0.5, 1.0)
        if isinstance(error, ThrottledError) and error.retry_after is not None:
            pause = max(pause, error.retry_after)
        reason = f"VM not created yet: {error}"
        ctx.put_node(evolve(node, now, reason=reason, uncertain_creates=tries))
        ctx.timers.set("create", node.id, now + pause)
        if tries >= _TOLD_FROM and node.state is NodeState.CREATING:
            self._departure.setbacks.slow(node, f"{reason} (try {tries}; the next in {pause:.0f} s)", now)
