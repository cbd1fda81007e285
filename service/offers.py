"""What each provider offers, as far as that can be told without asking a cloud: its sizes, and its images by the names
that Azure Batch has for them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pools import PoolSpec
from providers import Capabilities, Profile, Provider

from .decoding import listed, nearest
from .name_lists import grouped
from .provider_options import AT_HOME, driver_of

#: Drivers that know their sizes without asking anybody; their images those at home know all.
_SIZES_AT_HOME = frozenset(("local", "qemu", "simulated"))
#: Of the settings' `images`: what stands for every Batch image that is not named there.
ANY = "*"
#: The offer of a provider's own images, and of its aliases: PROVIDER/images/NAME is the image NAME.
OWN_IMAGES = "images"
_IDS = ("virtualMachineImageId", "sharedGalleryImageId", "communityGalleryImageId")
#: What ids of images begin with that only Azure has.
_OF_AZURE = ("/subscriptions/", "/sharedgalleries/", "/communitygalleries/")


class NotOfferedError(ValueError):
    """The provider does not have what a pool asks for. `path`: the property that asks."""

    def __init__(self, path: str, text: str) -> None:
        super().__init__(text)
        self.path = path


@dataclass(frozen=True)
class Offer:
    """`sizes` and `names`: the sizes and images there are, None if only the cloud knows. `images`: of the settings, the
    cloud's image for the name of a Batch image (`publisher/offer/sku`), or for an alias."""

    provider: str
    capabilities: Capabilities
    profile: Profile
    sizes: tuple[str, ...] | None = None
    names: tuple[str, ...] | None = None
    images: Mapping[str, str] | None = None

    # -- images ------------------------------------------------------------------------------------------------

    def image(self, spec: PoolSpec) -> str:
        """The provider's name of the image that the pool's nodes start from. Raises NotOfferedError."""
        machine = spec.virtual_machine_configuration or {}
        return self.image_of(machine.get("imageReference"))

    def image_of(self, reference: object) -> str:
        """`reference`: the pool's imageReference, as it was written. Raises NotOfferedError."""
        path = "imageReference"
        if reference is not None and not isinstance(reference, Mapping):
            raise NotOfferedError(path, "must be a group: publisher, offer and sku, or virtualMachineImageId")
        parts = _texts(reference or {})
        if own := next((parts[name] for name in _IDS if parts.get(name)), None):
            return self._own(own)
        if not any(parts.get(part) for part in ("publisher", "offer", "sku")):
            if self.usual is None:
                cure = f"name it in the settings: providers.{self.provider}.image"
                raise NotOfferedError("", f"which image its nodes start from is not known; {cure}")
            return self.usual
        names = batch_names(parts)
        if not names:
            text = "an image is named by publisher, offer and sku together, or by virtualMachineImageId"
            raise NotOfferedError(path, text)
        if (parts["publisher"].lower(), parts["offer"].lower()) == (self.provider.lower(), OWN_IMAGES):
            return self._own(parts["sku"])
        found = self.mapped(parts)
        if found is None:
            text = f"the provider {self.provider} has no image {names[2]}; {self._known_images(names[2])}"
            raise NotOfferedError(path, text)
        return found

    def mapped(self, reference: Mapping[str, Any]) -> str | None:
        """What a Batch image stands for: in the settings, else usually."""
        names = batch_names(reference)
        if not names:
            return None
        named = next((self._lower[name] for name in names if name in self._lower), self._lower.get(ANY))
        if named is not None:
            return named
        if self.profile.batch_images == "one":
            return self.usual
        if self.profile.batch_images == "azure":
            parts = (reference["publisher"], reference["offer"], reference["sku"], reference.get("version") or "latest")
            return ":".join(map(str, parts))
        return self.profile.usual_images.get(names[2])

    def _own(self, wanted: str) -> str:
        """An image by the provider's own name for it, or by an alias of the settings."""
        alias = self._lower.get(wanted.lower())
        if alias is not None:
            return alias
        foreign = wanted.lower().startswith(_OF_AZURE) and self.profile.batch_images != "azure"
        if not foreign and (self.names is None or wanted in self.names):
            return wanted
        if ANY in self._lower:
            return self._lower[ANY]
        text = f"the provider {self.provider} has no image {wanted[:300]!r}; {self._known_images(wanted)}"
        raise NotOfferedError("imageReference.virtualMachineImageId", text)

    def _known_images(self, wanted: str) -> str:
        known = dict.fromkeys([*(self.images or {}), *self.profile.usual_images, *(self.names or ())])
        known.pop(ANY, None)
        near = nearest(wanted, known)
        hint = f"did you mean {near}? " if near else ""
        cure = f"say what it stands for in the settings: providers.{self.provider}.images: {{{wanted[:300]}: ...}}"
        return f"{hint}it has {listed(known) or 'none by name'}. Or {cure}"

    @cached_property
    def _lower(self) -> Mapping[str, str]:
        return {name.lower(): image for name, image in (self.images or {}).items()}

    @property
    def usual(self) -> str | None:
        """The image of pools that name none."""
        return self.profile.image or (self.names[0] if self.names else None)

    # -- sizes -------------------------------------------------------------------------------------------------

    def size_fault(self, vm_size: str) -> str | None:
        """Why no node can have that `vmSize`; None: it can, or only the cloud knows."""
        asked = self.profile.stands_for(vm_size)
        missing = next((name for name in asked if not self._has(name)), None)
        if missing is None:
            return None
        own = self.sizes or ()
        azures = grouped(self.profile.usual_sizes) if self.profile.default_size is None else []
        known = list(dict.fromkeys([*own, *self.profile.sizes]))
        near = nearest(vm_size, [name for name in (*known, *self.profile.usual_sizes) if name != vm_size])
        hint = f"did you mean {near}? " if near else ""
        stands = "" if missing == vm_size else f" ({vm_size} stands for {', '.join(asked)} in the settings)"
        text = f"the provider {self.provider} has no size {missing[:80]!r}{stands}; {hint}it has "
        has = ", ".join([*([listed(known)] if known else []), *azures])
        if self.sizes is not None:
            return text + has
        cure = f"say what it stands for in the settings: providers.{self.provider}.sizes: {{{vm_size[:80]}: ...}}"
        return f"{text}{has + ', and ' if has else ''}the cloud's own sizes. Or {cure}"

    def _has(self, size: str) -> bool:
        if self.sizes is not None:
            return size in self.sizes
        form = self.profile.own_sizes
        return re.fullmatch(form, size) is not None if form is not None else bool(size)


