"""What can be asked of a pool's nodes: checked at the door and recorded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from msgspec.structs import replace

from .context import Context
from .model import Node, Pool, evolve
from .node_machine import NodeMachine
from .node_states import ANSWERING, COUNTED, UP, NodeEvent, NodeState
from .pool_checks import PoolError, check_resize_timeout
from .pool_requests import PoolRequests
from .resize_errors import ALLOCATION_TIMED_OUT, without
from .spec import NodeDeallocationOption
from .spellings import folded

#: Most nodes that one request takes out (Batch REST API).
MOST_NODES = 100

_DISABLED = "its scheduling was disabled"


class NodeRequests:
    """A request that is refused raises PoolError and changes nothing."""

    def __init__(self, context: Context, pools: PoolRequests, nodes: NodeMachine) -> None:
        self._ctx = context
        self._pools = pools
        self._nodes = nodes

    def disable_scheduling(self, pool_id: str, node_id: str, option: NodeDeallocationOption, now: float) -> None:
        """The node gets no more tasks; those that it has are treated as `option` says. Once it has none it is offline.
        Asked again, it is treated again. Raises PoolError."""
        if option is NodeDeallocationOption.RETAINED_DATA:
            text = f"nodeDisableSchedulingOption: {option} is none of requeue, terminate, taskcompletion"
            raise PoolError("InvalidPropertyValue", text)
        node = self._staying(pool_id, node_id)
        changes = {"reason": _DISABLED} if node.state in UP else {}
        node = self._ctx.put_node(evolve(node, now, scheduling_enabled=False, **changes))
        self._ctx.workload.vacate(node.id, option, now)
        self._nodes.work_changed(node.id, now)

    def enable_scheduling(self, pool_id: str, node_id: str, now: float) -> None:
        """Raises PoolError."""
        node = self._staying(pool_id, node_id)
        if node.scheduling_enabled:
            return
        changes = {"reason": None} if node.reason == _DISABLED else {}
        node = self._ctx.put_node(evolve(node, now, scheduling_enabled=True, **changes))
        if node.state is NodeState.OFFLINE:
            self._ctx.advance(node, NodeEvent.ENABLED, now)
            self._nodes.work_changed(node.id, now)

    def reboot(self, pool_id: str, node_id: str, option: NodeDeallocationOption, now: float) -> None:
        """Raises PoolError."""
        node = self._answering(pool_id, node_id, "rebooted")
        provider = self._ctx.pools[node.pool_id].provider
        can = self._ctx.settings.profile(provider).reboot
        if can is not True:
            text = f"the provider {provider} cannot reboot its nodes: {can or 'its cloud has no such call'}"
            raise PoolError("OperationNotSupported", text)
        self._nodes.restart.reboot(node, option, now)

    def reimage(self, pool_id: str, node_id: str, option: NodeDeallocationOption, now: float) -> None:
        """Raises PoolError."""
        self._nodes.restart.reimage(self._answering(pool_id, node_id, "reimaged"), option, now)

    def remove(
        self,
        pool_id: str,
        node_ids: Iterable[str],
        option: NodeDeallocationOption,
        now: float,
        timeout: timedelta | None = None,
    ) -> None:
        """Take these nodes out. The targets of a pool without a formula shrink by as many, kind by kind; a formula may
        have them replaced. One that leaves already just leaves. `timeout`: the pool's resizeTimeout from now on.
        Raises PoolError."""
        pool, names = self._pools.living(pool_id), list(map(folded, node_ids))
        if not 1 <= len(names) <= MOST_NODES:
            raise PoolError("InvalidPropertyValue", f"nodeList: {len(names)} nodes; name 1 to {MOST_NODES}")
        if timeout is not None:
            check_resize_timeout(timeout)
        found = [self._node(pool, name) for name in dict.fromkeys(names)]
        going = [node for node in found if node.state is not NodeState.LEAVING_POOL]
        if timeout is not None:
            pool = evolve(pool, now, spec=replace(pool.spec, resize_timeout=timeout))
        if going:
            self._retarget(pool, going, option, now)
        for node in going:
            if node.vm_gone:
                self._ctx.remove_node(node)
            elif node.state is not NodeState.PREEMPTED:  # that goes by itself
                self._nodes.departure.remove(node, option, "somebody took it out of the pool", now)

    def _retarget(self, pool: Pool, going: list[Node], option: NodeDeallocationOption, now: float) -> None:
        if pool.spec.enable_auto_scale:
            errors = without(pool.resize_errors, ALLOCATION_TIMED_OUT)
            self._ctx.put_pool(evolve(pool, now, resize_errors=errors, resize_started=now))
            return
        low = sum(node.low_priority or node.fallback for node in going)
        dedicated = max(0, pool.target_dedicated - (len(going) - low))
        self._pools.retarget(pool, (dedicated, max(0, pool.target_low_priority - low)), option, now)

    def _node(self, pool: Pool, node_id: str) -> Node:
        """Ids are the same in upper and lower case. Raises PoolError."""
        found = self._ctx.nodes.get(folded(node_id))
        if found is None or found.pool_id != pool.id:
            raise PoolError("NodeNotFound", f"pool {pool.id!r} has no node {node_id!r}")
        return found

    def _staying(self, pool_id: str, node_id: str) -> Node:
        node = self._node(self._pools.living(pool_id), node_id)
        if node.state not in COUNTED:
            raise PoolError("NodeNotReady", f"node {node.id!r} is {node.state}, and is not used any more")
        return node

    def _answering(self, pool_id: str, node_id: str, what: str) -> Node:
        node = self._staying(pool_id, node_id)
        if node.state not in ANSWERING:
            states = ", ".join(sorted(ANSWERING))
            text = f"node {node.id!r} is {node.state}; it can be {what} while it is one of {states}"
            raise PoolError("NodeNotReady", text)
        return node
