"""OpenStack, on a fake of its APIs; nodes have floating addresses."""

from __future__ import annotations

from typing import Any

from ..fakes.openstack import IMAGE, NETWORK, PASSWORD, POOL, PROJECT, USER, FakeOpenStack
from .base import FakedCloud


class OpenStackCloud(FakedCloud):
    kind = "openstack"
    fake = FakeOpenStack
    low_priority = False
    preempts = False
    gone_at_once = False
    size = "m1.small"
    image = IMAGE
    sizes = frozenset({"m1.small", "m1.medium", "m1.large"})
    refused_size = r"vmSize 'standard_a1'; it knows .*m1.medium, m1.small"
    refused_image = "does not know the image 'windows'"

    def settings(self) -> dict[str, Any]:
        return {
            "endpoint": f"{self.api.url}/v3",
            "username": USER,
            "password": PASSWORD,
            "project": PROJECT,
            "region": "RegionTest",
            "subnet": NETWORK,
            "floatingIpPool": POOL,
            "image": self.image,
            "size": self.size,
        }

    def disturb(self, name: str) -> bool:
        """A second server of the name, and none has an address."""
        with self.api.lock:
            [first] = [each for each in self.api.there() if each["name"] == name]
            self.api.servers["twin"] = {**first, "id": "twin", "created": "2100-01-01T00:00:00Z"}
            self.api.floating.clear()
        self.provider = self.reopen()  # the last one knows the addresses that were
        return True

    def inventory(self) -> list[str]:
        with self.api.lock:
            servers = [
                each["name"]
                for each in self.api.there()
                if each["metadata"].get("ebbtide-deployment") == self.deployment
            ]
            marks = [each["description"] for each in self.api.floating.values()]
        return servers + [mark for mark in marks if mark.startswith(f"ebbtide {self.deployment} ")]
