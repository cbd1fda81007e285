"""A fake EC2 without hosts, and controllers of one deployment on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from providers import HostKeys, Vm, VmSpec, VmState, open_provider
from providers.ec2 import Ec2Provider
from tests.rig import CloudRig

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINCfmJ+CztYGbhmvBLKeiYyhgAnFSS1rdRj7ghbaUQ2B"
IMAGE = "ami-0e0bb71de00000001"
SECRET = bytes(range(32))


@dataclass
class Account:
    rig: CloudRig
    deployment: str = "d1"

    def open(self, **settings: Any) -> Ec2Provider:
        """Another controller."""
        options = self.rig.settings(**{"visibilityDelay": 0.2, **settings})
        provider = open_provider("aws", options, self.deployment, host_keys=HostKeys(SECRET))
        assert isinstance(provider, Ec2Provider)
        return provider

    def name(self, node: str) -> str:
        return f"{self.deployment}-{node}"

    def spec(self, node: str = "n1", **changes: Any) -> VmSpec:
        values: dict[str, Any] = {
            "name": self.name(node),
            "deployment": self.deployment,
            "pool_id": "mainPool",
            "node_id": node,
            "size": "t3.small",
            "image": IMAGE,
            "low_priority": True,
            "public_key": KEY,
        }
        return VmSpec(**{**values, **changes})

    def living(self) -> list[str]:
        """Names of our VMs that cost, by the cloud's own list."""
        ours = [it for it in self.rig.instances("pending", "running", "stopping", "stopped") if not it.stranger]
        return sorted(it.tags.get("ebbtide-vm", it.id) for it in ours)

    def actions(self, since: int = 0) -> list[str]:
        return [call.action for call in self.rig.calls[since:]]

    def params(self, action: str) -> dict[str, str]:
        """Of the last call of that action."""
        return dict(next(call.params for call in reversed(self.rig.calls) if call.action == action))


def states(vms: list[Vm]) -> dict[str, VmState]:
    return {vm.name.rpartition("-")[2]: vm.state for vm in vms}


@pytest.fixture
def rig() -> Iterator[CloudRig]:
    with CloudRig(hosts=False) as rig:
        yield rig
        assert rig.mishaps == []


@pytest.fixture
def account(rig: CloudRig) -> Account:
    return Account(rig)
