"""Whether a pool's provider can give what the pool asks for: size, image, subnet, low-priority nodes."""

from __future__ import annotations

from .cursor import Cursor
from .decoding import listed, nearest
from .metadata_checks import option
from .multi_instance_checks import talks
from .offers import Offer, batch_names
from .positions import Mapping, Scalar
from .problems import Problems


def check_placement(pool: Cursor, offer: Offer, problems: Problems) -> None:
    """Looks at no cloud: what only that knows is found out when the first node is created."""
    _size(pool, offer, problems)
    _image(pool, offer, problems)
    subnet = pool.find("networkConfiguration", "subnetId")
    can, name = offer.capabilities, offer.provider
    if subnet is not None and not can.subnets:
        problems.error(subnet.place, subnet.path, f"the provider {name} has no subnets; leave it out")
    wanted = pool.get("targetLowPriorityNodes")
    if wanted is not None and pool.whole("targetLowPriorityNodes", 0) > 0 and not can.low_priority:
        text = f"the provider {name} has no low-priority nodes; ask for dedicated ones"
        problems.error(wanted.place, wanted.path, text)
    together, reach = pool.get("enableInterNodeCommunication"), offer.profile.reach
    if together is not None and reach is not True and talks(pool):
        text = f"the provider {name} cannot do it: {reach or 'its nodes do not reach each other'}"
        problems.error(together.place, together.path, text)
    price = option(pool, "maxPrice")
    if price is not None and not can.max_price:
        problems.warn(price.place, price.path, f"the provider {name} takes no limit of the price; it does nothing")


def _size(pool: Cursor, offer: Offer, problems: Problems) -> None:
    size = pool.text("vmSize")
    if size is None or offer.sizes is None:
        return
    asked = [placement.size for placement in offer.profile.placements(size)]
    missing = [name for name in asked if name not in offer.sizes]
    if not missing:
        return
    known = [*offer.sizes, *offer.profile.sizes]
    near = nearest(size, [name for name in known if name != size])
    hint = f"did you mean {near}? " if near else ""
    stands = "" if missing[0] == size else f" ({size} stands for {', '.join(asked)} in the settings)"
    value = pool.get("vmSize")
    assert value is not None
    text = f"the provider {offer.provider} has no size {missing[0]!r}{stands}; {hint}it has {listed(known)}"
    problems.error(value.place, value.path, text)


def _image(pool: Cursor, offer: Offer, problems: Problems) -> None:
    reference = pool.find("virtualMachineConfiguration", "imageReference")
    parts = _texts(reference) if reference is not None else {}
    if parts.get("virtualMachineImageId") or offer.mapped(parts) is not None:
        return
    name = next(iter(batch_names({**parts, "version": ""})[2:]), None)
    if offer.names is not None:
        return  # it has one for all
    if offer.usual is None:
        where = reference or pool
        naming = f"images: {{{name}: ...}}, or image" if name else "image"
        cure = f"name it in the settings: providers.{offer.provider}.{naming}"
        problems.error(where.place, where.path, f"which image its nodes start from is not known; {cure}")
    elif reference is not None and name is not None:
        text = f"the provider {offer.provider} has no image of that name in its `images`; it takes {offer.usual}"
        problems.warn(reference.place, reference.path, text)


def _texts(group: Cursor) -> dict[str, str]:
    tree = group.tree
    if not isinstance(tree, Mapping):
        return {}
    return {name: value.text for name, (_, value) in tree.entries.items() if isinstance(value, Scalar)}
