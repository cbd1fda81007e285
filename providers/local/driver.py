"""A libcloud driver whose cloud is this machine: a node is a process with an SSH server and a directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from libcloud.compute.base import NodeImage, NodeSize

from ..errors import InvalidRequestError, QuotaError
from .host_key import parse_public
from .machine_driver import MachineDriver
from .registry import Entry, Registry
from .spawn import spawn

SIZES = {"local.small": (1, 1024), "local.medium": (2, 4096), "local.large": (4, 16384)}  # nominal CPUs, MiB
IMAGES = {"local": "This machine as it is"}

_START_WITHIN = 20.0  # seconds; a node that takes longer is returned as pending


@dataclass(frozen=True)
class LocalSettings:
    base: Path
    deployment: str
    idle_timeout: float  # seconds
    max_vms: int | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    low_priority_prices: Mapping[str, float] = field(default_factory=dict)


class LocalNodeDriver(MachineDriver):
    """`create_node` waits until the node listens."""

    name = "Local processes"
    website = ""
    type = "local"

    def __init__(self, settings: LocalSettings, clock: Callable[[], float]) -> None:
        super().__init__(Registry(settings.base), settings.deployment, settings.idle_timeout, clock)
        self._settings = settings

    def list_sizes(self, location: object = None) -> list[NodeSize]:
        return [
            NodeSize(
                id=name,
                name=name,
                ram=memory,
                disk=0,
                bandwidth=None,
                price=self._price(name, False),
                driver=self,
                extra={"cpus": cpus, "low_priority_price": self._price(name, True)},
            )
            for name, (cpus, memory) in SIZES.items()
        ]

    def list_images(self, location: object = None) -> list[NodeImage]:
        return [NodeImage(id=name, name=name, driver=self, extra={"description": d}) for name, d in IMAGES.items()]

    def _starter(self, name: str, public_key: str, user_data: str | None) -> Callable[[Entry], None]:
        try:
            parse_public(public_key)
        except ValueError as exc:
            raise InvalidRequestError(f"VM {name}: {exc}") from exc
        return lambda entry: spawn(entry.path, name, _START_WITHIN)

    def _admit(self, entries: list[Entry], size: str) -> None:
        limit = self._settings.max_vms
        living = sum(entry.lives and self._ours(entry) for entry in entries)
        if limit is not None and living >= limit:
            raise QuotaError(f"{living} local nodes exist and maxVms is {limit}; raise it, or wait until one ends")

    def _price(self, size: str, low_priority: bool) -> float:
        """Per hour; a process on this machine costs nothing unless the settings say otherwise."""
        prices = self._settings.low_priority_prices if low_priority else self._settings.prices
        return prices.get(size, 0.0)

    def _told(self, entry: Entry) -> dict[str, Any]:
        process = entry.node
        return {
            "user": process.user if process else "",
            "host_key": process.host_key if process else None,
            "node_root": str(entry.path / "root"),
        }
