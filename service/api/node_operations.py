"""What is asked of nodes over the Batch REST API: reboot, reimage, scheduling, and to leave their pool."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING

import msgspec

from pools import NodeDeallocationOption, Spec
from runner import Core, DisableScheduling, EnableScheduling, Event, RebootNode, ReimageNode, RemoveNodes

from . import bodies
from .answers import changed
from .application import Handler
from .backend import Backend, guarded
from .call import Answer, Call

if TYPE_CHECKING:
    from pools import Record

_REQUEUE = NodeDeallocationOption.REQUEUE


class RebootBody(Spec, frozen=True, kw_only=True):
    node_reboot_option: NodeDeallocationOption = _REQUEUE


class ReimageBody(Spec, frozen=True, kw_only=True):
    node_reimage_option: NodeDeallocationOption = _REQUEUE


class DisableSchedulingBody(Spec, frozen=True, kw_only=True):
    node_disable_scheduling_option: NodeDeallocationOption = _REQUEUE


class RemoveNodesBody(Spec, frozen=True, kw_only=True):
    node_list: tuple[str, ...]
    resize_timeout: timedelta | None = None
    node_deallocation_option: NodeDeallocationOption = _REQUEUE


class NodeOperations:
    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._journal = backend.controller.journal

    def handlers(self) -> Mapping[str, Handler]:
        return {
            "compute_node.reboot": self._reboot,
            "compute_node.reimage": self._reimage,
            "compute_node.disable_scheduling": self._disable,
            "compute_node.enable_scheduling": self._enable,
            "pool.remove_nodes": self._remove,
        }

    async def _reboot(self, call: Call) -> Answer:
        option = bodies.optional(_unwrapped(call.body), RebootBody).node_reboot_option
        return await self._of_node(call, lambda pool, node: RebootNode(pool, node, option))

    async def _reimage(self, call: Call) -> Answer:
        option = bodies.optional(_unwrapped(call.body), ReimageBody).node_reimage_option
        return await self._of_node(call, lambda pool, node: ReimageNode(pool, node, option))

    async def _disable(self, call: Call) -> Answer:
        option = bodies.optional(_unwrapped(call.body), DisableSchedulingBody).node_disable_scheduling_option
        return await self._of_node(call, lambda pool, node: DisableScheduling(pool, node, option))

    async def _enable(self, call: Call) -> Answer:
        return await self._of_node(call, EnableScheduling)

    async def _of_node(self, call: Call, asked: Callable[[str, str], Event]) -> Answer:
        await self._backend.ask(asked(call.ids["poolId"], call.ids["nodeId"]))
        return changed(call, None)

    async def _remove(self, call: Call) -> Answer:
        body = bodies.read(call.body, RemoveNodesBody)
        timeout = body.resize_timeout.total_seconds() if body.resize_timeout is not None else None
        event = RemoveNodes(call.ids["poolId"], body.node_list, body.node_deallocation_option, timeout)

        def find(core: Core) -> Record | None:
            pools = core.ctx.pools
            return pools.get(pools.spelled(call.ids["poolId"]) or "")

        await self._backend.ask(event, guarded(call, find))
        return changed(call, await self._backend.read(lambda: self._journal.pool(call.ids["poolId"])))


def _unwrapped(body: bytes) -> bytes:
    """Without the second wrapping that the Azure CLI puts around the one property: {"x": {"x": "requeue"}}."""
    try:
        found = msgspec.json.decode(body) if body.strip() else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return body  # which is told by whoever reads it
    if isinstance(found, dict) and len(found) == 1:
        [(name, value)] = found.items()
        if isinstance(value, dict) and set(value) == {name}:
            return msgspec.json.encode(value)
    return body
