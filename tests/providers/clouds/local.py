"""Local nodes: processes and directories on this machine."""

from __future__ import annotations

from typing import Any

from providers import marked_processes

from .base import CloudUnderTest, files

STAMP = 1_000_000.0


class LocalCloud(CloudUnderTest):
    kind = "local"
    pinned = False  # a node makes its host key itself
    size = "local.small"
    image = "local"
    sizes = frozenset({"local.small", "local.medium", "local.large"})
    priced = True
    refused_size = r"vmSize 'standard_a1'; it knows .*medium, .*small"
    refused_image = "image 'windows'; it knows local"

    now = STAMP

    def settings(self) -> dict[str, Any]:
        return {"baseDir": str(self.base)}

    def clock(self) -> float:
        return self.now

    def created_now(self, created: float | None) -> bool:
        return created == STAMP

    def kept(self) -> object:
        return files(self.base)

    def inventory(self) -> list[str]:
        processes = [f"process {process.pid}" for process in marked_processes(self.deployment)]
        return processes + [str(path) for path in self.base.glob("*/*")]
