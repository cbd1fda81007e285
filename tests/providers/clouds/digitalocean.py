"""DigitalOcean, on a fake of its API."""

from __future__ import annotations

from typing import Any

from ..fakes.digitalocean import TOKEN, FakeDigitalOcean
from .base import FakedCloud


class DigitalOceanCloud(FakedCloud):
    kind = "digitalocean"
    fake = FakeDigitalOcean
    low_priority = False
    preempts = False
    size = "s-1vcpu-1gb"
    image = "debian-12-x64"
    sizes = frozenset({"s-1vcpu-1gb", "s-2vcpu-4gb", "s-4vcpu-8gb"})
    priced = True

    def settings(self) -> dict[str, Any]:
        return {"endpoint": self.api.url, "token": TOKEN, "region": "fra1", "size": self.size, "image": self.image}

    def disturb(self, name: str) -> bool:
        [first] = [each for each in self.api.droplets.values() if each["name"] == name]
        self.api.droplets[1] = {**first, "id": 1, "created_at": "2100-01-01T00:00:00Z"}
        return True

    def inventory(self) -> list[str]:
        mark = f"ebbtide-deployment:{self.deployment}"
        droplets = [each["name"] for each in self.api.droplets.values() if mark in each["tags"]]
        keys = [key["name"] for key in self.api.keys.values() if key["name"] == f"ebbtide-{self.deployment}"]
        return droplets + keys + [tag for tag in self.api.tags if tag == mark]
