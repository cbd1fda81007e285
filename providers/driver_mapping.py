"""The mapping of a libcloud driver of our own: all its nodes are this deployment's, and its verbs are idempotent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from libcloud.compute.base import Node, NodeAuthSSHKey, NodeSize
from libcloud.compute.types import NodeState

from .errors import NotFoundError, ProviderError
from .local.spawn import refused
from .names import unknown
from .provider import Capabilities, Finding, Image, Profile, Size, Vm, VmSpec, VmState

_STATES = {
    NodeState.PENDING: VmState.PENDING,
    NodeState.RUNNING: VmState.RUNNING,
    NodeState.TERMINATED: VmState.TERMINATED,
    NodeState.UNKNOWN: VmState.UNKNOWN,
}


class DriverMapping(ABC):
    """Implements CloudMapping, but for `check`, by the methods of a MachineDriver."""

    def __init__(self, name: str, capabilities: Capabilities, profile: Profile) -> None:
        self.name = name
        self.capabilities = capabilities
        self.profile = profile

    def find(self, driver: Any, name: str) -> Node | None:
        node: Node = driver.ex_get_node(name)
        return node

    def vm(self, node: Node) -> Vm:
        extra = node.extra
        return Vm(
            name=node.name,
            provider_id=node.name,
            state=VmState.PREEMPTED if extra["preempted"] else _STATES[node.state],
            address=node.private_ips[0],
            port=extra["port"],
            user=extra["user"],
            host_key=extra["host_key"],
            low_priority=extra["low_priority"],
            node_root=extra["node_root"],
            created=node.created_at.timestamp() if node.created_at else None,
            reason=extra["reason"],
            tags=extra["tags"],
            size=extra["size"],
            price_per_hour=extra["price"],
        )

    @abstractmethod
    def check(self, driver: Any) -> Iterator[Finding]: ...

    def console(self, driver: Any, node: Node) -> str | None:
        return None

    def error(self, exc: Exception) -> ProviderError | None:
        return refused(exc, f"provider {self.name}") if isinstance(exc, OSError) else None

    def sizes(self, driver: Any) -> Iterable[Size]:
        return [_size(size) for size in driver.list_sizes()]

    def images(self, driver: Any) -> Iterable[Image]:
        return [Image(image.name, image.extra["description"]) for image in driver.list_images()]

    def create(self, driver: Any, spec: VmSpec) -> Vm:
        node = driver.create_node(
            name=spec.name,
            size=self._named(spec.size, driver.list_sizes(), "vmSize"),
            image=self._named(spec.image, driver.list_images(), "image"),
            auth=NodeAuthSSHKey(spec.public_key),
            ex_pool_id=spec.pool_id,
            ex_node_id=spec.node_id,
            ex_low_priority=spec.low_priority,
            ex_tags=spec.tags,
            ex_userdata=spec.user_data,
        )
        return self.vm(node)

    def _named(self, wanted: str, offered: list[Any], kind: str) -> Any:
        for thing in offered:
            if wanted in (thing.id, thing.name):
                return thing
        raise unknown(self.name, kind, wanted, [str(thing.id) for thing in offered])

    def owned(self, driver: Any) -> Iterable[Vm]:
        return [self.vm(node) for node in driver.list_nodes()]

    def sweep(self, driver: Any, dry: bool) -> list[str]:
        return []  # `destroy` leaves nothing

    def destroy(self, driver: Any, name: str, provider_id: str | None) -> None:
        node = self.find(driver, name)
        if node is not None:
            try:
                driver.destroy_node(node)
            except NotFoundError:
                pass  # somebody else was faster

    def reboot(self, driver: Any, node: Node) -> Vm | None:
        driver.reboot_node(node)
        return self.vm(driver.ex_get_node(node.name))

    def preempt(self, driver: Any, node: Node) -> None:
        driver.ex_preempt_node(node)


def _size(size: NodeSize) -> Size:
    return Size(size.name, size.extra["cpus"], size.ram, size.price, size.extra["low_priority_price"])
