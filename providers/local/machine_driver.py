"""What libcloud drivers have in common whose cloud is this machine: a node is a process with a directory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from libcloud.compute.base import Node, NodeAuthPassword, NodeAuthSSHKey, NodeDriver, NodeImage, NodeLocation, NodeSize
from libcloud.compute.types import NodeState

from ..errors import InvalidRequestError, NotFoundError, ProviderError
from ..names import carries
from ..sweep import StubbornProcessesError
from .record import VmRecord
from .registry import Entry, Phase, Registry
from .spawn import refused

ADDRESS = "127.0.0.1"

_STATES = {
    Phase.PENDING: NodeState.PENDING,
    Phase.RUNNING: NodeState.RUNNING,
    Phase.PREEMPTED: NodeState.TERMINATED,
    Phase.DEAD: NodeState.TERMINATED,
    Phase.DAMAGED: NodeState.UNKNOWN,
}


class MachineDriver(NodeDriver):
    """`ex_*` arguments and methods follow libcloud's custom for what only one cloud has.

    Raises this package's typed errors, which are part of its contract, instead of libcloud's.
    """

    features = {"create_node": ["ssh_key"]}  # noqa: RUF012 - the base class declares it so

    def __init__(self, registry: Registry, deployment: str, idle_timeout: float, clock: Callable[[], float]) -> None:
        # No connection to any API: the base class's constructor would open one.
        self.api_name = self.type
        self._registry = registry
        self._deployment = deployment
        self._idle_timeout = idle_timeout
        self._clock = clock
        registry.tidy()

    # ---------------------------------------------------------------------------------- what a kind has to say

    @abstractmethod
    def _starter(self, name: str, public_key: str, user_data: str | None) -> Callable[[Entry], None]:
        """What starts the VM of a directory. Raises InvalidRequestError for what can never start."""

    @abstractmethod
    def _admit(self, entries: list[Entry], size: str) -> None:
        """Raises QuotaError, CapacityError, if there is no room for one more."""

    @abstractmethod
    def _price(self, size: str, low_priority: bool) -> float:
        """Per hour."""

    @abstractmethod
    def _told(self, entry: Entry) -> dict[str, Any]:
        """`user`, `host_key` and `node_root` of a node, and what else is of this kind alone."""

    # ------------------------------------------------------------------------------------------ what they share

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
        ex_userdata: str | None = None,
    ) -> Node:
        """Idempotent by name. The node is usually running on return."""
        if not isinstance(auth, NodeAuthSSHKey):
            raise InvalidRequestError(f"VM {name}: a VM needs an SSH key (auth=NodeAuthSSHKey)")
        start = self._starter(name, auth.pubkey, ex_userdata)
        record = VmRecord(
            name=name,
            deployment=self._deployment,
            pool_id=ex_pool_id,
            node_id=ex_node_id,
            size=size.id,
            image=image.id,
            low_priority=ex_low_priority,
            public_key=auth.pubkey,
            idle_timeout=self._idle_timeout,
            created=self._clock(),
            tags=dict(ex_tags or {}),
        )
        try:
            self._registry.add(record, lambda entries: self._admit(entries, size.id))
            return self._boot(name, start)
        except OSError as exc:
            error = refused(exc, f"creating VM {name}")
        except ProviderError as exc:
            error = exc
        entry = self._registry.get(name)
        if entry is not None and entry.phase is not Phase.RUNNING:
            self._end(name)  # what could not start must not stay listed
        raise error

    def _boot(self, name: str, start: Callable[[Entry], None]) -> Node:
        entry = self._registry.get(name)
        if entry is not None and entry.phase is Phase.PENDING and entry.vm is not None:
            try:
                start(entry)
            except (FileNotFoundError, ProviderError):
                if entry.path.exists():
                    raise
                # else it was destroyed meanwhile, which is why it could not start
            entry = self._registry.get(name)
        if entry is None:
            raise NotFoundError(f"VM {name} was destroyed while it was created")
        return self._node(entry)

    def _ours(self, entry: Entry) -> bool:
        """Others may use the same directory. Of one whose record cannot be read its name tells whose it is."""
        if entry.vm is None:
            return carries(entry.name, self._deployment)
        return entry.vm.deployment == self._deployment

    def list_nodes(self) -> list[Node]:
        """Changes nothing, but that on a machine that has died nothing runs: what is left of it is ended before anybody
        hears that it is over, and gives its work to others."""
        entries = [entry for entry in self._registry.entries() if self._ours(entry)]
        self._registry.bury(entry.name for entry in entries if self._haunted(entry))
        return [self._node(entry) for entry in entries]

    def _haunted(self, entry: Entry) -> bool:
        return entry.haunted

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

    def reboot_node(self, node: Node) -> bool:
        """Start the node anew on the files that it has. A controller that died in the middle leaves one that has yet to
        start: then this is to be called again. Raises NotFoundError."""
        name = node.name
        entry = self._registry.get(name)
        if entry is None or entry.vm is None or not entry.lives or not self._ours(entry):
            raise NotFoundError(f"there is no VM {name} to reboot")
        start = self._starter(name, entry.vm.public_key, None)
        try:
            self._registry.stop_for_reboot(entry)
            self._boot(name, start)
        except StubbornProcessesError as exc:
            raise ProviderError(f"VM {name}: {exc}") from exc
        except OSError as exc:
            raise refused(exc, f"rebooting VM {name}") from exc
        return True

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

    def _node(self, entry: Entry) -> Node:
        vm, process = entry.vm, entry.node
        return Node(
            id=entry.name,
            name=entry.name,
            state=_STATES[entry.phase],
            public_ips=[],
            private_ips=[ADDRESS],
            driver=self,
            extra={
                "port": process.port if process else None,
                "low_priority": vm.low_priority if vm else False,
                "size": vm.size if vm else None,
                "price": self._price(vm.size, vm.low_priority) if vm else None,
                "preempted": entry.phase is Phase.PREEMPTED,
                "reason": entry.reason,
                "tags": vm.tags if vm else {},
                **self._told(entry),
            },
            created_at=datetime.fromtimestamp(vm.created, UTC) if vm else None,
        )
