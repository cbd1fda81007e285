"""Where a pool is to be: its provider, and what that calls its image and size."""

from __future__ import annotations

from collections.abc import Mapping

from pools import OptionError, PoolError, PoolSpec, pool_options
from providers import Provider, ProviderError
from runner import windows_machine

from .offers import NotOfferedError, Offer, offer
from .provider_options import Options


class PoolPlaces:
    """`default`: the provider of pools that name none."""

    def __init__(self, providers: Mapping[str, Provider], options: Mapping[str, Options], default: str) -> None:
        self._providers = providers
        self._options = options
        self._default = default

    def offers(self) -> dict[str, Offer]:
        """Of each provider, by its name. Raises ProviderError."""
        return {name: self._offer(name) for name in self._providers}

    def place(self, pool: PoolSpec) -> tuple[str, str]:
        """The provider of a pool that is to be made, and the image that its nodes start from. Raises PoolError."""
        try:
            name = pool_options(pool.metadata).provider or self._default
        except OptionError as exc:
            raise PoolError("InvalidPropertyValue", f"metadata: {exc}") from None
        if name not in self._providers:
            known = ", ".join(self._providers) or "none"
            text = f"metadata: the settings have no provider {name[:80]!r}; there is {known}"
            raise PoolError("InvalidPropertyValue", text)
        return name, self.image(pool, name)

    def image(self, pool: PoolSpec, provider: str) -> str:
        """The image that nodes of the pool start from there. Raises PoolError, also if there is no such size,
        or no subnet can be chosen there."""
        where = "virtualMachineConfiguration"
        windows = windows_machine(pool.virtual_machine_configuration or {})
        if windows is not None:
            raise PoolError("InvalidPropertyValue", f"{where}.{windows[0]}: {windows[1]}")
        try:
            found = self._offer(provider)
            fault = found.size_fault(pool.vm_size)
            if fault is not None:
                raise PoolError("InvalidPropertyValue", f"vmSize: {fault}")
            network = pool.network_configuration
            if network is not None and network.subnet_id is not None and not found.capabilities.subnets:
                text = f"networkConfiguration.subnetId: the provider {provider} has no subnets; leave it out"
                raise PoolError("InvalidPropertyValue", text)
            return found.image(pool)
        except NotOfferedError as exc:
            path = f"{where}.{exc.path}" if exc.path else where
            raise PoolError("InvalidPropertyValue", f"{path}: {exc}") from exc
        except ProviderError as exc:
            raise PoolError("InvalidPropertyValue", f"{where}: {exc}") from exc

    def _offer(self, name: str) -> Offer:
        return offer(self._providers[name], self._options[name])