def batch_names(reference: Mapping[str, Any]) -> list[str]:
    """What a Batch image may be called in the settings, in lower case: with its version first."""
    parts = [str(reference.get(part) or "") for part in ("publisher", "offer", "sku")]
    if not all(parts):
        return []
    whole = [*parts, str(reference.get("version") or "latest")]
    return [sign.join(each).lower() for each in (whole, parts) for sign in ("/", ":")]


def offer(provider: Provider, options: Mapping[str, Any]) -> Offer:
    """Asks no cloud. Raises ProviderError if what this machine holds cannot be read."""
    driver, profile = driver_of(provider.name, options), provider.profile()
    named = options.get("images")
    images = None
    if isinstance(named, Mapping):
        # of qemu the names themselves are the images; everybody else has names of its own
        images = {str(name): str(name) if driver == "qemu" else str(image) for name, image in named.items()}
    return Offer(
        provider.name,
        provider.capabilities(),
        profile,
        sizes=_names(provider.sizes()) if driver in _SIZES_AT_HOME else profile.all_sizes,
        names=_names(provider.images()) if driver in AT_HOME else None,
        images=images,
    )


def _names(things: Iterable[Any]) -> tuple[str, ...]:
    return tuple(thing.name for thing in things)


def _texts(reference: Mapping[Any, Any]) -> dict[str, str]:
    """Raises NotOfferedError if one of its values is no single value."""
    for name, value in reference.items():
        if isinstance(value, Mapping | list | tuple):
            raise NotOfferedError(f"imageReference.{name}", "must be a text")
    return {str(name): str(value) for name, value in reference.items() if value is not None}
