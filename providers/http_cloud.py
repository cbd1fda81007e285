"""What the mappings of clouds behind an HTTP API share: one VM per name, the limit of VMs, what is looked up once."""

from __future__ import annotations

import threading
import time
from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache
from typing import Any, Generic, TypeVar

from .cloud_checks import CloudChecks
from .cloud_settings import CloudSettings
from .console_keys import console_host_key
from .errors import InvalidRequestError, QuotaError, TransientError
from .host_keys import HostKeys
from .libcloud_errors import typed_error
from .provider import Capabilities, Finding, Image, Profile, Size, Vm, VmSpec, VmState

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


class HttpCloud(CloudChecks):
    """Implements CloudMapping, but for what the abstract methods say. A node is what the cloud's API says of a VM."""

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
        # working one out takes 0.05 ms, and every listing needs all
        self._pinned = lru_cache(maxsize=4096)(host_keys.public) if host_keys is not None else None
        self._console_keys: dict[str, str] = {}  # provider id -> host key that its console told
        self._twins: list[Vm] = []  # as listed last

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
        """One VM per name: should a name have been given twice (after a lost answer), the oldest has it, and `sweep`
        ends the others."""
        kept: dict[str, tuple[Vm, Any]] = {}
        twins = []
        for node in self.nodes(driver):
            vm = self.vm(node)
            other = kept.get(vm.name)
            if other is None:
                kept[vm.name] = (vm, node)
                continue
            older, younger = sorted((other, (vm, node)), key=lambda each: (each[0].created or 0.0, each[0].provider_id))
            kept[vm.name] = older
            twins.append(younger[0])
        self._twins = twins
        return [self.finished(driver, node) for _, node in kept.values()]

    def sweep(self, driver: Any, dry: bool) -> list[str]:
        twins = self._twins
        if not dry:
            for twin in twins:
                self.end_twin(driver, twin)
            self._twins = []  # one that takes a while to go is listed again
        return [f"{twin.provider_id}, a second VM of the name {twin.name}" for twin in twins]

    def end_twin(self, driver: Any, vm: Vm) -> None:
        """End a second VM of a name. Idempotent. Clouds where names are unique are never asked."""
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
            return self._pinned(vm.name) if self._pinned is not None else None
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
