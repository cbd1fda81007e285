"""What Azure says of a VM and of what goes with it, and how that is to be understood."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..provider import VmState

_POWER = {
    "running": VmState.RUNNING,
    "starting": VmState.PENDING,
    "stopping": VmState.TERMINATED,
    "stopped": VmState.TERMINATED,
    "deallocating": VmState.TERMINATED,
    "deallocated": VmState.TERMINATED,
}


@dataclass(frozen=True)
class Node:
    """A VM with what goes with it, as the API says it; of some only that may be left."""

    name: str  # Azure's, in lower case
    vm: Mapping[str, Any] | None
    statuses: tuple[Mapping[str, str], ...] = ()
    nic: Mapping[str, Any] | None = None
    address: Mapping[str, Any] | None = None
    disk: Mapping[str, Any] | None = None

    @property
    def tags(self) -> Mapping[str, str]:
        return next((each["tags"] for each in (self.vm, self.nic, self.address) if each and each.get("tags")), {})


def by_vm(things: Iterable[Mapping[str, Any]], suffix: str) -> dict[str, Mapping[str, Any]]:
    """By the name of the VM that each was made for."""
    named = {each["name"].lower(): each for each in things}
    return {name.removesuffix(suffix): each for name, each in named.items() if name.endswith(suffix)}


def statuses_of(vm: Mapping[str, Any]) -> tuple[Mapping[str, str], ...]:
    return tuple(vm["properties"].get("instanceView", {}).get("statuses", ()))


def power_of(statuses: Iterable[Mapping[str, str]]) -> str | None:
    found = [status["code"].partition("/")[2] for status in statuses if status["code"].startswith("PowerState/")]
    return found[0] if found else None


def state_of(node: Node, low_priority: bool) -> tuple[VmState, str | None]:
    """The state, and why it is over."""
    if node.vm is None:
        return VmState.TERMINATED, "what went with the VM is left (an interface, an address or a disk)"
    provisioning = node.vm["properties"].get("provisioningState")
    if provisioning == "Deleting":
        return VmState.TERMINATED, "it is being deleted"
    if provisioning == "Failed":
        told = [status.get("message", "") for status in node.statuses if "/failed" in status["code"]]
        return VmState.TERMINATED, f"it could not be made: {' '.join(told) or 'Azure does not say why'}"
    power = power_of(node.statuses)
    state = _POWER.get(power or "", VmState.PENDING if power is None else VmState.UNKNOWN)
    if state is not VmState.TERMINATED:
        return state, None
    if low_priority and power in ("deallocating", "deallocated"):
        return VmState.PREEMPTED, "Azure took the spot VM back"
    return state, f"the VM is {power} (by itself, or by hand), and still costs"
