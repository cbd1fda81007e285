"""A libcloud driver whose cloud is this machine: a node is a process with an SSH server and a directory."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from libcloud.compute.base import (
    Node,
    NodeAuthPassword,
    NodeAuthSSHKey,
    NodeDriver,
    NodeImage,
    NodeLocation,
    NodeSize,
)
from libcloud.compute.types import NodeState

from ..errors import InvalidRequestError, NotFoundError, ProviderError, QuotaError
from ..sweep import StubbornProcessesError
from .host_key import parse_public
from .record import VmRecord
from .registry import Entry, Phase, Registry
from .spawn import refused, spawn

SIZES = {"local.small": (1, 1024), "local.medium": (2, 4096), "local.large": (4, 16384)}  # nominal CPUs, MiB
IMAGES = {"local": "This machine as it is"}

_START_WITHIN = 20.0  # seconds; a node that takes longer is returned as pending
_STATES = {
    Phase.PENDING: NodeState.PENDING,
    Phase.RUNNING: NodeState.RUNNING,
    Phase.PREEMPTED: NodeState.TERMINATED,
    Phase.DEAD: NodeState.TERMINATED,
    Phase.DAMAGED: NodeState.UNKNOWN,
}


@dataclass(frozen=True)
class LocalSettings:
    base: Path
    deployment: str
    idle_timeout: float  # seconds
    max_vms: int | None = None
    prices: Mapping[str, float] = field(default_factory=dict)
    low_priority_prices: Mapping[str, float] = field(default_factory=dict)


class LocalNodeDriver(NodeDriver):
    """`ex_*` arguments and methods follow libcloud's custom for what only one cloud has.

    Raises this package's typed errors, which are part of its contract, instead of libcloud's.
    """

    name = "Local processes"
    website = ""
    type = "local"
    features = {"create_node": ["ssh_key"]}  # noqa: RUF012 - the base class declares it so

    def __init__(self, settings: LocalSettings, clock: Callable[[], float]) -> None:
        # No connection to any API: the base class's constructor would open one.
        self.api_name = "local"
        self._settings = settings
        self._clock = clock
        self._registry = Registry(settings.base)
        self._registry.tidy()

    def list_sizes(self, location: object = None) -> list[NodeSize]:
        settings = self._settings
        return [
            NodeSize(
                id=name,
                name=name,
                ram=memory,
                disk=0,
                bandwidth=None,
                price=settings.prices.get(name, 0.0),
                driver=self,
                extra={"cpus": cpus, "low_priority_price": settings.low_priority_prices.get(name, 0.0)},
            )
            for name, (cpus, memory) in SIZES.items()
        ]

    def list_images(self, location: object = None) -> list[NodeImage]:
        return [NodeImage(id=name, name=name, driver=self, extra={"description": d}) for name, d in IMAGES.items()]

    def create_node(
        self,
        name: str,
        size: NodeSize,
        image: NodeImage,
        location: NodeLocation | None = None,
        auth: NodeAuthSSHKey | NodeAuthPassword | None = None,
        ex_pool_id: str = "",
        ex_node_id: str = "",
        ex_low_priority: bool = False,
        ex_tags: Mapping[str, str] | None = None,
    ) -> Node:
        """Idempotent by name; waits until the node listens, so that it is usually running on return."""
        if not isinstance(auth, NodeAuthSSHKey):
            raise InvalidRequestError(f"VM {name}: a local node needs an SSH key (auth=NodeAuthSSHKey)")
        try:
            parse_public(auth.pubkey)
        except ValueError as exc:
            raise InvalidRequestError(f"VM {name}: {exc}") from exc
        settings = self._settings
        record = VmRecord(
            name=name,
            deployment=settings.deployment,
            pool_id=ex_pool_id,
            node_id=ex_node_id,
            size=size.id,
            image=image.id,
            low_priority=ex_low_priority,
            public_key=auth.pubkey,
            idle_timeout=settings.idle_timeout,
            created=self._clock(),
            tags=dict(ex_tags or {}),
        )
        try:
            self._registry.add(record, self._admit)
            return self._boot(name)
        except OSError as exc:
            error = refused(exc, f"creating VM {name}")
        except ProviderError as exc:
            error = exc
        entry = self._registry.get(name)
        if entry is not None and entry.phase is not Phase.RUNNING:
            self._end(name)  # what could not start must not stay listed
        raise error

    def _boot(self, name: str) -> Node:
        entry = self._registry.get(name)
        if entry is not None and entry.phase is Phase.PENDING and entry.vm is not None:
            try:
                spawn(entry.path, name, _START_WITHIN)
            except FileNotFoundError:
                pass  # destroyed meanwhile
            entry = self._registry.get(name)
        if entry is None:
            raise NotFoundError(f"VM {name} was destroyed while it was created")
        return self._node(entry)

    def _admit(self, entries: list[Entry]) -> None:
        limit = self._settings.max_vms
        living = sum(entry.lives and self._ours(entry) for entry in entries)
        if limit is not None and living >= limit:
            raise QuotaError(f"{living} local nodes exist and maxVms is {limit}; raise it, or wait until one ends")

    def _ours(self, entry: Entry) -> bool:
        return entry.vm is None or entry.vm.deployment == self._settings.deployment

    def list_nodes(self) -> list[Node]:
        entries = [entry for entry in self._registry.entries() if self._ours(entry)]
        self._registry.bury(entry.name for entry in entries if entry.haunted)
        return [self._node(entry) for entry in entries]

    def destroy_node(self, node: Node) -> bool:
        self._end(node.name)
        return True

    def _end(self, name: str) -> None:
        try:
            self._registry.destroy(name)
        except StubbornProcessesError as exc:
            raise ProviderError(f"VM {name}: {exc}") from exc
        except OSError as exc:
            raise refused(exc, f"destroying VM {name}") from exc

    def ex_get_node(self, name: str) -> Node:
        """The node; in an unknown state if there is no record of it (processes may be left all the same)."""
        entry = self._registry.get(name)
        return self._node(entry or Entry(name, self._registry.path(name), Phase.DAMAGED, "no record", None, None))

    def ex_preempt_node(self, node: Node) -> None:
        """Take the node away as a spot market would: abruptly. Raises NotFoundError, InvalidRequestError."""
        entry = self._registry.get(node.name)
        if entry is None or not self._ours(entry):
            raise NotFoundError(f"there is no VM {node.name} to preempt")
        if entry.vm is None or not entry.vm.low_priority:
            raise InvalidRequestError(f"VM {node.name} is dedicated; only low-priority VMs can be preempted")
        if entry.lives:
            try:
                self._registry.preempt(node.name, "preempted on command")
            except StubbornProcessesError as exc:
                raise ProviderError(f"VM {node.name}: {exc}") from exc

    def _price(self, vm: VmRecord) -> float:
        """Per hour; a process on this machine costs nothing unless the settings say otherwise."""
        prices = self._settings.low_priority_prices if vm.low_priority else self._settings.prices
        return prices.get(vm.size, 0.0)

    def _node(self, entry: Entry) -> Node:
        vm, process = entry.vm, entry.node
        return Node(
            id=entry.name,
            name=entry.name,
            state=_STATES[entry.phase],
            public_ips=[],
            private_ips=["127.0.0.1"],
            driver=self,
            extra={
                "port": process.port if process else None,
                "user": process.user if process else "",
                "host_key": process.host_key if process else None,
                "node_root": str(entry.path / "root"),
                "low_priority": vm.low_priority if vm else False,
                "size": vm.size if vm else None,
                "price": self._price(vm) if vm else None,
                "preempted": entry.phase is Phase.PREEMPTED,
                "reason": entry.reason,
                "tags": vm.tags if vm else {},
            },
            created_at=datetime.fromtimestamp(vm.created, UTC) if vm else None,
        )
