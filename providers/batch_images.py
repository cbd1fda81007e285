"""The Linux images that Azure Batch knows by publisher, offer and sku, and what each of them is: a distribution, which
every cloud has under a name of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class BatchImage:
    """`agent`: the nodeAgentSKUId that the service asks for beside it. `distribution`: what a cloud is asked for
    instead; `capabilities`: what the service says of it."""

    publisher: str
    offer: str
    sku: str
    agent: str
    distribution: str
    capabilities: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.publisher}/{self.offer}/{self.sku}"


#: publisher, offer, skus (the same but for the kind of VM), nodeAgentSKUId, distribution. Only what has the
#: Python (3.8) that the agent on the nodes needs.
_ROWS = (
    ("canonical", "0001-com-ubuntu-server-focal", "20_04-lts 20_04-lts-gen2", "ubuntu 20.04", "ubuntu-20.04"),
    ("canonical", "0001-com-ubuntu-server-jammy", "22_04-lts 22_04-lts-gen2", "ubuntu 22.04", "ubuntu-22.04"),
    ("canonical", "ubuntu-24_04-lts", "server server-gen1", "ubuntu 24.04", "ubuntu-24.04"),
    ("debian", "debian-11", "11 11-gen2", "debian 11", "debian-11"),
    ("debian", "debian-12", "12 12-gen2", "debian 12", "debian-12"),
    ("almalinux", "almalinux", "9-gen1 9-gen2", "el 9", "almalinux-9"),
    ("almalinux", "almalinux-x86_64", "9-gen1 9-gen2", "el 9", "almalinux-9"),
    ("microsoft-dsvm", "ubuntu-hpc", "2204", "ubuntu 22.04", "ubuntu-22.04-gpu"),
)
_CAPABILITIES = {"ubuntu-22.04-gpu": ("DockerCompatible", "NvidiaTeslaDriverInstalled")}

BATCH_IMAGES = tuple(
    BatchImage(publisher, offer, sku, f"batch.node.{agent}", distribution, _CAPABILITIES.get(distribution, ()))
    for publisher, offer, skus, agent, distribution in _ROWS
    for sku in skus.split()
)


def usual_images(distributions: Mapping[str, str]) -> Mapping[str, str]:
    """A cloud's image for each Batch image by its name, of its image for each distribution; what it lacks is left
    out."""
    return {each.name: distributions[each.distribution] for each in BATCH_IMAGES if each.distribution in distributions}
