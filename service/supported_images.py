"""The images that pools can ask for, as `GET /supportedimages` tells them: those of Batch that a provider has, and
those that the settings name."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from providers import BATCH_IMAGES, BatchImage

from .offers import ANY, OWN_IMAGES, Offer, batch_names

#: The node agent of images that Batch does not know; which one a pool names makes no difference.
AGENT = "batch.node.linux"
_PARTS = re.compile(r"([^/:]+)([/:])([^/:]+)\2([^/:]+)(?:\2([^/:]+))?")


@dataclass(frozen=True)
class _Found:
    """An image at one provider. `usual`: it is in the built-in table, and not only in the settings."""

    reference: Mapping[str, str]
    provider: str
    image: str
    agent: str = AGENT
    capabilities: tuple[str, ...] = ()
    usual: bool = False


def supported_images(offers: Mapping[str, Offer]) -> list[dict[str, Any]]:
    """Each once, with what it is at each provider (`providers`); its capabilities are those that it has at all of
    them."""
    known = {image.name: image for image in BATCH_IMAGES}
    groups: dict[tuple[str, ...], list[_Found]] = {}
    for offer in offers.values():
        for found in (*_usual(offer), *_named(offer, known)):
            key = tuple(f"{name}={value}".lower() for name, value in found.reference.items())
            group = groups.setdefault(key, [])
            if not any(each.provider == found.provider for each in group):
                group.append(found)
    return [_view(group) for group in groups.values()]


def _usual(offer: Offer) -> Iterator[_Found]:
    for image in BATCH_IMAGES:
        reference = _reference(image.publisher, image.offer, image.sku)
        own = offer.mapped(reference)
        if own is not None:
            # only the image of the table is known to have what Batch says of it
            same = offer.profile.batch_images == "azure" or own == offer.profile.usual_images.get(image.name)
            has = image.capabilities if same else ()
            yield _Found(reference, offer.provider, own, image.agent, has, usual=True)


def _named(offer: Offer, known: Mapping[str, BatchImage]) -> Iterator[_Found]:
    for name, own in (offer.images or {}).items():
        parts = _PARTS.fullmatch(name)
        if parts is not None:
            reference = _reference(parts[1], parts[3], parts[4], parts[5])
            batch = known.get(batch_names(reference)[2])
            yield _Found(reference, offer.provider, own, batch.agent if batch is not None else AGENT)
        elif name != ANY:
            # publisher, offer and sku as well: clients read them without a look whether they are there
            reference = {**_reference(offer.provider, OWN_IMAGES, name), "virtualMachineImageId": name}
            yield _Found(reference, offer.provider, own)


def _reference(publisher: str, offer: str, sku: str, version: str | None = None) -> dict[str, str]:
    return {"publisher": publisher, "offer": offer, "sku": sku, "version": version or "latest"}


def _view(group: list[_Found]) -> dict[str, Any]:
    first = group[0]
    return {
        "nodeAgentSKUId": first.agent,
        "imageReference": dict(first.reference),
        "osType": "linux",
        "capabilities": _everywhere(each.capabilities for each in group),
        "verificationType": "verified" if all(each.usual for each in group) else "unverified",
        "providers": [{"name": each.provider, "image": each.image} for each in group],
    }


def _everywhere(several: Iterable[tuple[str, ...]]) -> list[str]:
    first, *others = several
    return [each for each in first if all(each in other for other in others)]
