"""Any libcloud compute driver as a Provider. What differs from cloud to cloud stands in its mapping."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from libcloud.common.exceptions import BaseHTTPError
from libcloud.common.types import LibcloudError
from libcloud.compute.base import NodeDriver
from requests.exceptions import RequestException

from .errors import AuthError, InvalidRequestError, NotFoundError, ProviderError, ThrottledError, TransientError
from .libcloud_errors import typed_error
from .names import check_name, check_spec
from .provider import Capabilities, Finding, Image, Profile, Severity, Size, Vm, VmSpec
from .retrying import Retrying

#: What libcloud's drivers raise: their own errors, those of the HTTP client, and ValueError for an answer that is odd.
_RAISED = (LibcloudError, BaseHTTPError, RequestException, OSError, ValueError)


class CloudMapping(Protocol):
    """What one cloud calls things: the verbs of Provider in terms of a libcloud driver, which is handed in.

    Methods may raise whatever the driver raises; LibcloudProvider makes typed errors of it, with `error` first.
    Names are checked before they arrive here. All methods may be called from several threads.
    A driver of our own whose nodes are all ours gets most of this from `DriverMapping`.
    """

    capabilities: Capabilities
    profile: Profile

    def sizes(self, driver: Any) -> Iterable[Size]: ...

    def images(self, driver: Any) -> Iterable[Image]: ...

    def create(self, driver: Any, spec: VmSpec) -> Vm:
        """Idempotent by `spec.name`."""

    def owned(self, driver: Any) -> Iterable[Vm]:
        """Every VM of this deployment, in any order, found by its tag. Changes nothing."""

    def sweep(self, driver: Any, dry: bool) -> list[str]:
        """As in Provider, by what `owned` saw last."""

    def find(self, driver: Any, name: str) -> Any | None:
        """What the cloud says of the VM of that name, asked in the cheapest way it has; None if there is none."""

    def destroy(self, driver: Any, name: str, provider_id: str | None) -> None:
        """Idempotent; ends whatever carries that name, and what was made beside it."""

    def reboot(self, driver: Any, node: Any) -> Vm | None:
        """`node`: what `find` gave. Called only if the profile says that it works. See Provider."""

    def console(self, driver: Any, node: Any) -> str | None:
        """`node`: what `find` gave."""

    def preempt(self, driver: Any, node: Any) -> None:
        """`node`: what `find` gave. Called only if the capability is there."""

    def check(self, driver: Any) -> Iterator[Finding]:
        """May raise what the driver raises; that becomes a finding."""

    def error(self, exc: Exception) -> ProviderError | None:
        """This cloud's own error codes as a typed error; None leaves it to the general rules."""


class LibcloudProvider:
    """Implements Provider."""

    def __init__(
        self,
        name: str,
        deployment: str,
        driver: NodeDriver | Callable[[], NodeDriver],
        mapping: CloudMapping,
        retrying: Retrying | None = None,
    ) -> None:
        """`driver`: one that is safe to call from several threads, or what makes it when it is first needed (many
        drivers sign in as they are made).
        """
        self._name = name
        self._deployment = deployment
        self._make: Any = driver if callable(driver) else None
        self._driver: Any = None if callable(driver) else driver  # libcloud's methods are untyped
        self._making = threading.Lock()
        self._mapping = mapping
        self._retrying = retrying or Retrying()

    @property
    def name(self) -> str:
        return self._name

    def capabilities(self) -> Capabilities:
        return self._mapping.capabilities

    def profile(self) -> Profile:
        return self._mapping.profile

    def check(self) -> Iterator[Finding]:
        answered = False
        try:
            for finding in self._mapping.check(self._connected()):
                answered = True
                yield finding
        except Exception as exc:  # noqa: BLE001 - whatever a driver raises is what was found
            typed = self._mapping.error(exc) or typed_error(exc, self._name)
            text = str(typed).removeprefix(f"provider {self._name}: ")
            if isinstance(typed, ThrottledError) or (answered and isinstance(typed, TransientError)):
                told = f"the rest could not be looked at: {text}"
                yield Finding("provider", Severity.WARNING, told, "try again later", typed)
                return
            topic = "credentials" if isinstance(typed, AuthError) else "provider"
            yield Finding(topic, Severity.ERROR, text, error=typed)

    def sizes(self) -> list[Size]:
        return list(self._call(lambda driver: list(self._mapping.sizes(driver))))

    def images(self) -> list[Image]:
        return list(self._call(lambda driver: list(self._mapping.images(driver))))

    def create(self, spec: VmSpec) -> Vm:
        check_spec(spec, self._deployment)
        can = self._mapping.capabilities
        if spec.low_priority and not can.low_priority:
            raise InvalidRequestError(f"provider {self._name} has no low-priority VMs; ask for a dedicated one")
        if spec.user_data is not None and not can.user_data:
            raise InvalidRequestError(f"provider {self._name} runs no user data; use the pool's start task")
        vm: Vm = self._call(lambda driver: self._mapping.create(driver, spec))
        return vm

    def list_owned(self) -> list[Vm]:
        vms: list[Vm] = self._call(lambda driver: list(self._mapping.owned(driver)))
        return sorted(vms, key=lambda vm: vm.name)

    def sweep(self, dry: bool = False) -> list[str]:
        found: list[str] = self._call(lambda driver: self._mapping.sweep(driver, dry))
        return found

    def console(self, name: str) -> str | None:
        check_name(name, self._deployment)

        def read(driver: Any) -> str | None:
            node = self._mapping.find(driver, name)
            return self._mapping.console(driver, node) if node is not None else None

        text: str | None = self._call(read)
        return text

    def destroy(self, name: str, provider_id: str | None = None) -> None:
        check_name(name, self._deployment)
        self._call(lambda driver: self._mapping.destroy(driver, name, provider_id))

    def reboot(self, name: str, provider_id: str | None = None) -> Vm | None:
        check_name(name, self._deployment)

        def again(driver: Any) -> Vm | None:
            node = self._mapping.find(driver, name)
            if node is None:
                raise NotFoundError(f"there is no VM {name} to reboot")
            return self._mapping.reboot(driver, node)

        vm: Vm | None = self._call(again)
        return vm

    def preempt(self, name: str) -> None:
        if not self._mapping.capabilities.preempt:
            raise InvalidRequestError(f"provider {self._name} cannot preempt a VM on command")

        def take(driver: Any) -> None:
            node = self._mapping.find(driver, name)
            if node is None:
                raise NotFoundError(f"there is no VM {name} to preempt")
            self._mapping.preempt(driver, node)

        self._call(take)

    def _connected(self) -> Any:
        if self._driver is None:
            with self._making:
                if self._driver is None:
                    self._driver = self._make()
        return self._driver

    def _call(self, what: Callable[[Any], Any]) -> Any:
        return self._retrying(lambda: self._once(what))

    def _once(self, what: Callable[[Any], Any]) -> Any:
        try:
            return what(self._connected())
        except ProviderError:
            raise
        except _RAISED as exc:
            raise self._mapping.error(exc) or typed_error(exc, self._name) from exc
