"""The cloud in memory, on a clock that the test moves."""

from __future__ import annotations

from typing import Any, cast

from providers import SimulatedProvider

from .base import CloudUnderTest

STAMP = 1_000_000.0


class SimulatedCloud(CloudUnderTest):
    kind = "simulated"
    survives = False  # it is in the provider's memory
    pinned = False
    size = "simulated.small"
    image = "simulated"
    sizes = frozenset({"simulated.small", "simulated.medium", "simulated.large"})
    priced = True
    refused_size = r"vmSize 'standard_a1'; it knows .*medium, .*small"
    refused_image = "image 'windows'; it knows simulated"

    now = STAMP

    def settings(self) -> dict[str, Any]:
        return {"bootDelay": 5}

    def clock(self) -> float:
        return self.now

    def created_now(self, created: float | None) -> bool:
        return created == STAMP

    def boot(self) -> None:
        self.now += 5

    def kept(self) -> object:
        return cast(SimulatedProvider, self.provider).everything()

    def inventory(self) -> list[str]:
        return [vm.name for vm in self.provider.list_owned()]
