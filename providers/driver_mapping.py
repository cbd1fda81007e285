"""The mapping of a libcloud driver of our own: all its nodes are this deployment's, and its verbs are idempotent."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any

from libcloud.compute.base import Node, NodeImage, NodeSize

from .errors import NotFoundError, ProviderError
from .names import unknown
from .provider import Capabilities, Finding, Image, Profile, Size, Vm, VmSpec


class DriverMapping(ABC):
    """Implements CloudMapping by `list_sizes`, `list_images`, `list_nodes`, `create_node`, `destroy_node` and
    `ex_preempt_node` of the driver. `name` is set to the provider's.
    """

    owns = True
    name = ""
    capabilities: Capabilities
    profile: Profile

    @abstractmethod
    def size(self, size: NodeSize) -> Size: ...

    @abstractmethod
    def image(self, image: NodeImage) -> Image: ...

    @abstractmethod
    def create_arguments(self, spec: VmSpec) -> dict[str, Any]:
        """Arguments for `create_node` beside name, size and image: key, tags, user data, low priority."""

    @abstractmethod
    def find(self, driver: Any, name: str) -> Node | None: ...

    @abstractmethod
    def vm(self, node: Node) -> Vm: ...

    @abstractmethod
    def check(self, driver: Any) -> Iterator[Finding]: ...

    def console(self, driver: Any, node: Node) -> str | None:
        return None

    def error(self, exc: Exception) -> ProviderError | None:
        return None

    def sizes(self, driver: Any) -> Iterable[Size]:
        return [self.size(size) for size in driver.list_sizes()]

    def images(self, driver: Any) -> Iterable[Image]:
        return [self.image(image) for image in driver.list_images()]

    def create(self, driver: Any, spec: VmSpec) -> Vm:
        size = self._named(spec.size, driver.list_sizes(), "vmSize")
        image = self._named(spec.image, driver.list_images(), "image")
        return self.vm(driver.create_node(name=spec.name, size=size, image=image, **self.create_arguments(spec)))

    def _named(self, wanted: str, offered: list[Any], kind: str) -> Any:
        for thing in offered:
            if wanted in (thing.id, thing.name):
                return thing
        raise unknown(self.name or "here", kind, wanted, [str(thing.id) for thing in offered])

    def owned(self, driver: Any) -> Iterable[Vm]:
        return [self.vm(node) for node in driver.list_nodes()]

    def destroy(self, driver: Any, name: str, provider_id: str | None) -> None:
        node = self.find(driver, name)
        if node is not None:
            try:
                driver.destroy_node(node)
            except NotFoundError:
                pass  # somebody else was faster

    def preempt(self, driver: Any, node: Node) -> None:
        driver.ex_preempt_node(node)
