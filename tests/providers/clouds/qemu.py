"""Real VMs on this machine: a kernel with a RAM disk under qemu."""

from __future__ import annotations

from typing import Any

from providers import marked_processes

from ...rig.qemu_images import tiny_image, unavailable
from .base import CloudUnderTest, files


class QemuCloud(CloudUnderTest):
    kind = "qemu"
    size = "tiny.small"
    image = "tiny"
    sizes = frozenset({"tiny.small", "tiny.large"})
    priced = True
    refused_size = r"vmSize 'standard_a1'; it knows tiny.large, tiny.small"
    refused_image = "image 'windows'; it knows tiny"

    @classmethod
    def unavailable(cls) -> str | None:
        return unavailable()

    def settings(self) -> dict[str, Any]:
        return {
            "baseDir": str(self.base),
            "images": {"tiny": tiny_image()},
            "sizes": {"tiny.small": {"cpus": 1, "memory": 192}, "tiny.large": {"cpus": 2, "memory": 256}},
            "sshUser": "root",
            "accelerator": "tcg",
        }

    def kept(self) -> object:
        return files(self.base)

    def inventory(self) -> list[str]:
        processes = [f"process {process.pid}" for process in marked_processes(self.deployment)]
        return processes + [str(path) for path in self.base.glob("*/*")]
