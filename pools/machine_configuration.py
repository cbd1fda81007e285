"""What a pool's `virtualMachineConfiguration` may hold. It is kept as it stands; these tell what it is made of."""

from __future__ import annotations

import msgspec

from .command_spec import Spec
from .container_configuration import ContainerConfiguration


class ImageReference(Spec, frozen=True, kw_only=True):
    """An image by the names that a settings table maps, or by one of the cloud's own."""

    publisher: str | None = None
    offer: str | None = None
    sku: str | None = None
    version: str | None = None
    virtual_machine_image_id: str | None = None
    shared_gallery_image_id: str | None = None
    community_gallery_image_id: str | None = None


class VirtualMachineConfiguration(Spec, frozen=True, kw_only=True):
    """`nodeAgentSKUId` names a kind of operating system; the agent that comes to nodes is our own."""

    image_reference: ImageReference | None = None
    node_agent_sku_id: str | None = msgspec.field(default=None, name="nodeAgentSKUId")
    container_configuration: ContainerConfiguration | None = None
