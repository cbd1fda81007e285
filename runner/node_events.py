"""What can be asked of nodes, and what clouds answer to the order of a reboot."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pools import NodeDeallocationOption, NodeRequests, PoolError
from providers import ProviderError, Vm

from .events import Event


class NodeRequest(Event, frozen=True):
    """Only a controller that works can carry these out."""

    pool_id: str


class DisableScheduling(NodeRequest, frozen=True):
    """The node gets no more tasks; what it runs is treated as `option` says."""

    node_id: str
    option: NodeDeallocationOption = NodeDeallocationOption.REQUEUE


class EnableScheduling(NodeRequest, frozen=True):
    node_id: str


class RebootNode(NodeRequest, frozen=True):
    """`option`: what happens to its tasks before."""

    node_id: str
    option: NodeDeallocationOption = NodeDeallocationOption.REQUEUE


class ReimageNode(NodeRequest, frozen=True):
    """The node gets another VM. `option`: what happens to its tasks before."""

    node_id: str
    option: NodeDeallocationOption = NodeDeallocationOption.REQUEUE


class RemoveNodes(NodeRequest, frozen=True):
    """The pool shrinks by these. `timeout`: seconds that it may take; None: as before."""

    node_ids: tuple[str, ...]
    option: NodeDeallocationOption = NodeDeallocationOption.REQUEUE
    timeout: float | None = None


class VmRebooted(Event, frozen=True):
    """The order was answered. `vm`: where it can be reached from now on; None: where it could before."""

    node_id: str
    vm_name: str
    vm: Vm | None = None


class VmRebootFailed(Event, frozen=True):
    node_id: str
    vm_name: str
    error: ProviderError


def handlers(nodes: NodeRequests) -> Mapping[type[Event], Any]:
    """Of the requests."""

    def remove(event: RemoveNodes, now: float) -> None:
        timeout = None if event.timeout is None else _duration(event.timeout)
        nodes.remove(event.pool_id, event.node_ids, event.option, now, timeout)

    return {
        DisableScheduling: lambda e, now: nodes.disable_scheduling(e.pool_id, e.node_id, e.option, now),
        EnableScheduling: lambda e, now: nodes.enable_scheduling(e.pool_id, e.node_id, now),
        RebootNode: lambda e, now: nodes.reboot(e.pool_id, e.node_id, e.option, now),
        ReimageNode: lambda e, now: nodes.reimage(e.pool_id, e.node_id, e.option, now),
        RemoveNodes: remove,
    }


def _duration(seconds: float) -> timedelta:
    try:
        return timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        text = f"resizeTimeout: {seconds} s is no length of time that can be counted"
        raise PoolError("InvalidPropertyValue", text) from None
