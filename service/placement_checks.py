"""Whether a pool's provider can give what the pool asks for: size, image, subnet, low-priority nodes."""

from __future__ import annotations

from typing import Any

from runner import windows_machine

from .cursor import Cursor
from .metadata_checks import option
from .multi_instance_checks import talks
from .offers import NotOfferedError, Offer
from .positions import Mapping, Scalar, Tree
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
    size = pool.get("vmSize")
    if size is None or not isinstance(size.tree, Scalar):
        return
    fault = offer.size_fault(size.tree.text)
    if fault is not None:
        problems.error(size.place, size.path, fault)


def _image(pool: Cursor, offer: Offer, problems: Problems) -> None:
    machine = pool.get("virtualMachineConfiguration")
    reference = machine.get("imageReference") if machine is not None else None
    written = _plain(machine.tree) if machine is not None else None
    windows = windows_machine(written) if isinstance(written, dict) else None
    if machine is not None and windows is not None:
        value = machine.get(windows[0]) or machine
        problems.error(value.place, value.path, windows[1])
        return
    asked = _plain(reference.tree) if reference is not None else {}
    if not isinstance(asked, dict) or not all(isinstance(value, str) for value in asked.values()):
        return  # its types are told of elsewhere
    try:
        offer.image_of(asked)
    except NotOfferedError as exc:
        where = (machine and machine.find(*exc.path.split("."))) or reference or pool
        problems.error(where.place, where.path, str(exc))


def _plain(tree: Tree) -> Any:
    """Groups and texts as they were written."""
    if not isinstance(tree, Mapping):
        return tree.text if isinstance(tree, Scalar) else []
    entries = ((name, value) for name, (_, value) in tree.entries.items())
    return {name: _plain(value) for name, value in entries if not (isinstance(value, Scalar) and value.is_null)}
