"""What the mappings of clouds behind an HTTP API share: one VM per name, the limit of VMs, what is looked up once."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Generic, TypeVar

from .cloud_settings import CloudSettings
from .console_keys import console_host_key
from .errors import AuthError, InvalidRequestError, NotFoundError, ProviderError, QuotaError, TransientError
from .host_keys import HostKeys
from .libcloud_errors import http_status, typed_error
from .provider import Capabilities, Finding, Image, Profile, Severity, Size, Vm, VmSpec, VmState

DEPLOYMENT_TAG = "ebbtide-deployment"
NAME_TAG = "ebbtide-vm"
POOL_TAG = "ebbtide-pool"
NODE_TAG = "ebbtide-node"
OWN_TAGS = (DEPLOYMENT_TAG, NAME_TAG, POOL_TAG, NODE_TAG)

ENDED = (VmState.PREEMPTED, VmState.TERMINATED)

T = TypeVar("T")


class Kept(Generic[T]):
    """What is asked once, and again after `seconds`; several threads that ask at once ask the cloud once."""

    def __init__(self, seconds: float = 3600.0) -> None:
        self._seconds = seconds
        self._lock = threading.Lock()
        self._values: dict[str, tuple[float, T]] = {}

    def get(self, key: str, load: Callable[[], T]) -> T:
        with self._lock:
            found = self._values.get(key)
            if found is None or found[0] < time.monotonic():
                found = self._values[key] = (time.monotonic() + self._seconds, load())
            return found[1]


class NameLocks:
    """One thread at a time works on a name; others on other names."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._held: dict[str, tuple[threading.Lock, int]] = {}

    @contextmanager
    def hold(self, name: str) -> Iterator[None]:
        with self._lock:
            lock, users = self._held.get(name, (threading.Lock(), 0))
            self._held[name] = (lock, users + 1)
        try:
            with lock:
                yield
        finally:
            with self._lock:
                lock, users = self._held.pop(name)
                if users > 1:
                    self._held[name] = (lock, users - 1)


