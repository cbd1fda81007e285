"""A cloud under test: the provider, and what the contract suite has to know of its kind."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import paramiko

from providers import HostKeys, Provider, Vm, VmSpec, VmState, open_provider
from providers import clock as wall_clock

from ..fakes.api import FakeApi
from ..waiting import wait_until

ENDED = (VmState.PREEMPTED, VmState.TERMINATED)


class CloudUnderTest:
    """One cloud with one deployment of ours on it. A kind overrides what differs.

    In this order: `unavailable`, `start`, `reopen` (which asks `settings`), the test, `close` (which destroys, asks
    `inventory` whether anything is left, and calls `stop`).
    """

    kind: ClassVar[str]

    # What this kind can be tested for.
    low_priority: ClassVar[bool] = True  # it has low-priority VMs; also what `spec` asks for
    preempts: ClassVar[bool] = True  # `preempt` works here, by the provider or by the kind's own means
    quota: ClassVar[bool] = True  # the setting maxVms is obeyed
    survives: ClassVar[bool] = True  # VMs outlive the controller
    pinned: ClassVar[bool] = True  # VMs have the host keys of `host_keys`
    gone_at_once: ClassVar[bool] = True  # what was destroyed is not listed any more, not even as terminated

    # What `spec` asks for, and what comes back.
    size: str
    image: str
    sizes: ClassVar[frozenset[str] | None] = None  # all that are offered; None: more than a test can name
    priced: ClassVar[bool] = False  # every size has a price without any setting
    tags: ClassVar[Mapping[str, str]] = {"pool": "mainPool", "owner": "ebbtide"}  # such as the cloud can keep
    #: how the refusals of the size "standard_a1" and the image "windows" read (regular expressions)
    refused_size: ClassVar[str] = "standard_a1"
    refused_image: ClassVar[str] = "windows"
    boots_within: ClassVar[float] = 60.0  # seconds

    def __init__(self, deployment: str, base: Path, key: paramiko.PKey) -> None:
        """`base`: a folder of its own, not made yet. `key`: the one that may log in."""
        self.deployment = deployment
        self.base = base
        self.key = key
        self.began = wall_clock.now()
        self.start()
        try:
            self.provider = self.reopen()
        except BaseException:
            self.stop()
            raise

    # ------------------------------------------------------------------------------------ what a kind overrides

    @classmethod
    def unavailable(cls) -> str | None:
        """Why this kind cannot be tested here, and the cure; None if it can."""
        return None

    def start(self) -> None:
        """Start what plays the cloud."""

    def stop(self) -> None:
        """End what `start` started. Must work after half of it."""

    def settings(self) -> dict[str, Any]:
        """The provider's settings, without `driver`."""
        return {}

    def inventory(self) -> list[str]:
        """What exists at the cloud by the cloud's own list and is ours: VMs, and what was made beside them (disks,
        keys, security groups, files, processes). Not by asking the provider."""
        raise NotImplementedError

    def kept(self) -> object:
        """What is no longer the same once anything of ours was changed, at the cloud or here. Not by asking the
        provider."""
        raise NotImplementedError

    def disturb(self, name: str) -> bool:
        """Bring about what `sweep` is there for, beside the VM of that name; False if this kind knows no such thing."""
        return False

    def clock(self) -> float:
        return wall_clock.now()

    def boot(self) -> None:
        """Come back when every VM that was created is up (or over)."""
        wait_until(self._settled, self.boots_within, pause=0.02)

    def preempt(self, name: str) -> None:
        """Take the VM away as the cloud would."""
        self.provider.preempt(name)

    def created_now(self, created: float | None) -> bool:
        """True if `created` may be the time of a VM that this test has made."""
        return created is not None and self.began - 2 <= created <= self.clock() + 2

    # ------------------------------------------------------------------------------------------- what tests use

    def host_keys(self, deployment: str) -> HostKeys:
        return HostKeys(hashlib.sha256(deployment.encode()).digest())

    def reopen(self, **settings: Any) -> Provider:
        """Another controller on the same cloud; `settings` replace those of the same name."""
        return self.open(self.deployment, **settings)

    def open(self, deployment: str, **settings: Any) -> Provider:
        return open_provider(
            self.kind,
            {"driver": self.kind, **self.settings(), **settings},
            deployment,
            host_keys=self.host_keys(deployment),
            clock=self.clock,
        )

    def spec(self, node: str = "n1", low_priority: bool | None = None, **changes: Any) -> VmSpec:
        """`low_priority` None: as this kind has it."""
        values: dict[str, Any] = {
            "name": f"{self.deployment}-{node}",
            "deployment": self.deployment,
            "pool_id": "mainPool",
            "node_id": node,
            "size": self.size,
            "image": self.image,
            "low_priority": self.low_priority if low_priority is None else low_priority,
            "public_key": f"{self.key.get_name()} {self.key.get_base64()}",
        }
        return VmSpec(**{**values, **changes})

    def create(self, node: str = "n1", **changes: Any) -> Vm:
        return self.provider.create(self.spec(node, **changes))

    def states(self) -> dict[str, VmState]:
        return {vm.name.removeprefix(f"{self.deployment}-"): vm.state for vm in self.provider.list_owned()}

    def one(self, name: str) -> Vm:
        return next(vm for vm in self.provider.list_owned() if vm.name == name)

    def living(self) -> list[str]:
        """The nodes whose VMs are not over."""
        return [node for node, state in self.states().items() if state not in ENDED]

    def left(self) -> list[str]:
        """What the provider lists although everything was destroyed; [] as soon as the kind allows."""
        if not self.gone_at_once:
            wait_until(lambda: self.provider.list_owned() == [], pause=0.02)
        return [vm.name for vm in self.provider.list_owned()]

    def close(self) -> None:
        """Destroy all, and end the cloud. Fails if anything of ours is left."""
        try:
            for vm in self.provider.list_owned():
                self.provider.destroy(vm.name, vm.provider_id)
            assert self.left() == []
            self.provider.sweep()
            if not self.gone_at_once:
                wait_until(lambda: self.inventory() == [], pause=0.02)
            assert self.inventory() == [], "something is left at the cloud"
        finally:
            self.stop()

    def _settled(self) -> bool:
        states = self.states().values()
        self.provider.sweep()  # as a controller does
        return all(state is VmState.RUNNING or state in ENDED for state in states)


class FakedCloud(CloudUnderTest):
    """On a fake of its HTTP API."""

    fake: ClassVar[type[FakeApi]]
    api: Any

    def start(self) -> None:
        self.api = self.fake()

    def kept(self) -> object:
        """All that was asked for but reading; signing in is a POST everywhere."""
        return [str(each) for each in self.api.asked("(?!GET )") if "token" not in each.path]

    def stop(self) -> None:
        self.api.close()


def files(*folders: Path) -> dict[str, bytes]:
    """What they hold, but for what VMs that run write themselves: of that only the names."""
    found = [path for folder in folders for path in folder.rglob("*")]
    ours = (".json", "enter", "authorized_keys")
    return {str(path): path.read_bytes() if path.name.endswith(ours) else b"" for path in found}
