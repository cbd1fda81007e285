"""Azure, on a fake of its API; nodes have public addresses."""

from __future__ import annotations

from typing import Any

from ..fakes.azure import CLIENT, GROUP, NETWORK, REGION, SECRET, SUBSCRIPTION, TENANT, FakeAzure
from .base import FakedCloud


class AzureCloud(FakedCloud):
    kind = "azure"
    fake = FakeAzure
    gone_at_once = False
    size = "Standard_B2s"
    image = "Debian:debian-12:12-gen2:latest"
    sizes = frozenset({"Standard_B2s", "Standard_D2s_v3", "Standard_D4s_v3"})
    priced = True

    def settings(self) -> dict[str, Any]:
        return {
            "endpoint": self.api.url,
            "tokenEndpoint": self.api.url,
            "tenantId": TENANT,
            "subscriptionId": SUBSCRIPTION,
            "clientId": CLIENT,
            "clientSecret": SECRET,
            "resourceGroup": GROUP,
            "region": REGION,
            "network": NETWORK,
            "subnet": "default",
            "sshAddress": "public",
            "image": self.image,
            "size": self.size,
        }

    def preempt(self, name: str) -> None:
        self.api.evict(name)

    def inventory(self) -> list[str]:
        with self.api.lock:
            kinds = ("virtualMachines", "networkInterfaces", "publicIPAddresses", "disks")
            things = [thing["id"] for kind in kinds for thing in self.api.kind(kind)]
        return [path for path in things if f"/{self.deployment}-" in path]
