"""Any libcloud compute driver as a Provider. What differs from cloud to cloud stands in its mapping."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from libcloud.common.exceptions import BaseHTTPError, RateLimitReachedError
from libcloud.common.types import InvalidCredsError, LibcloudError
from libcloud.compute.base import Node, NodeDriver, NodeImage, NodeSize
from requests.exceptions import RequestException

from .errors import (
    AuthError,
    InvalidRequestError,
    NotFoundError,
    ProviderError,
    ThrottledError,
    TransientError,
)
from .names import check_name, check_spec, unknown
from .provider import Capabilities, Finding, Image, Profile, Severity, Size, Vm, VmSpec


class CloudMapping(Protocol):
    """What one cloud calls things."""

    capabilities: Capabilities
    profile: Profile

    def size(self, size: NodeSize) -> Size: ...

    def image(self, image: NodeImage) -> Image: ...

    def create_arguments(self, spec: VmSpec) -> dict[str, Any]:
        """Arguments for `create_node` beside name, size and image: zone, network, key, tags, spot."""

    def find(self, driver: Any, name: str) -> Node | None:
        """Ask the cloud for the VM of that name, in the cheapest way it has."""

    def vm(self, node: Node) -> Vm: ...

    def console(self, driver: Any, node: Node) -> str | None: ...

    def check(self, driver: Any) -> Iterator[Finding]:
        """May raise what the driver raises; that becomes a finding."""

    def error(self, exc: Exception) -> ProviderError | None:
        """This cloud's own error codes as a typed error; None leaves it to the general rules."""


class LibcloudProvider:
    """Implements Provider."""

    def __init__(self, name: str, deployment: str, driver: NodeDriver, mapping: CloudMapping) -> None:
        self._name = name
        self._deployment = deployment
        self._driver: Any = driver  # libcloud's methods are untyped
        self._mapping = mapping

    @property
    def name(self) -> str:
        return self._name

    def capabilities(self) -> Capabilities:
        return self._mapping.capabilities

    def profile(self) -> Profile:
        return self._mapping.profile

    def check(self) -> Iterator[Finding]:
        try:
            yield from self._mapping.check(self._driver)
        except Exception as exc:  # noqa: BLE001 - whatever a driver raises is what was found
            yield Finding("provider", Severity.ERROR, str(exc) or type(exc).__name__)

    def sizes(self) -> list[Size]:
        return [self._mapping.size(size) for size in self._call(self._driver.list_sizes)]

    def images(self) -> list[Image]:
        return [self._mapping.image(image) for image in self._call(self._driver.list_images)]

    def create(self, spec: VmSpec) -> Vm:
        check_spec(spec, self._deployment)
        can = self._mapping.capabilities
        if spec.low_priority and not can.low_priority:
            raise InvalidRequestError(f"provider {self._name} has no low-priority VMs; ask for a dedicated one")
        if spec.user_data is not None and not can.user_data:
            raise InvalidRequestError(f"provider {self._name} runs no user data; use the pool's start task")
        size = self._named(spec.size, self._call(self._driver.list_sizes), "vmSize")
        image = self._named(spec.image, self._call(self._driver.list_images), "image")
        node = self._call(
            self._driver.create_node,
            name=spec.name,
            size=size,
            image=image,
            **self._mapping.create_arguments(spec),
        )
        return self._mapping.vm(node)

    def _named(self, wanted: str, offered: list[Any], kind: str) -> Any:
        for thing in offered:
            if wanted in (thing.id, thing.name):
                return thing
        raise unknown(self._name, kind, wanted, [str(thing.id) for thing in offered])

    def list_owned(self) -> list[Vm]:
        nodes = self._call(self._driver.list_nodes)
        return sorted((self._mapping.vm(node) for node in nodes), key=lambda vm: vm.name)

    def console(self, name: str) -> str | None:
        check_name(name, self._deployment)
        node = self._call(self._mapping.find, self._driver, name)
        text: str | None = self._call(self._mapping.console, self._driver, node) if node is not None else None
        return text

    def destroy(self, name: str, provider_id: str | None = None) -> None:
        check_name(name, self._deployment)
        node = self._call(self._mapping.find, self._driver, name)
        if node is not None:
            try:
                self._call(self._driver.destroy_node, node)
            except NotFoundError:
                pass  # somebody else was faster

    def preempt(self, name: str) -> None:
        if not self._mapping.capabilities.preempt:
            raise InvalidRequestError(f"provider {self._name} cannot preempt a VM on command")
        node = self._call(self._mapping.find, self._driver, name)
        if node is None:
            raise NotFoundError(f"there is no VM {name} to preempt")
        self._call(self._driver.ex_preempt_node, node)

    def _call(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return method(*args, **kwargs)
        except ProviderError:
            raise
        except (LibcloudError, BaseHTTPError, RequestException, OSError) as exc:
            raise self._mapping.error(exc) or _general(exc, self._name) from exc


def _general(exc: Exception, name: str) -> ProviderError:
    text = f"provider {name}: {str(exc) or type(exc).__name__}"
    if isinstance(exc, RateLimitReachedError):
        return ThrottledError(text, float(exc.retry_after) if getattr(exc, "retry_after", None) else None)
    if isinstance(exc, InvalidCredsError):
        return AuthError(text)
    if isinstance(exc, BaseHTTPError):
        if exc.code in (401, 403):
            return AuthError(text)
        if exc.code == 404:
            return NotFoundError(text)
        if exc.code == 429:
            return ThrottledError(text)
        return TransientError(text) if exc.code >= 500 else InvalidRequestError(text)
    return TransientError(text)
