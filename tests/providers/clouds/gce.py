"""Google Compute Engine, on a fake of its API."""

from __future__ import annotations

from typing import Any

from ..fakes.gce import ZONES, FakeGce, key_file
from .base import FakedCloud


class GceCloud(FakedCloud):
    kind = "gce"
    fake = FakeGce
    gone_at_once = False
    size = "e2-small"
    image = "debian-12"
    sizes = frozenset({"e2-small", "e2-standard-2", "n1-standard-4"})
    priced = True

    def start(self) -> None:
        super().start()
        self.base.mkdir(parents=True)
        self.credentials = key_file(self.base / "key.json")

    def settings(self) -> dict[str, Any]:
        return {
            "endpoint": self.api.url,
            "tokenEndpoint": self.api.url,
            "credentials": str(self.credentials),
            "zones": list(ZONES),
            "image": self.image,
            "size": self.size,
        }

    def preempt(self, name: str) -> None:
        self.api.preempt(name)

    def disturb(self, name: str) -> bool:
        """The name a second time, in another zone."""
        with self.api.lock:
            first = self.api.instances[ZONES[0], name]
            place, later = first["zone"].replace(*ZONES), "2100-01-01T00:00:00.000+00:00"
            self.api.instances[ZONES[1], name] = {**first, "id": "7", "zone": place, "creationTimestamp": later}
        return True

    def inventory(self) -> list[str]:
        with self.api.lock:
            there = self.api.there()
            ours = [each["name"] for each in there if each["labels"]["ebbtide-deployment"] == self.deployment]
            disks = [f"disk of {name}" for _, name in self.api.disks if name.startswith(f"{self.deployment}-")]
        return ours + disks