class HttpCloud(ABC):
    """Implements CloudMapping, but for what the abstract methods say. A node is what the cloud's API says of a VM."""

    owns = True
    capabilities: Capabilities
    profile: Profile

    def __init__(self, name: str, deployment: str, settings: CloudSettings, host_keys: HostKeys | None) -> None:
        self.name = name
        self.deployment = deployment
        self.settings = settings
        self.host_keys = host_keys
        self._names = NameLocks()
        self._room = threading.Lock()
        self._making: set[str] = set()
        self._console_keys: dict[str, str] = {}  # provider id -> host key that its console told

    # ----------------------------------------------------------------------------------- what a cloud has to say

    @abstractmethod
    def make(self, driver: Any, spec: VmSpec, tags: Mapping[str, str]) -> Any:
        """Ask for a VM; returns the node. `tags` hold those by which it is ours, and the user's."""

    @abstractmethod
    def nodes(self, driver: Any) -> Iterable[Any]:
        """Those that carry this deployment's tag; may ask the cloud several times."""

    @abstractmethod
    def find(self, driver: Any, name: str) -> Any | None:
        """The oldest of ours that carries the name."""

    @abstractmethod
    def vm(self, node: Any) -> Vm:
        """As far as `node` tells; `finished` adds what all clouds have in common."""

    @abstractmethod
    def end(self, driver: Any, name: str, provider_id: str | None) -> None:
        """`destroy`, while nothing else works on that name."""

    @abstractmethod
    def sizes(self, driver: Any) -> Iterable[Size]: ...

    @abstractmethod
    def images(self, driver: Any) -> Iterable[Image]: ...

    @abstractmethod
    def check(self, driver: Any) -> Iterator[Finding]: ...

    @abstractmethod
    def error(self, exc: Exception) -> ProviderError | None: ...

    def console(self, driver: Any, node: Any) -> str | None:
        return None

    def preempt(self, driver: Any, node: Any) -> None:
        raise InvalidRequestError(f"provider {self.name} cannot preempt a VM on command")

    # ------------------------------------------------------------------------------------------- what they share

    def create(self, driver: Any, spec: VmSpec) -> Vm:
        with self._names.hold(spec.name):
            node = self.find(driver, spec.name)
            if node is None:
                with self._place(driver, spec.name):
                    node = self._made(driver, spec)
        return self.finished(driver, node)

    def _made(self, driver: Any, spec: VmSpec) -> Any:
        """After a lost answer the VM may be there all the same."""
        try:
            return self.make(driver, spec, self.tags(spec))
        except Exception as exc:  # every one is raised on, but for a VM that exists
            if not isinstance(self.error(exc) or typed_error(exc, self.name), TransientError):
                raise
            node = self.find(driver, spec.name)
            if node is None:
                raise
            return node

    def tags(self, spec: VmSpec) -> dict[str, str]:
        own = {
            DEPLOYMENT_TAG: spec.deployment,
            NAME_TAG: spec.name,
            POOL_TAG: spec.pool_id,
            NODE_TAG: spec.node_id,
        }
        return {**self.settings.tags, **spec.tags, **own}

    def image_name(self, spec: VmSpec) -> str:
        """The cloud's image for the pool's. Raises InvalidRequestError."""
        wanted = spec.image or self.settings.image
        if not wanted:
            raise InvalidRequestError(f"VM {spec.name}: set `image` of provider {self.name}, or the pool's image")
        return self.settings.images.get(wanted, wanted)

    @contextmanager
    def _place(self, driver: Any, name: str) -> Iterator[None]:
        """Keeps the setting maxVms, also while several are being created."""
        limit = self.settings.max_vms
        if limit is None:
            yield
            return
        with self._room:
            living = {vm.name for vm in self.owned(driver) if vm.state not in ENDED} | self._making
            if len(living) >= limit:
                raise QuotaError(
                    f"{len(living)} VMs exist at provider {self.name} and maxVms is {limit}; raise it, or wait"
                )
            self._making.add(name)
        try:
            yield
        finally:
            with self._room:
                self._making.discard(name)

    def owned(self, driver: Any) -> Iterable[Vm]:
        """One VM per name: should a name have been given twice (after a lost answer), the oldest has it, and the
        others are ended."""
        kept: dict[str, tuple[Vm, Any]] = {}
        for node in self.nodes(driver):
            vm = self.vm(node)
            other = kept.get(vm.name)
            if other is None:
                kept[vm.name] = (vm, node)
                continue
            older, younger = sorted((other, (vm, node)), key=lambda each: (each[0].created or 0.0, each[0].provider_id))
            kept[vm.name] = older
            self.end_twin(driver, younger[0])
        return [self.finished(driver, node) for _, node in kept.values()]

    def end_twin(self, driver: Any, vm: Vm) -> None:
        """End a second VM of a name. Clouds where names are unique are never asked."""
        raise InvalidRequestError(f"provider {self.name} has two VMs called {vm.name}: {vm.provider_id} is one")

    def destroy(self, driver: Any, name: str, provider_id: str | None) -> None:
        with self._names.hold(name):
            self.end(driver, name, provider_id)
        if provider_id is not None:
            self._console_keys.pop(provider_id, None)

    def finished(self, driver: Any, node: Any) -> Vm:
        """A VM runs once all is known that a connection takes."""
        vm = self.vm(node)
        vm = replace(
            vm,
            port=self.settings.port,
            user=self.settings.user,
            node_root=self.settings.node_root,
            host_key=self._host_key(driver, node, vm),
            price_per_hour=self._price(vm),
        )
        if vm.state is VmState.RUNNING and (vm.address is None or vm.host_key is None):
            return replace(vm, state=VmState.PENDING)
        return vm

    def _price(self, vm: Vm) -> float | None:
        own = self.settings.price(vm.size, vm.low_priority) if vm.size else None
        return own or vm.price_per_hour or None

    def _host_key(self, driver: Any, node: Any, vm: Vm) -> str | None:
        if not self.settings.console_keys:
            return self.host_keys.public(vm.name) if self.host_keys is not None else None
        if vm.provider_id not in self._console_keys and vm.state is VmState.RUNNING:
            found = console_host_key(self.console(driver, node) or "")
            if found is not None:
                self._console_keys[vm.provider_id] = found
        return self._console_keys.get(vm.provider_id)

    def priced(self, size: Size) -> Size:
        """With the prices of the settings; a price of 0.0, there or in a list, is none."""
        own = self.settings.price(size.name, False)
        low = self.settings.price(size.name, True)
        return replace(
            size,
            price_per_hour=own or size.price_per_hour or None,
            low_priority_price_per_hour=low or size.low_priority_price_per_hour or None,
        )

    def looked(self, topic: str, setting: str, wanted: str, look: Callable[[str], object]) -> Finding:
        """Whether what a setting names is there. What is wrong with signing in, or on the way, is raised."""
        try:
            look(wanted)
        except Exception as exc:  # every one is raised on, but for what is said of `wanted`
            typed = self.error(exc) or typed_error(exc, self.name)
            text = str(typed).removeprefix(f"provider {self.name}: ")
            text = text if repr(wanted) in text else f"{wanted}: {text}"
            if isinstance(typed, NotFoundError | InvalidRequestError):
                return Finding(topic, Severity.ERROR, text, f"correct `{setting}` in the settings")
            if isinstance(typed, AuthError) and http_status(exc) == 403:
                return Finding(topic, Severity.WARNING, f"{wanted} may not be looked at: {text}")
            raise
        return Finding(topic, Severity.OK, f"{wanted} is there")

    def quota_finding(self, text: str, full: bool, cure: str) -> Finding:
        return Finding("quota", Severity.WARNING, text, cure) if full else Finding("quota", Severity.OK, text)

    def price_finding(self, listed: Callable[[str], float | None]) -> Finding:
        """`listed`: the price of a size in the cloud's list."""
        size = next(iter(self.wanted_sizes()), None)
        if size is None:
            return Finding("price", Severity.WARNING, "no size is set", "set `size` or `sizes`")
        own = self.settings.price(size, False)
        price = own if own is not None else listed(size)
        if not price:
            return Finding(
                "price", Severity.WARNING, f"the price of {size} is not known here", f"set `prices: {{{size}: ...}}`"
            )
        return Finding("price", Severity.OK, f"{size} costs {price:g} an hour")

    def wanted_sizes(self) -> list[str]:
        """The cloud's sizes that the settings name."""
        named = [size for sizes in self.settings.sizes.values() for size in sizes]
        return list(dict.fromkeys(([self.settings.size] if self.settings.size else []) + named))

    def wanted_images(self) -> list[str]:
        one = [self.settings.images.get(self.settings.image, self.settings.image)] if self.settings.image else []
        return list(dict.fromkeys(one + list(self.settings.images.values())))
