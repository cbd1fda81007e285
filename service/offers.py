"""What each provider offers, as far as that can be told without asking a cloud."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pools import PoolSpec
from providers import Capabilities, Profile, Provider

from .provider_options import AT_HOME, driver_of

#: Drivers that know their sizes without asking anybody; their images those at home know all.
_SIZES_AT_HOME = frozenset(("local", "qemu", "simulated"))


@dataclass(frozen=True)
class Offer:
    """`sizes` and `names`: the sizes and images there are, None if only the cloud knows. `images`: the cloud's image
    for each name of a Batch image (`publisher/offer/sku`)."""

    provider: str
    capabilities: Capabilities
    profile: Profile
    sizes: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    images: Mapping[str, str] | None = None

    def image(self, spec: PoolSpec) -> str | None:
        """The provider's name of the image that the pool's nodes start from; None if nobody has named one."""
        reference = (spec.virtual_machine_configuration or {}).get("imageReference") or {}
        own = reference.get("virtualMachineImageId")
        return str(own) if own else self.mapped(reference) or self.usual

    def mapped(self, reference: Mapping[str, Any]) -> str | None:
        """What the settings have for a Batch image."""
        known = {name.lower(): image for name, image in (self.images or {}).items()}
        return next((known[name] for name in batch_names(reference) if name in known), None)

    @property
    def usual(self) -> str | None:
        """The image of pools that name none."""
        return self.profile.image or (self.names[0] if self.names else None)


def batch_names(reference: Mapping[str, Any]) -> list[str]:
    """What a Batch image may be called in the settings, in lower case: with its version first."""
    parts = [str(reference.get(part) or "") for part in ("publisher", "offer", "sku")]
    if not all(parts):
        return []
    whole = [*parts, str(reference.get("version") or "latest")]
    return [sign.join(each).lower() for each in (whole, parts) for sign in ("/", ":")]


def offer(provider: Provider, options: Mapping[str, Any]) -> Offer:
    """Asks no cloud. Raises ProviderError if what this machine holds cannot be read."""
    driver = driver_of(provider.name, options)
    at_home = driver in AT_HOME
    named = options.get("images")
    images = None
    if isinstance(named, Mapping):
        # at home the names themselves are the images; a cloud has names of its own
        images = {str(name): str(name) if at_home else str(image) for name, image in named.items()}
    return Offer(
        provider.name,
        provider.capabilities(),
        provider.profile(),
        sizes=_names(provider.sizes()) if driver in _SIZES_AT_HOME else None,
        names=_names(provider.images()) if at_home else None,
        images=images,
    )


def _names(things: Iterable[Any]) -> tuple[str, ...]:
    return tuple(thing.name for thing in things)
